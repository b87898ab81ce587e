"""A local OpenRouter: one account on a real socket, for the demo, for contributors and for tests.

As strict about keys and questions as the real one. Belongs here: who is let in, and which scenario is on. Not here: what a good
answer says (`sample_answers`), the numbers in it (`sample_data`), and the socket (`sample_server`).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from random import Random
from urllib.parse import urlsplit

from openbalance_hid.simulator.openrouter import sample_answers as answers
from openbalance_hid.simulator.openrouter.sample_answers import SampleReply, SampleState
from openbalance_hid.simulator.openrouter.sample_data import SampleLedger
from openbalance_hid.simulator.openrouter.sample_server import SampleServer, Spoil
from openbalance_hid.simulator.openrouter.scenarios import SCENARIOS, TABLE, Behaviour, Scenario

__all__ = ["SCENARIOS", "Recorded", "SampleAccount", "Spoil"]

_BASE = "/api/v1"
_RETRY_AFTER_S = 120
_TOP_UP_USD = Decimal(50)  # bought whenever less than _TOP_UP_BELOW_USD is left
_TOP_UP_BELOW_USD = Decimal(10)
_BAD_GATEWAY = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Bad gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came in. Header names in lower case; `authorization` is only a hash."""

    method: str
    path: str  # without the base and the query: "/credits"
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Account:
    """The books behind a scenario. `shift_usd` joins its counter to that of the scenario before."""

    scenario: Scenario
    ledger: SampleLedger
    shift_usd: Decimal
    first_credits_usd: Decimal

    def usage_usd(self, now: datetime) -> Decimal:
        return self.ledger.spent_usd(now) + self.shift_usd

    def credits_usd(self, now: datetime) -> Decimal:
        """Everything bought by `now`: a function of what was used by then, so that it never falls."""
        short_usd = _TOP_UP_BELOW_USD - (self.first_credits_usd - self.usage_usd(now))
        if not self.scenario.tops_up or short_usd <= 0:
            return self.first_credits_usd
        return self.first_credits_usd + _TOP_UP_USD * (short_usd / _TOP_UP_USD).to_integral_value(ROUND_CEILING)


class SampleAccount:
    """A server on 127.0.0.1, started by `start` or `with`. Any thread may switch the scenario while it runs.

    `spike` and `critical`: one model has run wild since 00:00 UTC of the day before the scenario was chosen, evenly round the
    clock, so that the last 24 hours are about 4 and 9 times the usual day whatever the time is now. All days before it are
    usual, and yesterday is not part of the alarm's baseline. A demo that runs on for days sees the ratio fall slowly, since the
    wild days become its history.

    Switching between accounts with a long history continues the counter where it stands: no spend appears out of nothing.
    """

    def __init__(
        self, scenario: str = "normal", seed: int = 1, clock: Callable[[], datetime] = lambda: datetime.now(UTC), keys: int = 3
    ) -> None:
        """`clock`: aware UTC; every answer is computed from it. `keys`: how many there are. ValueError: no such scenario."""
        rng = Random(seed)  # noqa: S311  keys that open nothing but this
        self.key = f"sk-or-v1-{rng.randbytes(32).hex()}"  # the Management key
        self.inference_key = f"sk-or-v1-{rng.randbytes(32).hex()}"
        self.requests: list[Recorded] = []
        self.date_skew_s = 0.0  # of the Date header
        self.instead: dict[str, SampleReply] = {}  # by path: answered whatever is asked, once the key is accepted
        self._spoils: dict[str | None, Spoil] = {}
        self._seed = seed
        self._clock = clock
        self._keys = keys
        self._born = clock().date()
        self._lock = threading.Lock()
        self._turns: dict[str, int] = {}  # answers given, of the scenarios that alternate
        self._grown_usd: Decimal | None = None  # the counter of the accounts with a long history
        self._account = self._open(scenario, None)
        self._server: SampleServer | None = None
        self.slow_s = 0.0  # before each answer

    @property
    def url(self) -> str:
        """The API's base address; RuntimeError when the server does not run."""
        if self._server is None:
            raise RuntimeError("the sample account is not started")
        return f"http://127.0.0.1:{self._server.port}{_BASE}"

    @property
    def scenario(self) -> str:
        return self._account.scenario.name

    def start(self) -> SampleAccount:
        if self._server is None:
            self._server = SampleServer(self._handle, self._is_hanging_up)
            self._server.start()
        return self

    def stop(self) -> None:
        """Ends every connection. May be called twice."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> SampleAccount:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def set_scenario(self, name: str) -> None:
        """From the next request on. ValueError for a name that is not in SCENARIOS."""
        with self._lock:
            self._account = self._open(name, self._account)
            self._turns.clear()

    def break_body(self, spoil: Spoil | None, path: str | None = None) -> None:
        """Spoils every answer, or those of `path`, on their way to the client; None mends them."""
        with self._lock:
            if spoil is None:
                self._spoils.pop(path, None)
            else:
                self._spoils[path] = spoil

    def books(self) -> SampleState:
        """What the account holds at this moment."""
        with self._lock:
            account, now = self._account, self._clock()
        own_key = account.scenario.days > 1
        return SampleState(account.ledger, now, account.credits_usd(now), account.usage_usd(now), own_key, self._keys)

    def authorization_hash(self, key: str) -> str:
        """What `Recorded.headers["authorization"]` is for a request with this key."""
        return _hash(f"Bearer {key}")

    def _open(self, name: str, before: _Account | None) -> _Account:
        if name not in TABLE:
            raise ValueError(f"no scenario is named {name!r}")
        scenario, now = TABLE[name], self._clock()
        today = now.date()
        if scenario.days <= 1:
            ledger = SampleLedger(self._seed, today - timedelta(days=scenario.days), scenario.scale)
        else:
            first_day = self._born - timedelta(days=scenario.days)
            ledger = SampleLedger(self._seed, first_day, scenario.scale, scenario.runaway, today - timedelta(days=1))
        spent_usd = ledger.spent_usd(now)
        if before is not None and before.scenario.days > 1:
            self._grown_usd = before.usage_usd(now)
        joins = before is not None and scenario.days > 1 and self._grown_usd is not None
        shift_usd = (self._grown_usd or Decimal(0)) - spent_usd if joins else Decimal(0)
        return _Account(scenario, ledger, shift_usd, spent_usd + shift_usd + scenario.balance_usd)

    # --- answering ---------------------------------------------------------------------------------------------------

    def _is_hanging_up(self) -> bool:
        return self._account.scenario.behaviour is Behaviour.HANGS_UP

    def _handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[SampleReply, Spoil | None, float, str]:
        """The answer, how it is spoiled, how long it takes in seconds, and its Date header."""
        url = urlsplit(target)
        path = url.path.removeprefix(_BASE)
        shown = {name.lower(): value for name, value in headers.items()}
        authorization = shown.get("authorization")
        if authorization is not None:
            shown["authorization"] = _hash(authorization)
        with self._lock:
            self.requests.append(Recorded(method, path, url.query, shown, body))
            behaviour = self._account.scenario.behaviour
            spoil = self._spoils.get(path, self._spoils.get(None))
        reply = self._admitted(authorization, behaviour, method, path)
        if reply is None:
            reply = self.instead.get(path) or self._answer(
                method, path, url.query, body, self._is_inference(authorization, behaviour)
            )
        elif reply.status == 200:  # the third face of an outage
            spoil = Spoil.SHORT
        date = (self._clock() + timedelta(seconds=self.date_skew_s)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return reply, spoil, self.slow_s, date

    def _admitted(self, authorization: str | None, behaviour: Behaviour, method: str, path: str) -> SampleReply | None:
        """None when the question itself is to be answered."""
        if authorization is None:
            return answers.refused(401, "Missing Authentication header")
        if behaviour is Behaviour.UNKNOWN_KEY or authorization not in (f"Bearer {self.key}", f"Bearer {self.inference_key}"):
            return answers.json(401, {"error": {"message": "User not found.", "code": 401}})
        if behaviour is Behaviour.RATE_LIMITED:
            return answers.refused(429, "Rate limit exceeded", {"Retry-After": str(_RETRY_AFTER_S)})
        if behaviour is Behaviour.BROKEN:
            return (
                answers.refused(500, "Internal Server Error"),
                SampleReply(502, _BAD_GATEWAY, content_type="text/html; charset=UTF-8"),
                answers.credits_(self.books()),  # sent only in part
            )[self._turn(f"{method} {path}") % 3]
        return None

    def _is_inference(self, authorization: str | None, behaviour: Behaviour) -> bool:
        return behaviour is Behaviour.INFERENCE_KEY or authorization == f"Bearer {self.inference_key}"

    def _answer(self, method: str, path: str, query: str, body: bytes, inference: bool) -> SampleReply:
        books = self.books()
        match method, path:
            case "GET", "/key":
                return answers.key(books, "sample", not inference)
            case "GET", "/credits" if inference and self._turn("inference") % 2:
                return answers.json(200, {"data": {"total_credits": 0, "total_usage": 0}})
            case "GET", "/credits":
                what, reply = "credits", answers.credits_(books)
            case "GET", "/activity":
                what, reply = "activity", answers.activity(books, query)
            case "GET", "/keys":
                what, reply = "keys", answers.keys(books, query)
            case "POST", "/analytics/query":
                what, reply = "analytics", answers.analytics(books, body)
            case _:
                return answers.refused(404, "Not Found")
        return answers.refused(403, answers.NOT_A_MANAGEMENT_KEY.format(what)) if inference else reply

    def _turn(self, what: str) -> int:
        """0, 1, 2, … at each call with the same text."""
        with self._lock:
            self._turns[what] = self._turns.get(what, -1) + 1
            return self._turns[what]


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
