"""Fixtures of the USB/IP tests: decks that a server exports."""

from collections.abc import Callable, Iterator

import pytest

from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.usbip.usbip_server import UsbIpServer
from tests.simulator.usbip.usbip_client import SERIAL, Client
from tests.waiting import threads_named


class Bench:
    """One exported deck and its server."""

    def __init__(self, model: str = "mk2", *more: str) -> None:
        self.decks = [VirtualDeck(model_named(name), f"{SERIAL}{number or ''}") for number, name in enumerate((model, *more))]
        self.deck = self.decks[0]
        self.server = UsbIpServer(self.decks, port=0)
        self.port = self.server.start()

    def client(self) -> Client:
        return Client(self.port)

    def attached(self, bus_id: str = "1-1") -> Client:
        client = self.client()
        assert client.attach(bus_id) == 0
        return client


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(*models: str) -> Bench:
        benches.append(Bench(*models or ("mk2",)))
        return benches[-1]

    yield make
    for bench in benches:
        bench.server.stop()
        bench.server.stop()
        assert threads_named("usbip") == []


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
