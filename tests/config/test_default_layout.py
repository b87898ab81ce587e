"""The default layout, the choice of a deck's entry, and entries that do not fit their deck."""

import pytest

from openbalance_hid.config.default_layout import check_against_deck, default_tiles, pages_of
from openbalance_hid.config.load import parse, product_tiles
from openbalance_hid.config.schema import Config, DeckConfig
from openbalance_hid.tiles.options import Option

TILES = {
    "runway": (Option("warn_days", "int", 7),),
    "spike-alert": (),
    "monthly-spend": (Option("bars", "int", 7),),
    "top-models": (),
    "balance": (),
}


@pytest.mark.parametrize("key_count", [0, 1, 3, 6, 15, 32])
def test_the_first_keys_show_the_first_tiles_of_the_default_layout(key_count: int):
    layout = default_tiles(key_count, tiles=TILES)
    order = ["balance", "top-models", "monthly-spend", "spike-alert", "runway"]
    assert [layout[key].tile for key in range(len(layout))] == order[:key_count]


def test_the_product_has_the_four_tiles_of_its_default_layout():
    assert [tile.tile for tile in default_tiles(15).values()][:4] == ["balance", "top-models", "monthly-spend", "spike-alert"]


def test_a_tile_of_the_default_layout_equals_a_configured_one():
    written = parse("[[decks]]\n[[decks.keys]]\nkey = 0\ntile = 'balance'", "c.toml", product_tiles())
    assert default_tiles(1)[0] == written.decks[0].pages[0].keys[0]


def test_a_deck_without_keys_has_the_default_layout_in_the_configured_theme():
    (page,) = pages_of(Config(theme="light"), DeckConfig(brightness=10), 2, TILES)
    assert page.name == "main"
    assert [(tile.tile, tile.theme) for tile in page.keys.values()] == [("balance", "light"), ("top-models", "light")]


def test_the_entry_of_a_deck_is_by_serial_else_without_serial_else_the_defaults():
    config = parse("[[decks]]\nbrightness = 1\n[[decks]]\nserial = '567'\nbrightness = 2", "c.toml", TILES)
    assert config.deck_for("A00SA1234567").brightness == 2
    assert config.deck_for("A00SA0000000").brightness == 1
    assert Config().deck_for("A00SA0000000") == DeckConfig()


def test_a_key_that_the_deck_lacks_is_reported_with_its_line():
    config = parse(
        "[[decks]]\n[[decks.keys]]\nkey = 5\ntile = 'balance'\n[[decks.keys]]\nkey = 6\ntile = 'balance'", "c.toml", TILES
    )
    (problem,) = check_against_deck(config.decks[0], 6)
    assert str(problem) == "c.toml:6: decks[0].keys[1].key: found key 6, accepted: 0 to 5"
    assert check_against_deck(config.decks[0], 7) == ()
