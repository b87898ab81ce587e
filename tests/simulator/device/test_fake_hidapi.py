"""The behaviour of hidapi: the virtual bus compared with the real module, where both can be tested."""

import errno
from types import ModuleType
from typing import Any

import pytest

from openbalance_hid.deck.hid_module import load_hidapi
from openbalance_hid.simulator.device.fake_hidapi import DeviceInfo, VirtualBus
from tests.simulator.device.reports import virtual


@pytest.fixture(params=["virtual", "real"])
def module(request: pytest.FixtureRequest) -> Any:
    return VirtualBus() if request.param == "virtual" else load_hidapi()


def test_a_handle_that_is_not_open_raises_value_error(module: VirtualBus | ModuleType) -> None:
    handle = module.device()
    for call in (
        lambda: handle.read(5, 10),
        lambda: handle.write(b"\x02"),
        lambda: handle.send_feature_report(b"\x02"),
        lambda: handle.get_feature_report(2, 3),
        lambda: handle.set_nonblocking(1),
    ):
        with pytest.raises(ValueError, match=r"^not open$"):
            call()
    handle.close()
    handle.close()
    assert isinstance(handle.error(), str)


def test_opening_an_unknown_path_fails_without_a_reason(module: VirtualBus | ModuleType) -> None:
    with pytest.raises(OSError, match=r"^open failed$"):
        module.device().open_path(b"/dev/hidraw-none")


def test_nothing_is_listed_for_a_vendor_without_devices(module: VirtualBus | ModuleType) -> None:
    assert module.enumerate(0xFFFE, 0xFFFE) == []


def test_a_listing_has_the_fields_of_hidapi() -> None:
    words = str(load_hidapi().enumerate.__doc__)
    (info,) = VirtualBus([virtual()]).enumerate(0x0FD9, 0x0080)
    assert set(info) == set(DeviceInfo.__annotations__)
    assert all(f"'{name}'" in words for name in info)
    assert words.count("- '") == len(info)


def test_a_deck_that_is_gone_takes_writes_with_minus_one_and_fails_reads() -> None:
    deck = virtual()
    bus = VirtualBus([deck])
    handle = bus.device()
    handle.open_path(deck.path.encode())
    assert handle.read(19, 1) == []
    deck.unplug()
    assert handle.write(b"\x02" + bytes(1023)) == -1
    assert handle.send_feature_report(b"\x03\x02" + bytes(30)) == -1
    for call in (lambda: handle.read(19, 1000), lambda: handle.get_feature_report(6, 32)):
        with pytest.raises(OSError, match=r"^read error$"):
            call()
    assert handle.error() == "no such device"
    assert bus.enumerate() == []


def test_the_bus_returns_why_a_deck_cannot_be_opened() -> None:
    deck = virtual()
    bus = VirtualBus()
    path = deck.path.encode()
    assert getattr(bus.open_error(path), "errno", None) == errno.ENOENT
    bus.plug(deck)
    assert bus.open_error(path) is None
    deck.refuse()
    assert getattr(bus.open_error(path), "errno", None) == errno.EACCES
    deck.refuse(False)
    deck.own()
    assert getattr(bus.open_error(path), "errno", None) == errno.EBUSY
