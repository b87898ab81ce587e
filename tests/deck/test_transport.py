"""The transport's contract with the library: on every simulated model, and on real hardware with --deck SERIAL."""

import ctypes
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from StreamDeck.Transport.Transport import TransportError

from openbalance_hid.deck.hid_module import INTERRUPT, load_hidapi, prepare_hidapi
from openbalance_hid.deck.products import FoundDeck, find_decks
from openbalance_hid.deck.transport import HidDevice, HidTransport
from openbalance_hid.errors import DeckBusyError, DeckError, DeckGoneError, DeckRefusedError
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus, VirtualHandle
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.deck.rig import SERIAL, Rig
from tests.waiting import PATIENCE_S


@pytest.fixture(params=[*MODELS, pytest.param("hardware", marks=pytest.mark.hardware)])
def found(request: pytest.FixtureRequest) -> Iterator[FoundDeck]:
    request.node.wake = lambda: None
    if request.param == "hardware":
        serial = request.config.getoption("--deck")
        deck = next(deck for deck in find_decks(HidTransport()) if deck.serial.endswith(serial))
        yield deck
        deck.deck.device.close()
        return
    rig = Rig(request.param)
    request.node.wake = lambda: rig.deck.press(0)
    found = rig.find()
    yield found
    found.deck.device.close()
    rig.end()


def test_a_deck_is_listed_closed_with_its_path_and_ids(found: FoundDeck) -> None:
    device = found.deck.device
    assert not device.is_open()
    assert device.connected()
    assert (device.path(), device.vendor_id(), device.product_id()) == (found.path, 0x0FD9, found.product_id)


def test_opening_and_closing_twice_is_harmless(found: FoundDeck) -> None:
    device = found.deck.device
    device.close()
    device.open()
    device.open()
    assert device.is_open()
    device.close()
    device.close()
    assert not device.is_open()
    assert device.wait_released(PATIENCE_S)


def test_a_closed_deck_can_be_opened_again(found: FoundDeck) -> None:
    device = found.deck.device
    device.open()
    device.close()
    device.open()
    assert found.serial.endswith(found.deck.get_serial_number())


def test_a_feature_report_has_the_requested_length_and_starts_with_its_id(found: FoundDeck) -> None:
    device = found.deck.device
    device.open()
    report_id, length = (0x03, 17) if found.model in ("original", "mini") else (0x06, 32)
    if found.model in ("mini-mk2", "mini-discord", "module-6"):
        report_id = 0x03
    report = device.read_feature(report_id, length)
    assert isinstance(report, bytes)
    assert (len(report), report[0]) == (length, report_id)
    assert found.serial.encode() in report


def test_sent_reports_are_counted(found: FoundDeck) -> None:
    if not found.deck.is_visual():
        found.deck.device.open()
        assert found.deck.device.reports_sent == 0
        return
    found.deck.device.open()
    found.deck.set_brightness(50)
    found.deck._reset_key_stream()
    assert found.deck.device.reports_sent == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda device: device.read(32),
        lambda device: device.write(bytes(1024)),
        lambda device: device.read_feature(6, 32),
        lambda device: device.write_feature(bytes(32)),
    ],
    ids=["read", "write", "read_feature", "write_feature"],
)
def test_a_deck_that_is_not_open_raises_the_librarys_own_error(found: FoundDeck, call: Any) -> None:
    with pytest.raises(TransportError, match="not open"):
        call(found.deck.device)


def test_the_librarys_reader_ends_after_closing_and_nothing_was_lost(found: FoundDeck, request: pytest.FixtureRequest) -> None:
    lost: list[str] = []
    found.deck.device.on_lost = lost.append
    found.deck.open()
    assert not any(found.deck.key_states())
    found.deck.run_read_thread = False
    found.deck.close()
    request.node.wake()  # a report ends the slice early; on hardware the test waits for its end
    found.deck.read_thread.join(PATIENCE_S)
    assert not found.deck.read_thread.is_alive()
    assert lost == []


# --- only with a simulated deck --------------------------------------------------------------------------------------------


def device_of(rig: Rig) -> HidDevice:
    device: HidDevice = rig.find().deck.device
    return device


class Reading:
    """A read on a thread of its own, and how it ended."""

    def __init__(self, device: HidDevice, length: int = 19) -> None:
        self.report: bytes | None = b"not ended"
        self.error: TransportError | None = None
        self._thread = threading.Thread(target=self._read, args=(device, length))
        self._thread.start()

    def _read(self, device: HidDevice, length: int) -> None:
        try:
            self.report = device.read(length)
        except TransportError as error:
            self.error = error

    def end(self) -> "Reading":
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        return self


class GatedDeck(VirtualDeck):
    """A deck whose reads stay inside the handle until the test opens the gate."""

    def __init__(self, report: bytes) -> None:
        self.inside, self.gate = threading.Event(), threading.Event()
        self._report = report  # what the read returns when the gate opens
        super().__init__(MODELS["mk2"], SERIAL)

    def read(self, length: int, timeout_s: float | None, epoch: int | None = None, *cancelled: Callable[[], bool]) -> bytes:
        self.inside.set()
        assert self.gate.wait(PATIENCE_S)
        return self._report


@pytest.mark.parametrize("report", [b"", b"\x01\x00\x0f\x00\x01"], ids=["idle", "pressed meanwhile"])
def test_closing_does_not_wait_for_a_blocked_read_nor_free_its_handle(report: bytes) -> None:
    deck = GatedDeck(report)
    bus = VirtualBus([deck])
    (device,) = HidTransport(bus).enumerate(0x0FD9, None)
    device.open()
    reading = Reading(device)
    assert deck.inside.wait(PATIENCE_S)
    device.close()
    assert not device.is_open()
    assert not device.wait_released(0), "the handle was freed while a read was in it"
    deck.gate.set()
    assert reading.end().report is None
    assert device.wait_released(PATIENCE_S)
    assert bus.misuse == []


class SystemHandle(VirtualHandle):
    """A handle whose reads wait in poll(2), as hidapi's do on Linux, and fail as hidapi's when a signal ends them."""

    interrupt = None  # type: ignore[assignment]

    def __init__(self, bus: VirtualBus) -> None:
        super().__init__(bus)
        self.waits = threading.Event()

    def read(self, max_length: int, timeout_ms: int = 0) -> list[int]:
        self.waits.set()
        if ctypes.CDLL(None).poll(None, 0, int(1000 * PATIENCE_S)) < 0:
            raise OSError("read error")
        return []


@pytest.mark.skipif(sys.platform != "linux", reason="hidapi waits in poll(2) on Linux only")
def test_closing_ends_a_read_that_waits_in_the_system() -> None:
    before = signal.getsignal(INTERRUPT)
    prepare_hidapi()
    try:
        bus = VirtualBus([VirtualDeck(MODELS["mk2"], SERIAL)])
        handles = [SystemHandle(bus)]
        bus.device = lambda: handles[0]  # type: ignore[method-assign]
        (device,) = HidTransport(bus).enumerate(0x0FD9, None)
        device.open()
        reading = Reading(device)
        assert handles[0].waits.wait(PATIENCE_S)
        device.close()
        assert device.wait_released(PATIENCE_S / 2), "the read waits to the end of its slice"
        assert (reading.end().report, reading.error, bus.misuse) == (None, None, [])
    finally:
        signal.signal(INTERRUPT, before)


def test_a_press_ends_a_blocked_read_with_the_whole_report(rig: Rig) -> None:
    device = device_of(rig)
    device.open()
    reading = Reading(device)
    rig.deck.press(3)
    report = reading.end().report
    device.close()
    assert report == bytes([1, 0, 15, 0]) + bytes(key == 3 for key in range(15))


def test_a_short_report_is_padded_so_that_the_librarys_reader_survives_it(rig: Rig) -> None:
    device = device_of(rig)
    device.open()
    rig.deck.send_raw(b"\x01\x00")
    assert device.read(19) == b"\x01".ljust(19, b"\0")
    device.close()


def test_unplugging_ends_a_blocked_read_and_is_reported_once(rig: Rig) -> None:
    device, lost = device_of(rig), []
    device.on_lost = lost.append
    device.open()
    reading = Reading(device)
    rig.deck.unplug()
    assert reading.end().error is not None
    with pytest.raises(TransportError):
        device.write(bytes(1024))
    assert lost == [f"lost deck at {device.path()}: no such device"]
    assert not device.is_open()
    assert not device.connected()
    assert device.wait_released(PATIENCE_S)


def test_a_call_after_the_loss_fails_for_the_reason_of_the_loss(rig: Rig) -> None:
    device, lost = rig.find().deck.device, []
    device.on_lost = lost.append
    device.open()
    rig.deck.unplug()
    for _ in range(2):
        with pytest.raises(TransportError) as error:
            device.write(bytes(1024))
        assert [str(error.value)] == lost
    rig.deck.plug()
    device.open()
    device.close()
    with pytest.raises(TransportError, match="is not open"):
        device.write(bytes(1024))


@pytest.mark.parametrize(
    "call",
    [
        lambda device: device.write(b"\x02" + bytes(1023)),
        lambda device: device.write_feature(b"\x03\x08\x32" + bytes(29)),
        lambda device: device.read_feature(6, 32),
    ],
    ids=["write", "write_feature", "read_feature"],
)
def test_a_report_to_a_disconnected_deck_is_an_error_although_hidapi_raises_none(rig: Rig, call: Any) -> None:
    device, lost = device_of(rig), []
    device.on_lost = lost.append
    device.open()
    rig.deck.unplug()
    with pytest.raises(TransportError, match="no such device"):
        call(device)
    assert len(lost) == 1
    assert device.reports_sent == 0


def test_a_handle_that_died_in_a_suspend_is_lost_and_the_path_opens_again(rig: Rig) -> None:
    device, lost = device_of(rig), []
    device.on_lost = lost.append
    device.open()
    rig.deck.kill_handle()
    with pytest.raises(TransportError):
        device.write(b"\x02" + bytes(1023))
    assert len(lost) == 1
    assert device.connected()
    device.open()
    assert device.write(b"\x02" + bytes(1023)) == 1024
    device.close()


def test_a_hung_deck_is_lost(rig: Rig) -> None:
    device, lost = device_of(rig), []
    device.on_lost = lost.append
    device.open()
    rig.deck.stall(timeout_s=0.01)
    with pytest.raises(TransportError, match="timed out"):
        device.write(b"\x02" + bytes(1023))
    assert lost == [f"lost deck at {device.path()}: connection timed out"]


def test_closing_is_never_reported_as_a_loss(rig: Rig) -> None:
    device, lost = device_of(rig), []
    device.on_lost = lost.append
    device.open()
    reading = Reading(device)
    device.close()
    rig.deck.unplug()
    reading.end()
    assert lost == []


def test_a_deck_that_is_refused_raises_an_error_with_the_command_that_helps(rig: Rig) -> None:
    device = device_of(rig)
    rig.deck.refuse()
    with pytest.raises(DeckRefusedError) as refused:
        device.open()
    assert refused.value.message == f"cannot open deck at {device.path()}: permission denied"
    assert refused.value.hint == "openbalance-hid udev install"
    assert not device.is_open()
    rig.deck.refuse(False)
    device.open()
    device.close()


def test_a_deck_that_another_program_uses_is_busy(rig: Rig) -> None:
    device = device_of(rig)
    rig.deck.own()
    with pytest.raises(DeckBusyError, match=f"cannot open deck at {device.path()}: another program is using it"):
        device.open()


def test_a_deck_that_was_unplugged_before_it_was_opened_is_gone(rig: Rig) -> None:
    device = device_of(rig)
    rig.deck.unplug()
    with pytest.raises(DeckGoneError, match="no such device"):
        device.open()


def test_a_deck_that_is_listed_twice_is_found_once(rig: Rig) -> None:
    rig.bus.decks.append(rig.deck)
    assert len(rig.transport.enumerate(0x0FD9, None)) == 1
    assert rig.transport.enumerate(0x0FD9, 0x0063) == []
    rig.bus.decks.pop()


# --- on the real hidapi ----------------------------------------------------------------------------------------------------


def real_device(path: bytes) -> HidDevice:
    return HidDevice(load_hidapi(), {"path": path, "vendor_id": 0x0FD9, "product_id": 0x0080, "serial_number": ""})


def test_the_real_hidapi_loads_and_lists() -> None:
    HidTransport.probe()
    assert isinstance(HidTransport().enumerate(0x0FD9, None), list)


def test_a_missing_node_is_gone_for_the_real_hidapi_too() -> None:
    with pytest.raises(DeckGoneError, match=r"cannot open deck at /dev/hidraw-none: no such"):
        real_device(b"/dev/hidraw-none").open()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has device nodes")
@pytest.mark.parametrize(
    ("error", "words", "hint"),
    [
        (errno.EACCES, "permission denied", "openbalance-hid udev install"),
        (errno.EPERM, "this container or service does not permit the device", ""),  # where no rule helps
    ],
    ids=["mode", "list of devices"],
)
def test_a_refused_node_is_refused_for_the_real_hidapi_too(
    monkeypatch: pytest.MonkeyPatch, error: int, words: str, hint: str
) -> None:
    def refuse(path: object, flags: int) -> int:
        raise PermissionError(error, os.strerror(error))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DeckRefusedError) as refused:
        real_device(b"/dev/hidraw-none").open()
    assert (refused.value.message, refused.value.hint) == (f"cannot open deck at /dev/hidraw-none: {words}", hint)


def test_hidapi_that_cannot_be_loaded_is_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hid", "hidraw"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DeckError, match="cannot load hidapi") as failed:
        HidTransport().enumerate(0x0FD9, None)
    assert failed.value.hint.startswith("pip install")


def test_hidapi_is_loaded_only_for_a_scan() -> None:
    code = "import sys, openbalance_hid.deck.device; sys.exit(bool({'hid', 'hidraw'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
