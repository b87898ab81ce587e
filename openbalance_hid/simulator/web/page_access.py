"""Access control of the page server: the checks of a request before any response. Pure.

Any web page can make a browser send requests to 127.0.0.1. Three checks refuse them, in this order: the Host header (against
DNS rebinding), the Origin header (against cross-site WebSockets) and the token (against other users and programs of this
machine). Every user can read the command line of a program, so a browser is started with a token that works once.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs

HTTP_PORT = 80  # browsers leave it out of Host and Origin
ONE_TIME_TOKEN_S = 120.0  # long enough for a browser that has to start first
QUERY_FIELDS = 8  # more than the page sends; bounds the work for a hostile query


@dataclass(frozen=True, slots=True)
class PageAccess:
    """The access rules of one running server."""

    port: int
    token: str = field(repr=False)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the accepted Host values: no name that DNS resolves."""
        suffix = "" if self.port == HTTP_PORT else f":{self.port}"
        return (f"127.0.0.1{suffix}", f"localhost{suffix}")

    def refusal(self, target: str, values: Callable[[str], Sequence[str]], *, websocket: bool) -> str | None:
        """Return the check that refuses the request (`host`, `origin`, `token`), or None when it is accepted.

        `target`: the request target as sent. `values`: all values of a header, by its name. A program other than a browser
        sends no Origin and is accepted; a browser always sends one with a WebSocket, so one without it is refused.
        """
        host = [value.lower() for value in values("Host")]
        if len(host) != 1 or host[0] not in self.hosts:
            return "host"
        origin = values("Origin")
        if origin and list(origin) != [f"http://{host[0]}"]:
            return "origin"
        if websocket and not origin and values("Sec-Fetch-Site"):
            return "origin"
        if not hmac.compare_digest(value_in(target, "token").encode(), self.token.encode()):
            return "token"
        return None


class OneTimeTokens:
    """Tokens that open the page once, within `ONE_TIME_TOKEN_S`. Monotonic seconds. The server holds a lock."""

    def __init__(self) -> None:
        self._ends_at_s: dict[str, float] = {}

    def issue(self, now_s: float) -> str:
        """Return a new token."""
        token = secrets.token_urlsafe(24)
        self._ends_at_s[token] = now_s + ONE_TIME_TOKEN_S
        return token

    def redeem(self, target: str, now_s: float) -> bool:
        """Return whether the request target holds a valid token, and use it up."""
        return self._ends_at_s.pop(value_in(target, "one_time_token"), float("-inf")) > now_s


def value_in(target: str, name: str) -> str:
    """Return the value of `name` in a request target; empty for none, or for more than one."""
    query = target.partition("?")[2]
    try:
        values = parse_qs(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS).get(name, [])
    except ValueError:
        return ""
    return values[0] if len(values) == 1 else ""


def security_headers(host: str) -> dict[str, str]:
    """Return the headers of every response: no foreign resources, no framing, no referrer.

    `host`: the checked Host of the request, for the WebSocket: older browsers do not include `ws:` in 'self'.
    """
    connect = f"'self' ws://{host}" if host else "'self'"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": connect,
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
