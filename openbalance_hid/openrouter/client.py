"""The OpenRouter client: one method for each request, and the error class for each bad status.

Not here: where the key may be sent (`endpoint`), how bytes are sent and received (`http`), what a reply means (`replies`,
`activity`), when to send a request (`cadence`) and what follows from an error (`outcome`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Activity, ApiKey, Credits, HourlySpend, Today, Window
from openbalance_hid.errors import (
    ApiError,
    ForbiddenError,
    KeyRejectedError,
    RateLimitedError,
    ServerError,
)
from openbalance_hid.openrouter import list_replies, replies
from openbalance_hid.openrouter.activity import ActivityReader
from openbalance_hid.openrouter.endpoint import DEFAULT_LIMITS, OPENROUTER_URL, HttpLimits, checked_base_url
from openbalance_hid.openrouter.hourly import hours_query, to_hours
from openbalance_hid.openrouter.key_state import KeyState, to_key_state
from openbalance_hid.openrouter.list_replies import ModelNames, Workspace
from openbalance_hid.openrouter.replies import KeyInfo, Rows
from openbalance_hid.openrouter.session import HttpResponse, HttpSession, NewSession, own_session
from openbalance_hid.secret import Secret, mask_body, mask_keys

_MAX_PAGES = 50  # of keys in a workspace: of more than five thousand keys, the newest are shown
_WORKSPACES_A_PAGE = 100  # the most that the server accepts
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
        ca_file: str | None = None,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_session: NewSession = own_session,
    ) -> None:
        """ConfigError for an address that the key must not be sent to. `ca_file`: further root certificates, for a proxy."""
        self.secret = secret
        self.base_url = checked_base_url(base_url)
        self.calls = 0  # requests sent
        self.dropped_rows = 0  # rows of all answers that could not be read
        self.last_date_skew_s: float | None = None  # the server's Date minus the local clock, of the last answer
        self._limits = limits
        self._ca_file = Path(ca_file) if ca_file is not None else None
        self._utc = utc
        self._new_session = new_session
        self.before_request: Callable[[str], object] = lambda _: None  # called with the path; may wait
        self._sessions: dict[bool, HttpSession] = {}  # with the key, and without

    def credits(self) -> Credits:
        """Return what was bought and used, USD. ForbiddenError for an inference key, which may also be answered 0 and 0."""
        return self._request("GET", "/credits", replies.to_credits)

    def activity(self, key_hash: str | None = None) -> Activity:
        """Return the last 30 completed UTC days, of all keys or of one. Without `date`: today would be answered with 400."""
        path = "/activity" if key_hash is None else f"/activity?api_key_hash={quote(key_hash, safe='')}"

        rows = ActivityReader(lambda text: mask_body(text, self.secret))

        def read(_: bytes) -> Rows[Activity]:
            return rows.finish(self._server_now().date())

        largest_bytes = self._limits.activity_bytes
        return self._readable(self._request("GET", path, read, largest_bytes=largest_bytes, take=rows.feed))

    def workspaces(self) -> tuple[Workspace, ...]:
        """Return all workspaces of the account. One request for a hundred of them."""
        found: dict[str, Workspace] = {}
        offset = 0
        for _ in range(_MAX_PAGES):
            page = self._request("GET", f"/workspaces?offset={offset}&limit={_WORKSPACES_A_PAGE}", list_replies.to_workspaces)
            before = len(found)
            found |= {each.id: each for each in self._readable(page)}
            offset += len(page.value) + page.dropped
            if len(found) == before or (page.total is not None and offset >= page.total):
                break
        return tuple(found.values())

    def keys(self, workspace: Workspace | None = None, known: Collection[str] = ()) -> tuple[ApiKey, ...]:
        """Return the keys of a workspace, newest first; None: the default one. One request for each page.

        Disabled and expired keys are included: they may have spent in this period. How long a page is, is the server's choice:
        only an empty page is certainly behind the last one. `known`: the hashes of an earlier list; a list of the same keys is
        complete without that further request, because a new key is on the first page.
        """
        keys: dict[str, ApiKey] = {}
        scope = "" if workspace is None else f"&workspace_id={quote(workspace.id, safe='')}"
        name, offset = "" if workspace is None else workspace.name, 0

        def read(body: bytes) -> Rows[tuple[ApiKey, ...]]:
            return list_replies.to_keys(body, self._utc(), name)

        for _ in range(_MAX_PAGES):
            page = self._request("GET", f"/keys?offset={offset}&include_disabled=true&include_expired=true{scope}", read)
            before = len(keys)
            keys |= {key.hash: key for key in self._readable(page)}
            offset += len(page.value) + page.dropped
            if len(keys) == before or keys.keys() == known:
                break
        return tuple(keys.values())

    def key(self, key_hash: str) -> KeyState:
        """Return whether a key is disabled. ServerError with the status 404: there is no such key."""
        return self._request("GET", f"/keys/{quote(key_hash, safe='')}", lambda body: to_key_state(body, key_hash))

    def set_key_disabled(self, key_hash: str, disabled: bool) -> KeyState:
        """Disable or enable a key; return its row. The only write: nothing else of a key, and of no Management key."""
        if self.is_own_key(key_hash):
            raise ValueError("a Management key is never disabled")
        body = msgspec.json.encode({"disabled": disabled})
        path = f"/keys/{quote(key_hash, safe='')}"
        return self._request("PATCH", path, lambda reply: to_key_state(reply, key_hash), body)

    def is_own_key(self, key_hash: str, label: str = "") -> bool:
        """Return whether this is the key of the requests: a hash is the SHA-256 of a key, a label shows its ends."""
        return key_hash.lower().startswith(self.secret.fingerprint) or self.secret.has_label(label)

    def model_names(self) -> tuple[ModelNames, ...]:
        """Return how OpenRouter writes the name of each model. The only request without the key: its list is public."""
        return self._readable(self._request("GET", "/models", list_replies.to_models, is_public=True))

    def key_info(self) -> KeyInfo:
        """Return the kind of this key; any key may request it."""
        return self._request("GET", "/key", replies.to_key_info)

    def today(self, now: datetime, with_providers: bool = True) -> Today:
        """Return the spend by model from UTC midnight to `now` (aware). A new endpoint: callers must do without it.

        `with_providers`: by provider too, with tokens and with own-key inference.
        """
        now = now.astimezone(UTC)
        start = now.replace(hour=0, minute=0, second=0, microsecond=0)
        day: date = start.date()

        def read(body: bytes) -> Rows[Today]:
            return replies.to_today(body, day)

        if not with_providers:
            return self._spend(start, now, read)
        return self._spend(start, now, read, dimensions=("model", "provider"), metrics=("tokens_total", "total_usage"))

    def window(self, start: datetime, end: datetime) -> Window:
        """Return the spend by model from `start` to `end` (aware), whole seconds. The endpoint of `today`."""
        return self._spend(start, end, lambda body: replies.to_window(body, start, end))

    def hours(self, end: datetime) -> HourlySpend:
        """Return the spend of each of the last hours before `end` (aware). The endpoint of `today`."""
        end = end.astimezone(UTC).replace(microsecond=0)
        body = msgspec.json.encode(hours_query(end))
        return self._readable(self._request("POST", "/analytics/query", lambda reply: to_hours(reply, end), body))

    def _spend(
        self,
        start: datetime,
        end: datetime,
        read: Callable[[bytes], Rows[_T]],
        dimensions: Sequence[str] = ("model",),
        metrics: Sequence[str] = (),
    ) -> _T:
        start = start.astimezone(UTC).replace(microsecond=0)
        end = max(end.astimezone(UTC).replace(microsecond=0), start + timedelta(seconds=1))  # never an empty range
        # Without granularity, which totals do not need. `total_usage` includes own-key inference.
        query = {
            "metrics": ["credits_usage", "request_count", *metrics],
            "dimensions": dimensions,
            "order_by": {"field": "credits_usage", "direction": "desc"},
            "time_range": {"start": _instant(start), "end": _instant(end)},
            "limit": 1000 * len(dimensions),
        }
        return self._readable(self._request("POST", "/analytics/query", read, msgspec.json.encode(query)))

    def _readable(self, rows: Rows[_T]) -> _T:
        self.dropped_rows += rows.dropped
        return rows.value

    def _server_now(self) -> datetime:
        return self._utc() + timedelta(seconds=self.last_date_skew_s or 0.0)

    def close(self) -> None:
        """Close the connection. Idempotent. A connection kept between polls would silently be dead after a sleep."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

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
        is_public: bool = False,
        take: Callable[[bytes], object] | None = None,
    ) -> _T:
        self.before_request(path.partition("?")[0])
        if is_public not in self._sessions:
            secret = None if is_public else self.secret
            self._sessions[is_public] = self._new_session(secret, self.base_url, self._limits, self._ca_file)
        self.calls += 1
        try:
            response = self._sessions[is_public].run(method, path, body, largest_bytes or self._limits.body_bytes, take)
            if response.sent_at is not None:
                self.last_date_skew_s = (response.sent_at - self._utc()).total_seconds()
            response = replace(response, body=mask_body(response.body, self.secret))  # names and messages are shown
            if response.status != 200:
                raise _error_for(path.partition("?")[0], response, self._utc())
            return read(response.body)
        except ApiError as error:
            error.message = mask_keys(error.message, self.secret)
            error.args = (error.message,)
            raise


def _error_for(path: str, response: HttpResponse, now: datetime) -> ApiError:
    status = response.status
    now = response.sent_at or now  # a Retry-After follows the server's clock
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
            return RateLimitedError(message, retry_after_s=_retry_after_s(response, now))
        case _ if 300 <= status < 400:
            return ServerError(f"{path} answered {status}: a redirect, which is not followed")
        case _:
            return ServerError(message, retry_after_s=_retry_after_s(response, now), status=status)


def _retry_after_s(response: HttpResponse, now: datetime) -> float | None:
    """Return the seconds of a Retry-After, at most a day; None without a usable one."""
    after = response.retry_after
    wait_s = (after - now).total_seconds() if isinstance(after, datetime) else after
    return None if wait_s is None else min(max(wait_s, 0.0), _LONGEST_RETRY_AFTER_S)


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
