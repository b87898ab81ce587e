"""A command of ours from its start to pictures on a simulated deck. `python -m bench.child_start COMMAND…`.

Says on stdout, in a line for each picture of the first key, at which instants of the monotonic clock it got how far, and how
much CPU time (all threads) it had taken by then; then goes on as the command does, until SIGTERM.
"""

import time

BEGAN = (time.monotonic(), time.process_time())  # before any import that costs something

import json  # noqa: E402
import sys  # noqa: E402
from zlib import crc32  # noqa: E402

from openbalance_hid.simulator.device import virtual_deck  # noqa: E402
from openbalance_hid.simulator.device.models import DeckModel  # noqa: E402

KEY = 0  # balance


def _now() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


class Watched(virtual_deck.VirtualDeck):
    """A virtual deck that says which picture landed when. `imported`: when everything was."""

    imported = BEGAN

    def __init__(self, model: DeckModel, serial: str) -> None:
        self._marks_s = {"began": BEGAN, "imported": self.imported, "made": _now()}
        super().__init__(model, serial)
        self.subscribe(self._look)

    def attach(self) -> int:
        self._marks_s.setdefault("opened", _now())
        return super().attach()

    def _look(self, key: int) -> None:
        if key == KEY:
            marks = {**self._marks_s, "landed": _now()}
            sys.stdout.write(json.dumps({"picture": crc32(self.glass(KEY).tobytes()), "marks": marks}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    virtual_deck.VirtualDeck = Watched  # type: ignore[misc]  # before the rooms that make decks are imported
    from openbalance_hid.cli import main
    from openbalance_hid.cli import run as _the_command  # noqa: F401
    from openbalance_hid.runtime import main as _the_daemon  # noqa: F401

    Watched.imported = _now()
    main(sys.argv[1:])
