"""A test rig: a virtual deck under the real transport, the library's real class and the real device. And plain pictures."""

import io
import queue
from collections.abc import Callable
from typing import Any, TypeVar

from PIL import Image

from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.input_precedence import InputPrecedence
from openbalance_hid.deck.products import FoundDeck, find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import DeckModel, model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.waiting import PATIENCE_S

SERIAL = "A00SA1234567"

Event = TypeVar("Event")


class RecordingDeck(VirtualDeck):
    """A virtual deck that records the reports of the host."""

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
    """One connected virtual deck; `open()` opens it. Its events go to a queue."""

    def __init__(self, model: str = "mk2", serial: str = SERIAL, clock: Callable[[], float] = lambda: 42.0) -> None:
        self.deck = RecordingDeck(model_named(model), serial)
        self.bus = VirtualBus([self.deck])
        self.transport = HidTransport(self.bus)
        self.events: queue.Queue[Any] = queue.Queue()
        self.found: list[FoundDeck] = []
        self.devices: list[DeckDevice] = []
        self._clock = clock

    def find(self) -> FoundDeck:
        (found,) = find_decks(self.transport)
        return found

    def device(self, emit: Callable[[Any], None] | None = None, precedence: InputPrecedence | None = None) -> DeckDevice:
        self.found.append(self.find())
        device = DeckDevice(self.found[-1], emit or self.events.put, self._clock, precedence)
        self.devices.append(device)
        return device

    def open(self, precedence: InputPrecedence | None = None) -> DeckDevice:
        device = self.device(precedence=precedence)
        device.open()
        return device

    def next(self, kind: type[Event]) -> Event:
        """Return the next event of that kind; others before it are dropped."""
        while True:
            event = self.events.get(timeout=PATIENCE_S)
            if isinstance(event, kind):
                return event

    def count(self, kind: type[object]) -> int:
        """Return how many events of that kind are queued."""
        return sum(isinstance(event, kind) for event in list(self.events.queue))

    def hang_in_a_write(self, device: DeckDevice, picture: bytes) -> None:
        """Return when the writer hangs in the first report of that picture on key 0."""
        self.deck.stall(timeout_s=60)
        device.show(0, picture)
        assert self.deck.wait_until(lambda: self.deck.hosts_waiting == 1, PATIENCE_S)

    def end(self) -> None:
        self.deck.unplug()  # ends reads at once
        for device in self.devices:
            device.close(on_exit="keep")
            assert device.wait_released(PATIENCE_S), "a handle is still open"
        assert self.bus.misuse == []


MakeRig = Callable[..., Rig]


def plain(device: DeckDevice, colour: str) -> bytes:
    """Return a key picture of one colour in the device's bytes. Made without the library: no rotation is needed."""
    return flat(device.key_size, colour, device.picture_format["format"])


def flat(size: tuple[int, int], colour: str, codec: str) -> bytes:
    """Return an encoded picture of one colour."""
    with io.BytesIO() as file:
        Image.new("RGB", size, colour).save(file, codec)
        return file.getvalue()


def is_plain(image: Image.Image | None, colour: str) -> bool:
    """Return whether every pixel has that colour, within the error of JPEG in a flat area."""
    assert image is not None
    wanted = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
    return all(low >= part - 2 and high <= part + 2 for (low, high), part in zip(image.getextrema(), wanted, strict=True))
