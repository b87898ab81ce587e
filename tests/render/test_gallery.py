"""The sheet of all tiles: each look once, touched keys, all troubles, both themes."""

from io import BytesIO

import pytest
from PIL import Image

from openbalance_hid.render.draw import draw
from openbalance_hid.render.theme import DARK, LIGHT
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.states import STATES
from openbalance_hid.tiles.view import Flash, Line, Notice
from tools.tile_gallery import cells_of, sheet_png


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("kind", TILES.values(), ids=TILES)
def test_the_sheet_shows_each_look_of_a_tile_once_and_with_a_name(kind, theme):
    cells = list(cells_of(kind, theme))
    looks = [(face.view.title, face.view.blocks, face.view.age, face.view.attention, face) for _, face in cells]
    assert len(set(looks)) == len(looks)
    assert cells[0][0] == "defaults"
    assert all(name for name, _ in cells)
    assert {face.view.theme for _, face in cells} == {theme}


@pytest.mark.parametrize("kind", TILES.values(), ids=TILES)
def test_the_sheet_shows_every_state_of_a_touched_key_for_every_tile(kind):
    faces = [face for _, face in cells_of(kind, "dark")]
    assert any(face.pressed and not face.ring for face in faces)
    assert any(face.pressed and face.ring >= 0.5 for face in faces)
    assert any(face.refreshing for face in faces)
    assert {face.flash for face in faces} == set(Flash)


@pytest.mark.parametrize("kind", [kind for kind in TILES.values() if kind.has_account], ids=lambda kind: kind.name)
def test_the_sheet_shows_all_words_of_trouble_with_and_without_a_value(kind):
    views = [face.view for _, face in cells_of(kind, "dark")]
    alone = {block.words for view in views for block in view.blocks if isinstance(block, Notice)}
    assert {state.words for state in STATES.values()} <= alone
    lines = {line.text for view in views for line in (*view.blocks, view.trouble) if isinstance(line, Line)}
    troubles = {state.words for health, state in STATES.items() if health.value != "preparing"}
    assert troubles <= lines


def test_every_alarm_is_on_the_sheet_calling_and_acknowledged():
    views = [face.view for _, face in cells_of(TILES["spike-alert"], "dark")]
    heroes = {(view.blocks[0].text, view.attention) for view in views if not isinstance(view.blocks[0], Notice)}
    assert {("Normal", False), ("Spike", True), ("Spike", False), ("Critical", True), ("Critical", False)} <= heroes


def test_a_sheet_shows_keys_as_they_are_drawn_for_the_deck():
    whole = Image.open(BytesIO(sheet_png(200, 100, ("dark",))))
    _, usual = next(cells_of(next(iter(TILES.values())), "dark"))
    key = draw(usual, 200, 100).tobytes()
    assert [y for y in range(200) if whole.crop((28, y, 228, y + 100)).tobytes() == key]


def test_a_sheet_shows_the_dark_theme_above_the_light_one():
    whole = Image.open(BytesIO(sheet_png(72, 72)))
    dark, light = ([y for y in range(whole.height) if whole.getpixel((30, y)) == each.background] for each in (DARK, LIGHT))
    assert len(dark) == len(light) > 72
    assert dark[-1] < light[0]


def test_a_sheet_of_one_theme_has_only_that_one():
    whole = Image.open(BytesIO(sheet_png(72, 72, ("light",))))
    assert DARK.background not in {colour for _, colour in whole.getcolors(1 << 20)}
