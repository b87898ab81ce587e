"""The whole command `run` on simulated decks in place of hidapi, with a driver that presses keys.

`python -m bench.child_daemon MODEL N`. With `--deck usb` there is no browser page: the same code runs as with a real deck, down
to the Python module of hidapi. Only the hot-plug events of udev are replaced, because udev has no simulated decks.
"""

import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import cast

from bench.coarse_displays import decode_coarsely
from bench.deck_driver import DeckDriver
from openbalance_hid.cli import main
from openbalance_hid.config.paths import paths
from openbalance_hid.deck import kernel_events
from openbalance_hid.ipc.control_client import request
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck


class FakeKernelEvents:
    """Hot-plug events in place of those of udev."""

    listening = True
    on_change: Callable[[], None] = staticmethod(lambda: None)

    def start(self, on_change: Callable[[], None]) -> None:
        FakeKernelEvents.on_change = staticmethod(on_change)

    def stop(self) -> None:
        pass


if __name__ == "__main__":
    decode_coarsely()
    decks = [VirtualDeck(model_named(sys.argv[1]), f"BENCH{number:07d}") for number in range(int(sys.argv[2]))]
    sys.modules["hidraw" if sys.platform == "linux" else "hid"] = cast(ModuleType, VirtualBus(decks))
    kernel_events.KernelEvents = FakeKernelEvents  # type: ignore[assignment,misc]  # before the module that uses it is imported
    show_page = lambda page: request(paths(os.environ).socket_file, "page", {"name": page})  # noqa: E731
    refresh = lambda: request(paths(os.environ).socket_file, "refresh", {"account": "default"})  # noqa: E731
    threading.Thread(
        target=DeckDriver(decks, show_page, lambda: FakeKernelEvents.on_change(), refresh).run_commands,
        name="deck driver",
        daemon=True,
    ).start()
    main(["run", "--deck", "usb", "--no-browser", "--log-level", "error"])
