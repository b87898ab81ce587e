"""The driver of simulated decks in a measured process: it presses keys, waits for pictures and reads the costs of the process.

It runs commands from stdin and replies in JSON on stdout. It is in the process of the decks, so that no
measured time includes a pipe.
"""

import json
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

LIMIT_S = 60.0
QUIET_S = 1.0  # a display that has not changed for this time shows everything
CHECK_S = 0.0005


class DeckDriver:
    """Drives the decks of one process. `show(name)` changes the picture of every key."""

    def __init__(
        self,
        decks: Sequence[VirtualDeck],
        show: Callable[[str], object],
        changed: Callable[[], None] = lambda: None,
        refresh: Callable[[], object] = lambda: None,
    ) -> None:
        """`changed` is called when a deck was plugged in, as a hot-plug event; `refresh` polls the account now."""
        self._decks = decks
        self._show = show
        self._changed = changed
        self._refresh = refresh
        self._rng = Random(3)  # the same keys every time
        self._commands: dict[str, Callable[[str], dict[str, Any]]] = {
            "settle": self._settle,
            "lit": self._lit,
            "press": self._press,
            "presses": self._presses,
            "repaint": self._repaint,
            "replug": self._replug,
            "idle": self._idle,
            "stop": self._stop,
            "turn": self._turn,
            "refresh": lambda _: {"polls": self._refresh()},
        }

    def run_commands(self) -> None:
        """Run commands until stdin ends."""
        for line in sys.stdin:
            command, _, rest = line.strip().partition(" ")
            sys.stdout.write(json.dumps(self._commands[command](rest)) + "\n")
            sys.stdout.flush()

    def _settle(self, _rest: str) -> dict[str, Any]:
        """Wait until pictures have arrived and then none for a while."""
        deadline_s = time.monotonic() + LIMIT_S
        seen = -1
        while seen <= 0 or seen != self._pictures():
            seen = self._pictures()
            time.sleep(QUIET_S)
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the display does not settle: {seen} pictures")
        return {"pictures": seen}

    def _lit(self, _rest: str) -> dict[str, Any]:
        """Wait for the first picture: from then on a user has something to press."""
        self._wait_until(lambda: self._pictures() > 0)
        return {}

    def _press(self, rest: str) -> dict[str, Any]:
        """Tap key N after a pause of S seconds; return the seconds until the whole picture of each was shown."""
        key, pause_s = int(rest.split()[0]), float(rest.split()[1])
        time.sleep(pause_s)
        return self._tap(self._decks[0], key)

    def _presses(self, rest: str) -> dict[str, Any]:
        """Tap N keys of random decks; return the CPU seconds of the process for each tap, the simulator included."""
        before_s = time.process_time()
        for _ in range(int(rest)):
            deck = self._rng.choice(self._decks)
            self._tap(deck, self._rng.randrange(deck.model.keys))
        return {"cpu_s": (time.process_time() - before_s) / int(rest)}

    def _repaint(self, rest: str) -> dict[str, Any]:
        """Change the picture of every key; return the seconds until the last one is shown, and the reports."""
        self._settle("")
        pictures, reports = self._pictures(), sum(deck.reports_received for deck in self._decks)
        started_s = time.perf_counter()
        self._show(rest)
        self._wait_until(lambda: self._pictures() - pictures >= sum(deck.model.keys for deck in self._decks))
        took_s = time.perf_counter() - started_s
        reports = sum(deck.reports_received for deck in self._decks) - reports
        return {"took_s": took_s, "pictures": self._pictures() - pictures, "reports": reports}

    def _replug(self, rest: str) -> dict[str, Any]:
        """Unplug the first deck and plug it in S seconds later; return the seconds until it shows all its pictures."""
        deck = self._decks[0]
        deck.unplug()
        time.sleep(float(rest))
        pictures = deck.pictures_received
        started_s = time.perf_counter()
        deck.plug()
        self._changed()
        self._wait_until(lambda: deck.pictures_received - pictures >= deck.model.keys)
        return {"took_s": time.perf_counter() - started_s}

    def _turn(self, rest: str) -> dict[str, Any]:
        """Show a page, and tap a key of the last deck as soon as its first picture came; return the seconds of both."""
        self._settle("")
        pictures = self._pictures()
        self._show(rest)
        self._wait_until(lambda: self._pictures() > pictures)
        return self._tap(self._decks[-1], 0)

    def _stop(self, _rest: str) -> dict[str, Any]:
        """End this process as a service manager does; return the seconds until every key is dark."""
        started_s = time.perf_counter()
        signal.raise_signal(signal.SIGTERM)
        lit = {(deck, key) for deck in self._decks for key in range(deck.model.keys)}
        deadline_s = time.monotonic() + LIMIT_S
        while lit and time.monotonic() < deadline_s:
            time.sleep(CHECK_S)
            lit = {(deck, key) for deck, key in lit if deck.glass(key).getbbox() is not None}
        return {"dark_s": time.perf_counter() - started_s}

    def _tap(self, deck: VirtualDeck, key: int) -> dict[str, Any]:
        return {
            "pressed_s": _until_seen(deck, key, deck.press),
            "released_s": _until_seen(deck, key, deck.release),
        }

    def _pictures(self) -> int:
        return sum(deck.pictures_received for deck in self._decks)

    def _wait_until(self, is_true: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + LIMIT_S
        while not is_true():
            time.sleep(CHECK_S)
            if time.monotonic() > deadline_s:
                raise TimeoutError("the pictures do not arrive")

    def _idle(self, rest: str) -> dict[str, Any]:
        """Return the costs of the process in a window of S seconds, including one sleep of this thread."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        started_s = time.monotonic()
        time.sleep(float(rest))
        passed_s = time.monotonic() - started_s
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"switches": after.ru_nvcsw - before.ru_nvcsw, "cpu_s": cpu_s, "passed_s": passed_s}


def _until_seen(deck: VirtualDeck, key: int, act: Callable[[int], None]) -> float:
    seen = threading.Event()
    at: list[float] = []

    def on_change(changed: int) -> None:
        if changed == key:
            at.append(time.perf_counter())
            seen.set()

    end = deck.subscribe(on_change)
    started_s = time.perf_counter()
    act(key)
    arrived = seen.wait(LIMIT_S)
    end()
    if not arrived:
        raise TimeoutError(f"no picture arrived on key {key}")
    return at[0] - started_s
