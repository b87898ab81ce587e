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
    "balance": (Option("show", "choice", "remaining", ("remaining", "percent")),),
}


@pytest.mark.parametrize("key_count", [0, 1, 3, 6, 15, 32])
def test_the_first_keys_show_the_first_tiles_of_the_default_layout(key_count: int):
    layout = default_tiles(key_count, tiles=TILES)
    order = ["balance", "top-models", "monthly-spend", "spike-alert", "runway", "balance"]
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
    assert str(problem) == "c.toml:6: decks[0].keys[1].key: found key 6, but this deck has only the keys 0 to 5"
    assert check_against_deck(config.decks[0], 7) == ()


def layout(text: str, key_count: int = 15) -> dict[int, str]:
    """Return key -> tile of the first page of the deck in `text`, a balance with what it shows."""
    config = parse(text, "c.toml")
    keys = pages_of(config, config.decks[0], key_count)[0].keys
    return {
        key: " ".join([tile.tile, *([str(tile.options["show"])] if tile.tile == "balance" else [])])
        for key, tile in keys.items()
    }


DEFAULT = layout("[[decks]]")


@pytest.mark.parametrize("key", [0, 3, 14])
def test_a_file_that_names_one_key_changes_one_key(key: int):
    assert layout(f"[[decks]]\n[[decks.keys]]\nkey = {key}\ntile = 'page'\nto = 'main'") == {**DEFAULT, key: "page"}


def test_an_option_of_a_default_tile_changes_its_key_alone():
    assert layout("[[decks]]\n[[decks.keys]]\nkey = 0\ntile = 'balance'\nlow_usd = 5") == DEFAULT
    assert layout("[[decks]]\n[[decks.keys]]\nkey = 4\ntile = 'today'\nlabel = 'Day'") == DEFAULT


def test_a_default_tile_that_is_placed_elsewhere_changes_places():
    moved = layout("[[decks]]\n[[decks.keys]]\nkey = 0\ntile = 'runway'")
    assert moved == {**DEFAULT, 0: "runway", 5: "balance remaining"}


def test_a_default_tile_that_is_placed_on_a_free_key_is_not_shown_twice():
    moved = layout("[[decks]]\n[[decks.keys]]\nkey = 14\ntile = 'runway'")
    assert moved == {key: tile for key, tile in {**DEFAULT, 14: "runway"}.items() if key != 5}


def test_a_blank_key_stays_blank_and_its_tile_appears_nowhere_else():
    blank = layout("[[decks]]\n[[decks.keys]]\nkey = 0\ntile = 'blank'\n[[decks.keys]]\nkey = 14\ntile = 'runway'")
    assert "balance remaining" not in blank.values()


def test_the_same_tile_of_another_account_leaves_the_default_one_in_its_place():
    second = layout("[accounts.work]\n[[decks]]\n[[decks.keys]]\nkey = 14\ntile = 'balance'\naccount = 'work'")
    assert second == {**DEFAULT, 14: "balance remaining"}


def test_rest_blank_leaves_every_other_key_dark():
    assert layout("[[decks]]\nrest = 'blank'\n[[decks.keys]]\nkey = 2\ntile = 'today'") == {2: "today"}
    assert layout("[[decks]]\nrest = 'blank'") == {}


def test_another_page_leaves_the_first_page_as_it_was():
    text = "[[decks]]\n[[decks.pages]]\nname = 'more'\n[[decks.pages.keys]]\nkey = 0\ntile = 'page'\nto = 'main'"
    assert layout(text) == DEFAULT
    config = parse(text, "c.toml")
    assert [(page.name, len(page.keys)) for page in pages_of(config, config.decks[0], 15)[1:]] == [("more", 1)]


def test_a_default_tile_beyond_the_keys_of_a_small_deck_is_no_problem():
    config = parse("[[decks]]\n[[decks.keys]]\nkey = 6\ntile = 'burn-rate'\n[[decks.keys]]\nkey = 7\ntile = 'meter'", "c.toml")
    assert [problem.location.path for problem in check_against_deck(config.decks[0], 6)] == ["decks[0].keys[1].key"]
