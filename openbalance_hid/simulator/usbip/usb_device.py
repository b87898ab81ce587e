"""A virtual deck as a USB device: its answers on each endpoint. No socket and no thread; `usbip_link` carries the transfers.

An unknown request is a stall, as on the bus. Requests: USB 2.0, 9.4; HID 1.11, 7.2.
"""

import errno
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.usbip.usb_descriptors import (
    DescriptorType,
    configuration_descriptor,
    device_descriptor,
    hid_descriptor,
    report_descriptor,
    string_descriptor,
)

_TO_HOST = 0x80
_CLASS = 0x20
_INTERFACE = 0x01


class _Standard(IntEnum):
    GET_STATUS = 0x00
    CLEAR_FEATURE = 0x01
    SET_FEATURE = 0x03
    GET_DESCRIPTOR = 0x06
    GET_CONFIGURATION = 0x08
    SET_CONFIGURATION = 0x09
    GET_INTERFACE = 0x0A
    SET_INTERFACE = 0x0B


class _Hid(IntEnum):
    GET_REPORT = 0x01
    GET_IDLE = 0x02
    SET_REPORT = 0x09
    SET_IDLE = 0x0A


class _ReportType(IntEnum):
    OUTPUT = 2
    FEATURE = 3


@dataclass(frozen=True, slots=True)
class SetupPacket:
    """The first eight bytes of a control transfer."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @classmethod
    def of(cls, raw: bytes) -> "SetupPacket":
        """Return the decoded packet. Raises struct.error unless `raw` has 8 bytes."""
        return cls(*struct.unpack("<BBHHH", raw))

    @property
    def to_host(self) -> bool:
        """Return whether the data goes from the device to the host."""
        return bool(self.request_type & _TO_HOST)


def stall_error(what: str) -> OSError:
    """Return the error for a request that the device refuses."""
    return OSError(errno.EPIPE, what)


class UsbDeck:
    """One deck on the bus. Thread-safe. Errors are OSError; EPIPE is a stall."""

    def __init__(self, deck: VirtualDeck) -> None:
        self.deck = deck
        self._configuration = 0

    def control(self, setup: SetupPacket, data: bytes) -> bytes:
        """Run a request of endpoint 0 and return its data, at most `setup.length` bytes. Waits while the deck is stalled."""
        kind, request = setup.request_type & 0x60, setup.request
        if kind == _CLASS and setup.request_type & 0x1F == _INTERFACE:
            return self._hid_request(setup, data)
        if kind:
            raise stall_error(f"request type {setup.request_type:#04x}")
        match request:
            case _Standard.GET_DESCRIPTOR if setup.to_host:
                return self._descriptor(setup.value >> 8, setup.value & 0xFF)[: setup.length]
            case _Standard.GET_STATUS if setup.to_host:
                return b"\0\0"[: setup.length]
            case _Standard.GET_CONFIGURATION if setup.to_host:
                return bytes([self._configuration])[: setup.length]
            case _Standard.GET_INTERFACE if setup.to_host:
                return b"\0"[: setup.length]
            case _Standard.SET_CONFIGURATION if setup.value in (0, 1):
                self._configuration = setup.value
                return b""
            case _Standard.SET_INTERFACE if setup.value == 0:
                return b""
            case _Standard.CLEAR_FEATURE | _Standard.SET_FEATURE:
                return b""
        raise stall_error(f"request {request:#04x} with value {setup.value:#06x}")

    def output(self, report: bytes) -> None:
        """Write an output report to the deck. Waits while the deck is stalled."""
        if not self.deck.model.output_length:
            raise stall_error("no output endpoint")
        self.deck.write(report)

    def input(self, cancelled: Callable[[], bool]) -> bytes:
        """Return the next input report; waits for it. b"" once `cancelled()`, see `VirtualDeck.read`."""
        return self.deck.read(self.deck.model.input_length, None, cancelled=cancelled)

    def _descriptor(self, kind: int, index: int) -> bytes:
        model = self.deck.model
        match kind:
            case DescriptorType.DEVICE:
                return device_descriptor(model)
            case DescriptorType.CONFIGURATION if index == 0:
                return configuration_descriptor(model)
            case DescriptorType.HID:
                return hid_descriptor(model)
            case DescriptorType.REPORT:
                return report_descriptor(model)
            case DescriptorType.STRING:
                text = string_descriptor(model, self.deck.serial, index)
                if text is not None:
                    return text
        raise stall_error(f"descriptor {kind:#04x} number {index}")

    def _hid_request(self, setup: SetupPacket, data: bytes) -> bytes:
        kind, number = setup.value >> 8, setup.value & 0xFF
        match setup.request:
            case _Hid.GET_REPORT if setup.to_host and kind == _ReportType.FEATURE:
                return self.deck.get_feature(number, setup.length)
            case _Hid.SET_REPORT if kind == _ReportType.FEATURE:
                self.deck.send_feature(data)
                return b""
            case _Hid.SET_REPORT if kind == _ReportType.OUTPUT:
                self.output(data)
                return b""
            case _Hid.GET_IDLE if setup.to_host:
                return b"\0"[: setup.length]
            case _Hid.SET_IDLE:
                return b""
        raise stall_error(f"HID request {setup.request:#04x} with value {setup.value:#06x}")
