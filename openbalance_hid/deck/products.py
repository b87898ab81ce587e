"""Which decks are there: the library's own product table over our transport, and the names we give to products.

The library is the only source of which products exist and which class drives them. Names are ours, by product id, because five
products call themselves "Stream Deck Original" there. Nothing is opened here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from StreamDeck.DeviceManager import DeviceManager
from StreamDeck.ProductIDs import USBVendorIDs

from openbalance_hid.deck.transport import HidDevice, HidTransport

# product id -> (slug, title)
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
    """A deck that is present. `serial`: as the USB descriptor says, without opening it; may be empty."""

    path: str
    vendor_id: int
    product_id: int
    model: str  # slug
    title: str
    serial: str
    deck: Any  # the library's StreamDeck object, closed; its `device` is a HidDevice


class _Listing:
    """Answers the library's 18 questions from one look at the bus."""

    def __init__(self, devices: list[HidDevice]) -> None:
        self._devices = devices

    def enumerate(self, vid: int, pid: int) -> list[HidDevice]:
        return [device for device in self._devices if (device.vendor_id(), device.product_id()) == (vid, pid)]


class _Recorder:
    """Notes which ids the library asks for."""

    def __init__(self) -> None:
        self.asked: set[tuple[int, int]] = set()

    def enumerate(self, vid: int, pid: int) -> list[HidDevice]:
        self.asked.add((vid, pid))
        return []


def find_decks(transport: HidTransport) -> list[FoundDeck]:
    """The decks that are plugged in, in the library's order, one a path (it lists 00b9 twice). Raises DeckError."""
    listing = _Listing(transport.enumerate(vid=USBVendorIDs.USB_VID_ELGATO, pid=None))
    by_path: dict[str, FoundDeck] = {}
    for deck in _decks(listing):
        found = _describe(deck)
        by_path.setdefault(found.path, found)
    return list(by_path.values())


def product_ids() -> tuple[tuple[int, int], ...]:
    """(vendor id, product id) of everything that the installed library drives, sorted."""
    recorder = _Recorder()
    _decks(recorder)
    return tuple(sorted(recorder.asked))


def _decks(transport: _Listing | _Recorder) -> list[Any]:
    manager = DeviceManager.__new__(DeviceManager)  # its __init__ would look for a libhidapi of the system
    manager.transport = transport
    return list(manager.enumerate())


def _describe(deck: Any) -> FoundDeck:
    device: HidDevice = deck.device
    product_id = device.product_id()
    slug, title = NAMES.get(product_id, (f"unknown-{product_id:04x}", str(deck.deck_type())))
    return FoundDeck(device.path(), device.vendor_id(), product_id, slug, title, device.usb_serial, deck)


def printable(text: str) -> str:
    """The text without control and replacement characters, which some firmware texts begin with."""
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable()).strip()
