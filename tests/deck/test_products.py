"""The library's product table, our names and the simulator's independent table agree."""

import pytest
from StreamDeck.DeviceManager import DeviceManager
from StreamDeck.Devices.StreamDeckMini import StreamDeckMini

from openbalance_hid.deck.products import NAMES, find_decks, product_ids
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.deck.rig import Rig


def test_every_product_that_the_library_drives_has_a_name() -> None:
    assert {product for _, product in product_ids()} == set(NAMES)


def test_product_ids_are_elgatos_each_once() -> None:
    ids = product_ids()
    assert {vendor for vendor, _ in ids} == {0x0FD9}
    assert len(set(ids)) == len(ids)


def test_deck_and_simulator_use_the_same_product_names() -> None:
    assert {row.product_id: (row.name, row.title) for row in MODELS.values()} == dict(NAMES)


@pytest.mark.parametrize("name", MODELS)
def test_the_librarys_class_has_the_geometry_of_the_simulated_product(name: str) -> None:
    row, rig = MODELS[name], Rig(name)
    found = rig.find()
    deck = found.deck
    assert (found.model, found.title, found.serial) == (row.name, row.title, rig.deck.serial)
    assert deck.key_layout() == (row.rows, row.cols)
    assert deck.key_image_format()["size"] == (row.key_width, row.key_height)
    assert deck.key_image_format()["format"].lower() == ("" if row.codec.value == "none" else row.codec.value)
    assert (deck.dial_count(), deck.touch_key_count()) == (row.dials, row.touch_keys)
    assert deck.touchscreen_image_format()["size"] == ((row.strip.width, row.strip.height) if row.strip else (0, 0))
    assert deck.screen_image_format()["size"] == ((row.screen.width, row.screen.height) if row.screen else (0, 0))


def test_a_product_that_the_library_lists_twice_is_found_once() -> None:
    bus = VirtualBus([VirtualDeck(MODELS["module-15"], "B1"), VirtualDeck(MODELS["module-15"], "B2")])
    assert [found.serial for found in find_decks(HidTransport(bus))] == ["B1", "B2"]


def test_a_product_of_another_vendor_in_the_librarys_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class OtherDeck(VirtualDeck):
        vendor_id = 0x1234

    def with_another_vendor(manager: DeviceManager) -> list[object]:
        devices = manager.transport.enumerate(vid=0x1234, pid=0x0063)
        return [*table(manager), *(StreamDeckMini(device) for device in devices)]

    table = DeviceManager.enumerate
    monkeypatch.setattr(DeviceManager, "enumerate", with_another_vendor)
    bus = VirtualBus([OtherDeck(MODELS["mini"], "B1"), VirtualDeck(MODELS["mini"], "B2")])
    found = {deck.serial: deck for deck in find_decks(HidTransport(bus))}
    assert (found["B1"].vendor_id, found["B1"].model, found["B2"].model) == (0x1234, "unknown-0063", "mini")
    assert (0x1234, 0x0063) in product_ids()


def test_finding_decks_opens_none(make_rig) -> None:
    rig = make_rig("xl")
    rig.deck.refuse()
    assert not rig.find().deck.is_open()


def test_a_product_that_has_no_name_yet_is_shown_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openbalance_hid.deck.products.NAMES", {})
    assert (Rig("mk2").find().model, Rig("mk2").find().title) == ("unknown-0080", "Stream Deck Original")
