"""A disk that is slower than the network: the balance does not wait for it, and what it remembers is added later."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from openbalance_hid.account.snapshot import Credits, Snapshot, Spend, Today
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import SendAlert
from openbalance_hid.app.events import HistoryLoaded, RefreshSkipped
from openbalance_hid.config.schema import Config
from openbalance_hid.history.keeper import History
from openbalance_hid.history.records import AccountIdentity, StoredDays, StoredSample, StoredToday
from openbalance_hid.history.store import HistoryStore
from openbalance_hid.openrouter.client import Client
from openbalance_hid.runtime.pollers import Pollers
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.waiting import PATIENCE_S

OLD = (datetime.now(UTC) - timedelta(days=100)).date()
BEFORE_OLD = OLD - timedelta(days=1)


class SlowDisk:
    """The accounts over a history whose file is opened only after `answer`."""

    def __init__(self, path: Path, account: SampleAccount) -> None:
        self.events: queue.SimpleQueue[Snapshot | HistoryLoaded | RefreshSkipped] = queue.SimpleQueue()
        self._gate = threading.Event()
        self.history = History(lambda: self._open(path))
        self.pollers = Pollers(
            {"default": 900.0}, lambda _: Client(Secret(account.key), account.url), self.events.put, self.history
        )

    def _open(self, path: Path) -> HistoryStore:
        assert self._gate.wait(PATIENCE_S)
        return HistoryStore(path, lambda: None)

    def answer(self) -> None:
        self._gate.set()

    def until_polled(self) -> list[Snapshot | HistoryLoaded | RefreshSkipped]:
        """Return everything up to the end of the first poll."""
        found = [self.events.get(timeout=PATIENCE_S)]
        while not (isinstance(found[-1], Snapshot) and found[-1].polls):
            found.append(self.events.get(timeout=PATIENCE_S))
        return found


@contextmanager
def slow_disk(path: Path, scenario: str = "normal") -> Iterator[SlowDisk]:
    with SampleAccount(scenario) as account:
        store = HistoryStore(path, lambda: None)
        who = AccountIdentity("default", Secret(account.key).fingerprint)
        store.write(
            who, StoredDays("model", {OLD: {"v/old": Spend(Decimal(7))}}, read_at=datetime.now(UTC) - timedelta(days=3))
        )
        store.write(who, StoredSample(datetime.now(UTC) - timedelta(hours=3), Credits(Decimal(900), Decimal(1))))
        for day in (BEFORE_OLD, OLD):
            store.write(who, StoredToday(Today(day, {"v/old": Spend(Decimal(7))}), datetime.now(UTC) - timedelta(days=3)))
        store.close()
        disk = SlowDisk(path, account)
        disk.history.start()
        disk.pollers.start()
        try:
            yield disk
        finally:
            disk.answer()
            disk.pollers.stop()
            disk.history.stop(PATIENCE_S)


def test_the_balance_and_the_days_do_not_wait_for_the_disk(tmp_path: Path) -> None:
    with slow_disk(tmp_path / "history.sqlite3") as disk:
        before = disk.until_polled()
        polled = before[-1]
        assert isinstance(polled, Snapshot)
        assert polled.credits.value is not None
        assert polled.activity.value is not None
        assert polled.recalling
        assert not any(isinstance(event, HistoryLoaded) for event in before)
        disk.answer()
        assert isinstance(disk.events.get(timeout=PATIENCE_S), HistoryLoaded)
        later = disk.events.get(timeout=PATIENCE_S)
        assert isinstance(later, Snapshot)
        assert not later.recalling
        assert later.credits == polled.credits, "what was requested since is newer"
        assert len(later.samples) == len(polled.samples) + 1
        assert later.samples[0].total_usage_usd == 1
        assert later.samples[0].mono_s < later.samples[1].mono_s
        assert later.activity.value is not None
        assert later.activity.value.by_model[OLD] == {"v/old": Spend(Decimal(7))}
        assert later.activity.value.by_model.items() >= polled.activity.value.by_model.items()
        assert later.activity.measured_at == polled.activity.measured_at
        assert later.today == polled.today
        assert later.yesterday.value is not None
        assert later.yesterday.value.day == BEFORE_OLD


def test_no_alert_is_sent_before_the_alerts_of_before_are_known(tmp_path: Path) -> None:
    with slow_disk(tmp_path / "history.sqlite3", "critical") as disk:
        events = disk.until_polled()
        started = Moment(datetime.now(UTC), 0.0)
        first = next(event for event in events if isinstance(event, Snapshot))
        controller = Controller(Config(), {"default": first}, started)
        effects = [effect for event in events for effect in controller.step(event, started)]
        assert controller.snapshots["default"].credits.value is not None, "the number is shown all the same"
        assert not any(isinstance(effect, SendAlert) for effect in effects)
        disk.answer()
        late = [disk.events.get(timeout=PATIENCE_S), disk.events.get(timeout=PATIENCE_S)]
        effects = [effect for event in late for effect in controller.step(event, started)]
        assert any(isinstance(effect, SendAlert) for effect in effects)
