"""Import hidapi on the main thread, and list decks on a thread that ends: a crash at the end if hidapi belongs to that one.

For macOS, where hidapi belongs to the run loop of the thread that imports it. It runs everywhere, without a device too.
"""

import sys
import threading

from openbalance_hid.deck.hid_module import load_hidapi, prepare_hidapi
from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport


def main() -> int:
    """Return the exit code: 0 when the thread has listed the decks."""
    prepare_hidapi()
    listed: list[int] = []
    thread = threading.Thread(target=lambda: listed.append(len(find_decks(HidTransport()))))
    thread.start()
    thread.join()
    print(f"{getattr(load_hidapi(), '__name__', '?')}: {listed[0]} decks" if listed else "no list")
    return 0 if listed else 1


if __name__ == "__main__":
    sys.exit(main())
