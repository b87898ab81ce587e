"""Virtual decks, the library above them, and what a host sends: pictures and the pages that they come in."""

import io
from typing import Any

from PIL import Image

from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

VISUAL = [name for name in MODELS if name != "pedal"]


def virtual(name: str = "mk2") -> VirtualDeck:
    return VirtualDeck(MODELS[name], "A00SA1234567")


def library_deck(deck: VirtualDeck) -> Any:
    """The library's own object over the deck, open, without its reading thread."""
    (found,) = find_decks(HidTransport(VirtualBus([deck])))
    found.deck.device.open()
    return found.deck


def asymmetric(size: tuple[int, int]) -> Image.Image:
    """Smooth, so that JPEG is close, and different in each of its eight orientations: red to the right, green downwards."""
    right = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (right, down, Image.new("L", size, 40)))


def jpeg(size: tuple[int, int] = (72, 72), mode: str = "RGB", **options: Any) -> bytes:
    with io.BytesIO() as file:
        asymmetric(size).convert(mode).save(file, "JPEG", **options)
        return file.getvalue()


def page(payload: bytes, *, key: int = 0, last: int = 1, index: int = 0, length: int | None = None) -> bytes:
    count = len(payload) if length is None else length
    return (bytes([2, 7, key, last]) + count.to_bytes(2, "little") + index.to_bytes(2, "little") + payload).ljust(1024, b"\0")
