"""A local OpenRouter: one account behind a real HTTP server, for the demo, contributors and tests.

It checks keys and requests as strictly as the real service. Here: authorization and the current scenario. Not here: the content
of replies (`sample_answers`), the amounts in them (`sample_data`), and the server (`sample_server`).

Faults, for demos and tests: `set_scenario` ("offline", "rejected", "rate-limited", "server-error" and others),
`set_response_fault` damages replies on their way, `instead` replaces the reply of a path, `slow_s` delays every reply, and
`date_skew_s` shifts the Date header. `requests` records the newest requests; of an API key only a hash is kept.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random
from urllib.parse import urlsplit

from openbalance_hid.simulator.openrouter import sample_answers as answers
from openbalance_hid.simulator.openrouter.key_changes import KeyChanges, KeyFault
from openbalance_hid.simulator.openrouter.sample_answers import SampleReply, SampleState
from openbalance_hid.simulator.openrouter.sample_data import BEGAN_BEFORE, RUNAWAY_KEY, KeyBurn, SampleLedger
from openbalance_hid.simulator.openrouter.sample_server import SampleServer
from openbalance_hid.simulator.openrouter.scenarios import SCENARIO_BY_NAME, SCENARIOS, ResponseFault, ResponseMode, Scenario

__all__ = ["SCENARIOS", "KeyFault", "RecordedRequest", "ResponseFault", "SampleAccount"]

_BASE = "/api/v1"
_PUBLIC = "/models"  # needs no key
ALERTS_PATH = "/demo-alerts"
MOST_REQUESTS = 10_000  # kept
_RETRY_AFTER_S = 120
_REFUND_AFTER = timedelta(minutes=2)
_PAST_READINGS = 49 * 4  # as many hours as a daemon remembers, so that yesterday is known from midnight on
_TOP_UP_USD = Decimal(50)  # bought when less than _TOP_UP_BELOW_USD is left
_TOP_UP_BELOW_USD = Decimal(10)
_GATEWAY_TIMEOUT = b"<!DOCTYPE html>\n<html><head><title>504 Gateway Timeout</title></head><body></body></html>"
_BAD_GATEWAY = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as received. Header names in lower case; `authorization` is only a hash."""

    method: str
    path: str  # without the base and the query: "/credits"
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Account:
    """The account of a scenario. `shift_usd` continues the usage counter of the scenario before."""

    scenario: Scenario
    ledger: SampleLedger
    shift_usd: Decimal
    first_credits_usd: Decimal
    refund_at: datetime

    def usage_usd(self, now: datetime) -> Decimal:
        refund_usd = self.scenario.refund_usd if now >= self.refund_at else Decimal(0)
        return self.ledger.spent_usd(now) + self.shift_usd - refund_usd

    def credits_usd(self, now: datetime) -> Decimal:
        """Return all credits bought by `now`: a function of the usage by then, so it never falls."""
        if not self.scenario.prepaid:
            return Decimal(0)
        short_usd = _TOP_UP_BELOW_USD - (self.first_credits_usd - self.usage_usd(now))
        if not self.scenario.tops_up or short_usd <= 0:
            return self.first_credits_usd
        return self.first_credits_usd + _TOP_UP_USD * (short_usd / _TOP_UP_USD).to_integral_value(ROUND_CEILING)


class SampleAccount:
    """A server on 127.0.0.1, started by `start` or `with`. Any thread may switch the scenario while it runs.

    `spike` and `critical`: one model has spent too much since 00:00 UTC of the day before the scenario was chosen, evenly over
    the day, so the last 24 hours are about 4 and 9 times the usual day at any time. All days before are usual, and the alert's
    baseline leaves out yesterday. In a demo that runs for days the ratio falls slowly, because these days become history.

    Switching between accounts with a long history continues their usage counter: no spend appears from nothing.
    """

    def __init__(
        self, scenario: str = "normal", seed: int = 1, clock: Callable[[], datetime] = lambda: datetime.now(UTC), keys: int = 3
    ) -> None:
        """`clock`: aware UTC; every reply is computed from it. `keys`: number of API keys. ValueError: unknown scenario."""
        rng = Random(seed)  # noqa: S311  keys that open nothing but this
        self.key = f"sk-or-v1-{rng.randbytes(32).hex()}"  # the Management key
        self.inference_key = f"sk-or-v1-{rng.randbytes(32).hex()}"
        self.requests: list[RecordedRequest] = []
        self.date_skew_s = 0.0  # of the Date header
        self.key_changes = KeyChanges()  # keys that were disabled, renamed and deleted, and faults of the requests about them
        self.instead: dict[str, SampleReply] = {}  # by path: the reply to every request with an accepted key
        self._response_faults: dict[str | None, ResponseFault] = {}
        self._seed = seed
        self._clock = clock
        self._keys = keys
        self._born = clock().date()
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}  # replies so far, of the scenarios that alternate
        self._grown_usd: Decimal | None = None  # usage counter of the accounts with a long history
        self._account = self._open(scenario, None)
        self._server: SampleServer | None = None
        self.slow_s = 0.0  # before each answer
        self._alerts_path = f"{ALERTS_PATH}/{secrets.token_urlsafe(16)}"  # web pages and other users can connect, too
        self.on_alert: Callable[[bytes], object] = lambda _: None  # called with each alert of a demo, on any thread

    @property
    def url(self) -> str:
        """Return the base address of the API. RuntimeError when the server does not run."""
        if self._server is None:
            raise RuntimeError("the sample account is not started")
        return f"http://127.0.0.1:{self._server.port}{_BASE}"

    @property
    def alerts_url(self) -> str:
        """Return the address that receives the alerts of a demo."""
        return self.url + self._alerts_path

    @property
    def scenario(self) -> str:
        return self._account.scenario.name

    def start(self) -> SampleAccount:
        if self._server is None:
            self._server = SampleServer(self._handle, self._disconnects)
            self._server.start()
        return self

    def stop(self) -> None:
        """Stop the server and end every connection. Idempotent."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> SampleAccount:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def set_scenario(self, name: str) -> None:
        """Switch the scenario, from the next request on. ValueError for a name that is not in SCENARIOS."""
        with self._lock:
            self._account = self._open(name, self._account)
            self._counts.clear()

    def set_response_fault(self, fault: ResponseFault | None, path: str | None = None) -> None:
        """Damage every reply, or the replies of `path`, on their way to the client; None ends that."""
        with self._lock:
            if fault is None:
                self._response_faults.pop(path, None)
            else:
                self._response_faults[path] = fault

    def state(self) -> SampleState:
        """Return the account at this moment."""
        with self._lock:
            account, now = self._account, self._clock()
        own_key = account.scenario.days > 1
        bought_usd, used_usd = account.credits_usd(now), account.usage_usd(now)
        return SampleState(account.ledger, now, bought_usd, used_usd, own_key, self._keys, self.key_changes)

    def past_readings(self) -> list[tuple[datetime, Decimal, Decimal]]:
        """Return what `/credits` answered at each quarter of an hour in the last two days: time, credits and usage in USD.

        Oldest first. Empty where the scenario refuses, or has no usage: a daemon would have nothing either.
        """
        with self._lock:
            account, now = self._account, self._clock()
        if account.scenario.mode not in (ResponseMode.ANSWERS, ResponseMode.ACTIVITY_DOWN) or not account.scenario.days:
            return []
        last = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
        times = [last - timedelta(minutes=15 * back) for back in range(_PAST_READINGS, -1, -1)]
        return [(at, account.credits_usd(at), account.usage_usd(at)) for at in times if at < now]

    def authorization_hash(self, key: str) -> str:
        """Return the value of `RecordedRequest.headers["authorization"]` for a request with this key."""
        return _hash(f"Bearer {key}")

    def _open(self, name: str, before: _Account | None) -> _Account:
        if name not in SCENARIO_BY_NAME:
            raise ValueError(f"no scenario is named {name!r}")
        scenario, now = SCENARIO_BY_NAME[name], self._clock()
        today = now.date()
        if scenario.days <= 1:
            ledger = SampleLedger(self._seed, today - timedelta(days=scenario.days), scenario.scale)
        else:
            first_day = self._born - timedelta(days=scenario.days)
            burn = self._key_burn(scenario, now)
            ledger = SampleLedger(self._seed, first_day, scenario.scale, scenario.runaway, today - timedelta(days=1), burn)
        spent_usd = ledger.spent_usd(now)
        if before is not None and before.scenario.days > 1:
            self._grown_usd = before.usage_usd(now)
        joins = before is not None and scenario.days > 1 and self._grown_usd is not None
        shift_usd = (self._grown_usd or Decimal(0)) - spent_usd if joins else Decimal(0)
        refund_at = now if joins else now + _REFUND_AFTER
        return _Account(scenario, ledger, shift_usd, spent_usd + shift_usd + scenario.balance_usd, refund_at)

    def _key_burn(self, scenario: Scenario, now: datetime) -> KeyBurn | None:
        """Return the key that runs away, switched on again."""
        if not scenario.key_usd_an_hour:
            return None
        hash_ = answers.key_hash(RUNAWAY_KEY)
        self.key_changes.disabled.pop(hash_, None)
        spans = self.key_changes.off_spans[hash_] = []
        return KeyBurn(now - BEGAN_BEFORE, scenario.key_usd_an_hour, lambda: tuple(spans))

    # --- answering ---------------------------------------------------------------------------------------------------

    def _disconnects(self) -> bool:
        return self._account.scenario.mode is ResponseMode.DISCONNECTS

    def _handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[SampleReply, ResponseFault | None, float, str]:
        """Return the reply, its damage, its delay in seconds, and its Date header."""
        url = urlsplit(target)
        path = url.path.removeprefix(_BASE)
        shown = {name.lower(): value for name, value in headers.items()}
        authorization = shown.get("authorization")
        if authorization is not None:
            shown["authorization"] = _hash(authorization)
        with self._lock:
            self.requests.append(RecordedRequest(method, path, url.query, shown, body))
            del self.requests[:-MOST_REQUESTS]
            mode = self._account.scenario.mode
            fault = self._response_faults.get(path, self._response_faults.get(None))
        if (method, path) == ("POST", self._alerts_path):  # not OpenRouter's: where a demo sends its alerts
            self.on_alert(body)
            return answers.json(200, {}), None, 0.0, self._date()
        reply = self._refusal(authorization, mode, method, path)
        key_fault = self.key_changes.next_fault() if path.startswith("/keys/") and reply is None else None
        if key_fault is not None and not key_fault.is_applied:
            reply, fault = answers.refused(key_fault.status, "Sample fault"), key_fault.damage
        elif reply is None:
            fault = key_fault.damage if key_fault is not None else fault
            reply = self.instead.get(path) or self._answer(
                method, path, url.query, body, self._is_inference(authorization, mode)
            )
        elif reply.status == 200:  # the third kind of reply in an outage
            fault = ResponseFault.SHORT
        return reply, fault, self.slow_s, self._date()

    def _date(self) -> str:
        """Return the Date header."""
        return (self._clock() + timedelta(seconds=self.date_skew_s)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    def _refusal(self, authorization: str | None, mode: ResponseMode, method: str, path: str) -> SampleReply | None:
        """Return the reply that refuses the request, or None when it is accepted."""
        accepted = (f"Bearer {self.key}", f"Bearer {self.inference_key}")
        if path != _PUBLIC and authorization is None:
            return answers.refused(401, "Missing Authentication header")
        if path != _PUBLIC and (mode is ResponseMode.UNKNOWN_KEY or authorization not in accepted):
            return answers.json(401, {"error": {"message": "User not found.", "code": 401}})
        if mode is ResponseMode.ACTIVITY_DOWN and path == "/activity":
            return SampleReply(504, _GATEWAY_TIMEOUT, content_type="text/html; charset=UTF-8")
        if mode is ResponseMode.RATE_LIMITED:
            return answers.refused(429, "Rate limit exceeded", {"Retry-After": str(_RETRY_AFTER_S)})
        if mode is ResponseMode.BROKEN:
            return (
                answers.refused(500, "Internal Server Error"),
                SampleReply(502, _BAD_GATEWAY, content_type="text/html; charset=UTF-8"),
                answers.credits_(self.state()),  # sent only in part
            )[self._count(f"{method} {path}") % 3]
        return None

    def _is_inference(self, authorization: str | None, mode: ResponseMode) -> bool:
        return mode is ResponseMode.INFERENCE_KEY or authorization == f"Bearer {self.inference_key}"

    def _answer(self, method: str, path: str, query: str, body: bytes, inference: bool) -> SampleReply:
        state = self.state()
        match method, path:
            case "GET", "/key":
                return answers.key(state, "sample", not inference)
            case "GET", "/credits" if inference and self._count("inference") % 2:
                return answers.json(200, {"data": {"total_credits": 0, "total_usage": 0}})
            case "GET", "/credits":
                what, reply = "credits", answers.credits_(state)
            case "GET", "/activity":
                what, reply = "activity", answers.activity(state, query)
            case "GET", "/keys":
                what, reply = "keys", answers.keys(state, query)
            case (("GET" | "PATCH"), path) if path.startswith("/keys/"):
                what, reply = "keys", answers.one_key(state, method, path.removeprefix("/keys/"), body)
            case "GET", "/workspaces":
                what, reply = "workspaces", answers.workspaces(state, query)
            case "GET", path if path == _PUBLIC:
                return answers.models()
            case "POST", "/analytics/query":
                what, reply = "analytics", answers.analytics(state, body)
            case _:
                return answers.refused(404, "Not Found")
        return answers.refused(403, answers.NOT_A_MANAGEMENT_KEY.format(what)) if inference else reply

    def _count(self, what: str) -> int:
        """Return 0, 1, 2, … at successive calls with the same text."""
        with self._lock:
            self._counts[what] = self._counts.get(what, -1) + 1
            return self._counts[what]


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
