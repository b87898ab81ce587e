"""The only addresses that a key may be sent to, and the limits of one request. No HTTP here, so that importing it is cheap."""

from __future__ import annotations

import re

from msgspec import Struct

from openbalance_hid.errors import ConfigError
from openbalance_hid.hints import hint
from openbalance_hid.host_names import is_loopback
from openbalance_hid.openrouter.replies import one_line

OPENROUTER_URL = "https://openrouter.ai/api/v1"

_LOOPBACK_URL = re.compile(
    r"http://(?P<host>localhost|[0-9.]{7,15}|\[[0-9a-f:]{3,39}\])(?::(?P<port>[0-9]{1,5}))?(?:/[a-z0-9_./-]*)?", re.IGNORECASE
)


class HttpLimits(Struct, frozen=True):
    """The time and the bytes that one request may take."""

    connect_s: float = 5.0
    read_s: float = 15.0  # the longest pause between two pieces; `/activity` can be this slow
    total_s: float = 30.0  # from the request sent to the last byte
    body_bytes: int = 4 * 1024 * 1024  # decoded; a thousand rows of /analytics/query are some 150 KB
    stream_s: float = 120.0  # as `total_s`, of an answer that is read while it arrives
    activity_bytes: int = 96 * 1024 * 1024  # decoded; 200,000 rows are 70 MB, and are read in pieces


DEFAULT_LIMITS = HttpLimits()


def checked_base_url(url: str) -> str:
    """Return the API address without a trailing slash: OpenRouter's own, or plain `http` to a loopback address.

    ConfigError for any other. The address is matched as a whole, not split by a URL parser: two parsers that disagree about
    the end of the host (`http://127.0.0.1@evil.example`) would send the key to another server.
    """
    stripped = url.strip().rstrip("/")
    if stripped == OPENROUTER_URL:
        return stripped
    match = _LOOPBACK_URL.fullmatch(stripped)
    if match and is_loopback(match["host"].strip("[]")) and 0 < int(match["port"] or 80) < 65536:
        return stripped
    shown = re.sub(r"//[^/]*@", "//[…]@", stripped)
    raise ConfigError(
        f"cannot use {one_line(shown, 100)!r} as API address: only http to a loopback address is accepted",
        hint("the address of the API is refused"),
    )
