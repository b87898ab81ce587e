"""A command of ours from its start to pictures on a simulated deck. `python -m bench.child_start COMMAND…`.

Says on stdout, in a line for each picture of the first key, at which instants of the monotonic clock it got how far; then goes
on as the command does, until SIGTERM.
"""

import time

BEGAN_S = time.monotonic()  # before any import that costs something

import json  # noqa: E402
import sys  # noqa: E402
from zlib import crc32  # noqa: E402

from openbalance_hid.simulator import virtual_deck  # noqa: E402
from openbalance_hid.simulator.models import Model  # noqa: E402

KEY = 0  # balance


class Watched(virtual_deck.VirtualDeck):
    """A virtual deck that says which picture landed when."""

    def __init__(self, model: Model, serial: str) -> None:
        self._marks_s = {"began": BEGAN_S, "made": time.monotonic()}
        super().__init__(model, serial)
        self.subscribe(self._look)

    def attach(self) -> int:
        self._marks_s.setdefault("opened", time.monotonic())
        return super().attach()

    def _look(self, key: int) -> None:
        if key == KEY:
            marks = {**self._marks_s, "landed": time.monotonic(), "cpu_s": time.process_time()}
            sys.stdout.write(json.dumps({"picture": crc32(self.glass(KEY).tobytes()), "marks": marks}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    virtual_deck.VirtualDeck = Watched  # type: ignore[misc]  # before the rooms that make decks are imported
    from openbalance_hid.cli import main

    main(sys.argv[1:])
