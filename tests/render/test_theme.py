"""Contrast and distinct states: in the tables, and in the pixels as drawn."""

from itertools import combinations

import pytest
from msgspec.structs import replace
from PIL import Image

from openbalance_hid.render.draw import draw
from openbalance_hid.render.items import ColumnItem, DotItem, IconItem, MeterItem, Role, TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.render.theme import DARK, LIGHT, contrast, inverted, luminance, theme_named
from openbalance_hid.tiles.view import Icon, KeyFace, Tone
from tests.render.eyes import APART, EYES, clear_pixels, seen, strongest
from tests.render.faces import BALANCE, DOWN, STATES, THEMES, themed


def test_contrast_follows_the_definition():
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert luminance((255, 0, 0)) == pytest.approx(0.2126)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_tone_can_colour_a_hero(theme):
    for tone in Tone:
        assert contrast(theme.colour(tone), theme.background) >= 7, tone
    assert contrast(theme.stale, theme.background) >= 7


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_graphical_parts_stand_out_from_ground_and_track(theme):
    for tone in (Tone.ACCENT, Tone.GOOD, Tone.WARN, Tone.ALARM):
        assert contrast(theme.colour(tone), theme.surface) >= 3, tone
    assert contrast(theme.column, theme.background) >= 3
    assert all(contrast(stripe, theme.background) >= 3 for stripe in theme.stripes)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("tone", [Tone.WARN, Tone.ALARM])
def test_a_tile_that_calls_is_filled_and_still_readable(theme, tone):
    calling = inverted(theme, tone)
    assert contrast(calling.ink, calling.background) >= 7
    assert contrast(calling.background, (0, 0, 0)) >= 2  # seen on the deck's black body
    assert {calling.colour(each) for each in Tone} == {calling.ink}


def test_an_unknown_theme_is_dark():
    assert theme_named("neon") is DARK
    assert theme_named("light") is LIGHT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("side", [72, 96])
@pytest.mark.parametrize("name", [name for name in STATES if name not in ("pressed", "held")])
def test_contrast_holds_on_the_pixels_drawn(name, side, theme):
    face = themed(STATES[name], theme)
    image = draw(face, side, side)
    background = image.getpixel((side // 2, side - 3))
    for item in lay_out(face.view, heading_of(face), side, side).items:
        match item:
            case TextItem():
                needed = 7.0 if item.role is Role.HERO else 4.5
            case IconItem() | DotItem() | MeterItem() | ColumnItem():
                needed = 3.0
            case _:  # decoration
                continue
        assert strongest(image, item.box, background) >= needed, item


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", EYES)
def test_every_eye_sees_every_state_as_different(eye, theme):
    pictures = {name: seen(draw(themed(face, theme), 72, 72), eye) for name, face in STATES.items()}
    for one, other in combinations(pictures, 2):
        clear = clear_pixels(pictures[one], pictures[other])
        assert clear >= APART, (one, other, clear)


@pytest.mark.parametrize("eye", EYES)
def test_less_and_more_spent_differ_in_shape_not_in_colour_alone(eye):
    # The words and the tone are the same; only the triangle differs.
    up = KeyFace(replace(BALANCE, blocks=(BALANCE.blocks[0], replace(DOWN, icon=Icon.UP))))
    one, other = (seen(draw(face, 72, 72), eye) for face in (KeyFace(BALANCE), up))
    assert clear_pixels(one, other) >= APART


def test_the_simulated_eyes_leave_white_white():
    white = Image.new("RGB", (1, 1), (255, 255, 255))
    for eye in EYES:
        assert min(seen(white, eye).getpixel((0, 0))) >= 250
