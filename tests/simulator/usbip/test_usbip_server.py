"""Operations of USB/IP, unplugging and stopping, and bytes that are not USB/IP."""

import socket
import struct
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openbalance_hid.errors import UsageError
from openbalance_hid.simulator.usbip.usbip_server import UsbIpServer
from tests.waiting import PATIENCE_S, until


def test_the_decks_that_are_plugged_in_are_listed(make_bench):
    bench = make_bench("mk2", "xl")
    with bench.client() as client:
        assert client.list() == [("1-1", 0x0FD9, 0x0080, 3), ("1-2", 0x0FD9, 0x006C, 3)]
        assert client.ended()
    bench.decks[0].unplug()
    with bench.client() as client:
        assert [device[0] for device in client.list()] == ["1-2"]


def attaches(bench) -> bool:
    with bench.client() as client:
        return client.attach() == 0


def test_a_deck_has_one_host_and_is_free_after_it_disconnects(bench):
    with bench.attached():
        assert bench.server.is_attached(0)
        with bench.client() as second:
            assert second.attach() == 2  # busy
    until(lambda: attaches(bench), "the deck was never free again")


def test_an_unknown_bus_id_is_refused(bench):
    for bus_id in ("1-2", "", "2-1", "x" * 31):
        with bench.client() as client:
            assert client.attach(bus_id) == 4
    bench.deck.unplug()
    with bench.client() as client:
        assert client.attach() == 4


def test_a_port_that_is_taken_is_reported(bench):
    with pytest.raises(UsageError, match=f"port {bench.port} is taken"):
        UsbIpServer([], bench.port).start()


def test_only_this_machine_can_connect(bench):
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", bench.port), timeout=PATIENCE_S).close()


@pytest.mark.parametrize("again", [False, True], ids=["pulled", "pulled and plugged in again at once"])
def test_unplugging_a_deck_disconnects_its_host(bench, again):
    with bench.attached() as client:
        client.submit(1, True, 512)
        bench.deck.unplug()
        if again:
            bench.deck.plug()
        assert client.ended()
    if again:
        until(lambda: attaches(bench), "the deck could not be attached again")


def test_stop_disconnects_a_host_with_a_hanging_write(make_bench):
    bench = make_bench("mk2")
    client = bench.attached()
    bench.deck.stall(timeout_s=0.05)
    client.submit(2, False, 1024, data=b"\x02".ljust(1024, b"\0"))
    assert bench.deck.wait_until(lambda: bench.deck.hosts_waiting == 1, PATIENCE_S)
    bench.server.stop()
    assert client.ended()
    client.wire.close()


@pytest.mark.parametrize(
    "first_words",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(8),
        b"\x01\x06\x80\x05" + bytes(4),  # another version
        b"\x01\x11\x80\x99" + bytes(4),  # another operation
    ],
)
def test_an_invalid_operation_ends_the_connection(bench, first_words):
    with bench.client() as client:
        client.wire.sendall(first_words)
        assert client.ended()


@pytest.mark.parametrize(
    "word",
    [
        struct.pack(">IIIII", 9, 1, 0, 0, 0) + bytes(28),  # a command that there is not
        struct.pack(">IIIIIIi", 1, 1, 0, 1, 1, 0, -1) + bytes(20),  # a buffer of -1 bytes
        struct.pack(">IIIIIII", 1, 1, 0, 0, 2, 0, 1 << 30) + bytes(20),  # of a gigabyte
        struct.pack(">IIIIIII", 1, 1, 0, 7, 2, 0, 8) + bytes(20),  # neither in nor out
        struct.pack(">IIIIIIIII", 1, 1, 0, 1, 1, 0, 64, 0, 3) + bytes(12),  # isochronous
    ],
)
def test_an_invalid_transfer_disconnects_only_its_host(bench, word):
    with bench.attached() as client:
        client.wire.sendall(word)
        assert client.ended()
    with bench.client() as other:
        assert len(other.list()) == 1


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_end_the_server(bench, rubbish, after_attaching):
    with bench.client() as client:
        if after_attaching and client.attach() != 0:
            return  # the one before is still being hung up on
        client.wire.sendall(rubbish)
    with bench.client() as client:
        assert len(client.list()) == 1


OUT_OF_DESCRIPTORS = """
import contextlib, os, resource, socket, sys
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.usbip.usbip_server import UsbIpServer
from tests.simulator.usbip.usbip_client import Client
from tests.waiting import until

class Log:
    text = ""
    def write(self, text): self.text += text
    def flush(self): pass

import logging
log = Log()
logging.basicConfig(stream=log)
server = UsbIpServer([VirtualDeck(MODELS["mk2"], "A")], 0)
port = server.start()
waiting = socket.socket()
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
taken = []
with contextlib.suppress(OSError):
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))
waiting.connect(("127.0.0.1", port))
until(lambda: "cannot accept" in log.text)
for descriptor in taken:
    os.close(descriptor)
with Client(port) as client:
    print(len(client.list()), log.text.count("cannot accept"))
server.stop()
"""


def test_a_server_without_a_free_descriptor_serves_again_once_there_is_one() -> None:
    done = subprocess.run([sys.executable, "-c", OUT_OF_DESCRIPTORS], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.stdout, done.stderr) == ("1 1\n", "")
