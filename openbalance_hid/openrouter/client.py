"""The OpenRouter client: one method for each request, and the error class for each bad status.

Not here: where the key may be sent (`endpoint`), how bytes are sent and received (`http`), what a reply means (`replies`,
`activity`), when to send a request (`cadence`) and what follows from an error (`outcome`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from openbalance_hid.account.snapshot import Activity, ApiKey, Credits, Today, Window
from openbalance_hid.errors import (
    ApiError,
    ForbiddenError,
    KeyRejectedError,
    RateLimitedError,
    ServerError,
)
from openbalance_hid.openrouter import replies
from openbalance_hid.openrouter.activity import to_activity
from openbalance_hid.openrouter.endpoint import DEFAULT_LIMITS, OPENROUTER_URL, HttpLimits, checked_base_url
from openbalance_hid.openrouter.replies import KeyInfo
from openbalance_hid.secret import Secret, mask_keys

if TYPE_CHECKING:
    from openbalance_hid.openrouter.http import HttpResponse, HttpSession

_MAX_PAGES = 50  # of keys: of more than five thousand keys, the newest are shown
_LONGEST_RETRY_AFTER_S = 86_400.0  # a longer one is a mistake of the server

_T = TypeVar("_T")


class Client:
    """Requests with one key. For one thread; `close` it at the end of a poll cycle.

    Every request raises OfflineError, RateLimitedError, KeyRejectedError, ForbiddenError or ServerError. Their messages are
    printable and never contain the key.
    """

    def __init__(
        self,
        secret: Secret,
        base_url: str = OPENROUTER_URL,
        *,
        limits: HttpLimits = DEFAULT_LIMITS,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        mono: Callable[[], float] = time.monotonic,
    ) -> None:
        """ConfigError for an address that the key must not be sent to."""
        self.secret = secret
        self.base_url = checked_base_url(base_url)
        self.calls = 0  # requests sent
        self.last_date_skew_s: float | None = None  # the server's Date minus the local clock, of the last answer
        self._limits = limits
        self._utc = utc
        self._mono = mono
        self._session: HttpSession | None = None

    def credits(self) -> Credits:
        """Return what was bought and used, USD. ForbiddenError for an inference key, which may also be answered 0 and 0."""
        return self._request("GET", "/credits", replies.to_credits)

    def activity(self, key_hash: str | None = None) -> Activity:
        """Return the last 30 completed UTC days, of all keys or of one. Without `date`: today would be answered with 400."""
        path = "/activity" if key_hash is None else f"/activity?api_key_hash={quote(key_hash, safe='')}"
        return self._request("GET", path, to_activity, largest_bytes=self._limits.activity_bytes)

    def keys(self) -> tuple[ApiKey, ...]:
        """Return all keys of the default workspace, newest first; names are unique. One request for each page.

        Disabled and expired keys are included: they may have spent in this period.
        """
        rows: list[ApiKey] = []
        for _ in range(_MAX_PAGES):
            query = f"offset={len(rows)}&include_disabled=true&include_expired=true"
            page = self._request("GET", f"/keys?{query}", lambda body: replies.to_keys(body, self._utc()))
            rows += page
            if len(page) < replies.KEYS_PAGE:
                break
        return replies.with_unique_names(rows)

    def key_info(self) -> KeyInfo:
        """Return the kind of this key; any key may request it."""
        return self._request("GET", "/key", replies.to_key_info)

    def today(self, now: datetime) -> Today:
        """Return the spend by model from UTC midnight to `now` (aware). A new endpoint: callers must do without it."""
        now = now.astimezone(UTC)
        start = now.replace(hour=0, minute=0, second=0, microsecond=0)
        day: date = start.date()
        return self._spend_by_model(start, now, lambda body: replies.to_today(body, day))

    def window(self, start: datetime, end: datetime) -> Window:
        """Return the spend by model from `start` to `end` (aware), whole seconds. The endpoint of `today`."""
        return self._spend_by_model(start, end, lambda body: replies.to_window(body, start, end))

    def _spend_by_model(self, start: datetime, end: datetime, read: Callable[[bytes], _T]) -> _T:
        start = start.astimezone(UTC).replace(microsecond=0)
        end = max(end.astimezone(UTC).replace(microsecond=0), start + timedelta(seconds=1))  # never an empty range
        # Without granularity, because the name of its time column varies. total_usage would include own-key inference.
        query = {
            "metrics": ["credits_usage", "request_count"],
            "dimensions": ["model"],
            "order_by": {"field": "credits_usage", "direction": "desc"},
            "time_range": {"start": _instant(start), "end": _instant(end)},
            "limit": 1000,
        }
        return self._request("POST", "/analytics/query", read, msgspec.json.encode(query))

    def close(self) -> None:
        """Close the connection. Idempotent. A connection kept between polls would silently be dead after a sleep."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.base_url}, {self.secret!r})"

    def _request(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], _T],
        body: bytes | None = None,
        largest_bytes: int | None = None,
    ) -> _T:
        if self._session is None:
            # Imported here: requests takes 0.1 s to import, which must delay the poller and not the start.
            from openbalance_hid.openrouter.http import HttpSession

            self._session = HttpSession(self.secret, self.base_url, self._limits, self._mono)
        self.calls += 1
        try:
            response = self._session.run(method, path, body, largest_bytes or self._limits.body_bytes)
            self._note_skew(response.headers.get("Date"))
            if response.status != 200:
                raise _error_for(path.partition("?")[0], response, self._utc())
            return read(response.body)
        except ApiError as error:
            error.message = mask_keys(error.message, self.secret)
            error.args = (error.message,)
            raise

    def _note_skew(self, header: str | None) -> None:
        sent_at = http_date(header)
        if sent_at is not None:
            self.last_date_skew_s = (sent_at - self._utc()).total_seconds()


def _error_for(path: str, response: HttpResponse, now: datetime) -> ApiError:
    status = response.status
    now = http_date(response.headers.get("Date")) or now  # a Retry-After follows the server's clock
    text = replies.error_message(response.body)
    if not text:
        text = "a web page instead of JSON" if replies.looks_like_html(response.body) else "no message"
    message = f"{path} answered {status}: {text}"
    match status:
        case 401:
            return KeyRejectedError(message)
        case 403:
            return ForbiddenError(message)
        case 429:
            return RateLimitedError(message, retry_after_s=_retry_after_s(response.headers.get("Retry-After"), now))
        case _ if 300 <= status < 400:
            return ServerError(f"{path} answered {status}: a redirect, which is not followed")
        case _:
            return ServerError(message, retry_after_s=_retry_after_s(response.headers.get("Retry-After"), now))


def _retry_after_s(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After in either form (RFC 9110 §10.2.3), at most a day; None if it is unusable."""
    if not header:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header.strip()):
        return min(float(header), _LONGEST_RETRY_AFTER_S)
    at = http_date(header)
    return None if at is None else min(max((at - now).total_seconds(), 0.0), _LONGEST_RETRY_AFTER_S)


def http_date(header: str | None) -> datetime | None:
    """Return the instant of a Date or Retry-After header, aware UTC; None if it is not a date."""
    from email.utils import parsedate_to_datetime  # a dozen modules, which come with requests anyway

    try:
        at = parsedate_to_datetime(header or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
