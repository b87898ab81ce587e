"""Whether OpenRouter answers at all, and what its clock says: asked without any key, for `doctor`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.client import http_date
from openbalance_hid.openrouter.http_limits import HttpLimits


@dataclass(frozen=True, slots=True)
class PingResult:
    """`took_s`: the whole exchange; `skew_s`: the server's clock minus ours, None where it does not tell."""

    took_s: float
    skew_s: float | None


def reach(
    base_url: str,
    limits: HttpLimits,
    utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    mono: Callable[[], float] = time.monotonic,
) -> PingResult:
    """Asks `/key` as nobody, which is refused with 401 where all is well. OfflineError, or ServerError during an outage.

    `base_url` has passed `checked_base_url`.
    """
    from openbalance_hid.openrouter.http import HttpSession

    exchange, begun_s = HttpSession(None, base_url, limits, mono), mono()
    try:
        answer = exchange.run("GET", "/key", None, limits.body_bytes)
    finally:
        exchange.close()
    if answer.status >= 500 or 300 <= answer.status < 400:
        raise ServerError(f"OpenRouter answers {answer.status}")
    sent_at = http_date(answer.headers.get("Date"))
    return PingResult(mono() - begun_s, None if sent_at is None else (sent_at - utc()).total_seconds())
