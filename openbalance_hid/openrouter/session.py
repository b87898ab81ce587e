"""A session of requests to one address, and what a response is. No HTTP here, so that importing it is cheap.

A command has its sessions in its own process (`own_session`); the daemon in another one, which runs only while something is
requested (`runtime.http_process`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.secret import Secret

_LONG_PIECE_BYTES = 32_768
_YIELD_S = 0.0005


class HttpResponse(Struct, frozen=True):
    """`body` is whole and decoded.

    `sent_at`: the Date header, aware UTC; None without one that can be a server's clock. `retry_after`: of that header, seconds
    or an instant in UTC (RFC 9110 §10.2.3); None without a usable one.
    """

    status: int
    body: bytes
    sent_at: datetime | None = None
    retry_after: float | datetime | None = None


class HttpSession(Protocol):
    """A session with one address and one key, or none. For one thread."""

    def run(
        self, method: str, path: str, body: bytes | None, largest_bytes: int, take: Callable[[bytes], object] | None = None
    ) -> HttpResponse:
        """Return the response. OfflineError for none in time, ServerError for one that breaks off, TooLargeError.

        `take` receives the body of a response with the status 200 in pieces, while it arrives; the returned one has none.
        """
        ...

    def close(self) -> None:
        """Close the connection. Idempotent."""
        ...


# With a key or none, for a base URL that has passed `checked_base_url`. The path: see `deadline_adapter.tls_context`.
NewSession = Callable[[Secret | None, str, HttpLimits, Path | None], HttpSession]


def own_session(secret: Secret | None, base_url: str, limits: HttpLimits, ca_file: Path | None) -> HttpSession:
    """Return a session in this process. See `NewSession`."""
    # Imported here: requests takes 0.1 s to import, which no start should wait for.
    from openbalance_hid.openrouter.http import RequestsSession

    return RequestsSession(secret, base_url, limits, ca_file)


def give_way(piece: bytes) -> None:
    """Let other threads run between two pieces of a long answer: a press waits for no more than one of them."""
    if len(piece) > _LONG_PIECE_BYTES:
        time.sleep(_YIELD_S)
