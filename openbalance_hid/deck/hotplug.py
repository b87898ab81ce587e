"""Detect decks that are connected and disconnected, by scanning the bus and comparing each scan with the one before.

Only paths are compared, and nothing is opened. A deck whose handle died in a suspend, or that was replugged between two scans,
keeps its path. The caller that loses such a deck calls `forget`, and the next scan reports it as found again. The next scan is
due at once when the system reports a change, soon for a forgotten deck, else after an interval.

macOS requires every hidapi call that opens or enumerates on one thread. There, this thread has to open the decks, too.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from openbalance_hid.deck.device_events import DeckFound, DeckVanished, HotplugEvent
from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.errors import DeckError
from openbalance_hid.restarting_thread import RestartingThread

log = logging.getLogger(__name__)

SCAN_INTERVAL_S = 2.0  # a deck that is plugged in shows its tiles within 2 s
SAFETY_INTERVAL_S = 30.0  # where the system reports changes, in case it misses one
FIRST_RETRY_S = 0.25  # a replugged deck is back by then; doubles with each retry of the same deck, up to the interval

# The monotonic clock stops in a sleep on macOS (mach_absolute_time) and on Linux (CLOCK_MONOTONIC); the wall clock goes on.
JUMP_S = 10.0  # a correction of the wall clock is smaller, and one that is larger costs a repaint and a poll


class WakeDetector:
    """Compares the two clocks at each call of `woke`. `wall` and `mono`: seconds."""

    def __init__(self, wall: Callable[[], float] = time.time, mono: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._mono = mono
        self._ahead_s = wall() - mono()

    def woke(self) -> bool:
        """Return whether the wall clock has gained more than `JUMP_S` on the monotonic clock since the last call."""
        before_s, self._ahead_s = self._ahead_s, self._wall() - self._mono()
        return self._ahead_s - before_s > JUMP_S


class ChangeSource(Protocol):
    """Reports that something changed on the bus, not what. For Linux, see `kernel_events`."""

    @property
    def listening(self) -> bool: ...
    def start(self, on_change: Callable[[], None]) -> None: ...
    def stop(self) -> None: ...


def next_pause_s(interval_s: float, changes_reported: bool, retries: Iterable[int]) -> float:
    """Return the seconds from one scan to the next. `retries`: how often each forgotten deck was forgotten, from 1."""
    longest_s = max(interval_s, SAFETY_INTERVAL_S) if changes_reported else interval_s
    retries_s = [min(interval_s, FIRST_RETRY_S * 2.0 ** min(count - 1, 16)) for count in retries]
    return min([longest_s, *retries_s])


class Hotplug:
    """Scans the bus on a thread of its own. `emit` is called on that thread, and delays the next scan while it runs."""

    def __init__(
        self,
        transport: HidTransport,
        emit: Callable[[HotplugEvent], None],
        interval_s: float = SCAN_INTERVAL_S,
        after_first_scan: Callable[[], None] = lambda: None,
        changes: ChangeSource | None = None,
        on_wake: Callable[[], None] = lambda: None,
        wake: WakeDetector | None = None,
    ) -> None:
        """`after_first_scan` is called once, on the thread, when everything that the first scan found has been emitted.

        `changes` is started after the first pause, because the first pictures need the processor more. `stop` stops it, too.
        `on_wake` is called on the thread after the first scan since a sleep, which has found the decks that were lost.
        """
        self._on_wake = on_wake
        self._wake = wake or WakeDetector()
        self._after_first_scan = after_first_scan
        self._transport = transport
        self._emit = emit
        self._interval_s = interval_s
        self._changes = changes
        self._changed = threading.Condition()  # guards everything below
        self._known: set[str] = set()
        self._forgotten: set[str] = set()  # not scanned since
        self._retries: dict[str, int] = {}  # path -> how often it was forgotten, until it is still known at the next scan
        self._missed_change = False  # the last scan found a change; whether it was reported is checked afterwards
        self._reports_work = False  # changes are reported, and none was missed since the last report
        self._scan_requested = False
        self._stopping = False
        self._failing = False
        self._thread = RestartingThread("deck-hotplug", self._run)

    def start(self) -> None:
        """Start the thread, which scans at once. Idempotent."""
        self._thread.start()

    def revive(self) -> None:
        """Start the thread again if it has ended (see `RestartingThread.revive`)."""
        self._thread.revive()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End and join the thread, and stop `changes`. Idempotent; allowed before `start`."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.stop()
        self._thread.join(timeout_s)
        if self._changes is not None:
            self._changes.stop()

    def forget(self, path: str) -> None:
        """Report the deck at `path` as found again if it is still connected: soon, and later each time it is forgotten."""
        with self._changed:
            if path in self._known:
                self._known.discard(path)
                self._forgotten.add(path)
                self._retries[path] = self._retries.get(path, 0) + 1
                self._changed.notify_all()

    def request_scan(self) -> None:
        """Scan now rather than at the end of the pause."""
        with self._changed:
            self._scan_requested = True
            self._changed.notify_all()

    def scan(self) -> list[HotplugEvent]:
        """Scan once and return what vanished, then what was found since the last scan. Raises DeckError."""
        found = {deck.path: deck for deck in find_decks(self._transport)}
        with self._changed:
            gone = self._known - found.keys()
            new = [deck for path, deck in found.items() if path not in self._known]
            stayed = self._known & found.keys()
            self._retries = {path: n for path, n in self._retries.items() if path in found and path not in stayed}
            self._missed_change = bool(gone) or any(deck.path not in self._forgotten for deck in new)
            self._forgotten.clear()
            self._known = set(found)
        return [*(DeckVanished(path) for path in sorted(gone)), *(DeckFound(deck) for deck in new)]

    def pause_s(self) -> float:
        """Return the seconds from the last scan to the next."""
        with self._changed:
            reported = self._reports_work and not self._failing and self._changes is not None and self._changes.listening
            return next_pause_s(self._interval_s, reported, [self._retries[path] for path in self._forgotten])

    def _run(self) -> None:
        requested = first = True
        while not self._stopping:
            woke = self._wake.woke()
            self.scan_and_emit(requested)
            if woke:
                log.info("the machine was asleep")
                self._on_wake()
            if first:
                self._after_first_scan()
            requested = self._wait()
            if first and not self._stopping:
                self.listen()
                requested = True  # to find what changed before
            first = False

    def listen(self) -> None:
        """Start `changes`. The thread does this itself; for callers that have not called `start`."""
        if self._changes is not None:
            self._changes.start(self._on_change)
            with self._changed:
                self._reports_work = True

    def _on_change(self) -> None:
        """Called on the thread of `changes`."""
        with self._changed:
            self._reports_work = True
        self.request_scan()

    def _wait(self) -> bool:
        """Wait until the next scan is due and return whether it was requested."""
        with self._changed:
            began_s = time.monotonic()
            while not (self._stopping or self._scan_requested):
                left_s = began_s + self.pause_s() - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            requested, self._scan_requested = self._scan_requested, False
            return requested

    def scan_and_emit(self, requested: bool = True) -> None:
        """Scan once and emit what changed. `requested`: False when the scan is due to the pause alone.

        The thread does this itself; for callers that have not called `start`.
        """
        try:
            events = self.scan()
            if not requested:
                self._check_reports()
            for event in events:
                self._emit_event(event)
        except DeckError as error:
            if not self._failing:
                log.warning("cannot scan for decks: %s", error)
            self._failing = True
            return
        except Exception:
            log.exception("a scan for decks failed")
            return
        if self._failing:
            log.info("scanning for decks works again")
        self._failing = False

    def _emit_event(self, event: HotplugEvent) -> None:
        try:
            self._emit(event)
        except Exception:  # an error with one deck must not stop the events of the others
            log.exception("handling a connected or disconnected deck failed")
            if isinstance(event, DeckFound):
                self.forget(event.found.path)

    def _check_reports(self) -> None:
        """Stop relying on reported changes when a scan found a change that was not reported."""
        with self._changed:
            if self._missed_change and self._reports_work and not self._scan_requested:
                self._reports_work = False
                log.debug("a change was not reported; scanning every %g s until one is", self._interval_s)
