"""The drawing: the same picture for the same face, any face at any size, and each state of a touched key."""

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from openbalance_hid.render.draw import draw
from openbalance_hid.render.theme import DARK, LIGHT, contrast
from openbalance_hid.render.type_scale import scale_of
from openbalance_hid.tiles.view import Age, Bars, Hero, KeyFace, TileView, Tone
from tests.render.faces import BALANCE, CRITICAL, MONTH, SIZES, STATES, THEMES, TOP, faces, sizes, themed, view


def count(image, colour):
    return {seen: number for number, seen in image.getcolors(65536)}.get(colour, 0)


@given(faces, sizes)
@settings(deadline=None, max_examples=150)
def test_any_face_becomes_a_picture_of_the_size_asked_for(face, size):
    image = draw(face, *size)
    assert (image.mode, image.size) == ("RGB", size)


@pytest.mark.parametrize("size", SIZES)
def test_the_same_face_gives_the_same_pixels_whatever_was_drawn_between(size):
    first = {name: draw(face, *size).tobytes() for name, face in STATES.items()}
    for name in reversed(STATES):
        assert draw(STATES[name], *size).tobytes() == first[name], name


def test_drawing_on_the_result_does_not_reach_the_next_one():
    image = draw(STATES["balance"], 72, 72)
    before = image.tobytes()
    image.paste((255, 0, 0), (0, 0, 72, 72))
    assert draw(STATES["balance"], 72, 72).tobytes() == before


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["balance", "top", "month", "critical", "stale", "offline", "not management", "runway"])
def test_no_ink_comes_near_the_edge(name, size, theme):
    image = draw(themed(STATES[name], theme), *size)
    scale, background = scale_of(*size), image.getpixel((0, 0))
    inner = (scale.side_margin - 1, scale.margin - 1, size[0] - scale.side_margin + 1, size[1] - scale.margin + 1)
    image.paste(background, inner)
    assert image.getcolors() == [(size[0] * size[1], background)]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_key_without_a_tile_is_dark_in_every_theme(theme):
    assert draw(KeyFace(view("", theme=theme)), 72, 72).getcolors() == [(72 * 72, (0, 0, 0))]


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_tile_that_calls_is_filled_with_its_tone(theme):
    image = draw(themed(STATES["critical calls"], theme.name), 72, 72)
    assert count(image, theme.alarm_fill) > 72 * 72 / 2
    assert count(draw(themed(STATES["critical"], theme.name), 72, 72), theme.background) > 72 * 72 / 2


def test_stale_figures_are_grey_and_their_titles_are_not():
    fresh, stale = (draw(KeyFace(replace(TOP, age=age)), 96, 96) for age in (Age.FRESH, Age.STALE))
    assert count(fresh, DARK.stale) == 0
    assert count(stale, DARK.stale) > 20
    assert count(stale, DARK.accent) == 0
    assert count(stale, DARK.ink) > 0


def test_the_last_column_is_the_one_to_look_at():
    image = draw(KeyFace(MONTH), 72, 72)
    columns = [x for x in range(72) for y in range(40, 72) if image.getpixel((x, y)) == DARK.accent]
    assert min(columns) > 55


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("count_of_bars", [7, 24])
@pytest.mark.parametrize("side", [72, 80, 96, 120])
def test_bars_of_inexact_values_are_pale_with_a_clear_top_of_the_same_height(side, count_of_bars, theme):
    shares = (0.8,) * count_of_bars
    exact, inexact = (
        draw(KeyFace(view("Per hour", Bars(shares, (Tone.MUTED,) * len(shares), inexact=rough), theme=theme.name)), side, side)
        for rough in ((), (True,) * len(shares))
    )
    full, top = count(exact, theme.column), count(inexact, theme.column)
    rows = [
        {y for x in range(side) for y in range(side) if image.getpixel((x, y)) != theme.background and y > side // 2}
        for image in (exact, inexact)
    ]
    assert rows[0] == rows[1]
    assert 0 < top < full / 3
    pale = inexact.getpixel((side // 2, max(rows[0])))
    assert contrast(theme.column, pale) > 2


def test_a_pressed_key_moves_away():
    flat, pressed = draw(KeyFace(BALANCE), 72, 72), draw(KeyFace(BALANCE, pressed=True), 72, 72)
    assert pressed.getpixel((36, 1)) == DARK.surface
    assert count(pressed, DARK.ink) < count(flat, DARK.ink)


def test_the_ring_of_a_hold_fills_clockwise_from_the_top():
    def lit(share, point):
        return draw(KeyFace(BALANCE, pressed=True, ring=share), 72, 72).getpixel(point) == DARK.accent

    right, bottom, left, top_left = (70, 36), (36, 70), (1, 36), (24, 1)
    assert [lit(0.2, point) for point in (right, bottom, left, top_left)] == [False] * 4
    assert [lit(0.4, point) for point in (right, bottom, left, top_left)] == [True, False, False, False]
    assert [lit(0.6, point) for point in (right, bottom, left, top_left)] == [True, True, False, False]
    assert [lit(0.85, point) for point in (right, bottom, left, top_left)] == [True, True, True, False]
    assert [lit(1.0, point) for point in (right, bottom, left, top_left)] == [True] * 4


def test_the_ring_only_grows():
    lit = [count(draw(KeyFace(CRITICAL, pressed=True, ring=step / 20), 72, 72), DARK.accent) for step in range(21)]
    assert lit == sorted(lit)
    assert lit[0] == 0


@pytest.mark.parametrize("size", SIZES)
def test_each_account_has_its_own_edge(size):
    edges = set()
    for number in range(4):
        image = draw(KeyFace(replace(BALANCE, stripe=number)), *size)
        column = [image.getpixel((1, y)) != DARK.background for y in range(size[1])]
        pieces = sum(now and not before for before, now in zip([False, *column], column, strict=False))
        edges.add((pieces, image.crop((0, 0, 2, size[1])).tobytes()))
        assert pieces == number + 1
    assert len(edges) == 4


def test_hostile_names_cost_only_their_own_words():
    hostile = TileView("t", "😀" * 300, (Hero("模" * 300), *TOP.blocks), "words")
    assert count(draw(KeyFace(hostile), 72, 72), DARK.ink) > 0
