"""The questions OpenRouter is asked, one method each. With `exchange`, the only HTTP in the program.

Belongs here: the questions, and which error class a bad status is. Not here: where the key may go (`address`), how bytes come
over the wire (`exchange`), what a reply means (`replies`), when to ask (`cadence`) and what follows from an error (`poller`).
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
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, checked_base_url
from openbalance_hid.openrouter.http_limits import USUAL, HttpLimits
from openbalance_hid.openrouter.replies import KeyInfo
from openbalance_hid.secret import Secret, mask_keys

if TYPE_CHECKING:
    from openbalance_hid.openrouter.http import HttpResponse, HttpSession

_MOST_PAGES = 50  # of keys: whoever has more than five thousand sees the newest
_LONGEST_WAIT_S = 86_400.0  # a Retry-After beyond a day is a mistake of the server's

Reply = TypeVar("Reply")


class Client:
    """One key's way to OpenRouter. For one thread; `close` when a round of questions is over.

    Every question raises OfflineError, RateLimitedError, KeyRejectedError, ForbiddenError or ServerError. Their messages are
    fit to be shown and never hold the key.
    """

    def __init__(
        self,
        secret: Secret,
        base_url: str = OPENROUTER_URL,
        *,
        limits: HttpLimits = USUAL,
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
        self._exchange: HttpSession | None = None

    def credits(self) -> Credits:
        """What was bought and used. ForbiddenError for an inference key, which may also be answered 0 and 0."""
        return self._ask("GET", "/credits", replies.to_credits)

    def activity(self, key_hash: str | None = None) -> Activity:
        """The last 30 completed UTC days, of all keys or of one. No `date` is sent: asking for today is answered with 400."""
        path = "/activity" if key_hash is None else f"/activity?api_key_hash={quote(key_hash, safe='')}"
        return self._ask("GET", path, to_activity, largest_bytes=self._limits.activity_bytes)

    def keys(self) -> tuple[ApiKey, ...]:
        """All keys of the default workspace, newest first; names are unique. As many questions as pages.

        Disabled and expired ones too: what they have spent in this period is still spent.
        """
        rows: list[ApiKey] = []
        for _ in range(_MOST_PAGES):
            query = f"offset={len(rows)}&include_disabled=true&include_expired=true"
            page = self._ask("GET", f"/keys?{query}", lambda body: replies.to_keys(body, self._utc()))
            rows += page
            if len(page) < replies.KEYS_PAGE:
                break
        return replies.told_apart(rows)

    def key_info(self) -> KeyInfo:
        """What kind of key this is; any key may ask."""
        return self._ask("GET", "/key", replies.to_key_info)

    def today(self, now: datetime) -> Today:
        """Spend by model from UTC midnight to `now` (aware). Young: callers do without it when it fails."""
        now = now.astimezone(UTC)
        start = now.replace(hour=0, minute=0, second=0, microsecond=0)
        day: date = start.date()
        return self._spent(start, now, lambda body: replies.to_today(body, day))

    def window(self, start: datetime, end: datetime) -> Window:
        """Spend by model from `start` to `end` (aware), whole seconds. As young as `today`."""
        return self._spent(start, end, lambda body: replies.to_window(body, start, end))

    def _spent(self, start: datetime, end: datetime, read: Callable[[bytes], Reply]) -> Reply:
        start = start.astimezone(UTC).replace(microsecond=0)
        end = max(end.astimezone(UTC).replace(microsecond=0), start + timedelta(seconds=1))  # never an empty range
        # No granularity: the name of its time column varies. credits_usage: total_usage would add own-key inference here.
        question = {
            "metrics": ["credits_usage", "request_count"],
            "dimensions": ["model"],
            "order_by": {"field": "credits_usage", "direction": "desc"},
            "time_range": {"start": _instant(start), "end": _instant(end)},
            "limit": 1000,
        }
        return self._ask("POST", "/analytics/query", read, msgspec.json.encode(question))

    def close(self) -> None:
        """Ends the connection. Between polls none is kept: after a sleep of the machine it would be dead without saying so."""
        if self._exchange is not None:
            self._exchange.close()
            self._exchange = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.base_url}, {self.secret!r})"

    def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[bytes], Reply],
        body: bytes | None = None,
        largest_bytes: int | None = None,
    ) -> Reply:
        if self._exchange is None:
            # Here and not above: requests takes a tenth of a second to import, and that is the poller's time, not the start's.
            from openbalance_hid.openrouter.http import HttpSession

            self._exchange = HttpSession(self.secret, self.base_url, self._limits, self._mono)
        self.calls += 1
        try:
            answer = self._exchange.run(method, path, body, largest_bytes or self._limits.body_bytes)
            self._note_skew(answer.headers.get("Date"))
            if answer.status != 200:
                raise _refusal(path.partition("?")[0], answer, self._utc())
            return read(answer.body)
        except ApiError as error:
            error.message = mask_keys(error.message, self.secret)
            error.args = (error.message,)
            raise

    def _note_skew(self, header: str | None) -> None:
        sent_at = http_date(header)
        if sent_at is not None:
            self.last_date_skew_s = (sent_at - self._utc()).total_seconds()


def _refusal(path: str, answer: HttpResponse, now: datetime) -> ApiError:
    status = answer.status
    now = http_date(answer.headers.get("Date")) or now  # of the clock that a Retry-After is written by
    said = replies.error_message(answer.body)
    if not said:
        said = "a web page instead of JSON" if replies.looks_like_html(answer.body) else "no message"
    message = f"{path} answered {status}: {said}"
    match status:
        case 401:
            return KeyRejectedError(message)
        case 403:
            return ForbiddenError(message)
        case 429:
            return RateLimitedError(message, retry_after_s=_retry_after_s(answer.headers.get("Retry-After"), now))
        case _ if 300 <= status < 400:
            return ServerError(f"{path} answered {status}: a redirect, which is not followed")
        case _:
            return ServerError(message, retry_after_s=_retry_after_s(answer.headers.get("Retry-After"), now))


def _retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After in either of its forms (RFC 9110 §10.2.3), at most a day; None when it says nothing usable."""
    if not header:
        return None
    if re.fullmatch(r"[0-9]{1,9}", header.strip()):
        return min(float(header), _LONGEST_WAIT_S)
    at = http_date(header)
    return None if at is None else min(max((at - now).total_seconds(), 0.0), _LONGEST_WAIT_S)


def http_date(header: str | None) -> datetime | None:
    """The instant of a Date or Retry-After header, aware UTC; None when it is none."""
    from email.utils import parsedate_to_datetime  # a dozen modules, which come with requests anyway

    try:
        at = parsedate_to_datetime(header or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
