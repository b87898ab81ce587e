"""Descriptors of every model, read over a real socket as a kernel reads them."""

import struct
from collections.abc import Iterator

import pytest

from openbalance_hid.simulator.device.models import MODELS
from tests.simulator.usbip.usbip_client import SERIAL

EVERY_MODEL = pytest.mark.parametrize("model", MODELS)


@EVERY_MODEL
def test_the_device_descriptor_names_the_product(make_bench, model):
    with make_bench(model).attached() as client:
        raw = client.descriptor(1)
        assert len(raw) == raw[0] == 18
        assert struct.unpack("<HH", raw[8:12]) == (0x0FD9, MODELS[model].product_id)
        texts = [client.descriptor(3, index)[2:].decode("utf-16-le") for index in raw[14:17]]
        assert texts == ["Elgato", MODELS[model].title, SERIAL]
        assert client.descriptor(1, length=8) == raw[:8]  # the first read of a host, before it has the packet size


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
