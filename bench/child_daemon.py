"""The whole command `run` on simulated decks in hidapi's place, with a finger on them. `python -m bench.child_daemon MODEL N`.

`--deck usb`, so that no browser page is there: exactly what runs with a deck on the desk, down to hidapi's Python module. The
one thing put in the place of the system's is its word that a deck came or went: udev knows nothing of simulated ones.
"""

import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import cast

from bench.finger import Finger
from openbalance_hid.cli import main
from openbalance_hid.config.paths import paths
from openbalance_hid.deck import kernel_events
from openbalance_hid.ipc.control_client import request
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck


class Announced:
    """What udev is for real decks."""

    listening = True
    on_change: Callable[[], None] = staticmethod(lambda: None)

    def start(self, on_change: Callable[[], None]) -> None:
        Announced.on_change = staticmethod(on_change)

    def stop(self) -> None:
        pass


if __name__ == "__main__":
    decks = [VirtualDeck(model_named(sys.argv[1]), f"BENCH{number:07d}") for number in range(int(sys.argv[2]))]
    sys.modules["hidraw" if sys.platform == "linux" else "hid"] = cast(ModuleType, VirtualBus(decks))
    kernel_events.KernelEvents = Announced  # type: ignore[assignment,misc]  # before the room that makes one is imported
    turn = lambda page: request(paths(os.environ).socket_file, "page", {"name": page})  # noqa: E731
    threading.Thread(target=Finger(decks, turn, lambda: Announced.on_change()).obey, name="finger", daemon=True).start()
    main(["run", "--deck", "usb", "--no-browser", "--log-level", "error"])
