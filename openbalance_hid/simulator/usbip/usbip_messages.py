"""What is said over USB/IP, version 1.1.1: messages into bytes and back. Pure.

Source: docs.kernel.org/usb/usbip_protocol.html. Numbers are big-endian. First the two ends exchange requests of their own
("operations"); after an import the same connection carries USB transfers, each a head of 48 bytes and its data.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from openbalance_hid.simulator.device.models import VENDOR_ID, DeckModel
from openbalance_hid.simulator.usbip.usb_descriptors import DEVICE_RELEASE, HID_CLASS

VERSION = 0x0111
REQUEST_LIST, REPLY_LIST = 0x8005, 0x0005
REQUEST_IMPORT, REPLY_IMPORT = 0x8003, 0x0003
OK, NOT_AVAILABLE, BUSY, NO_DEVICE = 0, 1, 2, 4  # status of an operation

OPERATION = struct.Struct(">HHI")  # version, code, status
BUS_ID_BYTES = 32
HIGH_SPEED = 3
BUS = 1

SUBMIT, UNLINK = 1, 2
SUBMITTED, UNLINKED = 3, 4  # what answers these
OUT, IN = 0, 1
HEAD_BYTES = 48
LONGEST_TRANSFER = 16384  # HID reports go up to that in Linux (HID_MAX_BUFFER_SIZE)
_HEAD = struct.Struct(">IIIII")  # command, sequence number, device, direction, endpoint
_SUBMIT = struct.Struct(">IiiiI8s")  # flags, buffer length, start frame, packets, interval, setup
_SUBMITTED = struct.Struct(">iiiii8x")  # status, actual length, start frame, packets, errors
_UNLINK = struct.Struct(">I24x")  # which sequence number
_UNLINKED = struct.Struct(">i24x")  # status
_DEVICE = struct.Struct(">256s32sIIIHHHBBBBBB")


@dataclass(frozen=True, slots=True)
class Exported:
    """A deck that can be imported. `number`: from 1, the port of the bus that it is plugged into."""

    number: int
    model: DeckModel

    @property
    def bus_id(self) -> str:
        """As `usbip` names it: "1-1"."""
        return f"{BUS}-{self.number}"


@dataclass(frozen=True, slots=True)
class Submit:
    """A transfer that the host wants. `length`: of its buffer, in bytes."""

    sequence: int
    direction: int
    endpoint: int
    length: int
    setup: bytes


@dataclass(frozen=True, slots=True)
class Unlink:
    """The host does not want that transfer any more."""

    sequence: int
    unwanted: int


class NonsenseError(Exception):
    """What arrived is not USB/IP, or not what a HID device has."""


def device_list(exported: Sequence[Exported]) -> bytes:
    """The answer to REQUEST_LIST."""
    interface = bytes([HID_CLASS, 0, 0, 0])
    devices = b"".join(_device(one) + interface for one in exported)
    return OPERATION.pack(VERSION, REPLY_LIST, OK) + struct.pack(">I", len(exported)) + devices


def imported(one: Exported) -> bytes:
    """The good answer to REQUEST_IMPORT."""
    return OPERATION.pack(VERSION, REPLY_IMPORT, OK) + _device(one)


def not_imported(status: int) -> bytes:
    """The other answer."""
    return OPERATION.pack(VERSION, REPLY_IMPORT, status)


def _device(one: Exported) -> bytes:
    path = f"/sys/devices/virtual/{one.model.name}/{one.bus_id}".encode()
    numbers = (BUS, one.number, HIGH_SPEED, VENDOR_ID, one.model.product_id, DEVICE_RELEASE)
    return _DEVICE.pack(path, one.bus_id.encode(), *numbers, 0, 0, 0, 1, 1, 1)


def understand(head: bytes) -> Submit | Unlink:
    """What a head of HEAD_BYTES says; the data of a Submit that goes out follows it. Raises NonsenseError."""
    command, sequence, _device_id, direction, endpoint = _HEAD.unpack_from(head)
    rest = head[_HEAD.size :]
    if command == UNLINK:
        return Unlink(sequence, *_UNLINK.unpack(rest))
    if command != SUBMIT:
        raise NonsenseError(f"command {command:#x}")
    _flags, length, _start, packets, _interval, setup = _SUBMIT.unpack(rest)
    if direction not in (OUT, IN) or not 0 <= length <= LONGEST_TRANSFER:
        raise NonsenseError(f"a transfer of {length} bytes in direction {direction}")
    if packets not in (0, -1):
        raise NonsenseError(f"an isochronous transfer of {packets} packets")
    return Submit(sequence, direction, endpoint, length, setup)


def submitted(done: Submit, status: int, length: int, data: bytes = b"") -> bytes:
    """The end of a transfer: `status` 0 or a negative errno, bytes that went over, and those that go to the host."""
    return _HEAD.pack(SUBMITTED, done.sequence, 0, 0, 0) + _SUBMITTED.pack(status, length, 0, 0, 0) + data


def unlinked(asked: Unlink, status: int) -> bytes:
    """The answer to Unlink: -ECONNRESET when the transfer was given up, 0 when it had ended already."""
    return _HEAD.pack(UNLINKED, asked.sequence, 0, 0, 0) + _UNLINKED.pack(status)
