"""The blank tile: a dark key, with the user's label if it has one."""

from msgspec.structs import replace

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.actions import Nothing
from openbalance_hid.tiles.kind import TileCase
from tools.tile_cases import face_of_case

KEY = TileCase("blank")


def test_it_shows_nothing_and_a_tap_does_nothing():
    view = face_of_case(TILES["blank"], KEY, "dark").view
    assert (view.title, view.blocks, view.text, TILES["blank"].tap) == ("", (), "blank", Nothing())


def test_a_label_is_its_title_and_its_accessible_text():
    view = face_of_case(TILES["blank"], replace(KEY, label="Desk"), "dark").view
    assert (view.title, view.blocks, view.text) == ("Desk", (), "Desk")
