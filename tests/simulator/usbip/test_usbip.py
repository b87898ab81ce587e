"""A deck over USB/IP, byte by byte, over a real socket: descriptors, reports both ways, transfers taken back, and nonsense."""

import errno
import struct
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openbalance_hid.errors import UsageError
from openbalance_hid.simulator.device.models import MODELS, model_named
from openbalance_hid.simulator.device.virtual_deck import FIRMWARE, VirtualDeck
from openbalance_hid.simulator.usbip.usbip_server import UsbIpServer
from tests.simulator.usbip.usbip_client import Client
from tests.waiting import PATIENCE_S, threads_named, until

SERIAL = "A00SA1234567"
SUBMITTED, UNLINKED = 3, 4
EVERY_MODEL = pytest.mark.parametrize("model", MODELS)


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


# --- operations ------------------------------------------------------------------------------------------------------------


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


def test_a_deck_has_one_host_and_is_free_when_that_has_gone(bench):
    with bench.attached():
        assert bench.server.is_attached(0)
        with bench.client() as second:
            assert second.attach() == 2  # busy
    until(lambda: attaches(bench), "the deck was never free again")


def test_a_bus_id_that_there_is_not_is_refused(bench):
    for bus_id in ("1-2", "", "2-1", "x" * 31):
        with bench.client() as client:
            assert client.attach(bus_id) == 4
    bench.deck.unplug()
    with bench.client() as client:
        assert client.attach() == 4


def test_a_port_that_is_taken_is_said(bench):
    with pytest.raises(UsageError, match=f"port {bench.port} is taken"):
        UsbIpServer([], bench.port).start()


def test_only_this_machine_can_connect(bench):
    assert bench.server._listener.getsockname()[0] == "127.0.0.1"


# --- descriptors -----------------------------------------------------------------------------------------------------------


@EVERY_MODEL
def test_the_device_says_which_product_it_is(make_bench, model):
    with make_bench(model).attached() as client:
        raw = client.descriptor(1)
        assert len(raw) == raw[0] == 18
        assert struct.unpack("<HH", raw[8:12]) == (0x0FD9, MODELS[model].product_id)
        texts = [client.descriptor(3, index)[2:].decode("utf-16-le") for index in raw[14:17]]
        assert texts == ["Elgato", MODELS[model].title, SERIAL]
        assert client.descriptor(1, length=8) == raw[:8]  # as a host begins that does not know the packet size yet


@EVERY_MODEL
def test_the_configuration_is_one_hid_interface_with_its_endpoints(make_bench, model):
    with make_bench(model).attached() as client:
        raw = client.descriptor(2)
        assert struct.unpack("<H", raw[2:4]) == (len(raw),)
        parts = list(split(raw))
        assert [part[1] for part in parts] == [2, 4, 0x21] + [5] * (len(parts) - 3)
        interface, hid, *endpoints = parts[1:]
        assert (interface[4], interface[5]) == (len(endpoints), 3)
        has_output = model != "pedal"
        assert [(one[2], one[3]) for one in endpoints] == [(0x81, 3), (0x02, 3)][: 1 + has_output]
        assert all(struct.unpack("<H", one[4:6])[0] <= 1024 for one in endpoints)
        report = client.descriptor(0x22, interface=True)
        assert struct.unpack("<H", hid[7:9]) == (len(report),)
        assert client.descriptor(0x21, interface=True) == hid


def split(raw: bytes) -> Iterator[bytes]:
    while raw:
        yield raw[: raw[0]]
        raw = raw[raw[0] :]


@EVERY_MODEL
def test_the_report_descriptor_declares_each_report_with_its_length(make_bench, model):
    row = MODELS[model]
    with make_bench(model).attached() as client:
        reports = read_reports(client.descriptor(0x22, interface=True))
    assert reports["input"] == {1: row.input_length}
    assert reports["output"] == ({2: row.output_length} if row.output_length else {})
    assert reports["feature"][row.serial.report_id] in row.serial.lengths
    assert reports["feature"][row.firmware.report_id] in row.firmware.lengths
    if row.brightness is not None:
        assert reports["feature"][row.brightness.prefix[0]] in row.brightness.lengths


def read_reports(raw: bytes) -> dict[str, dict[int, int]]:
    """Kind -> report id -> bytes with the id: a small reader of short items (HID 1.11, 6.2.2.2)."""
    kinds = {0x80: "input", 0x90: "output", 0xB0: "feature"}
    found: dict[str, dict[int, int]] = {kind: {} for kind in kinds.values()}
    number = size = count = depth = 0
    while raw:
        width = (0, 1, 2, 4)[raw[0] & 3]
        item, value, raw = raw[0] & 0xFC, int.from_bytes(raw[1 : 1 + width], "little"), raw[1 + width :]
        match item:
            case 0x84:
                number = value
            case 0x74:
                size = value
            case 0x94:
                count = value
            case 0xA0:
                depth += 1
            case 0xC0:
                depth -= 1
            case _ if item in kinds:
                assert depth == 1
                found[kinds[item]][number] = 1 + size * count // 8
    assert depth == 0
    return found


def test_what_the_device_does_not_have_is_a_stall(bench):
    with bench.attached() as client:
        for request_type, request, value in (
            (0x80, 6, 0x0600),  # device qualifier
            (0x80, 6, 0x03EE),  # Microsoft's string
            (0x80, 6, 0x0201),  # a second configuration
            (0xC0, 1, 0),  # vendor request
            (0x80, 0x77, 0),
            (0xA1, 1, 0x0100),  # an input report on request
            (0xA1, 1, 0x0377),  # a feature report that there is not
        ):
            assert client.read_control(request_type, request, value, 0, 64).status == -errno.EPIPE
        assert client.descriptor(1)[:2] == b"\x12\x01"  # and it goes on


def test_the_requests_that_a_kernel_makes_at_the_beginning_are_taken(bench):
    with bench.attached() as client:
        assert client.write_control(0x00, 9, 1, b"").status == 0  # SET_CONFIGURATION
        assert client.read_control(0x80, 8, 0, 0, 1).data == b"\x01"
        assert client.read_control(0x80, 0, 0, 0, 2).data == b"\0\0"  # GET_STATUS
        assert client.write_control(0x01, 11, 0, b"").status == 0  # SET_INTERFACE
        assert client.write_control(0x21, 10, 0, b"").status == 0  # SET_IDLE
        assert client.write_control(0x02, 1, 0, b"").status == 0  # CLEAR_FEATURE of a halt


# --- reports ---------------------------------------------------------------------------------------------------------------


@EVERY_MODEL
def test_serial_and_firmware_are_feature_reports(make_bench, model):
    bench, row = make_bench(model), MODELS[model]
    with bench.attached() as client:
        for text, wanted in ((row.serial, SERIAL), (row.firmware, FIRMWARE)):
            length = text.lengths[0]
            data = client.read_control(0xA1, 1, 0x0300 | text.report_id, 0, length).data
            assert (len(data), data[0]) == (length, text.report_id)
            assert data[text.starts_at :].rstrip(b"\0").decode() == wanted[: length - text.starts_at]
    assert bench.deck.faults == []


def test_a_feature_report_to_the_device_is_carried_out(bench):
    with bench.attached() as client:
        done = client.write_control(0x21, 9, 0x0303, b"\x03\x08\x28".ljust(32, b"\0"))
        assert (done.status, done.length) == (0, 32)
    assert bench.deck.brightness == 40
    assert bench.deck.faults == []


def test_a_picture_goes_through_the_endpoint_for_output(bench):
    from tests.deck.rig import flat, is_plain

    picture = flat((72, 72), "red", "JPEG")
    with bench.attached() as client:
        report = (b"\x02\x07\x04\x01" + len(picture).to_bytes(2, "little") + b"\0\0" + picture).ljust(1024, b"\0")
        client.submit(2, False, len(report), data=report)
        done = client.answer()
    assert (done.command, done.status, done.length) == (SUBMITTED, 0, 1024)
    assert is_plain(bench.deck.glass(4), "red")
    assert bench.deck.faults == []


def test_presses_come_in_their_order_however_late_they_are_asked_for(bench):
    with bench.attached() as client:
        bench.deck.press(3)
        bench.deck.release(3)
        bench.deck.press(0)
        wanted = [client.submit(1, True, 512) for _ in range(3)]
        answers = [client.answer() for _ in range(3)]
        assert [answer.sequence for answer in answers] == wanted
        assert [answer.data[4:19].index(1) if 1 in answer.data[4:19] else None for answer in answers] == [3, None, 0]
        waiting = client.submit(1, True, 512)
        bench.deck.release(0)
        assert (client.answer().sequence, bench.deck.faults) == (waiting, [])


def test_a_report_that_does_not_fit_is_an_overflow_and_not_a_shift(bench):
    with bench.attached() as client:
        client.submit(1, True, 8)
        bench.deck.press(0)
        answer = client.answer()
        assert (answer.status, len(answer.data)) == (-errno.EOVERFLOW, 8)
        client.submit(1, True, 512)
        bench.deck.release(0)
        assert client.answer().data[:4] == b"\x01\x00\x0f\x00"


def test_endpoints_that_there_are_not_stall(make_bench):
    with make_bench("pedal").attached() as client:
        for endpoint, to_host in ((2, False), (3, True), (15, False)):
            client.submit(endpoint, to_host, 4, data=b"" if to_host else b"\2\0\0\0")
            assert client.answer().status == -errno.EPIPE


# --- taken back ------------------------------------------------------------------------------------------------------------


def test_a_read_that_is_taken_back_brings_nothing_and_loses_nothing(bench):
    with bench.attached() as client:
        unwanted = client.submit(1, True, 512)
        asked = client.unlink(unwanted)
        answer = client.answer()
        assert (answer.command, answer.sequence, answer.status) == (UNLINKED, asked, -errno.ECONNRESET)
        bench.deck.press(2)
        wanted = client.submit(1, True, 512)
        answer = client.answer()
        assert (answer.command, answer.sequence) == (SUBMITTED, wanted)
        assert answer.data[4 + 2] == 1


def test_what_has_ended_cannot_be_taken_back(bench):
    with bench.attached() as client:
        done = client.submit(0, True, 18, struct.pack("<BBHHH", 0x80, 6, 0x0100, 0, 18))
        assert client.answer().sequence == done
        client.unlink(done)
        assert (client.answer().command, client.wire.gettimeout()) == (UNLINKED, PATIENCE_S)


def test_a_write_into_a_deck_that_hangs_waits_until_it_is_taken_back(bench):
    bench.deck.stall(timeout_s=0.01)
    with bench.attached() as client:
        hung = client.submit(2, False, 1024, data=b"\x02".ljust(1024, b"\0"))
        assert bench.deck.wait_until(lambda: bench.deck.hosts_waiting == 1, PATIENCE_S)
        asked = client.unlink(hung)
        answer = client.answer()
        assert (answer.command, answer.sequence, answer.status) == (UNLINKED, asked, -errno.ECONNRESET)
        bench.deck.unstall()
        next_one = client.submit(2, False, 1024, data=b"\x02".ljust(1024, b"\0"))
        answer = client.answer()
        assert (answer.command, answer.sequence, answer.status) == (SUBMITTED, next_one, 0)


def test_input_comes_while_output_hangs(bench):
    with bench.attached() as client:
        bench.deck.stall(timeout_s=60)
        client.submit(2, False, 1024, data=b"\x02".ljust(1024, b"\0"))
        wish = client.submit(1, True, 512)
        bench.deck.press(1)
        assert client.answer().sequence == wish
        bench.deck.unstall()


# --- the cable -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", [False, True], ids=["pulled", "pulled and plugged in again at once"])
def test_an_unplugged_deck_hangs_up_on_its_host(bench, again):
    with bench.attached() as client:
        client.submit(1, True, 512)
        bench.deck.unplug()
        if again:
            bench.deck.plug()
        assert client.ended()
    if again:
        until(lambda: attaches(bench), "the deck could not be attached again")


def test_stopping_hangs_up_also_on_a_host_whose_write_hangs(make_bench):
    bench = make_bench("mk2")
    client = bench.attached()
    bench.deck.stall(timeout_s=0.05)
    client.submit(2, False, 1024, data=b"\x02".ljust(1024, b"\0"))
    assert bench.deck.wait_until(lambda: bench.deck.hosts_waiting == 1, PATIENCE_S)
    bench.server.stop()
    assert client.ended()
    client.wire.close()


# --- nonsense --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first_words",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(8),
        b"\x01\x06\x80\x05" + bytes(4),  # another version
        b"\x01\x11\x80\x99" + bytes(4),  # another operation
    ],
)
def test_who_says_something_else_at_first_is_hung_up_on(bench, first_words):
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
def test_who_says_nonsense_later_is_hung_up_on_and_others_are_served(bench, word):
    with bench.attached() as client:
        client.wire.sendall(word)
        assert client.ended()
    with bench.client() as other:
        assert len(other.list()) == 1


def test_a_host_that_wants_more_and_more_input_is_hung_up_on(bench):
    with bench.attached() as client, pytest.raises((EOFError, ConnectionError)):
        for _ in range(2000):
            client.submit(1, True, 512)
        client.answer()


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_end_the_server(bench, rubbish, after_attaching):
    with bench.client() as client:
        if after_attaching and client.attach() != 0:
            return  # the one before is still being hung up on
        client.wire.sendall(rubbish)
    with bench.client() as client:
        assert len(client.list()) == 1
