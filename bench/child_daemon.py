"""The whole command `run` on a simulated deck in hidapi's place, with a finger on it. `python -m bench.child_daemon MODEL`.

`--deck usb`, so that no browser page is there: exactly what runs with a deck on the desk, down to hidapi's Python module.
"""

import sys
import threading
from types import ModuleType
from typing import cast

from bench.finger import Finger
from openbalance_hid.cli import main
from openbalance_hid.simulator.bus import VirtualBus
from openbalance_hid.simulator.models import model_named
from openbalance_hid.simulator.virtual_deck import VirtualDeck

if __name__ == "__main__":
    deck = VirtualDeck(model_named(sys.argv[1]), "BENCH0000001")
    sys.modules["hidraw" if sys.platform == "linux" else "hid"] = cast(ModuleType, VirtualBus([deck]))
    threading.Thread(target=Finger(deck).obey, name="finger", daemon=True).start()
    main(["run", "--deck", "usb", "--no-browser", "--log-level", "warning"])
