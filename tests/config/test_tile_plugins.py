"""Tiles of other packages in the configuration: names from metadata, imports only of what is named."""

from __future__ import annotations

import sys

import pytest

from openbalance_hid.config import tile_plugins
from openbalance_hid.config.dump import render_effective
from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import used_plugins
from openbalance_hid.errors import ConfigError
from openbalance_hid.tiles.plugin import PluginTrouble
from tests.tile_packages import GOOD, install


@pytest.fixture
def packages(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def key(tile: str, more: str = "") -> str:
    return f'[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "{tile}"\n{more}'


def plugin(text: str):
    (found,) = used_plugins(parse(text, "config.toml"))
    return found


def test_a_tile_of_another_package_has_its_options_checked_and_shown(packages):
    install(packages, "shown-tiles", {"shown": GOOD})
    config = parse(key("shown", 'word = "hi"\ntap = "credits"\n'), "config.toml")
    tile = config.decks[0].pages[0].keys[0]
    assert (tile.options["word"], tile.tap, tile.plugin.package) == ("hi", "credits", "shown-tiles 1.0")
    assert parse(render_effective(config), "config.toml") == config
    with pytest.raises(ConfigError, match="did you mean 'word'"):
        parse(key("shown", 'wordd = "hi"\n'), "config.toml")
    with pytest.raises(ConfigError, match="one of 'hello', 'hi'"):
        parse(key("shown", 'word = "hello!"\n'), "config.toml")


def test_a_tile_of_another_package_may_be_on_the_touch_strip(packages):
    install(packages, "strip-tiles", {"stripped": GOOD})
    config = parse('[[decks]]\n[decks.strip]\ntiles = ["stripped", "usage"]\n', "config.toml")
    assert config.decks[0].strip[0].options["word"] == "hello"


def test_only_the_tile_that_is_named_is_imported(packages):
    install(packages, "two-tiles", {"named": GOOD, "unnamed": "raise RuntimeError('imported')"})
    install(packages, "unused-tiles", {"unused": "raise RuntimeError('imported')"})
    parse(key("balance"), "config.toml")
    assert "two_tiles" not in sys.modules
    assert plugin(key("named")).trouble is None
    assert {"two_tiles.named"} == {name for name in sys.modules if name.startswith(("two_tiles.", "unused_tiles"))}


def test_a_name_of_the_product_stays_the_products_and_the_package_can_be_named(packages):
    install(packages, "my-tiles", {"runway": GOOD})
    assert used_plugins(parse(key("runway"), "config.toml")) == ()
    assert "my_tiles" not in sys.modules
    assert plugin(key("my-tiles:runway")).trouble is None


def test_a_name_of_two_packages_is_refused_until_one_is_named(packages):
    install(packages, "first-tiles", {"shared": GOOD})
    install(packages, "second-tiles", {"shared": GOOD}, version="2")
    found = plugin(key("shared"))
    assert (found.trouble, found.package) == (PluginTrouble.SAME_NAME, "first-tiles 1.0 and second-tiles 2")
    assert not {"first_tiles", "second_tiles"} & set(sys.modules)
    assert plugin(key("second-tiles:shared")).package == "second-tiles 2"


def test_an_import_that_never_ends_is_given_up(packages, monkeypatch):
    monkeypatch.setattr(tile_plugins, "LOAD_LIMIT_S", 0.05)
    install(packages, "slow-tiles", {"slow": "import threading\nthreading.Event().wait(0.5)\n" + GOOD})
    found = plugin(key("slow", "anything = 1\n"))
    assert (found.trouble, "import takes longer" in found.problem) == (PluginTrouble.NOT_LOADED, True)


NO_MESSAGE = "class NoMessageError(Exception):\n    def __str__(self):\n        raise SystemExit\nraise NoMessageError"


@pytest.mark.parametrize(
    "source", ["raise SystemExit", "raise KeyboardInterrupt", "1 / 0", "def", "import no_such_module_x", NO_MESSAGE]
)
def test_whatever_an_import_raises_is_a_trouble_of_its_tile(packages, source):
    name = f"raising-{len(source)}"
    install(packages, f"{name}-tiles", {name: source})
    found = plugin(key(name))
    assert found.trouble is PluginTrouble.NOT_LOADED
    assert found.problem.startswith("its import raises ")


def test_an_unknown_name_is_an_error_that_suggests_tiles_of_other_packages(packages):
    install(packages, "weather-tiles", {"weather": GOOD})
    with pytest.raises(ConfigError, match=r"found 'wether', .*did you mean 'weather'"):
        parse(key("wether"), "config.toml")
    assert "weather_tiles" not in sys.modules


def test_broken_metadata_of_a_package_leaves_the_product_alone(packages):
    info = packages / "broken-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_bytes(b"[openbalance_hid.tiles]\n\xff\xfe = \n[[[")
    with pytest.raises(ConfigError, match="did you mean 'balance'"):
        parse(key("balanc"), "config.toml")


def test_standard_output_is_for_the_main_thread(packages, capsys):
    install(packages, "printing-tiles", {"printing": "print('of the package')\n" + GOOD})
    assert plugin(key("printing")).trouble is None
    sys.stdout.write("of the program\n")
    assert capsys.readouterr() == ("of the program\n", "of the package\n")


@pytest.mark.parametrize("text", [key("acme-weather"), '[[decks]]\n[decks.strip]\ntiles = ["acme-weather"]'])
def test_an_unknown_tile_may_be_of_a_package_that_is_not_installed(text: str):
    with pytest.raises(ConfigError) as refused:
        parse(text, "c.toml")
    assert "or a tile of another package once that is installed (pipx inject openbalance-hid PACKAGE)" in refused.value.message
