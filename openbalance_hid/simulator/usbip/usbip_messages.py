"""Messages of USB/IP, version 1.1.1: encoding and decoding. Pure.

Source: docs.kernel.org/usb/usbip_protocol.html. Numbers are big-endian. A connection starts with an operation
(list or import); after an import it carries USB transfers, each a header of 48 bytes and its data.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from openbalance_hid.simulator.device.models import VENDOR_ID, DeckModel
from openbalance_hid.simulator.usbip.usb_descriptors import DEVICE_RELEASE, HID_CLASS

VERSION = 0x0111
REQUEST_LIST, REPLY_LIST = 0x8005, 0x0005
REQUEST_IMPORT, REPLY_IMPORT = 0x8003, 0x0003
OK, BUSY, NO_DEVICE = 0, 2, 4  # status of an operation

OPERATION = struct.Struct(">HHI")  # version, code, status
BUS_ID_BYTES = 32
HIGH_SPEED = 3
BUS = 1

SUBMIT, UNLINK = 1, 2
SUBMITTED, UNLINKED = 3, 4  # the answers to these
OUT, IN = 0, 1
HEADER_BYTES = 48
LONGEST_TRANSFER = 16384  # the longest HID report in Linux (HID_MAX_BUFFER_SIZE)
_HEADER = struct.Struct(">IIIII")  # command, sequence number, device, direction, endpoint
_SUBMIT = struct.Struct(">IiiiI8s")  # flags, buffer length, start frame, packets, interval, setup
_SUBMITTED = struct.Struct(">iiiii8x")  # status, actual length, start frame, packets, errors
_UNLINK = struct.Struct(">I24x")  # sequence number of the transfer to cancel
_UNLINKED = struct.Struct(">i24x")  # status
_DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")


@dataclass(frozen=True, slots=True)
class ExportedDeck:
    """A deck that can be imported. `number`: its port of the bus, from 1."""

    number: int
    model: DeckModel

    @property
    def bus_id(self) -> str:
        """Return the bus id as `usbip` prints it: "1-1"."""
        return f"{BUS}-{self.number}"


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """A transfer that the host requests. `length`: bytes of its buffer."""

    sequence: int
    direction: int
    endpoint: int
    length: int
    setup: bytes


@dataclass(frozen=True, slots=True)
class UnlinkRequest:
    """The host cancels a transfer."""

    sequence: int
    cancelled_sequence: int


class UsbIpProtocolError(Exception):
    """A message that is not valid USB/IP, or that no HID device supports."""


def device_list(exported: Sequence[ExportedDeck]) -> bytes:
    """Return the reply to REQUEST_LIST."""
    interface = bytes([HID_CLASS, 0, 0, 0])
    devices = b"".join(_device(one) + interface for one in exported)
    return OPERATION.pack(VERSION, REPLY_LIST, OK) + struct.pack(">I", len(exported)) + devices


def imported(one: ExportedDeck) -> bytes:
    """Return the reply to a successful REQUEST_IMPORT."""
    return OPERATION.pack(VERSION, REPLY_IMPORT, OK) + _device(one)


def not_imported(status: int) -> bytes:
    """Return the reply to a REQUEST_IMPORT that failed with `status`."""
    return OPERATION.pack(VERSION, REPLY_IMPORT, status)


def _device(one: ExportedDeck) -> bytes:
    path = f"/sys/devices/virtual/{one.model.name}/{one.bus_id}".encode()
    numbers = (BUS, one.number, HIGH_SPEED, VENDOR_ID, one.model.product_id, DEVICE_RELEASE)
    return _DEVICE.pack(path, one.bus_id.encode(), *numbers, 0, 0, 0, 1, 1, 1)


def decode_header(header: bytes) -> SubmitRequest | UnlinkRequest:
    """Return the request in a header of HEADER_BYTES; data of an OUT transfer follows it. Raises UsbIpProtocolError."""
    command, sequence, _device_id, direction, endpoint = _HEADER.unpack_from(header)
    rest = header[_HEADER.size :]
    if command == UNLINK:
        return UnlinkRequest(sequence, *_UNLINK.unpack(rest))
    if command != SUBMIT:
        raise UsbIpProtocolError(f"command {command:#x}")
    _flags, length, _start, packets, _interval, setup = _SUBMIT.unpack(rest)
    if direction not in (OUT, IN) or not 0 <= length <= LONGEST_TRANSFER:
        raise UsbIpProtocolError(f"a transfer of {length} bytes in direction {direction}")
    if packets not in (0, -1):
        raise UsbIpProtocolError(f"an isochronous transfer of {packets} packets")
    return SubmitRequest(sequence, direction, endpoint, length, setup)


def submitted(done: SubmitRequest, status: int, length: int, data: bytes = b"") -> bytes:
    """Return the result of a transfer: `status` 0 or a negative errno, bytes transferred, and the data for the host."""
    return _HEADER.pack(SUBMITTED, done.sequence, 0, 0, 0) + _SUBMITTED.pack(status, length, 0, 0, 0) + data


def unlinked(request: UnlinkRequest, status: int) -> bytes:
    """Return the reply to an UnlinkRequest: -ECONNRESET when the transfer was cancelled, 0 when it had ended before."""
    return _HEADER.pack(UNLINKED, request.sequence, 0, 0, 0) + _UNLINKED.pack(status)
