"""The hand and the eye of a measured process: a thread that presses keys, looks at the glass and reads the process's own costs.

It obeys lines on stdin and answers in JSON on stdout, next to the simulated decks, so that no pipe is inside a measured time.
"""

import json
import resource
import sys
import threading
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

PATIENCE_S = 60.0
QUIET_S = 1.0  # a glass that has not changed for so long has all that was to be painted
LOOK_S = 0.0005


class Finger:
    """Of one process's decks. `show(name)` puts other pictures on every key of all of them."""

    def __init__(
        self, decks: Sequence[VirtualDeck], show: Callable[[str], object], changed: Callable[[], None] = lambda: None
    ) -> None:
        """`changed` is called when a deck was plugged in: as the system would say so."""
        self._decks = decks
        self._show = show
        self._changed = changed
        self._rng = Random(3)  # the same keys every time
        self._orders: dict[str, Callable[[str], dict[str, Any]]] = {
            "settle": self._settle,
            "press": self._press,
            "presses": self._presses,
            "repaint": self._repaint,
            "replug": self._replug,
            "idle": self._idle,
        }

    def obey(self) -> None:
        """Until stdin ends."""
        for line in sys.stdin:
            order, _, rest = line.strip().partition(" ")
            sys.stdout.write(json.dumps(self._orders[order](rest)) + "\n")
            sys.stdout.flush()

    def _settle(self, _rest: str) -> dict[str, Any]:
        """Returns when pictures have come and then none for a while."""
        deadline_s = time.monotonic() + PATIENCE_S
        seen = -1
        while seen <= 0 or seen != self._pictures():
            seen = self._pictures()
            time.sleep(QUIET_S)
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the glass does not come to rest: {seen} pictures")
        return {"pictures": seen}

    def _press(self, rest: str) -> dict[str, Any]:
        """One tap on key N after a pause of S seconds: when the whole pressed picture was on the glass, in seconds."""
        key, pause_s = int(rest.split()[0]), float(rest.split()[1])
        time.sleep(pause_s)
        return {"pressed_s": self._tap(self._decks[0], key)}

    def _presses(self, rest: str) -> dict[str, Any]:
        """N taps on keys of any deck: CPU seconds of the whole process for each, the simulator's part included."""
        before_s = time.process_time()
        for _ in range(int(rest)):
            deck = self._rng.choice(self._decks)
            self._tap(deck, self._rng.randrange(deck.model.keys))
        return {"cpu_s": (time.process_time() - before_s) / int(rest)}

    def _repaint(self, rest: str) -> dict[str, Any]:
        """Other pictures on every key of a glass at rest: seconds until the last one has landed, and reports."""
        self._settle("")
        pictures, reports = self._pictures(), sum(deck.reports_received for deck in self._decks)
        began_s = time.perf_counter()
        self._show(rest)
        self._await(lambda: self._pictures() - pictures >= sum(deck.model.keys for deck in self._decks))
        took_s = time.perf_counter() - began_s
        reports = sum(deck.reports_received for deck in self._decks) - reports
        return {"took_s": took_s, "pictures": self._pictures() - pictures, "reports": reports}

    def _replug(self, rest: str) -> dict[str, Any]:
        """The first deck is unplugged, and S seconds later plugged in: seconds until it has all its pictures again."""
        deck = self._decks[0]
        deck.unplug()
        time.sleep(float(rest))
        pictures = deck.pictures_received
        began_s = time.perf_counter()
        deck.plug()
        self._changed()
        self._await(lambda: deck.pictures_received - pictures >= deck.model.keys)
        return {"took_s": time.perf_counter() - began_s}

    def _tap(self, deck: VirtualDeck, key: int) -> float:
        pressed_s = _until_seen(deck, key, deck.press)
        _until_seen(deck, key, deck.release)
        return pressed_s

    def _pictures(self) -> int:
        return sum(deck.pictures_received for deck in self._decks)

    def _await(self, is_so: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_so():
            time.sleep(LOOK_S)
            if time.monotonic() > deadline_s:
                raise TimeoutError("the pictures do not come")

    def _idle(self, rest: str) -> dict[str, Any]:
        """What the whole process did in a window of S seconds, this thread's one sleep included."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        began = time.monotonic()
        time.sleep(float(rest))
        passed_s = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"switches": after.ru_nvcsw - before.ru_nvcsw, "cpu_s": cpu_s, "passed_s": passed_s}


def _until_seen(deck: VirtualDeck, key: int, act: Callable[[int], None]) -> float:
    seen = threading.Event()
    at: list[float] = []

    def look(changed: int) -> None:
        if changed == key:
            at.append(time.perf_counter())
            seen.set()

    end = deck.subscribe(look)
    began = time.perf_counter()
    act(key)
    landed = seen.wait(PATIENCE_S)
    end()
    if not landed:
        raise TimeoutError(f"nothing came on key {key}")
    return at[0] - began
