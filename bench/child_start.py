"""A command from its start to pictures on a simulated deck. `python -m bench.child_start COMMAND…`.

Prints a line for each picture of the first key: the monotonic time of each mark on the way, and the CPU time (all threads)
up to it. Then it runs on as the command does, until SIGTERM.
"""

import time

STARTED = (time.monotonic(), time.process_time())  # before any slow import

import gc  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from zlib import crc32  # noqa: E402

from openbalance_hid.simulator.device import virtual_deck  # noqa: E402
from openbalance_hid.simulator.device.models import DeckModel  # noqa: E402

KEY = 0  # balance


def _now() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


class ObservedDeck(virtual_deck.VirtualDeck):
    """A virtual deck that prints when a picture arrived. `imported`: the time when all imports were done."""

    imported = STARTED

    def __init__(self, model: DeckModel, serial: str) -> None:
        self._marks_s = {"started": STARTED, "imported": self.imported, "created": _now()}
        super().__init__(model, serial)
        self.subscribe(self._on_change)

    def attach(self) -> int:
        self._marks_s.setdefault("opened", _now())
        return super().attach()

    def _on_change(self, key: int) -> None:
        if key == KEY:
            marks = {**self._marks_s, "shown": _now()}
            sys.stdout.write(json.dumps({"picture": crc32(self.glass(KEY).tobytes()), "marks": marks}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    gc.disable()  # as `openbalance_hid.__main__` does
    virtual_deck.VirtualDeck = ObservedDeck  # type: ignore[misc]  # before the modules that create decks are imported
    from openbalance_hid.cli import main
    from openbalance_hid.cli import run as _the_command  # noqa: F401
    from openbalance_hid.runtime import main as _the_daemon  # noqa: F401

    ObservedDeck.imported = _now()
    main(sys.argv[1:])
