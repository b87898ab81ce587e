"""The commented default file names every tile and every option."""

import tomllib
from importlib.resources import files

import pytest

from openbalance_hid.tiles import TILES

TEXT = files("openbalance_hid.config").joinpath("default.toml").read_text("utf-8")


def uncommented() -> dict:
    return tomllib.loads("\n".join(line.removeprefix("#") for line in TEXT.splitlines() if not line.startswith("# ")))


@pytest.mark.parametrize("tile", TILES)
def test_the_default_file_has_every_tile_with_all_its_options(tile):
    keys = [key for deck in uncommented()["decks"] for key in deck["keys"] if key["tile"] == tile]
    assert len(keys) == 1
    assert {option.name for option in TILES[tile].options} <= keys[0].keys()


@pytest.mark.parametrize("tile", [name for name in TILES if name != "blank"])
def test_every_value_in_the_default_file_is_the_default(tile):
    (key,) = [key for deck in uncommented()["decks"] for key in deck["keys"] if key["tile"] == tile]
    for option in TILES[tile].options:
        if option.default is not None:
            assert str(key[option.name]) in (str(option.default), f"{option.default}.0", f"{option.default}.00")
