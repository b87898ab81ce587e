"""Legibility judged by a machine that has never seen a deck: Tesseract reads the amounts off the glass.

What it is given is what the device shows: drawn, encoded as it is sent (JPEG at the quality in use), decoded. Of that it gets
the box of the hero with 3 px round it, as dark letters on a light ground, enlarged four times by bicubic interpolation with a
border of 20 px; its options are one line (`--psm 7`) and the characters of amounts. Nothing is sharpened or
thresholded. (Enlarged by Lanczos it takes the last `1` of a few amounts for a `4`: the overshoot beside the stem closes it.)
"""

import io
import os
import shutil
import subprocess
from decimal import Decimal
from random import Random

import pytest
from PIL import Image, ImageOps

from openbalance_hid.render.draw import draw
from openbalance_hid.render.encode import PictureFormat, encode
from openbalance_hid.render.items import Role, TextItem
from openbalance_hid.render.layout import heading_of, lay_out
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.kind import CaseAccount, TileCase
from tests.render.scenes import THEMES
from tools.tile_cases import face_of_case

AMOUNTS = 300
ROUND_PX = 3
ENLARGED = 4
MONEY = "$0123456789.,-<MBT"
GOALS = {96: 0.99, 72: 0.97}  # share of the amounts read without a mistake


def amounts(seed):
    """Amounts of every length that the deck has, one in five of them a debt: -$999,999 to $9,999,999."""
    random = Random(seed)
    made = []
    while len(made) < AMOUNTS:
        size = Decimal(f"{10 ** random.uniform(-2, 7):.4f}")
        amount = -size if random.random() < 0.2 else size
        if amount >= -999_999:
            made.append(amount)
    return made


def on_glass(image, side):
    """The picture as the device shows it, in grey."""
    sent = encode(image, PictureFormat(side, side, "JPEG"))
    return Image.open(io.BytesIO(sent)).convert("L")


def hero_on_glass(amount, theme, side):
    """The words of the hero, and its picture for the reader."""
    shown = face_of_case(TILES["balance"], TileCase("amount", CaseAccount(bought=str(amount), used="0")), theme)
    items = lay_out(shown.view, heading_of(shown), side, side).items
    hero = next(item for item in items if isinstance(item, TextItem) and item.role is Role.HERO)
    left, top, right, bottom = hero.box
    box = (max(0, left - ROUND_PX), max(0, top - ROUND_PX), min(side, right + ROUND_PX), min(side, bottom + ROUND_PX))
    grey = on_glass(draw(shown, side, side), side).crop(box)
    if theme == "dark":
        grey = ImageOps.invert(grey)
    large = grey.resize((grey.width * ENLARGED, grey.height * ENLARGED), Image.Resampling.BICUBIC)
    return hero.text, ImageOps.expand(large, 20, fill=large.getpixel((0, 0)))


def read(pictures, file):
    """What Tesseract reads, a text a picture: one run of the program over a file of many pages."""
    program = shutil.which("tesseract")
    if program is None:
        pytest.skip("no Tesseract: apt install tesseract-ocr")
    pictures[0].save(file, save_all=True, append_images=pictures[1:])
    done = subprocess.run(
        [program, file, "-", "--psm", "7", "-l", "eng", "--dpi", "300", "-c", f"tessedit_char_whitelist={MONEY}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # its threads cost more than they bring on pictures of this size
    )
    pages = done.stdout.split("\f")[: len(pictures)]
    assert len(pages) == len(pictures)
    return ["".join(page.split()) for page in pages]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("side", GOALS)
def test_a_text_recogniser_reads_the_amount_from_the_picture(side, theme, tmp_path):
    heroes = [hero_on_glass(amount, theme, side) for amount in amounts(f"{theme} {side}")]
    readings = read([picture for _, picture in heroes], tmp_path / "heroes.tif")
    wrong = [(shown, reading) for (shown, _), reading in zip(heroes, readings, strict=True) if reading != shown]
    assert len(wrong) <= AMOUNTS * (1 - GOALS[side]), wrong


def test_a_picture_that_is_too_small_is_not_read(tmp_path):
    # The counter-check: the same amounts on a key of 72 px shrunk to a third are below what can be read.
    heroes = [hero_on_glass(amount, "dark", 72) for amount in amounts("too small")[:40]]
    tiny = [picture.reduce(3 * ENLARGED).resize(picture.size, Image.Resampling.BICUBIC) for _, picture in heroes]
    readings = read(tiny, tmp_path / "tiny.tif")
    assert sum(reading == shown for (shown, _), reading in zip(heroes, readings, strict=True)) < 20
