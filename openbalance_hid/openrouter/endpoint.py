"""The only addresses that a key may be sent to. No HTTP here."""

from __future__ import annotations

import ipaddress
import re

from openbalance_hid.errors import ConfigError
from openbalance_hid.openrouter.replies import one_line

OPENROUTER_URL = "https://openrouter.ai/api/v1"

_LOOPBACK_URL = re.compile(
    r"http://(?P<host>localhost|[0-9.]{7,15}|\[[0-9a-f:]{3,39}\])(?::(?P<port>[0-9]{1,5}))?(?:/[a-z0-9_./-]*)?", re.IGNORECASE
)


def checked_base_url(url: str) -> str:
    """The API address without a slash at its end: OpenRouter's own, or plain `http` to a loopback address. Else ConfigError.

    The address is matched as a whole and not taken apart by a URL parser: two parsers that disagree about where the host ends
    (`http://127.0.0.1@evil.example`) would send the key to a stranger.
    """
    stripped = url.strip().rstrip("/")
    if stripped == OPENROUTER_URL:
        return stripped
    match = _LOOPBACK_URL.fullmatch(stripped)
    if match and _is_loopback(match["host"]) and 0 < int(match["port"] or 80) < 65536:
        return stripped
    shown = re.sub(r"//[^/]*@", "//[…]@", stripped)
    raise ConfigError(
        f"cannot use {one_line(shown, 100)!r} as API address: only http to a loopback address is accepted",
        "unset OPENBALANCE_API_URL",
    )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
