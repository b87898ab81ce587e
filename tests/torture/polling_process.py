"""A process that forks others to be killed: each polls a spiking account in virtual time, stores the samples, and reports them.

All modules are loaded once. Then one line on stdin (the number of the first poll) forks a process and prints its id; an empty
line waits for its end. Arguments: the file of the history, and the file for the reports of the forked processes.
"""

import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from openbalance_hid.account.alert import Alert, AlertKind, level_name
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Store
from openbalance_hid.app.events import Event, HistoryLoaded
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import DeckArrived, KeyEvent
from openbalance_hid.history.keeper import open_history
from openbalance_hid.history.records import EndedAlert
from openbalance_hid.history.store import HistoryStore  # noqa: F401 – loaded before the fork
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

BEGIN = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
INTERVAL = timedelta(minutes=15)
SPIKE_ALERT_KEY = 3
HELD_UP_S = 10.0


class Clock:
    """A clock that is set to the number of a poll."""

    def __init__(self) -> None:
        self.number = 0

    def utc(self) -> datetime:
        return BEGIN + self.number * INTERVAL

    def mono(self) -> float:
        return 1000.0 + self.number * INTERVAL.total_seconds()


def account(clock: Clock) -> SampleAccount:
    """Return the account of every forked process, and of the test."""
    return SampleAccount("spike", clock=clock.utc)


def alert_text(alert: Alert) -> str:
    """Return an alert as one word."""
    levels = "/".join(level_name(alert.kind, level) for level in (alert.level, alert.acknowledged, alert.notified))
    return f"{alert.since:%Y%m%dT%H%M%S}/{levels}"


class PollingProcess:
    """The polling part of a daemon, from its first poll until it is killed."""

    def __init__(self, path: Path, out: int) -> None:
        self._clock, self._out = Clock(), out
        sample = account(self._clock)
        sample.start()
        self._history = open_history(path, lambda place: place.mkdir(mode=0o700, exist_ok=True))
        self._history.start()
        self._ledger = self._history.for_account("default")
        begun = Snapshot("default", self._clock.utc(), INTERVAL.total_seconds())
        self._controller = Controller(Config(), {"default": begun}, self._now())
        self._poller = Poller(
            "default",
            lambda: Client(Secret(sample.key), sample.url, utc=self._clock.utc),
            INTERVAL.total_seconds(),
            self._publish,
            self._clock,
            Random(1),
            self._recall,
        )

    def run(self, first: int) -> None:
        self._step(DeckArrived("A1", "mk2", 15))
        for number in range(first, first + 1_000_000):
            self._clock.number = number
            self._report(f"poll {number}")
            self._poller.run_cycle()
            if number % 3 == 0:
                for down in (True, False):
                    self._step(KeyEvent("A1", SPIKE_ALERT_KEY, down, self._clock.mono()))
            kept = threading.Event()
            self._history.enqueue(lambda _, number=number, kept=kept: (self._report(f"kept {number}"), kept.set()))
            kept.wait(HELD_UP_S)

    def _publish(self, snapshot: Snapshot) -> None:
        self._step(snapshot)
        self._ledger.keep(snapshot)

    def _recall(self, fingerprint: str, begun: Snapshot, now: datetime, mono_s: float) -> Snapshot:
        known, past = self._ledger.recall(fingerprint, begun, now, mono_s)
        self._step(HistoryLoaded("default", begun.started_at, past.alerts, past.runs))
        return known

    def _step(self, event: Event) -> None:
        for effect in self._controller.step(event, self._now()):
            if isinstance(effect, Store) and effect.started_at is not None:
                if isinstance(effect.record, Alert | EndedAlert) and effect.record.key[0] is AlertKind.SPIKE:
                    self._report(f"alert {alert_text(effect.record) if isinstance(effect.record, Alert) else 'none'}")
                self._ledger.store(effect.started_at, effect.record)

    def _now(self) -> Moment:
        return Moment(self._clock.utc(), self._clock.mono())

    def _report(self, words: str) -> None:
        os.write(self._out, f"{words}\n".encode())


def main() -> None:
    path, words = Path(sys.argv[1]), sys.argv[2]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                PollingProcess(path, os.open(words, os.O_WRONLY | os.O_CREAT | os.O_APPEND)).run(int(line))
            finally:
                os._exit(1)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdin.readline()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
