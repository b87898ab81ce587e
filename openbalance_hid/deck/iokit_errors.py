"""Why macOS does not open a deck, from the code that hidapi reports.

hidapi's message is "hid_open_path: failed to open IOHIDDevice from mach entry: (0xE00002C5) (iokit/common) exclusive access and
device already open" (mac/hid.c). The codes are in <IOKit/IOReturn.h>. hidapi opens a deck for itself alone, and so does
Elgato's app.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from openbalance_hid.errors import DeckBusyError, DeckError, DeckGoneError, DeckRefusedError
from openbalance_hid.hints import hint

IN_USE = (
    "another program is using it; quit Elgato's Stream Deck app in the menu bar, where it also runs without a window, and "
    "switch it off in System Settings > General > Login Items"
)
REFUSED = "macOS does not permit it; allow this program in System Settings > Privacy & Security > Input Monitoring"
GONE = "no such device"

_CODES: Mapping[int, tuple[type[DeckError], str]] = MappingProxyType(
    {
        0xE00002C5: (DeckBusyError, IN_USE),  # kIOReturnExclusiveAccess
        0xE00002D5: (DeckBusyError, IN_USE),  # kIOReturnBusy
        0xE00002C1: (DeckRefusedError, REFUSED),  # kIOReturnNotPrivileged
        0xE00002E2: (DeckRefusedError, REFUSED),  # kIOReturnNotPermitted
        0xE00002C0: (DeckGoneError, GONE),  # kIOReturnNoDevice
        0xE00002D9: (DeckGoneError, GONE),  # kIOReturnNotAttached
    }
)
_HINTS = MappingProxyType(
    {
        DeckBusyError: hint("another program uses the deck", "devices"),
        DeckRefusedError: hint("macOS does not permit to open the deck", "devices"),
    }
)


def iokit_error(message: str, text: str) -> DeckError | None:
    """Return the error for hidapi's `text`, None for a text without a known code. `message`: "cannot open deck at …"."""
    for code in re.findall(r"0x([0-9A-Fa-f]{8})\b", text):
        if int(code, 16) in _CODES:
            kind, words = _CODES[int(code, 16)]
            return kind(f"{message}: {words}", _HINTS.get(kind, ""))
    return None
