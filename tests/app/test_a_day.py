"""Three and a half days of an account's life under virtual time: at every poll every tile says what the raw events add up to.

The poller asks a server over a socket, the history is a file, the tiles are those of the controller. The events are the sample
account's ledger, which none of these sees; what they come to is reckoned apart (`reckoning`).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Effect, Store
from openbalance_hid.app.events import Event, GestureRequested, HistoryLoaded
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.config.schema import Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.history.keeper import AccountHistory, open_history
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import json, refused
from openbalance_hid.tiles.states import STATES
from tests.app.reckoning import INTERVAL_S, Reckoning
from tests.openrouter.virtual import VirtualClock
from tests.waiting import PATIENCE_S

DECK = "SIM1"
UNAVAILABLE = refused(503, "Service Unavailable")
INFERENCE = json(200, {"data": {"label": "x", "is_management_key": False}})
ZEROS = json(200, {"data": {"total_credits": 0, "total_usage": 0}})
QUIET_POLLS = 144  # a day and a half, so that yesterday is known from midnight on


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
    """One process: a poller, its history on disk, and the controller that it tells."""

    def __init__(self, sample: SampleAccount, clock: VirtualClock, folder) -> None:
        self.clock = clock
        self.begun_s = clock.mono_s
        self.controller = Controller(CONFIG, {"default": Snapshot("default", clock.now, INTERVAL_S)}, self.now)
        self.history = open_history(folder / "history.sqlite3", lambda path: path.mkdir(mode=0o700, exist_ok=True))
        self.history.start()
        self.ledger: AccountHistory = self.history.for_account("default")

        def recall(fingerprint, begun, now, mono_s):
            known, past = self.ledger.recall(fingerprint, begun, now, mono_s)
            self.tell(HistoryLoaded("default", begun.started_at, past.alerts, past.runs))
            return known

        def publish(snapshot: Snapshot) -> None:
            self.tell(snapshot)
            self.ledger.keep(snapshot)

        connect = lambda: Client(Secret(sample.key), sample.url, utc=clock.utc)  # noqa: E731
        self.poller = Poller("default", connect, INTERVAL_S, publish, clock, recall=recall)
        self.tell(DeckArrived(DECK, "xl", 32))

    @property
    def now(self) -> Moment:
        return Moment(self.clock.now, self.clock.mono_s)

    @property
    def turn(self) -> int:
        return int((self.clock.mono_s - self.begun_s) // 60)

    @property
    def health(self) -> Health:
        return self.controller.snapshots["default"].health

    def tell(self, event: Event) -> None:
        for effect in self.controller.step(event, self.now):
            self._carry_out(effect)

    def tap(self, name: str) -> None:
        self.tell(GestureRequested(list(TILES).index(name), Gesture.TAP))

    def texts(self) -> dict[str, str]:
        return {name: self.controller.faces[DECK, key].view.text for key, name in enumerate(TILES)}

    def end(self) -> None:
        self.history.stop(PATIENCE_S)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Store(_, started_at, record) if started_at is not None:
                self.ledger.store(started_at, record)


class Life:
    """The account, whoever watches it, and the owner with a pencil."""

    def __init__(self, sample: SampleAccount, clock: VirtualClock, folder) -> None:
        self.sample, self.clock, self.folder = sample, clock, folder
        self.daemon = Daemon(sample, clock, folder)
        self.reckoning = Reckoning(sample, sample.state().total_credits_usd)
        self.agreed = 0

    def poll(self, wait_s: float = INTERVAL_S) -> None:
        """A poll, what it must have made of the tiles, and the time to the next one."""
        self.daemon.poller.run_cycle()
        self.reckoning.hear(self.clock.now, self.clock.mono_s)
        assert self.daemon.health is Health.OK
        expected, told = self.reckoning.expected(self.clock.now, self.daemon.turn), self.daemon.texts()
        told["spike-alert"] = told["spike-alert"][: len(expected["spike-alert"])]
        assert told == expected, self.clock.now
        self.agreed += 1
        self.clock.pass_(wait_s)

    def failing_poll(self, health: Health) -> None:
        """The last good balance stays, with the trouble's word in the trend's place."""
        before = self.daemon.texts()
        self.daemon.poller.run_cycle()
        self.reckoning.hear(self.clock.now, self.clock.mono_s)
        assert self.daemon.health is health
        told = self.daemon.texts()
        for name in ("balance", "used all", "usage", "meter"):
            assert told[name].split(",")[0] == before[name].split(",")[0]
            assert STATES[health].words in told[name]
        self.clock.pass_(INTERVAL_S)

    def restart(self, away_s: float = 0.0) -> None:
        """Another process, after so long without the machine."""
        self.daemon.end()
        self.clock.pass_(away_s)
        self.daemon = Daemon(self.sample, self.clock, self.folder)
        self.reckoning.restarted(self.clock.now, self.clock.mono_s)

    def book(self, bought: str = "0", refunded: str = "0") -> None:
        """Credits bought, and usage taken back."""
        account = self.sample._account
        self.sample._account = replace(
            account,
            first_credits_usd=account.first_credits_usd + Decimal(bought),
            shift_usd=account.shift_usd - Decimal(refunded),
        )
        self.reckoning.bought += Decimal(bought)
        self.reckoning.refunded += Decimal(refunded)


def outage(life: Life) -> None:
    life.sample.instead["/credits"] = life.sample.instead["/activity"] = UNAVAILABLE
    for _ in range(2):
        life.failing_poll(Health.SERVER_ERROR)
    life.sample.instead.clear()


def wrong_key(life: Life) -> None:
    life.sample.instead["/credits"], life.sample.instead["/key"] = ZEROS, INFERENCE
    life.failing_poll(Health.NOT_MANAGEMENT_KEY)
    life.sample.instead.clear()


def task(life: Life) -> None:
    """The meter from a tap to a tap, a restart of the daemon in the middle, a poll a minute."""
    life.daemon.tap("meter")
    life.reckoning.tapped_at = life.clock.now
    for minute in range(15):
        if minute == 7:
            life.restart()
        life.poll(60)
    life.daemon.tap("meter")
    life.reckoning.stopped_at = life.clock.now
    for _ in range(15):
        life.poll(60)


EVENTS: dict[int, Callable[[Life], None]] = {  # before the poll of that number on the eventful day
    12: lambda life: life.book(bought="50"),
    20: lambda life: life.book(refunded="0.04"),
    28: outage,
    34: wrong_key,
    40: task,
    52: lambda life: life.clock.step(3600),  # asleep: the monotonic clock stood still
    60: lambda life: life.restart(),
    68: lambda life: life.restart(away_s=3 * 3600),
}


def eventful_day(life: Life) -> Iterator[None]:
    end = life.clock.now.replace(hour=23, minute=59)
    number = 0
    while life.clock.now < end:
        EVENTS.get(number, lambda _: None)(life)
        life.poll()
        number += 1
        yield


def test_at_every_poll_every_tile_says_what_the_events_add_up_to(tmp_path):
    clock = VirtualClock()
    with SampleAccount(clock=clock.utc) as sample:
        life = Life(sample, clock, tmp_path)
        for _ in range(QUIET_POLLS):
            life.poll()
        assert (clock.now.hour, clock.now.minute) == (0, 0)
        numbers = sum(1 for _ in eventful_day(life))
        assert numbers > max(EVENTS), "everything has happened"
        for _ in range(20):  # a day later yesterday has gaps: the hours asleep, and those without the machine
            life.poll(3600)
        life.daemon.end()
        assert life.agreed > QUIET_POLLS + 90
        assert any("today" in text for text in life.daemon.texts().values())
