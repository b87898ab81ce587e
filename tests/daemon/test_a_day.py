"""A day and a half of an account's life under virtual time: at every poll the tiles say what the raw events add up to.

The events are the sample account's ledger, which the poller never sees; what they come to is reckoned here on its own.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.history.keeper import Ledger, open_history
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.simulator.sample_account import SampleAccount
from openbalance_hid.simulator.sample_answers import json, refused
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import Hero, TileView
from openbalance_hid.tiles.words import money
from tests.openrouter.virtual import VirtualClock

INTERVAL_S = 900.0
QUARTER = timedelta(minutes=15)
LIMIT_S = 30.0
UNAVAILABLE = refused(503, "Service Unavailable")
INFERENCE = json(200, {"data": {"label": "x", "is_management_key": False}})
ZEROS = json(200, {"data": {"total_credits": 0, "total_usage": 0}})


class Daemon:
    """One process's poller over a history on disk."""

    def __init__(self, sample: SampleAccount, clock: VirtualClock, folder) -> None:
        self.sample, self.clock = sample, clock
        self.told: list[Snapshot] = []
        self.history = open_history(folder / "history.sqlite3", lambda path: path.mkdir(mode=0o700, exist_ok=True))
        self.history.start()
        ledger: Ledger = self.history.ledger("default")

        def publish(snapshot: Snapshot) -> None:
            self.told.append(snapshot)
            ledger.keep(snapshot)

        connect = lambda: Client(sample.key, sample.url, utc=clock.utc)  # noqa: E731
        recall = lambda *known: ledger.recall(*known)[0]  # noqa: E731
        self.poller = Poller("default", connect, INTERVAL_S, publish, clock, recall=recall)

    @property
    def now(self) -> Snapshot:
        return self.told[-1]

    def view(self, tile: str, **options: object) -> TileView:
        kind = TILES[tile]
        return kind.view(Scene(tile, self.now, self.clock.now, {**kind.defaults(), **options}))

    def number(self, tile: str, **options: object) -> str:
        return next(block.text for block in self.view(tile, **options).blocks if isinstance(block, Hero))

    def end(self) -> None:
        self.history.stop(LIMIT_S)


def spent(sample: SampleAccount, start: datetime, end: datetime) -> Decimal:
    return sum((use.usd for use in sample.books().ledger.uses(start, end)), Decimal(0))


def agrees(daemon: Daemon) -> None:
    """Balance, today, 7 and 30 days, all time, against the events."""
    sample, now = daemon.sample, daemon.clock.now
    books = sample.books()
    today = spent(sample, books.midnight, now)
    assert daemon.number("balance") == money(books.total_credits_usd - books.total_usage_usd), now
    assert daemon.number("balance", show="used", period="all") == money(books.total_usage_usd), now
    assert daemon.number("today") == money(today), now
    if now - books.midnight > timedelta(minutes=50):  # before that yesterday is not published whole
        for period, days in (("7d", 7), ("30d", 30)):
            whole = spent(sample, books.midnight - timedelta(days=days), books.midnight)
            assert daemon.number("balance", show="used", period=period) == money(whole + today), (now, period)
        assert daemon.number("monthly-spend") == daemon.number("balance", show="used", period="30d")


def test_at_every_poll_the_tiles_say_what_the_events_add_up_to(tmp_path):
    clock = VirtualClock()
    with SampleAccount(clock=clock.utc) as sample:
        sample._account = replace(sample._account, first_credits_usd=sample.books().total_usage_usd + Decimal("10.50"))
        daemon, asked, kept = Daemon(sample, clock, tmp_path), 0, ""
        bought_before = sample.books().total_credits_usd
        for poll in range(110):
            daemon.poller.turn()
            if poll in (25, 26, 27):  # an outage, then a key of the wrong kind: the last value stays, and ages
                assert daemon.now.health is not Health.OK
                assert daemon.number("balance") == kept
            else:
                agrees(daemon)
                asked += 1
            if poll == 24:
                kept = daemon.number("balance")
                sample.instead["/credits"] = sample.instead["/activity"] = UNAVAILABLE
            if poll == 26:
                sample.instead.clear()
                sample.instead["/credits"], sample.instead["/key"] = ZEROS, INFERENCE
            if poll == 27:
                sample.instead.clear()
            if poll in (40, 90):  # a restart, the second one after hours without the machine
                daemon.end()
                clock.pass_(3 * 3600 if poll == 90 else 0)
                daemon = Daemon(sample, clock, tmp_path)
            if poll == 60:
                clock.step(3600)  # asleep: the monotonic clock stood still
            clock.pass_(INTERVAL_S)
        daemon.end()
        assert asked == 107
        assert sample.books().total_credits_usd > bought_before, "credits were bought on the way"
        assert clock.now.date() > sample._born, "midnight was on the way"
