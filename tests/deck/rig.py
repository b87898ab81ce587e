"""A virtual deck under the real transport, the library's real class and a real surface, and pictures to send."""

import io
import queue
from collections.abc import Callable
from typing import Any, TypeVar

from PIL import Image

from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.products import FoundDeck, find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import DeckModel, model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.waiting import PATIENCE_S

SERIAL = "A00SA1234567"

Event = TypeVar("Event")


class Wiretap(VirtualDeck):
    """A virtual deck that keeps what the host wrote."""

    def __init__(self, model: DeckModel, serial: str) -> None:
        self.outputs: list[bytes] = []
        self.features: list[bytes] = []
        super().__init__(model, serial)

    def write(self, report: bytes, epoch: int | None = None) -> int:
        self.outputs.append(bytes(report))
        return super().write(report, epoch)

    def send_feature(self, report: bytes, epoch: int | None = None) -> int:
        self.features.append(bytes(report))
        return super().send_feature(report, epoch)


class Rig:
    """One deck, plugged in; `open()` makes the surface. Events land in a queue."""

    def __init__(self, model: str = "mk2", serial: str = SERIAL, clock: Callable[[], float] = lambda: 42.0) -> None:
        self.deck = Wiretap(model_named(model), serial)
        self.bus = VirtualBus([self.deck])
        self.transport = HidTransport(self.bus)
        self.events: queue.Queue[Any] = queue.Queue()
        self.surfaces: list[DeckDevice] = []
        self._clock = clock

    def find(self) -> FoundDeck:
        (found,) = find_decks(self.transport)
        return found

    def surface(self, emit: Callable[[Any], None] | None = None) -> DeckDevice:
        surface = DeckDevice(self.find(), emit or self.events.put, self._clock)
        self.surfaces.append(surface)
        return surface

    def open(self) -> DeckDevice:
        surface = self.surface()
        surface.open()
        return surface

    def next(self, kind: type[Event]) -> Event:
        """The next event of that kind; others before it are dropped."""
        while True:
            event = self.events.get(timeout=PATIENCE_S)
            if isinstance(event, kind):
                return event

    def count(self, kind: type[object]) -> int:
        """How many events of that kind wait now."""
        return sum(isinstance(event, kind) for event in list(self.events.queue))

    def hang_in_a_write(self, surface: DeckDevice, picture: bytes) -> None:
        """Returns when the writer hangs in the first report of that picture on key 0."""
        self.deck.stall(give_up_s=60)
        surface.show(0, picture)
        assert self.deck.wait_until(lambda: self.deck.hosts_waiting == 1, PATIENCE_S)

    def end(self) -> None:
        self.deck.unplug()  # ends reads at once
        for surface in self.surfaces:
            surface.close(on_exit="keep")
            assert surface.wait_released(PATIENCE_S), "a handle is still open"
        assert self.bus.misuse == []


MakeRig = Callable[..., Rig]


def plain(surface: DeckDevice, colour: str) -> bytes:
    """A key of one colour in the device's bytes, made without the library (one colour looks the same however it is turned)."""
    return flat(surface.key_size, colour, surface.picture_format["format"])


def flat(size: tuple[int, int], colour: str, codec: str) -> bytes:
    """A picture of one colour as a file."""
    with io.BytesIO() as file:
        Image.new("RGB", size, colour).save(file, codec)
        return file.getvalue()


def is_plain(image: Image.Image | None, colour: str) -> bool:
    """Whether every pixel has that colour, give or take what JPEG does to a flat area."""
    assert image is not None
    wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
    return all(low >= part - 2 and high <= part + 2 for (low, high), part in zip(image.getextrema(), wanted, strict=True))
