"""The pictures of whole decks."""

import pytest
from PIL import Image

from openbalance_hid.render.body import Body, draw_deck

MK2 = Body(5, 3, 72, 72)


@pytest.mark.parametrize("scale", [1, 2])
def test_a_deck_shows_its_pictures_on_their_keys(scale):
    red, blue = Image.new("RGB", (72, 72), (255, 0, 0)), Image.new("RGB", (72, 72), (0, 0, 255))
    deck = draw_deck({0: red, 14: blue}, MK2, "a deck", scale=scale)
    colours = {colour for _, colour in deck.getcolors(1 << 20)}
    assert {(255, 0, 0, 255), (0, 0, 255, 255)} <= colours
    reds = [
        (x, y) for x in range(0, deck.width, 4) for y in range(0, deck.height, 4) if deck.getpixel((x, y))[:3] == (255, 0, 0)
    ]
    blues = [
        (x, y) for x in range(0, deck.width, 4) for y in range(0, deck.height, 4) if deck.getpixel((x, y))[:3] == (0, 0, 255)
    ]
    assert max(x for x, _ in reds) < deck.width / 3 < deck.width * 2 / 3 < min(x for x, _ in blues)
    assert max(y for _, y in reds) < min(y for _, y in blues)


def test_a_deck_has_a_transparent_ground():
    deck = draw_deck({}, MK2)
    assert deck.mode == "RGBA"
    assert deck.getpixel((0, 0))[3] == 0
    assert deck.getpixel((deck.width // 2, deck.height // 2))[3] == 255


@pytest.mark.parametrize(
    "body",
    [
        Body(4, 2, 120, 120, 800, 100, 4),
        Body(9, 4, 112, 112, 1200, 100, 6),
        Body(4, 2, 96, 96, 248, 58, 0, 2),
        Body(16, 2, 80, 120, dials=2),
    ],
)
def test_models_with_strips_and_dials_are_drawn(body):
    half = Image.new("RGB", (body.strip_width // 2, body.strip_height), (0, 255, 0)) if body.strip_width else None
    deck = draw_deck({}, body, strip=[half, half] if half else [], lights={1: (255, 0, 255)}, scale=1)
    assert deck.width > body.columns * body.key_width
    assert any(colour == (255, 0, 255, 255) for _, colour in deck.getcolors(1 << 20)) == bool(body.touch_keys)
    greens = {colour: number for number, colour in deck.getcolors(1 << 20)}.get((0, 255, 0, 255), 0)
    assert greens >= body.strip_width * body.strip_height * 0.9


def test_keys_and_dials_do_not_run_into_each_other():
    keys = {index: Image.new("RGB", (120, 120), (255, 0, 0)) for index in range(8)}
    deck = draw_deck(keys, Body(4, 2, 120, 120, 800, 100, 4), scale=1)
    row = [deck.getpixel((x, deck.height // 5))[:3] == (255, 0, 0) for x in range(deck.width)]
    assert sum(now and not before for before, now in zip([False, *row], row, strict=False)) == 4
