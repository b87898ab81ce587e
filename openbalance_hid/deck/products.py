"""Find the decks that are connected: the library's product table over our transport, with our own product names.

The library alone decides which products exist and which class drives them. The names are ours, by product id, because the
library gives five products the name "Stream Deck Original". Only `open_error` opens a deck.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from StreamDeck.DeviceManager import DeviceManager
from StreamDeck.ProductIDs import USBVendorIDs

from openbalance_hid.deck.transport import HidDevice, HidTransport
from openbalance_hid.deck.usb_sysfs import SYS, VENDOR, UsbDevice, usb_devices
from openbalance_hid.errors import DeckError

IN_USE_LIBUSB = "in use by another program (libusb)"

# Elgato's product id -> (slug, title)
NAMES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        0x0060: ("original", "Stream Deck Original"),
        0x0063: ("mini", "Stream Deck Mini"),
        0x006C: ("xl", "Stream Deck XL"),
        0x006D: ("original-v2", "Stream Deck Original V2"),
        0x0080: ("mk2", "Stream Deck MK.2"),
        0x0084: ("plus", "Stream Deck +"),
        0x0086: ("pedal", "Stream Deck Pedal"),
        0x008F: ("xl-v2", "Stream Deck XL V2"),
        0x0090: ("mini-mk2", "Stream Deck Mini MK.2"),
        0x009A: ("neo", "Stream Deck Neo"),
        0x00A5: ("mk2-scissor", "Stream Deck MK.2 Scissor Keys"),
        0x00AA: ("studio", "Stream Deck Studio"),
        0x00B3: ("mini-discord", "Stream Deck Mini Discord Edition"),
        0x00B8: ("module-6", "Stream Deck Module 6"),
        0x00B9: ("module-15", "Stream Deck Module 15"),
        0x00BA: ("module-32", "Stream Deck Module 32"),
        0x00C6: ("plus-xl", "Stream Deck + XL"),
    }
)


class FoundDeck(Struct, frozen=True):
    """A connected deck. `serial`: from the USB descriptor, read without opening the deck; may be empty."""

    path: str
    vendor_id: int
    product_id: int
    model: str  # slug
    title: str
    serial: str
    deck: Any  # the library's StreamDeck object, closed; its `device` is a HidDevice


class _OneScan:
    """A transport that serves the library's 18 calls, one a product, from one scan of the bus."""

    def __init__(self, devices: list[HidDevice]) -> None:
        self._devices = devices

    def enumerate(self, vid: int, pid: int) -> list[HidDevice]:
        return [device for device in self._devices if (device.vendor_id(), device.product_id()) == (vid, pid)]


class _Recorder:
    """A transport that records the ids for which the library searches."""

    def __init__(self) -> None:
        self.ids: set[tuple[int, int]] = set()

    def enumerate(self, vid: int, pid: int) -> list[HidDevice]:
        self.ids.add((vid, pid))
        return []


def find_decks(transport: HidTransport) -> list[FoundDeck]:
    """Return the connected decks in the library's order, one a path (it lists 00b9 twice). Raises DeckError."""
    vendors = dict.fromkeys(vendor for vendor, _ in product_ids())
    scan = _OneScan([device for vendor in vendors for device in transport.enumerate(vid=vendor, pid=None)])
    by_path: dict[str, FoundDeck] = {}
    for deck in _decks(scan):
        found = _describe(deck)
        by_path.setdefault(found.path, found)
    return list(by_path.values())


def claimed_decks(sys_root: Path = SYS) -> list[UsbDevice]:
    """Return the decks that another program drives through libusb: hidapi does not list them. Linux only; elsewhere none."""
    try:
        devices = usb_devices(sys_root)
    except OSError:
        return []
    return [
        device
        for device in devices
        if device.uses_libusb and not device.hidraw and product_names(int(VENDOR, 16), device.product_id)
    ]


def open_error(found: FoundDeck) -> DeckError | None:
    """Return why the deck cannot be opened, or None when it can. Opens and closes it without a write: the display stays.

    Trying is the only certain way: neither a rules file nor the mode of the node decides it alone.
    """
    device = found.deck.device
    try:
        device.open()
    except DeckError as error:
        return error
    device.close()
    return None


def product_ids() -> tuple[tuple[int, int], ...]:
    """Return (vendor id, product id) of every product that the installed library drives, sorted."""
    recorder = _Recorder()
    _decks(recorder)
    return tuple(sorted(recorder.ids))


def product_names(vendor_id: int, product_id: int) -> tuple[str, str] | None:
    """Return our slug and title of a product; None: a product that is newer than this version, or of another vendor."""
    return NAMES.get(product_id) if vendor_id == USBVendorIDs.USB_VID_ELGATO else None


def _decks(transport: _OneScan | _Recorder) -> list[Any]:
    manager = DeviceManager.__new__(DeviceManager)  # its __init__ would search for a libhidapi of the system
    manager.transport = transport
    return list(manager.enumerate())


def _describe(deck: Any) -> FoundDeck:
    device: HidDevice = deck.device
    product_id = device.product_id()
    names = product_names(device.vendor_id(), product_id)
    slug, title = names or (f"unknown-{product_id:04x}", str(deck.deck_type()))
    return FoundDeck(device.path(), device.vendor_id(), product_id, slug, title, device.usb_serial, deck)


def printable(text: str) -> str:
    """Return the text without control and replacement characters, with which some firmware texts start."""
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable()).strip()
