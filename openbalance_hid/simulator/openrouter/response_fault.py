"""The kinds of damage to an answer of the sample account."""

from enum import Enum


class ResponseFault(Enum):
    """Damage to a reply on its way to the client."""

    TRUNCATED = "truncated"  # half of the body, with its own Content-Length
    SHORT = "short"  # half of the body, then the end of the connection
    EMPTY = "empty"
    HTML = "html"
    DRIP = "drip"  # the body byte by byte
    DRIP_HEAD = "drip_head"  # status line and headers too
    ENDLESS = "endless"  # a body without an end
    BOMB = "bomb"  # 80 MiB in a few kilobytes of gzip
    NO_ANSWER = "no_answer"  # no byte, and the connection stays open
    GARBAGE = "garbage"  # not HTTP
