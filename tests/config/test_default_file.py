"""The commented default file names every tile and every option."""

import re
import tomllib
from importlib.resources import files

import pytest
from msgspec import structs

from openbalance_hid.config.default_layout import check_against_deck, default_tiles, pages_of
from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import TOP_LEVEL, Config
from openbalance_hid.tiles import TILES

TEXT = files("openbalance_hid.config").joinpath("default.toml").read_text("utf-8")


def uncommented() -> dict:
    return tomllib.loads("\n".join(line.removeprefix("#") for line in TEXT.splitlines() if not line.startswith("# ")))


def keys_with(tile: str) -> list[dict]:
    return [key for deck in uncommented()["decks"] for key in deck["keys"] if key["tile"] == tile]


@pytest.mark.parametrize("tile", TILES)
def test_the_default_file_has_every_tile_with_all_its_options(tile):
    assert {option.name for option in TILES[tile].options} <= keys_with(tile)[0].keys()


@pytest.mark.parametrize("tile", [name for name in TILES if name != "blank"])
def test_every_value_in_the_default_file_is_the_default(tile):
    for option in TILES[tile].options:
        if option.default is not None:
            assert str(keys_with(tile)[0][option.name]) in (str(option.default), f"{option.default}.0", f"{option.default}.00")


@pytest.mark.parametrize("key_count", [0, 6, 8, 15, 32])
def test_the_default_file_shows_the_same_as_no_file(key_count):
    file = parse(TEXT, "default.toml")
    assert pages_of(file, file.decks[0], key_count)[0].keys.items() >= default_tiles(key_count).items()
    assert check_against_deck(file.decks[0], key_count) == ()
    assert structs.replace(file, decks=()) == Config()


def test_settings_for_everything_come_before_the_first_table():
    lines = [line.split()[0] for line in TEXT.splitlines() if line and not line.startswith("#")]
    first_table = next(number for number, word in enumerate(lines) if word.startswith("["))
    assert set(lines[:first_table]) == {option.name for option in TOP_LEVEL if option.default is not None}


def test_each_setting_of_the_file_can_be_changed_by_itself():
    """A live line of each tile: another value of its option is accepted where it is."""
    for number, line in enumerate(TEXT.splitlines()):
        if (match := re.match(r"(\w+) = (\d+)(\s|$)", line)) and match[1] != "key":
            changed = TEXT.splitlines()
            changed[number] = f"{match[1]} = {int(match[2]) - 1 if int(match[2]) else 90}"
            assert parse("\n".join(changed), "config.toml") != parse(TEXT, "config.toml")
