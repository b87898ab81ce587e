"""Who may talk to the browser deck: the pure checks on a request, before anything is answered.

No socket and no thread here. A page elsewhere on the web can make a browser send requests to 127.0.0.1; three checks keep it
out, in this order: the name it was called by (against DNS rebinding), the page that asks (against cross-site WebSockets) and
the token (against everything else on this machine). The words that a program is started with are read by everybody there, so
that a browser is started with a ticket, which is good for one visit.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs

HTTP_PORT = 80  # a browser leaves it out of Host and Origin
TICKET_S = 120.0  # for a browser that has to start first
QUERY_FIELDS = 8  # more than the page ever sends; bounds the work on a hostile query


@dataclass(frozen=True, slots=True)
class PageAccess:
    """The rules of one running server."""

    port: int
    token: str = field(repr=False)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names that this server answers to: never a name that somebody else's DNS decides."""
        suffix = "" if self.port == HTTP_PORT else f":{self.port}"
        return (f"127.0.0.1{suffix}", f"localhost{suffix}")

    def refusal(self, target: str, values: Callable[[str], Sequence[str]], *, websocket: bool) -> str | None:
        """Why the request must be refused (`host`, `origin`, `token`), or None when it may pass.

        `target`: the request target as sent. `values`: all values of a header, by its name. A program that is no browser
        sends no Origin and may pass; a browser always sends one with a WebSocket, so that one without is refused.
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


class Tickets:
    """Each good for one visit within `TICKET_S`. Monotonic seconds; under one lock of the owner's."""

    def __init__(self) -> None:
        self._ends_at_s: dict[str, float] = {}

    def sell(self, now_s: float) -> str:
        """A new one."""
        ticket = secrets.token_urlsafe(24)
        self._ends_at_s[ticket] = now_s + TICKET_S
        return ticket

    def take(self, target: str, now_s: float) -> bool:
        """Whether the request target has a good one, which it then was."""
        return self._ends_at_s.pop(value_in(target, "ticket"), float("-inf")) > now_s


def value_in(target: str, name: str) -> str:
    """The value of `name` in a request target; empty when there is none, or more than one."""
    query = target.partition("?")[2]
    try:
        values = parse_qs(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS).get(name, [])
    except ValueError:
        return ""
    return values[0] if len(values) == 1 else ""


def security_headers(host: str) -> dict[str, str]:
    """Headers of every answer. The page loads nothing from elsewhere, is framed by nobody, and leaks its address to nobody.

    `host`: the checked Host of the request. It is named for the WebSocket because older browsers do not count `ws:` as 'self'.
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
