"""The rows of the status about decks: open ones, those in trouble, and those that another program has."""

from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.products import IN_USE_LIBUSB, FoundDeck, product_names
from openbalance_hid.deck.usb_sysfs import VENDOR, UsbDevice
from openbalance_hid.ipc.status import DeckCounts


def open_counts(name: str, device: DeckDevice, brightness: int | None, arrivals: int) -> DeckCounts:
    """Return the counts of an open deck."""
    return DeckCounts(
        serial=name,
        model=device.model,
        path=device.path,
        connected=not device.is_lost,
        brightness=brightness,
        images_sent=device.images_sent,
        images_skipped=device.images_skipped,
        reports_sent=device.reports_sent,
        reconnects=max(0, arrivals - 1),
    )


def closed_counts(found: FoundDeck | DeckDevice, why: str, hint: str) -> DeckCounts:
    """Return the row of a deck that is connected and not open, with the reason and the command that fixes it."""
    return DeckCounts(found.serial, found.model, found.path, connected=False, trouble=why, hint=hint)


def claimed_counts(device: UsbDevice) -> DeckCounts:
    """Return the row of a deck that another program has claimed through libusb."""
    model, _ = product_names(int(VENDOR, 16), device.product_id) or ("", "")
    return DeckCounts(device.serial, model, device.node, connected=False, trouble=IN_USE_LIBUSB, hint="openbalance-hid doctor")
