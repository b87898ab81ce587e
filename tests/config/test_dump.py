"""The output of `config show` and `config init`: the loader reads both as the same configuration."""

import re
from datetime import time
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.config.dump import render_effective
from openbalance_hid.config.load import parse, product_tiles
from openbalance_hid.config.schema import (
    AccountConfig,
    Config,
    DeckConfig,
    DialConfig,
    DimConfig,
    FrozenMap,
    PageConfig,
    TileConfig,
)
from openbalance_hid.tiles.options import Option

TILES = {
    "balance": (Option("low_usd", "decimal", None, minimum=0), Option("note", "text", "")),
    "spike-alert": (Option("threshold", "float", 3.0, minimum=1.5), Option("burst", "bool", True), Option("n", "int", 1)),
}
DEFAULT = files("openbalance_hid.config").joinpath("default.toml").read_text(encoding="utf-8")

printable = st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
balances = st.builds(
    lambda usd, note: FrozenMap({"low_usd": usd, "note": note}),
    st.none() | st.decimals(0, 10**9, allow_nan=False, allow_infinity=False),
    printable,
)
spikes = st.builds(
    lambda threshold, burst, n: FrozenMap({"threshold": threshold, "burst": burst, "n": n}),
    st.floats(1.5, 1e9),
    st.booleans(),
    st.integers(-(10**12), 10**12),
)
tiles = st.one_of(
    st.builds(TileConfig, st.just("balance"), st.sampled_from(["default", "w-1"]), st.just("light"), printable, balances),
    st.builds(TileConfig, st.just("spike-alert"), st.just("default"), st.just("dark"), st.none(), spikes),
)
pages = st.lists(
    st.builds(
        PageConfig,
        st.sampled_from(["main", "a b", 'q"']),
        st.dictionaries(st.integers(0, 31), tiles, max_size=3).map(FrozenMap),
    ),
    max_size=3,
    unique_by=lambda page: page.name,
).map(tuple)
decks = st.builds(
    DeckConfig,
    st.none(),
    st.integers(0, 100),
    pages,
    st.sampled_from([(), (DialConfig(0, "page"), DialConfig(2))]),
    st.sampled_from([(), (TileConfig("balance", theme="dark", options=FrozenMap({"low_usd": None, "note": ""})),)]),
    st.sampled_from(["default", "blank"]),
)
configs = st.builds(
    Config,
    hold_seconds=st.floats(0.3, 5),
    accounts=st.just(FrozenMap({"default": AccountConfig(15), "w-1": AccountConfig(3)})),
    dim=st.builds(DimConfig, night=st.sampled_from([None, (time(22, 5), time(6))])),
    decks=st.lists(decks, max_size=2).map(tuple),
)


@given(configs)
def test_the_printed_configuration_parses_to_the_same_one(config: Config):
    assert parse(render_effective(config), "shown", TILES) == config


def test_every_example_of_the_default_file_is_accepted_without_its_hash():
    config = parse(re.sub(r"(?m)^#(?=\S)", "", DEFAULT), "default.toml")
    assert {tile.tile for tile in config.decks[0].pages[0].keys.values()} == set(product_tiles())
    assert set(config.accounts) == {"default", "work", "team"}
    assert config.dim.night is not None


@pytest.mark.parametrize("name", ["refresh_minutes", "theme", "hold_seconds", "on_exit", "after_minutes", "to_percent"])
def test_the_default_file_states_the_setting(name: str):
    assert re.search(rf"(?m)^{name} = ", DEFAULT)
