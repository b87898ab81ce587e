"""What a new tile needs around it. A missing part is reported in words: these messages are the guide in CONTRIBUTING.md."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from openbalance_hid.config.default_layout import DEFAULT_ORDER, DEFAULT_STRIP
from openbalance_hid.tiles import TILES
from tools.tile_cases import cases_of

HERE = Path(__file__).parent
# A tap on them changes something, they need a name, a limit or a program, or they show nothing.
ONLY_WHERE_CHOSEN = ("meter", "privacy", "page", "blank", "budget", "key-switch", "command", "free-quota")


@pytest.mark.parametrize("tile", TILES)
def test_every_tile_has_a_file_of_tests(tile):
    file = HERE / f"test_{tile.replace('-', '_')}.py"
    assert file.exists(), f"the tile '{tile}' has no tests: write {file.relative_to(HERE.parents[1])}"


@pytest.mark.parametrize("tile", TILES)
def test_every_tile_is_in_a_default_layout_or_only_where_the_user_chooses_it(tile):
    assert tile in (*DEFAULT_ORDER, *DEFAULT_STRIP, *ONLY_WHERE_CHOSEN), (
        f"the tile '{tile}' is in no default layout: add it to DEFAULT_ORDER or DEFAULT_STRIP in "
        f"openbalance_hid/config/default_layout.py, or to ONLY_WHERE_CHOSEN in {Path(__file__).name}"
    )


@pytest.mark.parametrize("tile", TILES)
def test_every_tile_is_documented_in_the_default_configuration(tile):
    text = files("openbalance_hid.config").joinpath("default.toml").read_text("utf-8")
    written = "\n".join(line.removeprefix("#") for line in text.splitlines() if not line.startswith("# "))
    keys: dict[str, dict] = {}
    for key in (key for deck in tomllib.loads(written)["decks"] for key in deck["keys"]):
        keys.setdefault(key["tile"], key)
    assert tile in keys, f"the tile '{tile}' is not documented: add a key with all its options to config/default.toml"
    missing = [option.name for option in TILES[tile].options if option.name not in keys[tile]]
    assert not missing, f"options of the tile '{tile}' are not documented in config/default.toml: {', '.join(missing)}"


@pytest.mark.parametrize("kind", TILES.values(), ids=TILES)
def test_every_option_of_a_case_is_one_that_the_tile_accepts(kind):
    options = {option.name: option for option in kind.options}
    for case in cases_of(kind):
        for name, value in case.options.items():
            assert name in options, f"the case '{case.name}' of the tile '{kind.name}' has the unknown option '{name}'"
            assert options[name].check(value) == value, f"case '{case.name}' of the tile '{kind.name}', option '{name}'"


@pytest.mark.parametrize("kind", TILES.values(), ids=TILES)
def test_no_two_cases_of_a_tile_have_the_same_name(kind):
    names = [case.name for case in cases_of(kind)]
    assert [name for name in names if names.count(name) > 1] == []
