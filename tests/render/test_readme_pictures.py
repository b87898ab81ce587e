"""The gallery and the animation of the README are those of the code, and small."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image, ImageSequence

from openbalance_hid.tiles import TILES
from tests.cli.test_preview import PICTURES, ROOT, TOLERANCE, checkout, difference
from tools.animation import Frame, frames_of
from tools.gallery import NO_DEFAULT, NOT_SHOWN, cells_of, gallery_png

LARGEST_BYTES = {"deck-animated.webp": 600_000, "tiles.png": 200_000}
LOSSY = 2 * TOLERANCE  # WebP's own error comes on top


def moment() -> datetime:
    found = re.search(r"^PICTURES_AT := (\d+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found is not None
    return datetime.fromtimestamp(int(found[1]), UTC)


@pytest.fixture(scope="module")
def drawn() -> list[Frame]:
    return frames_of(PICTURES / "deck.toml", moment())


@checkout
def test_the_gallery_of_the_readme_is_up_to_date():
    far = difference(Image.open(BytesIO(gallery_png("dark"))), Image.open(PICTURES / "tiles.png"))
    assert far <= TOLERANCE, f"tiles.png is stale by {far} of 255: make pictures"


@checkout
def test_the_animation_of_the_readme_is_up_to_date(drawn: list[Frame]):
    with Image.open(PICTURES / "deck-animated.webp") as animation:
        kept = [(frame.convert("RGB"), frame.info["duration"]) for frame in ImageSequence.Iterator(animation)]
    assert [ms for _, ms in kept] == [ms for _, ms in drawn], "deck-animated.webp is stale: make pictures"
    far = [difference(one, other) for (one, _), (other, _) in zip(kept, drawn, strict=True)]
    assert max(far) <= LOSSY, f"deck-animated.webp is stale, frame {far.index(max(far))} by {max(far)} of 255: make pictures"


@checkout
def test_one_other_word_or_step_of_a_ring_makes_the_animation_stale(drawn: list[Frame]):
    assert len(drawn) >= 20
    assert min(difference(one, other) for (one, _), (other, _) in pairwise(drawn)) > LOSSY


@checkout
def test_both_are_small_and_the_animation_repeats():
    assert {name: size for name, most in LARGEST_BYTES.items() if (size := (PICTURES / name).stat().st_size) > most} == {}
    with Image.open(PICTURES / "deck-animated.webp") as animation:
        assert animation.info["loop"] == 0


@pytest.mark.parametrize("name", [name for name in TILES if name not in NOT_SHOWN])
def test_the_gallery_shows_each_option_of_a_tile_that_changes_its_look(name: str):
    captions = [caption for caption, _ in cells_of(TILES[name], "dark")]
    assert captions[0] == "default" or name in NO_DEFAULT
    assert len(set(captions)) == len(captions)
