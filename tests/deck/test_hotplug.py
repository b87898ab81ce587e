"""Connected and disconnected decks are detected: by single scans, by reported changes, and on the thread."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openbalance_hid.deck.device_events import DeckFound, DeckVanished
from openbalance_hid.deck.hotplug import (
    FIRST_RETRY_S,
    SAFETY_INTERVAL_S,
    SCAN_INTERVAL_S,
    Hotplug,
    next_pause_s,
)
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import DeviceInfo, VirtualBus
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.waiting import PATIENCE_S, threads_named, until

NEVER_S = 3600.0


def deck(serial: str) -> VirtualDeck:
    return VirtualDeck(MODELS["mk2"], serial)


def seen(hotplug: Hotplug) -> list[str]:
    return [
        f"+{event.found.serial}" if isinstance(event, DeckFound) else f"-{event.path.removeprefix('virtual:')}"
        for event in hotplug.scan()
    ]


class Changes:
    """A source of changes with a thread of its own. `can_listen`: False where the system reports nothing."""

    def __init__(self, can_listen: bool = True) -> None:
        self.can_listen = can_listen
        self.started = threading.Event()
        self.on_change: Callable[[], None]
        self._reports: queue.Queue[bool] = queue.Queue()
        self._thread: threading.Thread | None = None

    @property
    def listening(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, on_change: Callable[[], None]) -> None:
        self.on_change = on_change
        if self.can_listen:
            self._thread = threading.Thread(target=self._run, args=(on_change,), name="changes")
            self._thread.start()
        self.started.set()

    def report(self) -> None:
        self._reports.put(True)

    def stop(self) -> None:
        self._reports.put(False)
        if self._thread is not None:
            self._thread.join(PATIENCE_S)

    def _run(self, on_change: Callable[[], None]) -> None:
        while self._reports.get():
            on_change()


class RunningHotplug:
    """A virtual bus with a hotplug thread, and the events that it emits."""

    def __init__(self, *decks: VirtualDeck, interval_s: float = NEVER_S, changes: Changes | None = None) -> None:
        self.bus = VirtualBus(decks)
        self.events: queue.Queue[Any] = queue.Queue()
        self.scanned = threading.Event()
        self.hotplug = Hotplug(HidTransport(self.bus), self.events.put, interval_s, self.scanned.set, changes)
        self.hotplug.start()
        assert self.scanned.wait(PATIENCE_S)
        if changes is not None:
            self.hotplug.request_scan()  # ends the first pause, after which the source of changes is started
            assert changes.started.wait(PATIENCE_S)

    def next(self) -> str:
        event = self.events.get(timeout=PATIENCE_S)
        return f"+{event.found.serial}" if isinstance(event, DeckFound) else f"-{event.path.removeprefix('virtual:')}"


@pytest.fixture
def make_hotplug() -> Iterator[Callable[..., RunningHotplug]]:
    made: list[RunningHotplug] = []

    def make(*args: Any, **kwargs: Any) -> RunningHotplug:
        made.append(RunningHotplug(*args, **kwargs))
        return made[-1]

    yield make
    for running in made:
        running.hotplug.stop()
    assert threads_named("deck-hotplug") == []


# --- single scans ---


def test_a_deck_is_found_once_and_vanishes_once() -> None:
    bus = VirtualBus()
    hotplug = Hotplug(HidTransport(bus), lambda event: None)
    assert seen(hotplug) == []
    first = deck("A")
    bus.plug(first)
    assert seen(hotplug) == ["+A"]
    assert seen(hotplug) == []
    bus.plug(deck("B"))
    assert seen(hotplug) == ["+B"]
    first.unplug()
    assert seen(hotplug) == ["-A"]
    assert seen(hotplug) == []
    bus.plug(first)
    assert seen(hotplug) == ["+A"]


def test_a_forgotten_deck_is_found_again_though_its_path_never_went() -> None:
    a = deck("A")
    hotplug = Hotplug(HidTransport(VirtualBus([a])), lambda event: None)
    assert seen(hotplug) == ["+A"]
    hotplug.forget(a.path)
    assert seen(hotplug) == ["+A"]
    hotplug.forget("nowhere")
    assert seen(hotplug) == []


def test_a_forgotten_deck_that_is_gone_does_not_vanish_a_second_time() -> None:
    a = deck("A")
    hotplug = Hotplug(HidTransport(VirtualBus([a])), lambda event: None)
    seen(hotplug)
    hotplug.forget(a.path)
    a.unplug()
    assert seen(hotplug) == []


class FailingBus(VirtualBus):
    """A bus that cannot be listed for a while."""

    failing = True

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> list[DeviceInfo]:
        if self.failing:
            raise OSError("no bus")
        return super().enumerate(vendor_id, product_id)


def test_a_scan_that_fails_is_logged_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    events: list[Any] = []
    bus = FailingBus([deck("A")])
    hotplug = Hotplug(HidTransport(bus), events.append)
    for _ in range(3):
        hotplug.scan_and_emit()
    assert events == []
    bus.failing = False
    hotplug.scan_and_emit()
    assert [event.found.serial for event in events] == ["A"]
    assert [record.message for record in caplog.records] == [
        "cannot scan for decks: cannot list HID devices: no bus",
        "scanning for decks works again",
    ]


# --- when the next scan is due ---


@pytest.mark.parametrize(
    ("reported", "retries", "expected_s"),
    [
        (False, [], 2.0),
        (True, [], 30.0),
        (True, [1], 0.25),
        (True, [2], 0.5),
        (True, [3], 1.0),
        (True, [4], 2.0),
        (True, [5], 2.0),
        (True, [100_000], 2.0),
        (True, [7, 1], 0.25),
        (False, [1], 0.25),
    ],
)
def test_the_pause_is_long_where_changes_are_reported_and_short_for_a_retry(
    reported: bool, retries: list[int], expected_s: float
) -> None:
    assert (SCAN_INTERVAL_S, SAFETY_INTERVAL_S, FIRST_RETRY_S) == (2.0, 30.0, 0.25)
    assert next_pause_s(SCAN_INTERVAL_S, reported, retries) == expected_s


def test_an_interval_shorter_than_the_first_retry_is_kept() -> None:
    assert next_pause_s(0.02, False, [1]) == 0.02


def test_an_interval_longer_than_the_safety_net_is_kept() -> None:
    assert next_pause_s(NEVER_S, True, []) == NEVER_S


def test_a_deck_that_cannot_be_opened_is_offered_ever_more_slowly_until_it_stays() -> None:
    a = deck("A")
    hotplug = Hotplug(HidTransport(VirtualBus([a])), lambda event: None)
    pauses = []
    for _ in range(5):
        assert seen(hotplug) == ["+A"]
        hotplug.forget(a.path)
        hotplug.forget(a.path)  # by two threads: counts once
        pauses.append(hotplug.pause_s())
    assert pauses == [0.25, 0.5, 1.0, 2.0, 2.0]
    assert seen(hotplug) == ["+A"]
    assert seen(hotplug) == []  # it has stayed
    hotplug.forget(a.path)
    assert hotplug.pause_s() == 0.25


def test_a_deck_that_was_forgotten_and_has_gone_shortens_no_pause() -> None:
    a = deck("A")
    hotplug = Hotplug(HidTransport(VirtualBus([a])), lambda event: None)
    seen(hotplug)
    hotplug.forget(a.path)
    a.unplug()
    seen(hotplug)
    assert hotplug.pause_s() == SCAN_INTERVAL_S


# --- on the thread ---


def test_the_thread_scans_at_once_and_when_nudged_and_ends_twice() -> None:
    events: queue.Queue[Any] = queue.Queue()
    a = deck("A")
    hotplug = Hotplug(HidTransport(VirtualBus([a])), events.put, NEVER_S)
    hotplug.stop()
    hotplug = Hotplug(HidTransport(VirtualBus([a])), events.put, NEVER_S)
    hotplug.start()
    hotplug.start()
    try:
        assert events.get(timeout=PATIENCE_S).found.serial == "A"
        a.unplug()
        hotplug.request_scan()
        assert events.get(timeout=PATIENCE_S) == DeckVanished(a.path)
    finally:
        hotplug.stop()
        hotplug.stop()
    assert threads_named("deck-hotplug") == []


def test_a_deck_that_is_lost_during_a_long_pause_is_offered_again_soon(make_hotplug) -> None:
    a = deck("A")
    running = make_hotplug(a)
    assert running.next() == "+A"
    running.hotplug.forget(a.path)
    assert running.next() == "+A"


def test_a_deck_that_is_forgotten_while_it_is_offered_is_offered_again() -> None:
    a = deck("A")
    offers: queue.Queue[Any] = queue.Queue()

    def refuse(event: Any) -> None:
        hotplug.forget(a.path)
        offers.put(event)

    hotplug = Hotplug(HidTransport(VirtualBus([a])), refuse, interval_s=0.01)
    hotplug.start()
    try:
        assert [offers.get(timeout=PATIENCE_S).found.serial for _ in range(3)] == ["A", "A", "A"]
    finally:
        hotplug.stop()


def test_an_announced_change_is_scanned_at_at_once(make_hotplug) -> None:
    changes = Changes()
    running = make_hotplug(changes=changes)
    a = deck("A")
    running.bus.plug(a)
    changes.report()
    assert running.next() == "+A"
    a.unplug()
    changes.report()
    assert running.next() == "-A"


def test_a_change_before_the_source_listens_is_found() -> None:
    class LateChanges(Changes):
        def start(self, on_change: Callable[[], None]) -> None:
            bus.plug(deck("EARLY"))
            super().start(on_change)

    bus = VirtualBus()
    events: queue.Queue[Any] = queue.Queue()
    hotplug = Hotplug(HidTransport(bus), events.put, interval_s=0.01, changes=(changes := LateChanges()))
    hotplug.start()
    try:
        assert changes.started.wait(PATIENCE_S)
        assert events.get(timeout=PATIENCE_S).found.serial == "EARLY"
        assert hotplug.pause_s() == SAFETY_INTERVAL_S  # the source has missed nothing
    finally:
        hotplug.stop()


def test_scans_are_rare_only_while_the_source_listens(make_hotplug) -> None:
    changes = Changes()
    running = make_hotplug(interval_s=SCAN_INTERVAL_S, changes=changes)
    changes.report()
    until(lambda: running.hotplug.pause_s() == SAFETY_INTERVAL_S)
    changes.stop()
    assert running.hotplug.pause_s() == SCAN_INTERVAL_S


def test_a_source_without_events_leaves_the_interval_short(make_hotplug) -> None:
    running = make_hotplug(interval_s=SCAN_INTERVAL_S, changes=Changes(can_listen=False))
    running.bus.plug(deck("A"))
    running.hotplug.request_scan()
    assert running.next() == "+A"
    assert running.hotplug.pause_s() == SCAN_INTERVAL_S


def test_a_source_that_missed_a_change_is_not_relied_on_until_its_next_report(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bus, changes = VirtualBus(), Changes()
    hotplug = Hotplug(HidTransport(bus), lambda event: None, SCAN_INTERVAL_S, changes=changes)
    hotplug.listen()
    try:
        hotplug.scan_and_emit(requested=True)
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
        bus.plug(deck("A"))
        hotplug.scan_and_emit(requested=False)
        assert hotplug.pause_s() == SCAN_INTERVAL_S
        changes.on_change()
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
    finally:
        hotplug.stop()
    assert caplog.records == []  # no trouble for the user


class CallingBus(VirtualBus):
    """A bus that calls back while it is listed."""

    def __init__(self, decks: list[VirtualDeck], on_list: Callable[[], None]) -> None:
        super().__init__(decks)
        self._on_list = on_list

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> list[DeviceInfo]:
        self._on_list()
        return super().enumerate(vendor_id, product_id)


@pytest.mark.parametrize("when", ["while it is scanned at", "while it is emitted"])
def test_a_change_reported_during_the_scan_that_finds_it_is_not_a_missed_one(when: str) -> None:
    def report_change() -> None:
        changes.on_change()

    def nothing() -> None:
        pass

    bus = CallingBus([deck("A")], report_change if when == "while it is scanned at" else nothing)
    emit = report_change if when == "while it is emitted" else nothing
    changes = Changes()
    hotplug = Hotplug(HidTransport(bus), lambda event: emit(), SCAN_INTERVAL_S, changes=changes)
    hotplug.listen()
    try:
        hotplug.scan_and_emit(requested=False)
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
    finally:
        hotplug.stop()


def test_a_forgotten_deck_that_is_found_again_is_not_a_missed_change() -> None:
    a, changes = deck("A"), Changes()
    hotplug = Hotplug(HidTransport(VirtualBus([a])), lambda event: None, SCAN_INTERVAL_S, changes=changes)
    hotplug.listen()
    try:
        hotplug.scan_and_emit(requested=True)
        hotplug.forget(a.path)
        assert hotplug.pause_s() == FIRST_RETRY_S
        hotplug.scan_and_emit(requested=False)
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
    finally:
        hotplug.stop()


def test_a_bus_that_cannot_be_listed_is_retried_at_the_normal_interval() -> None:
    bus, changes = FailingBus(), Changes()
    hotplug = Hotplug(HidTransport(bus), lambda event: None, SCAN_INTERVAL_S, changes=changes)
    hotplug.listen()
    try:
        hotplug.scan_and_emit()
        assert hotplug.pause_s() == SCAN_INTERVAL_S
        bus.failing = False
        hotplug.scan_and_emit()
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
    finally:
        hotplug.stop()


def test_the_source_of_changes_is_not_started_after_the_end() -> None:
    changes = Changes()
    hotplug = Hotplug(HidTransport(VirtualBus()), lambda event: None, NEVER_S, changes=changes)
    hotplug.start()
    hotplug.stop()
    assert not changes.started.is_set()
    assert not changes.listening
