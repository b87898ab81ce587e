"""Whether OpenRouter answers, and how far its clock differs: one request without a key, for `doctor`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from openbalance_hid.errors import ServerError
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.session import own_session


@dataclass(frozen=True, slots=True)
class PingResult:
    """`took_s`: the whole request; `skew_s`: the server's clock minus the local one, None without a Date header."""

    took_s: float
    skew_s: float | None


def ping(
    base_url: str,
    limits: HttpLimits,
    utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    mono: Callable[[], float] = time.monotonic,
    ca_file: str | None = None,
) -> PingResult:
    """Request `/key` without a key, which a working server refuses with 401. OfflineError, or ServerError in an outage.

    `base_url` has passed `checked_base_url`.
    """
    session = own_session(None, base_url, limits, Path(ca_file) if ca_file is not None else None)
    started_s = mono()
    try:
        response = session.run("GET", "/key", None, limits.body_bytes)
    finally:
        session.close()
    if response.status >= 500 or 300 <= response.status < 400:
        raise ServerError(f"OpenRouter answers {response.status}")
    skew_s = None if response.sent_at is None else (response.sent_at - utc()).total_seconds()
    return PingResult(mono() - started_s, skew_s)


def proxy_variable(base_url: str, env: Mapping[str, str]) -> str | None:
    """Return the variable of `env` with the proxy that a request uses; None: no proxy, or one of the system's settings."""
    from requests.utils import get_environ_proxies  # as `http`: it leaves out what NO_PROXY excludes

    in_use = get_environ_proxies(base_url)
    scheme = next((word for word in ("https", "all") if in_use.get(word)), "")
    return next(
        (name for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper()) if env.get(name) == in_use.get(scheme, "")), None
    )
