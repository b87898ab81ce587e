"""A virtual deck with a real host and its page, for tests of the page.

The host is the product's own code: transport, the library's classes, one writer.
"""

import http.client
import io
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import msgspec
from PIL import Image
from websockets.sync.client import ClientConnection, connect

from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.device_events import DeckArrived, KeyEvent
from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.render.encode import PictureFormat, encode
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.web.page_server import PageServer
from tests.waiting import PATIENCE_S, threads_named

TOKEN = "right-token"
SCENARIOS = (("normal", "An ordinary account"), ("low-balance", "Little money is left"))


class Host:
    """The daemon's end of the cable."""

    def __init__(self, deck: VirtualDeck) -> None:
        self.deck = deck
        self.bus = VirtualBus([deck])
        self.events: queue.Queue[Any] = queue.Queue()
        (found,) = find_decks(HidTransport(self.bus))
        self.surface = DeckDevice(found, self.events.put)
        self.surface.open()
        assert isinstance(self.next(), DeckArrived)

    def next(self) -> Any:
        return self.events.get(timeout=PATIENCE_S)

    def next_key(self) -> tuple[int, bool]:
        event = self.next()
        assert isinstance(event, KeyEvent)
        return event.key, event.down

    def draw(self, key: int, picture: str | Image.Image) -> None:
        """Puts a picture, or a colour all over, on the glass."""
        image = Image.new("RGB", self.surface.key_size, picture) if isinstance(picture, str) else picture
        self.surface.show(key, encode(image, PictureFormat.of(self.surface.picture_format)))
        assert self.surface.flush(PATIENCE_S)

    def close(self) -> None:
        self.surface.close("keep")
        self.deck.unplug()  # wakes the reader, which else checks only once a second
        assert self.surface.wait_released(PATIENCE_S)
        assert self.deck.faults == []
        assert self.bus.misuse == []


class PageRig:
    """`with PageRig("mk2") as rig`: a deck, its host and its page; `rig.server` serves at `rig.url`."""

    def __init__(self, model: str = "mk2", **options: Any) -> None:
        self.deck = VirtualDeck(MODELS[model], "A00SA1234567")
        self.host = Host(self.deck)
        self.texts: dict[int, str] = {}
        self.chosen: list[str] = []
        self.server = PageServer(
            self.deck,
            lambda: dict(self.texts),
            scenarios=SCENARIOS,
            scenario=lambda: self.chosen[-1] if self.chosen else "normal",
            **{"set_scenario": self.chosen.append, "port": 0, "token": TOKEN} | options,
        )
        self.url = ""

    def __enter__(self) -> "PageRig":
        self.url = self.server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.server.stop()
        self.host.close()
        assert threads_named("page-") == []

    def address(self, path: str, token: str = TOKEN) -> str:
        return f"{path}?token={token}"

    def get(self, path: str, **request: Any) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with lower-case names, body. Without `target` the right token is added to `path`."""
        return ask(self.server.port, request.pop("target", self.address(path)), **request)

    def json(self) -> dict[str, Any]:
        status, _headers, body = self.get("/deck.json")
        assert status == 200
        return dict(msgspec.json.decode(body))

    @contextmanager
    def page(self, **options: Any) -> "Iterator[Page]":
        """A connected page, played by a WebSocket client."""
        address = f"ws://127.0.0.1:{self.server.port}{self.address('/events')}"
        with connect(address, compression=None, max_queue=None, **options) as wire:
            yield Page(wire)


class Page:
    """The messages of a page."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire

    def send(self, kind: str, **fields: Any) -> None:
        self.wire.send(msgspec.json.encode({"type": kind} | fields).decode())

    def receive(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return the next message of this kind with these fields; skip others."""
        while True:
            message = dict(msgspec.json.decode(self.wire.recv(timeout=PATIENCE_S)))
            if message["type"] == kind and fields.items() <= message.items():
                return message

    def settle(self) -> None:
        """Receive everything that the server sends on connecting."""
        self.receive("note")


def ask(
    port: int, target: str, method: str = "GET", headers: tuple[tuple[str, str], ...] = (), host: str | None = "127.0.0.1"
) -> tuple[int, dict[str, str], bytes]:
    """One request over a real socket. `host` without a port gets the right one; None: no Host header."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        if host is not None:
            connection.putheader("Host", f"{host}:{port}" if host in ("127.0.0.1", "localhost") else host)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def pixels(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as image:
        return image.convert("RGB")
