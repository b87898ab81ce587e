"""The hand and the eye of a measured process: a thread that presses keys, looks at the glass and reads the process's own costs.

It obeys lines on stdin and answers in JSON on stdout, next to the simulated deck, so that no pipe is inside a measured time.
"""

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from openbalance_hid.simulator.virtual_deck import VirtualDeck

PATIENCE_S = 10.0
QUIET_S = 1.0  # a glass that has not changed for so long has all that was to be painted


class Finger:
    """Of one deck in this process."""

    def __init__(self, deck: VirtualDeck) -> None:
        self._deck = deck
        self._orders: dict[str, Callable[[str], dict[str, Any]]] = {
            "settle": self._settle,
            "press": self._press,
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
        while seen <= 0 or seen != self._deck.pictures_received:
            seen = self._deck.pictures_received
            time.sleep(QUIET_S)
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"the glass does not come to rest: {seen} pictures")
        return {"pictures": seen}

    def _press(self, rest: str) -> dict[str, Any]:
        """One tap on key N after a pause of S seconds: when the whole pressed picture was on the glass, in seconds."""
        key, pause_s = int(rest.split()[0]), float(rest.split()[1])
        time.sleep(pause_s)
        pressed_s = self._until_seen(key, self._deck.press)
        self._until_seen(key, self._deck.release)
        return {"pressed_s": pressed_s}

    def _until_seen(self, key: int, act: Callable[[int], None]) -> float:
        seen = threading.Event()
        at: list[float] = []

        def look(changed: int) -> None:
            if changed == key:
                at.append(time.perf_counter())
                seen.set()

        end = self._deck.subscribe(look)
        began = time.perf_counter()
        act(key)
        landed = seen.wait(PATIENCE_S)
        end()
        if not landed:
            raise TimeoutError(f"nothing came on key {key}")
        return at[0] - began

    def _idle(self, rest: str) -> dict[str, Any]:
        """What the whole process did in a window of S seconds, this thread's one sleep included."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        began = time.monotonic()
        time.sleep(float(rest))
        passed_s = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"switches": after.ru_nvcsw - before.ru_nvcsw, "cpu_s": cpu_s, "passed_s": passed_s}
