"""A sleep is noticed by the clocks: on a Mac time.monotonic() stops in a sleep (mach_absolute_time), time.time() does not."""

from __future__ import annotations

import queue
import threading

import pytest

from openbalance_hid.app.events import Event
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.deck.hotplug import WakeDetector
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.tiles.view import Hero, KeyFace, TileView
from tests.waiting import PATIENCE_S

FACE = KeyFace(TileView("balance", "Balance", (Hero("$74.25"),), "Balance $74.25"))


class Clocks:
    """The clocks of a Mac."""

    def __init__(self) -> None:
        self.wall_s, self.mono_s = 1_764_000_000.0, 500.0

    def run(self, duration_s: float) -> None:
        self.wall_s += duration_s
        self.mono_s += duration_s

    def sleep(self, duration_s: float) -> None:
        self.wall_s += duration_s

    def detector(self) -> WakeDetector:
        return WakeDetector(lambda: self.wall_s, lambda: self.mono_s)


@pytest.mark.parametrize(("duration_s", "woke"), [(0.0, False), (9.0, False), (11.0, True), (28_800.0, True), (-3600.0, False)])
def test_only_a_jump_of_the_wall_clock_over_ten_seconds_is_a_wake(duration_s: float, woke: bool) -> None:
    clocks = Clocks()
    detector = clocks.detector()
    clocks.run(3600.0)
    assert not detector.woke()
    clocks.sleep(duration_s)
    assert detector.woke() is woke
    assert not detector.woke(), "a sleep is reported once"


def test_slow_corrections_of_the_wall_clock_never_add_up_to_a_wake() -> None:
    clocks = Clocks()
    detector = clocks.detector()
    for _ in range(20):
        clocks.sleep(1.0)
        clocks.run(2.0)
        assert not detector.woke()


def test_after_a_sleep_the_pictures_that_a_deck_has_lost_are_shown_again() -> None:
    clocks, woken_on = Clocks(), []
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def on_wake() -> None:
        woken_on.append(threading.current_thread().name)
        decks.repaint_all()

    def is_lit() -> bool:
        return deck.glass(4).getextrema() != ((0, 0), (0, 0), (0, 0))

    deck = VirtualDeck(model_named("mk2"), "A1")
    transport, detector = HidTransport(VirtualBus([deck])), clocks.detector()
    decks = DeckManager(transport, events.put, scan_interval_s=0.02, on_wake=on_wake, wake=detector)
    decks.start()
    try:
        assert isinstance(events.get(timeout=PATIENCE_S), DeckArrived)
        decks.show("A1", 4, FACE, PictureCache())
        assert deck.wait_until(is_lit, PATIENCE_S)
        deck.lose_pictures()
        assert (woken_on, is_lit()) == ([], False)
        clocks.sleep(600.0)
        assert deck.wait_until(is_lit, PATIENCE_S)
    finally:
        decks.stop("keep")
    assert woken_on == ["deck-hotplug"]
