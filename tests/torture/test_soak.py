"""A month in virtual time: polls over real HTTP, a history on disk, presses, replugs, midnights; and the resources used.

The product and the sample account run in one process. The use of resources must not grow from day to day.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.events import HistoryLoaded
from openbalance_hid.config.default_layout import DEFAULT_ORDER
from openbalance_hid.history.keeper import open_history
from openbalance_hid.history.records import AccountIdentity
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.tiles.formatting import money
from openbalance_hid.tiles.view import Hero
from tests.history.stand import store_at
from tests.torture.amounts import amounts
from tests.torture.app_harness import SOON_S
from tests.torture.faulty_deck import FaultyDeck, made
from tests.torture.figures import Figures
from tests.torture.resource_usage import ResourceUsage, has_proc, needs_proc
from tests.torture.test_decks_under_faults import GestureCheckedApp

LATE = datetime(2026, 11, 22, 23, 10, tzinfo=UTC)
INTERVAL_S = 900.0
PRIVACY = "privacy"
POLLS_A_DAY, PRESSES_A_DAY, REPLUGS_A_DAY = 96, 334, 3.4
LOOK_S = 300.0  # changes on the bus are reported here, as on Linux
DAYS_TO_SETTLE = 5  # caches, the samples of some days, SQLite's pages
ROOM_MIB = 6.0  # of the allocator; a kilobyte left behind by each step of a month would be 100 MiB


class Clock:
    """The virtual clock of the harness, for the poller."""

    def __init__(self, whole: GestureCheckedApp) -> None:
        self._whole = whole

    def utc(self) -> datetime:
        return self._whole.now.utc

    def mono(self) -> float:
        return self._whole.now.mono_s


class Life:
    """The harness with a poller and a history, from the first poll on."""

    def __init__(self, folder: Path, decks: list[FaultyDeck], sample: SampleAccount, whole: GestureCheckedApp) -> None:
        self.whole, self.decks, self.sample = whole, decks, sample
        self.path = folder / "history.sqlite3"
        self.history = open_history(self.path, lambda path: path.mkdir(mode=0o700, exist_ok=True))
        self.history.start()
        ledger = self.ledger = self.history.for_account("default")
        clock = Clock(whole)

        def publish(snapshot: Snapshot) -> None:
            whole.inbox.put(snapshot)
            ledger.keep(snapshot)

        def recall(fingerprint: str, begun: Snapshot, now: datetime, mono_s: float) -> Snapshot:
            known, past = ledger.recall(fingerprint, begun, now, mono_s)
            whole.inbox.put(HistoryLoaded("default", begun.started_at, past.alerts))
            return known

        def client() -> Client:
            return Client(Secret(sample.key), sample.url, utc=clock.utc)

        self.poller = Poller("default", client, INTERVAL_S, publish, clock, random.Random(1), recall)

    def poll(self) -> float:
        """Poll, check the balance on the first key, and return the seconds until the next poll."""
        delay_s = self.poller.run_cycle()
        self.whole.settle()
        books = self.sample.state()
        face = self.whole.controller.faces[self.decks[0].serial, 0]
        said = next(block.text for block in face.view.blocks if isinstance(block, Hero))
        assert said == money(books.total_credits_usd - books.total_usage_usd)
        return delay_s

    def press(self, dice: random.Random) -> None:
        deck = dice.choice(self.decks)
        key = dice.randrange(deck.model.keys)
        if DEFAULT_ORDER[key : key + 1] == (PRIVACY,):  # it would hide the amounts that `poll` compares
            return
        deck.press(key)
        self.whole.settle()
        self.whole.wait(2.2 if dice.random() < 0.2 else 0.15)
        deck.release(key)
        self.whole.settle()

    def replug(self, dice: random.Random) -> None:
        deck = dice.choice(self.decks)
        deck.unplug()
        self.whole.settle()
        self.whole.wait(dice.choice((0.05, 1.0, 30.0)))
        deck.plug()
        self.whole.look()
        self.whole.wait(SOON_S)
        assert all(self.whole.is_right(each) for each in self.decks)

    def forget_what_was_seen(self) -> None:
        """Drop what only this test keeps."""
        self.whole.heard.clear()
        self.whole.done.clear()
        self.sample.requests.clear()


@contextmanager
def life(folder: Path) -> Iterator[Life]:
    decks = [made("A1", "mk2"), made("B2", "plus")]
    whole = GestureCheckedApp(*decks, scan_s=LOOK_S, begun=LATE)
    try:
        with SampleAccount(clock=lambda: whole.now.utc) as sample:
            living = Life(folder, decks, sample, whole)
            try:
                yield living
            finally:
                living.history.stop(30.0)
    finally:
        whole.end()


@pytest.mark.skipif(not has_proc, reason=needs_proc)
@amounts("polls", 6, 30 * POLLS_A_DAY)
def test_a_month_of_polls_presses_replugs_and_midnights_leaves_nothing_behind(
    tmp_path: Path, polls: int, seed: int, figures: Figures
) -> None:
    dice = random.Random(seed)
    presses = replugs = midnights = 0
    days: list[ResourceUsage] = []
    with life(tmp_path / "state") as living:
        whole = living.whole
        for poll in range(1, polls + 1):
            today = whole.now.utc.date()
            due_s = whole.now.mono_s + living.poll()
            while presses < poll * PRESSES_A_DAY / POLLS_A_DAY:
                whole.wait(dice.uniform(0, (due_s - whole.now.mono_s) / 2))
                living.press(dice)
                presses += 1
            if replugs < poll * REPLUGS_A_DAY / POLLS_A_DAY:
                living.replug(dice)
                replugs += 1
            whole.wait(max(0.0, due_s - whole.now.mono_s))
            midnights += whole.now.utc.date() != today
            living.forget_what_was_seen()
            figures.tell(tried=1, survived=1)
            if poll % POLLS_A_DAY == 0 or poll == polls:
                whole.until_open(len(living.decks))
                days.append(ResourceUsage.of())
                figures.tell(days=len(days), first_day=days[0], last_day=days[-1])
        assert whole.fingers is not None
        figures.tell(presses=presses, replugs=replugs, midnights=midnights, gestures=whole.fingers.gestures)
        figures.tell(steps=whole.controller.steps)
        who = AccountIdentity("default", Secret(living.sample.key).fingerprint)
        last = whole.controller.snapshots["default"].samples[-1].at
    settled = days[DAYS_TO_SETTLE - 1] if len(days) >= DAYS_TO_SETTLE else days[0]
    assert max(each.threads for each in days) <= days[0].threads
    assert max(each.handles for each in days) <= settled.handles
    assert days[-1].private_mib <= settled.private_mib + ROOM_MIB, [f"{each.private_mib:.1f}" for each in days]
    store = store_at(living.path)
    kept = store.samples(who)
    store.close()
    assert kept[-1].at == last
    assert len({each.at for each in kept}) == len(kept)
    assert midnights >= 1
