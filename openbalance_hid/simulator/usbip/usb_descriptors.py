"""USB descriptors of a deck: device, configuration, HID, reports and strings. Pure.

Layouts: USB 2.0, chapter 9.6, and Device Class Definition for HID 1.11, chapters 6.2 and 7.1. The values are those of a Stream
Deck: one configuration, one HID interface that is neither keyboard nor mouse, one interrupt endpoint in, and one out where the
model takes pictures. The requests for them are answered in `usb_device`.
"""

import struct
from enum import IntEnum

from openbalance_hid.simulator.device.models import (
    INPUT_REPORT_ID,
    OUTPUT_REPORT_ID,
    UNIT_INFORMATION_BYTES,
    UNIT_INFORMATION_ID,
    VENDOR_ID,
    DeckModel,
)

DEVICE_RELEASE = 0x0100
HID_CLASS = 0x03
HIGH_SPEED_PACKET = 1024  # largest packet of an interrupt endpoint at high speed (USB 2.0, 5.7.3)
POLL_EXPONENT = 4  # bInterval of high speed: every 2 ** (4 - 1) microframes of 125 µs, which is 1 ms
POWERED_BY_BUS_WAKES = 0xA0
MILLIAMPERES_HALVED = 250  # 500 mA
ENGLISH = 0x0409
MANUFACTURER = "Elgato"


class DescriptorType(IntEnum):
    """bDescriptorType."""

    DEVICE = 0x01
    CONFIGURATION = 0x02
    STRING = 0x03
    INTERFACE = 0x04
    ENDPOINT = 0x05
    HID = 0x21
    REPORT = 0x22


class UsbEndpoint(IntEnum):
    """Endpoint numbers, without the direction bit."""

    CONTROL = 0
    INPUT = 1
    OUTPUT = 2


class StringIndex(IntEnum):
    """Indices of string descriptors."""

    LANGUAGES = 0
    MANUFACTURER = 1
    PRODUCT = 2
    SERIAL = 3


def device_descriptor(model: DeckModel) -> bytes:
    """Return the device descriptor: 18 bytes."""
    return struct.pack(
        "<BBHBBBBHHHBBBB",
        18,
        DescriptorType.DEVICE,
        0x0200,  # USB 2.0
        0,  # class: see the interface
        0,
        0,
        64,
        VENDOR_ID,
        model.product_id,
        DEVICE_RELEASE,
        StringIndex.MANUFACTURER,
        StringIndex.PRODUCT,
        StringIndex.SERIAL,
        1,
    )


def configuration_descriptor(model: DeckModel) -> bytes:
    """Return the configuration with its interface, HID descriptor and endpoints."""
    endpoints = [_endpoint(0x80 | UsbEndpoint.INPUT, model.input_length)]
    if model.output_length:
        endpoints.append(_endpoint(UsbEndpoint.OUTPUT, model.output_length))
    interface = struct.pack("<BBBBBBBBB", 9, DescriptorType.INTERFACE, 0, 0, len(endpoints), HID_CLASS, 0, 0, 0)
    parts = b"".join([interface, hid_descriptor(model), *endpoints])
    head = (9, DescriptorType.CONFIGURATION, 9 + len(parts), 1, 1, 0, POWERED_BY_BUS_WAKES, MILLIAMPERES_HALVED)
    return struct.pack("<BBHBBBBB", *head) + parts


def hid_descriptor(model: DeckModel) -> bytes:
    """Return the HID descriptor, 9 bytes: HID 1.11, no country, one report descriptor and its length."""
    return struct.pack("<BBHBBBH", 9, DescriptorType.HID, 0x0111, 0, 1, DescriptorType.REPORT, len(report_descriptor(model)))


def report_descriptor(model: DeckModel) -> bytes:
    """Return a descriptor that declares every report as plain bytes: id and length, as the real device does."""
    reports = [_report(INPUT_REPORT_ID, model.input_length, _INPUT)]
    if model.output_length:
        reports.append(_report(OUTPUT_REPORT_ID, model.output_length, _OUTPUT))
    reports += [_report(number, length, _FEATURE) for number, length in sorted(feature_lengths(model).items())]
    return _CONSUMER_CONTROL + b"".join(reports) + _END


def feature_lengths(model: DeckModel) -> dict[int, int]:
    """Return feature report id -> length in bytes with the id; where a device takes several lengths, the documented one."""
    texts = {text.report_id: text.lengths[0] for text in (model.serial, model.firmware)}
    commands = [each for each in (model.brightness, model.reset, model.key_fill) if each is not None]
    unit = {UNIT_INFORMATION_ID: UNIT_INFORMATION_BYTES} if model.lcd is not None else {}
    return texts | unit | {command.prefix[0]: command.lengths[0] for command in commands}


def string_descriptor(model: DeckModel, serial: str, index: int) -> bytes | None:
    """Return the string descriptor (UTF-16); None for an unknown index."""
    if index == StringIndex.LANGUAGES:
        return struct.pack("<BBH", 4, DescriptorType.STRING, ENGLISH)
    texts: dict[int, str] = {
        StringIndex.MANUFACTURER: MANUFACTURER,
        StringIndex.PRODUCT: model.title,
        StringIndex.SERIAL: serial,
    }
    if index not in texts:
        return None
    text = texts[index].encode("utf-16-le")
    return bytes([2 + len(text), DescriptorType.STRING]) + text


def _endpoint(address: int, report_length: int) -> bytes:
    return struct.pack(
        "<BBBBHB", 7, DescriptorType.ENDPOINT, address, 0x03, min(report_length, HIGH_SPEED_PACKET), POLL_EXPONENT
    )


# Items of a report descriptor (HID 1.11, 6.2.2): a byte of tag, type and size, then the value.
_CONSUMER_CONTROL = b"\x05\x0c\x09\x01\xa1\x01"  # usage page consumer, usage consumer control, collection application
_END = b"\xc0"
_BYTES = b"\x15\x00\x26\xff\x00\x75\x08"  # 0 to 255, 8 bits
_VENDOR_USAGE = b"\x06\x00\xff\x09\x00"  # vendor-defined meaning
_INPUT, _OUTPUT, _FEATURE = 0x81, 0x91, 0xB1  # with one byte: 2, data, variable, absolute


def _report(number: int, length: int, kind: int) -> bytes:
    return bytes([0x85, number]) + _VENDOR_USAGE + _BYTES + b"\x96" + struct.pack("<H", length - 1) + bytes([kind, 0x02])
