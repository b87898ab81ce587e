"""Coming and going: by the step, by announcement, and on the thread."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openbalance_hid.deck.events import DeckFound, DeckVanished
from openbalance_hid.deck.hotplug import (
    FIRST_RETRY_S,
    SAFETY_INTERVAL_S,
    SCAN_INTERVAL_S,
    Hotplug,
    pause_s,
)
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import DeviceInfo, VirtualBus
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.waiting import PATIENCE_S

FOR_EVER_S = 3600.0


def deck(serial: str) -> VirtualDeck:
    return VirtualDeck(MODELS["mk2"], serial)


def seen(hotplug: Hotplug) -> list[str]:
    return [
        f"+{event.found.serial}" if isinstance(event, DeckFound) else f"-{event.path.removeprefix('virtual:')}"
        for event in hotplug.scan()
    ]


class Crier:
    """A source of changes with a thread of its own, which cries what it is told to."""

    def __init__(self, can: bool = True) -> None:
        self.can = can
        self.started = threading.Event()
        self._words: queue.Queue[bool] = queue.Queue()
        self._thread: threading.Thread | None = None

    @property
    def listening(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, on_change: Callable[[], None]) -> None:
        if self.can:
            self._thread = threading.Thread(target=self._run, args=(on_change,), name="crier")
            self._thread.start()
        self.started.set()

    def cry(self) -> None:
        self._words.put(True)

    def stop(self) -> None:
        self._words.put(False)
        if self._thread is not None:
            self._thread.join(PATIENCE_S)

    def _run(self, on_change: Callable[[], None]) -> None:
        while self._words.get():
            on_change()


class House:
    """A bus with a hotplug that runs, and what it tells."""

    def __init__(self, *decks: VirtualDeck, interval_s: float = FOR_EVER_S, crier: Crier | None = None) -> None:
        self.bus = VirtualBus(decks)
        self.events: queue.Queue[Any] = queue.Queue()
        self.looked = threading.Event()
        self.hotplug = Hotplug(HidTransport(self.bus), self.events.put, interval_s, self.looked.set, crier)
        self.hotplug.start()
        assert self.looked.wait(PATIENCE_S)
        if crier is not None:
            self.hotplug.nudge()  # ends the first pause, after which changes are listened to
            assert crier.started.wait(PATIENCE_S)

    def next(self) -> str:
        event = self.events.get(timeout=PATIENCE_S)
        return f"+{event.found.serial}" if isinstance(event, DeckFound) else f"-{event.path.removeprefix('virtual:')}"


@pytest.fixture
def make_house() -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def make(*args: Any, **kwargs: Any) -> House:
        houses.append(House(*args, **kwargs))
        return houses[-1]

    yield make
    for house in houses:
        house.hotplug.stop()
        assert house.hotplug._thread is not None
        assert not house.hotplug._thread.is_alive()


# --- one look after the other ---


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


def test_a_scan_that_fails_is_said_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    events: list[Any] = []
    bus = FailingBus([deck("A")])
    hotplug = Hotplug(HidTransport(bus), events.append)
    for _ in range(3):
        hotplug.look()
    assert events == []
    bus.failing = False
    hotplug.look()
    assert [event.found.serial for event in events] == ["A"]
    assert [record.message for record in caplog.records] == [
        "cannot look for decks: cannot list HID devices: no bus",
        "looking for decks works again",
    ]


# --- when the next look is due ---


@pytest.mark.parametrize(
    ("announced", "tries", "expected_s"),
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
def test_the_pause_is_long_where_changes_are_announced_and_short_for_a_deck_that_waits(
    announced: bool, tries: list[int], expected_s: float
) -> None:
    assert (SCAN_INTERVAL_S, SAFETY_INTERVAL_S, FIRST_RETRY_S) == (2.0, 30.0, 0.25)
    assert pause_s(SCAN_INTERVAL_S, announced, tries) == expected_s


def test_an_interval_shorter_than_the_first_retry_is_kept() -> None:
    assert pause_s(0.02, False, [1]) == 0.02


def test_an_interval_longer_than_the_safety_net_is_kept() -> None:
    assert pause_s(FOR_EVER_S, True, []) == FOR_EVER_S


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
    hotplug = Hotplug(HidTransport(VirtualBus([a])), events.put, FOR_EVER_S)
    hotplug.stop()
    hotplug = Hotplug(HidTransport(VirtualBus([a])), events.put, FOR_EVER_S)
    hotplug.start()
    hotplug.start()
    try:
        assert events.get(timeout=PATIENCE_S).found.serial == "A"
        a.unplug()
        hotplug.nudge()
        assert events.get(timeout=PATIENCE_S) == DeckVanished(a.path)
    finally:
        hotplug.stop()
        hotplug.stop()
    assert hotplug._thread is not None
    assert not hotplug._thread.is_alive()


def test_a_deck_that_is_lost_during_a_long_pause_is_offered_again_soon(make_house) -> None:
    a = deck("A")
    house = make_house(a)
    assert house.next() == "+A"
    house.hotplug.forget(a.path)
    assert house.next() == "+A"


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


def test_an_announced_change_is_looked_at_at_once(make_house) -> None:
    crier = Crier()
    house = make_house(crier=crier)
    a = deck("A")
    house.bus.plug(a)
    crier.cry()
    assert house.next() == "+A"
    a.unplug()
    crier.cry()
    assert house.next() == "-A"


def test_what_came_before_the_source_listened_is_found() -> None:
    class Late(Crier):
        def start(self, on_change: Callable[[], None]) -> None:
            house_bus.plug(deck("EARLY"))
            super().start(on_change)

    house_bus = VirtualBus()
    events: queue.Queue[Any] = queue.Queue()
    hotplug = Hotplug(HidTransport(house_bus), events.put, interval_s=0.01, changes=(crier := Late()))
    hotplug.start()
    try:
        assert crier.started.wait(PATIENCE_S)
        assert events.get(timeout=PATIENCE_S).found.serial == "EARLY"
        assert hotplug.pause_s() == SAFETY_INTERVAL_S  # that was no fault of the source
    finally:
        hotplug.stop()


def test_scans_are_rare_only_while_the_source_listens(make_house) -> None:
    crier = Crier()
    house = make_house(interval_s=SCAN_INTERVAL_S, crier=crier)
    crier.cry()
    while house.hotplug.pause_s() != SAFETY_INTERVAL_S:
        house.hotplug.nudge()  # its thread has not come that far yet
    crier.stop()
    assert house.hotplug.pause_s() == SCAN_INTERVAL_S


def test_a_source_that_has_nothing_to_listen_to_leaves_the_interval(make_house) -> None:
    house = make_house(interval_s=SCAN_INTERVAL_S, crier=Crier(can=False))
    house.bus.plug(deck("A"))
    house.hotplug.nudge()
    assert house.next() == "+A"
    assert house.hotplug.pause_s() == SCAN_INTERVAL_S


def test_a_source_that_missed_a_change_is_not_relied_upon_until_it_speaks_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bus, crier = VirtualBus(), Crier()
    hotplug = Hotplug(HidTransport(bus), lambda event: None, SCAN_INTERVAL_S, changes=crier)
    hotplug._listen()
    try:
        hotplug.look(asked=True)
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
        bus.plug(deck("A"))
        hotplug.look(asked=False)
        assert hotplug.pause_s() == SCAN_INTERVAL_S
        hotplug._announced()
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
    finally:
        hotplug.stop()
    assert caplog.records == []  # for who uses it nothing has gone wrong


class TellingBus(VirtualBus):
    """A bus that calls back while it is listed."""

    def __init__(self, decks: list[VirtualDeck], tell: Callable[[], None]) -> None:
        super().__init__(decks)
        self._tell = tell

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> list[DeviceInfo]:
        self._tell()
        return super().enumerate(vendor_id, product_id)


@pytest.mark.parametrize("when", ["while it is looked at", "while it is emitted"])
def test_a_change_that_is_announced_just_as_it_is_seen_costs_no_trust(when: str) -> None:
    def announce() -> None:
        hotplug._announced()

    def nothing() -> None:
        pass

    bus = TellingBus([deck("A")], announce if when == "while it is looked at" else nothing)
    emit = announce if when == "while it is emitted" else nothing
    hotplug = Hotplug(HidTransport(bus), lambda event: emit(), SCAN_INTERVAL_S, changes=Crier())
    hotplug._listen()
    try:
        hotplug.look(asked=False)
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
    finally:
        hotplug.stop()


def test_a_forgotten_deck_that_is_found_again_costs_no_trust() -> None:
    a, crier = deck("A"), Crier()
    hotplug = Hotplug(HidTransport(VirtualBus([a])), lambda event: None, SCAN_INTERVAL_S, changes=crier)
    hotplug._listen()
    try:
        hotplug.look(asked=True)
        hotplug.forget(a.path)
        assert hotplug.pause_s() == FIRST_RETRY_S
        hotplug.look(asked=False)
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
    finally:
        hotplug.stop()


def test_a_bus_that_cannot_be_listed_is_tried_at_the_interval_though_changes_are_announced() -> None:
    bus, crier = FailingBus(), Crier()
    hotplug = Hotplug(HidTransport(bus), lambda event: None, SCAN_INTERVAL_S, changes=crier)
    hotplug._listen()
    try:
        hotplug.look()
        assert hotplug.pause_s() == SCAN_INTERVAL_S
        bus.failing = False
        hotplug.look()
        assert hotplug.pause_s() == SAFETY_INTERVAL_S
    finally:
        hotplug.stop()


def test_nothing_is_listened_to_after_the_end() -> None:
    crier = Crier()
    hotplug = Hotplug(HidTransport(VirtualBus()), lambda event: None, FOR_EVER_S, changes=crier)
    hotplug.start()
    hotplug.stop()
    assert not crier.started.is_set()
    assert not crier.listening
