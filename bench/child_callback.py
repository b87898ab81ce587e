"""A process that only reads presses, on a simulated deck. `python -m bench.child_callback ours|library`.

The command `press S` on stdin taps key 2 after S seconds and returns the time until the callback was called.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from bench.stock_library import library_deck
from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.device_events import KeyEvent, SurfaceEvent
from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

KEY = 2
LIMIT_S = 10.0


@contextmanager
def our_reader(bus: VirtualBus, called: Callable[[bool], None]) -> Iterator[None]:
    """The package `deck`."""

    def emit(event: SurfaceEvent) -> None:
        if isinstance(event, KeyEvent):
            called(event.down)

    surface = DeckDevice(find_decks(HidTransport(bus))[0], emit)
    surface.open()
    with closing(surface):
        yield


@contextmanager
def library_reader(bus: VirtualBus, called: Callable[[bool], None]) -> Iterator[None]:
    """The library as shipped."""
    deck = library_deck(bus)
    deck.open()
    deck.set_key_callback(lambda _deck, _key, down: called(bool(down)))
    with closing(deck):
        yield


def main() -> None:
    """Run commands until stdin ends."""
    deck = VirtualDeck(model_named("mk2"), "BENCH0000005")
    moved, at_s = threading.Event(), [0.0]

    def called(down: bool) -> None:
        if down:
            at_s[0] = time.perf_counter()
        moved.set()

    def until_called(act: Callable[[int], None]) -> float:
        moved.clear()
        started_s = time.perf_counter()
        act(KEY)
        if not moved.wait(LIMIT_S):
            raise TimeoutError("no callback was called")
        return at_s[0] - started_s

    with {"ours": our_reader, "library": library_reader}[sys.argv[1]](VirtualBus([deck]), called):
        for line in sys.stdin:
            time.sleep(float(line.split()[1]))
            called_s = until_called(deck.press)
            until_called(deck.release)
            sys.stdout.write(json.dumps({"called_s": called_s}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
