"""Requests of endpoint 0: standard requests, feature reports, and stalls."""

import errno

import pytest

from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import FIRMWARE
from tests.simulator.usbip.usbip_client import SERIAL

EVERY_MODEL = pytest.mark.parametrize("model", MODELS)


def test_unknown_requests_stall(bench):
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


def test_the_first_requests_of_a_kernel_are_accepted(bench):
    with bench.attached() as client:
        assert client.write_control(0x00, 9, 1, b"").status == 0  # SET_CONFIGURATION
        assert client.read_control(0x80, 8, 0, 0, 1).data == b"\x01"
        assert client.read_control(0x80, 0, 0, 0, 2).data == b"\0\0"  # GET_STATUS
        assert client.write_control(0x01, 11, 0, b"").status == 0  # SET_INTERFACE
        assert client.write_control(0x21, 10, 0, b"").status == 0  # SET_IDLE
        assert client.write_control(0x02, 1, 0, b"").status == 0  # CLEAR_FEATURE of a halt


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


def test_a_feature_report_takes_effect(bench):
    with bench.attached() as client:
        done = client.write_control(0x21, 9, 0x0303, b"\x03\x08\x28".ljust(32, b"\0"))
        assert (done.status, done.length) == (0, 32)
    assert bench.deck.brightness == 40
    assert bench.deck.faults == []


def test_unknown_endpoints_stall(make_bench):
    with make_bench("pedal").attached() as client:
        for endpoint, to_host in ((2, False), (3, True), (15, False)):
            client.submit(endpoint, to_host, 4, data=b"" if to_host else b"\2\0\0\0")
            assert client.answer().status == -errno.EPIPE
