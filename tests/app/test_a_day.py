"""A month of an account's life under virtual time: at every poll every tile shows what the raw events add up to.

The poller requests from a server over a socket, the history is a file, and tiles, status, bar, guard and export are the
product's. The events are the sample account's ledger, which none of these sees; what they add up to is computed apart
(`reckoning`). Some of the account's life is hard: endpoints fail for days, answers lag, usage is refunded, the daemon
restarts, the machine sleeps, its clock is wrong and put right, and a meter runs. An amount may then be a lower bound or
unknown, and must show it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Effect, Store
from openbalance_hid.app.events import Event, GestureRequested, HistoryLoaded
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.cli.bar.line import line_of
from openbalance_hid.cli.export_metrics import as_prometheus
from openbalance_hid.cli.guard import CROSSED, WITHIN, check_limits
from openbalance_hid.config.schema import Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.history.keeper import AccountHistory, open_history
from openbalance_hid.ipc.current_metrics import current_metrics
from openbalance_hid.ipc.status import accounts
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter import sample_answers as answers
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import refused
from openbalance_hid.tiles.formatting import money
from tests.app.reckoning import DAY, INTERVAL_S, Reckoning, Shown, amounts_in
from tests.openrouter.virtual import VirtualClock
from tests.torture.amounts import amounts
from tests.waiting import PATIENCE_S

DECK = "SIM1"
LOCAL_DAYS = timedelta(seconds=120)  # days follow the machine's clock while it differs from the server's by no more
UNAVAILABLE = refused(503, "Service Unavailable")
DOWN = refused(504, "Gateway Timeout")


def tile(name: str, **options: object) -> TileConfig:
    return TileConfig(name, options=FrozenMap(options))


TILES = {
    "balance": tile("balance"),
    "used 7d": tile("balance", show="used", period="7d"),
    "used 30d": tile("balance", show="used"),
    "used all": tile("balance", show="used", period="all"),
    "percent": tile("balance", show="percent", period="all"),
    "today": tile("today"),
    "usage": tile("usage"),
    "month": tile("usage", display="usage", period="month"),
    "monthly-spend": tile("monthly-spend"),
    "top-models": tile("top-models"),
    "providers": tile("providers"),
    "runway": tile("runway"),
    "spike-alert": tile("spike-alert", burst=False),
    "api-keys": tile("api-keys"),
    "meter": tile("meter"),
}
CONFIG = Config(decks=(DeckConfig(pages=(PageConfig("main", FrozenMap(dict(enumerate(TILES.values())))),)),))


class Daemon:
    """One process: a poller, its history on disk, and the controller that it publishes to."""

    def __init__(self, sample: SampleAccount, clock: VirtualClock, folder: Path) -> None:
        self.clock = clock
        self.controller = Controller(CONFIG, {"default": Snapshot("default", clock.now, INTERVAL_S)}, self.now)
        self.history = open_history(folder / "history.sqlite3", lambda path: path.mkdir(mode=0o700, exist_ok=True))
        self.history.start()
        self.ledger: AccountHistory = self.history.for_account("default")

        def recall(fingerprint: str, begun: Snapshot, now: datetime, mono_s: float) -> Snapshot:
            known, past = self.ledger.recall(fingerprint, begun, now, mono_s)
            self.tell(HistoryLoaded("default", begun.started_at, past.alerts, past.runs))
            return known

        def publish(snapshot: Snapshot) -> None:
            self.tell(snapshot)
            self.ledger.keep(snapshot)

        connect = lambda: Client(Secret(sample.key), sample.url, utc=clock.utc)  # noqa: E731
        self.poller = Poller("default", connect, INTERVAL_S, publish, clock, rng=Random(1), recall=recall)
        self.tell(DeckArrived(DECK, "xl", 32))

    @property
    def now(self) -> Moment:
        return Moment(self.clock.now, self.clock.mono_s)

    @property
    def snapshot(self) -> Snapshot:
        return self.controller.snapshots["default"]

    @property
    def health(self) -> Health:
        return self.snapshot.health

    def tell(self, event: Event) -> None:
        for effect in self.controller.step(event, self.now):
            self._carry_out(effect)

    def tap(self, name: str) -> None:
        self.tell(GestureRequested(list(TILES).index(name), Gesture.TAP))

    def texts(self) -> dict[str, str]:
        return {name: self.controller.faces[DECK, key].view.text for key, name in enumerate(TILES)}

    def status(self) -> dict[str, Any]:
        return accounts(self.controller, self.clock.now)["default"]

    def end(self) -> None:
        self.history.stop(PATIENCE_S)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Store(_, started_at, record) if started_at is not None:
                self.ledger.store(started_at, record)


class Life:
    """The account, the daemon that polls it, and the truth. `truth`: the server's clock; `ours`: the daemon's."""

    def __init__(self, sample: SampleAccount, truth: VirtualClock, ours: VirtualClock, folder: Path) -> None:
        self.sample, self.truth, self.ours, self.folder = sample, truth, ours, folder
        self.daemon = Daemon(sample, ours, folder)
        self.reckoning = Reckoning(sample, sample.state().total_credits_usd)
        self.sampled_at: datetime | None = None  # of the last sample that counts
        self.balance_at: datetime | None = None
        self.has_fallen = False  # since the last poll
        self.agreed = 0

    def poll(self, wait_s: float | None = None) -> None:
        """Poll, check everything that is shown, and wait for the next poll."""
        delay_s = self.daemon.poller.run_cycle()
        if self.daemon.snapshot.credits.health is Health.OK and self.daemon.health is Health.OK:
            self.balance_at = self.truth.now
            if not self.has_fallen:  # a fall counts only once the next sample confirms it
                self.sampled_at = self.truth.now
            self.has_fallen = False
        ahead = self.ours.now - self.truth.now
        self.reckoning.ahead = ahead if abs(ahead) <= LOCAL_DAYS else timedelta(0)
        if self.sampled_at is not None:
            self.check()
            self.agreed += 1
        self.pass_(min(INTERVAL_S, delay_s if self.daemon.health is Health.OK else INTERVAL_S) if wait_s is None else wait_s)

    def check(self) -> None:
        """Compare the tiles with the truth, and status, bar, guard and export with the tiles."""
        assert self.sampled_at is not None
        assert self.balance_at is not None
        now, texts, status = self.truth.now, self.daemon.texts(), self.daemon.status()
        spend = self.reckoning.check_tiles(texts, now, self.sampled_at, self.balance_at)
        for period, shown in spend.items():
            usd = status["spend_usd"][period]
            amount = Amount(
                None if usd is None else Decimal(usd), period in status["lower_bounds"], period in status["approximate"]
            )
            if "since" not in texts["today"] or period != "today":
                assert amounts_in(money(amount)) == [shown], (period, now, texts)
            bar = line_of(status, "default", "usage", period, self.ours.now).text
            assert money(amount) in bar, (bar, period, now)
            assert usd is None or len(usd.partition(".")[2]) <= 9
        self._check_guard(status, spend["today"])
        self._check_export(status, spend, texts)
        runway = status["runway_days"]
        assert ("—" in texts["runway"]) == (runway is None), (now, texts)

    def _check_guard(self, status: dict[str, Any], shown: Shown) -> None:
        assert self.sampled_at is not None
        true = self.reckoning.period("today", self.truth.now, self.sampled_at)
        for share, never in ((Decimal("0.8"), WITHIN), (Decimal("1.2"), CROSSED)):
            limit = Decimal(float(true)) * share
            (found,) = check_limits(status, None, limit, False)
            if true > 1:
                assert found.code != never or shown.sign == "~", (found, float(true), self.truth.now)

    def _check_export(self, status: dict[str, Any], spend: Mapping[str, Shown], texts: Mapping[str, str]) -> None:
        """Compare `export --what now`, and so `/metrics`, with the tiles: number, mark, and no number where they have none."""
        text = as_prometheus(current_metrics({"default": status}, is_running=True))
        series = dict(re.findall(r"^openbalance_(\w+)\{account=\"default\"\} (\S+)$", text, re.MULTILINE))
        of_period = {
            (name, period): Decimal(number)
            for name, period, number in re.findall(
                r"^openbalance_(spend_\w+)\{account=\"default\",period=\"(\w+)\"\} (\S+)$", text, re.MULTILINE
            )
        }
        for period, shown in spend.items():
            amount = Amount(
                of_period.get(("spend_usd", period)),
                bool(of_period.get(("spend_lower_bound", period))),
                bool(of_period.get(("spend_approximate", period))),
            )
            if "since" not in texts["today"] or period != "today":
                assert amounts_in(money(amount)) == [shown], (period, self.truth.now, texts)
            assert amount.is_known is (("spend_measured_timestamp_seconds", period) in of_period)
        assert ("runway_seconds" in series) is ("—" not in texts["runway"])
        assert series.get("balance_usd") == status["balance_usd"]

    def pass_(self, seconds: float) -> None:
        self.truth.pass_(seconds)
        self.ours.pass_(seconds)

    def sleep(self, seconds: float) -> None:
        """The machine sleeps: its monotonic clock stops."""
        self.truth.pass_(seconds)
        self.ours.step(seconds)

    def restart(self, away_s: float = 0.0) -> None:
        """Another process, after so long without the machine."""
        self.daemon.end()
        self.pass_(away_s)
        self.daemon = Daemon(self.sample, self.ours, self.folder)

    def refund(self, share: str = "0.3") -> None:
        """Take back a part of all usage."""
        usd = self.reckoning.usage(self.truth.now) * Decimal(share)
        account = self.sample._account
        self.sample._account = replace(account, shift_usd=account.shift_usd - usd)
        self.has_fallen = True

    def buy(self, usd: str) -> None:
        account = self.sample._account
        self.sample._account = replace(account, first_credits_usd=account.first_credits_usd + Decimal(usd))
        self.reckoning.bought += Decimal(usd)

    def polls(self, count: int) -> None:
        for _ in range(count):
            self.poll()


# --- events: each takes a part of a day ---


def endpoint_down(path: str, polls: int) -> Callable[[Life], None]:
    def run(life: Life) -> None:
        life.sample.instead[path] = DOWN
        life.polls(polls)
        del life.sample.instead[path]

    return run


def outage(life: Life) -> None:
    for path in ("/credits", "/activity", "/analytics/query", "/keys"):
        life.sample.instead[path] = UNAVAILABLE
    life.polls(3)
    life.sample.instead.clear()


def analytics_behind(life: Life) -> None:
    """The answer is 45 minutes old."""
    for _ in range(12):
        queries = [each for each in life.sample.requests if each.path == "/analytics/query" and b"granularity" not in each.body]
        if queries:
            state = life.sample.state()
            life.sample.instead["/analytics/query"] = answers.analytics(
                replace(state, now=state.now - timedelta(minutes=45)), queries[-1].body
            )
        life.poll()
    life.sample.instead.pop("/analytics/query", None)


def published_late(life: Life) -> None:
    """Over midnight: yesterday's rows come three hours late."""
    while life.truth.now.hour != 23:
        life.poll()
    for _ in range(20):
        state = life.sample.state()
        late = replace(state, now=state.now - timedelta(hours=3))
        life.sample.instead["/activity"] = answers.activity(late, "")
        life.poll()
    del life.sample.instead["/activity"]


def asleep_over_midnight(life: Life) -> None:
    while life.truth.now.hour != 22:
        life.poll()
    life.sleep(9 * 3600)


def clock_behind_at_boot(life: Life) -> None:
    """60 hours behind for one poll, then put right."""
    life.ours.step(-60 * 3600)
    life.restart()
    life.poll(40)
    life.ours.step(60 * 3600)
    life.polls(4)


def clock_ahead_and_restart(life: Life) -> None:
    life.ours.step(86_400)
    life.polls(3)
    life.restart()
    life.polls(2)
    life.ours.step(-86_400)
    life.polls(3)


def meter(life: Life) -> None:
    """A run of the meter with a restart in it, polled once a minute and at both taps."""
    life.daemon.tap("meter")
    life.reckoning.tapped_at, life.reckoning.stopped_at = life.truth.now, None
    for minute in range(20):
        if minute == 7:
            life.restart()
        life.poll(61)
    life.daemon.tap("meter")
    life.reckoning.stopped_at = life.truth.now
    for _ in range(4):
        life.poll(61)


def refund(life: Life) -> None:
    life.refund()
    life.polls(8)


EVENTS: dict[str, Callable[[Life], None]] = {
    "restart": Life.restart,
    "published late": published_late,
    "refund": refund,
    "activity down for days": endpoint_down("/activity", 230),
    "meter": meter,
    "asleep": lambda life: life.sleep(5 * 3600),
    "analytics down": endpoint_down("/analytics/query", 40),
    "clock behind at boot": clock_behind_at_boot,
    "analytics behind": analytics_behind,
    "asleep over midnight": asleep_over_midnight,
    "clock ahead and a restart": clock_ahead_and_restart,
    "credits down": endpoint_down("/credits", 6),
    "outage": outage,
    "away": lambda life: life.restart(away_s=3 * 3600),
    "bought": lambda life: life.buy("50"),
}


@contextmanager
def lived(folder: Path) -> Iterator[Life]:
    truth, ours = VirtualClock(), VirtualClock()
    with SampleAccount(clock=truth.utc) as sample:
        life = Life(sample, truth, ours, folder)
        yield life
        life.daemon.end()


@amounts("days", short=3, long=33)
def test_at_every_poll_everything_shown_is_true_or_marked(tmp_path: Path, days: int) -> None:
    with lived(tmp_path) as life:
        end, quiet = life.truth.now + days * DAY, 44 if days < 10 else 110
        life.polls(quiet)
        names, dice = list(EVENTS), Random(13)
        happened = 0
        while life.truth.now < end or happened < len(names):
            if days < 10 and names[happened % len(names)] == "activity down for days":
                happened += 1  # the long version has it
                continue
            EVENTS[names[happened % len(names)]](life)
            happened += 1
            life.polls(dice.randrange(4, 20) if days < 10 else dice.randrange(20, 90))
            if days < 10 and happened >= len(names):
                break
        counts = life.reckoning.counts
        assert life.agreed > 60 * days
        assert counts["exact"] > 3 * sum(number for kind, number in counts.items() if kind != "exact"), counts


def test_a_quiet_account_is_exact_from_its_first_midnight_on(tmp_path: Path) -> None:
    with lived(tmp_path) as life:
        while life.truth.now.hour != 6:
            life.poll()
        life.poll()
        life.reckoning.counts.clear()
        life.polls(30)
        assert set(life.reckoning.counts) == {"exact"}
