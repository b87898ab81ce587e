"""The pictures as they were when they were last reviewed: every tile, state and theme at 72 and 96 px.

`goldens/` has one sheet for each size and theme (lossless WebP, a fifth of a PNG), with one cell for each case, in the order of
`cells.json`. The tests compare decoded pixels, cell by cell: the mean difference of all channels, and the share of pixels that
differ clearly.

The tolerance leaves room for rounding at the edges of shapes and none for anything else. Measured: Pillow 10.4, 11.3, 12.0 and
13.0, with FreeType 2.13.2 to 2.14.3, draw the same pixels; 10.1 draws other edges of icons, 0.08 and 0 % in the worst cell. The
least changes that mean something are a bar longer by a twentieth, 0.10 and 0.13 %, and an 8 for a 0 in the smallest text, 0.16
and 0.15 %.

After a wanted change: `pytest tests/render --update-goldens`, then look at the sheets.
"""

import json
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from openbalance_hid.render.draw import draw
from tests.render.scenes import SCENES, THEMES, face

GOLDENS = Path(__file__).parent / "goldens"
CELLS = GOLDENS / "cells.json"
COLUMNS = 15
MEAN = 0.12  # of 255
CLEAR = 48  # of 255: a channel that differs by more is seen
CLEAR_SHARE = 0.001  # of the pixels


@pytest.fixture(scope="module")
def updating(request):
    return bool(request.config.getoption("--update-goldens", default=False))


@pytest.fixture(scope="module")
def cells(updating):
    """The names of the golden pictures, in the order of their cells. A new case gets the next cell: the others keep theirs."""
    names = json.loads(CELLS.read_text(encoding="utf-8"))
    if updating:
        names = [name for name in names if name in SCENES] + [name for name in SCENES if name not in names]
        CELLS.write_text(json.dumps(names, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    return names


def box_of(index, side):
    left, top = index % COLUMNS * side, index // COLUMNS * side
    return left, top, left + side, top + side


def drawn(cells, side, theme):
    """Return the sheet as it is drawn now; the cell of a case that is gone stays black."""
    rows = -(-len(cells) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * side, rows * side))
    for index, name in enumerate(cells):
        if name in SCENES:
            sheet.paste(draw(face(SCENES[name], theme), side, side), box_of(index, side))
    return sheet


def unlike(one, other):
    """Whether two pictures differ by more than the tolerance."""
    channels = ImageChops.difference(one, other)
    histogram = channels.histogram()
    pixels = one.width * one.height
    mean = sum(level % 256 * number for level, number in enumerate(histogram)) / (3 * pixels)
    red, green, blue = channels.split()
    clear = sum(ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()[CLEAR + 1 :])
    return mean > MEAN or clear > CLEAR_SHARE * pixels


def test_every_case_of_a_tile_has_its_golden_picture(cells):
    missing = [name for name in SCENES if name not in cells]
    assert not missing, f"no golden picture of {missing}: run `pytest tests/render --update-goldens`, then look at the sheets"
    gone = [name for name in cells if name not in SCENES]
    assert not gone, f"golden pictures of cases that no tile has, {gone}: run `pytest tests/render --update-goldens`"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("side", [72, 96])
def test_every_case_looks_as_in_its_golden_picture(side, theme, cells, updating, tmp_path):
    file = GOLDENS / f"{theme}-{side}.webp"
    now = drawn(cells, side, theme)
    if updating:
        now.save(file, lossless=True, quality=100, method=6)
    with Image.open(file) as sheet:
        golden = sheet.convert("RGB")
    changed = []
    for index, name in enumerate(cells):
        if name not in SCENES:
            continue
        before, after = golden.crop(box_of(index, side)), now.crop(box_of(index, side))
        if unlike(before, after):
            changed.append(name)
            beside = Image.new("RGB", (3 * side, side))
            for place, picture in enumerate((before, after, ImageChops.difference(before, after))):
                beside.paste(picture, (place * side, 0))
            title = name.translate({ord(char): "-" for char in ": ,"})
            beside.resize((12 * side, 4 * side), Image.Resampling.NEAREST).save(tmp_path / f"{title}.png")
    assert changed == [], f"golden, drawn and difference side by side: {tmp_path}"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("balance: ok", "balance: old"),  # a dot
        ("top-models: ok", "top-models: second page"),
        ("balance: pressed", "balance: half held"),
        ("monthly-spend: ok", "monthly-spend: today unknown"),
    ],
)
def test_a_picture_with_another_meaning_is_outside_the_tolerance(name, other):
    one, two = (draw(face(SCENES[each], "dark"), 72, 72) for each in (name, other))
    assert unlike(one, two)
