"""What the daemon and its HTTP process send each other: length and MessagePack, over a pair of sockets for each session.

The daemon sends an `Opening` and gets `Ready` or a `Failure`. Then it may send any number of `HttpRequest`; each is answered by
any number of `BodyPiece` and a `Response` or a `Failure`.
"""

from __future__ import annotations

import socket
import traceback
from typing import BinaryIO, TypeVar

import msgspec
from msgspec import Struct

from openbalance_hid import errors
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.session import HttpResponse

VERSION = 1  # of these messages: an update of this program may replace the child's code while the daemon runs
_LENGTH_BYTES = 4
_T = TypeVar("_T")


class Opening(Struct, frozen=True, array_like=True):
    """The arguments of `session.NewSession`. `key`: of OpenRouter, or None."""

    version: int
    key: str | None
    base_url: str
    limits: HttpLimits
    ca_file: str | None

    def __repr__(self) -> str:
        return f"Opening({self.base_url})"  # without the key


class HttpRequest(Struct, frozen=True, array_like=True):
    """The arguments of `HttpSession.run`. `in_pieces`: there is a function that takes the body in pieces."""

    method: str
    path: str
    body: bytes | None
    largest_bytes: int
    in_pieces: bool


class Ready(Struct, frozen=True, tag=True):
    """The session takes requests."""

    version: int


class BodyPiece(Struct, frozen=True, tag=True):
    """A part of a body."""

    content: bytes


class Response(Struct, frozen=True, tag=True):
    """The end of a request."""

    response: HttpResponse


class Failure(Struct, frozen=True, tag=True):
    """An error by the name of its class in `errors`; without a name a mistake in the program, with its traceback."""

    name: str
    message: str
    hint: str = ""

    def error(self) -> Exception:
        """Return the error to raise."""
        if not self.name:
            return RuntimeError(f"in the HTTP process: {self.message}")
        kind: type[errors.OpenBalanceError] = getattr(errors, self.name)
        return kind(self.message, self.hint)


def failure(error: Exception) -> Failure:
    """Return the message for an error."""
    if isinstance(error, errors.OpenBalanceError):
        return Failure(type(error).__name__, error.message, error.hint)
    return Failure("", "".join(traceback.format_exception(error)))


Reply = Ready | BodyPiece | Response | Failure
OPENING = msgspec.msgpack.Decoder(Opening)
REQUEST = msgspec.msgpack.Decoder(HttpRequest)
REPLY: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def send(channel: socket.socket, message: Opening | HttpRequest | Reply) -> None:
    """Send a message whole. OSError if the other end has closed, or takes nothing within the time limit of the socket."""
    content = msgspec.msgpack.encode(message)
    channel.sendall(len(content).to_bytes(_LENGTH_BYTES, "big") + content)


def receive(stream: BinaryIO, decoder: msgspec.msgpack.Decoder[_T]) -> _T | None:
    """Return the next message; None when the other end has closed, or sends something else. OSError as of the socket."""
    length = int.from_bytes(stream.read(_LENGTH_BYTES), "big")
    content = stream.read(length)
    try:
        return decoder.decode(content) if len(content) == length else None
    except msgspec.DecodeError:
        return None
