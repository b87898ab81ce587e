"""What is on each key of a deck, and whose it is."""

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import KEY_TROUBLES, Health
from openbalance_hid.app.tile_views import TileInputs, tap_of, views_of
from openbalance_hid.config.schema import FrozenMap, TileConfig
from openbalance_hid.tiles.actions import Acknowledge, Nothing, OpenPage, WebPage
from tests.build import NOON, days_back, snapshot

SEEN = {name: snapshot(days=days_back([3] * 6), account=name) for name in ("default", "work")}


def stripes(board):
    return {key: view.stripe for key, (view, _) in views_of(board, TileInputs(SEEN), NOON, 0).items()}


def test_one_account_has_no_stripe():
    assert stripes({0: TileConfig("balance"), 1: TileConfig("runway"), 2: TileConfig("blank", account="work")}) == {
        0: None,
        1: None,
        2: None,
    }


def test_accounts_that_share_a_deck_are_told_apart_by_their_stripe():
    board = {
        0: TileConfig("balance", account="work"),
        1: TileConfig("blank"),
        2: TileConfig("balance"),
        3: TileConfig("runway"),
    }
    assert stripes(board) == {0: 0, 1: None, 2: 1, 3: 1}


def test_an_unknown_account_is_a_tile_error_on_its_own_key():
    views = views_of({0: TileConfig("balance", account="gone"), 1: TileConfig("balance")}, TileInputs(SEEN), NOON, 0)
    assert "Tile error" in views[0][0].text
    assert isinstance(views[0][1], KeyError)
    assert views[1][1] is None


@pytest.mark.parametrize("health", [Health.NO_KEY, Health.NOT_MANAGEMENT_KEY, Health.KEY_REJECTED])
def test_a_key_that_asks_for_a_new_key_leads_to_where_one_is_made(health):
    unknown, kept = snapshot(balance=None, health=health), snapshot(health=health)
    for tile in ("balance", "top-models", "usage"):
        assert tap_of(TileConfig(tile), unknown) == tap_of(TileConfig(tile), kept) == OpenPage(WebPage.MANAGEMENT_KEYS)
    assert tap_of(TileConfig("spike-alert"), unknown) == OpenPage(WebPage.MANAGEMENT_KEYS)
    assert tap_of(TileConfig("spike-alert"), kept) == Acknowledge()
    assert tap_of(TileConfig("blank"), unknown) == Nothing()


@pytest.mark.parametrize("health", [health for health in Health if health not in KEY_TROUBLES])
def test_any_other_trouble_leaves_the_tap_what_it_is(health):
    assert tap_of(TileConfig("balance"), snapshot(balance=None, health=health)) == OpenPage(WebPage.CREDITS)


def board_of(*tiles):
    return {key: TileConfig(name) for key, name in enumerate(tiles)}


def shown(board, seen):
    return {
        tile.tile: view for tile, (view, _) in zip(board.values(), views_of(board, inputs(seen), NOON, 0).values(), strict=True)
    }


def inputs(seen):
    return TileInputs({"default": seen})


def loud(views):
    return [name for name, view in views.items() if view.health is not Health.OK and not view.is_quiet]


@pytest.mark.parametrize("balance", [None, (100, "25.75")])
def test_a_trouble_of_all_tiles_has_words_on_the_balance_tile_only(balance):
    seen = replace(snapshot(balance=balance, days=days_back([3] * 6) if balance else None), health=Health.KEY_REJECTED)
    views = shown(board_of("runway", "top-models", "balance", "usage", "privacy"), seen)
    assert loud(views) == ["balance"]
    assert all("Key rejected" in views[name].text for name in ("runway", "top-models", "balance", "usage"))
    assert not views["privacy"].is_quiet
    assert loud(shown(board_of("runway", "top-models"), seen)) == ["runway"], "the first tile of a deck without a balance"
    assert loud(shown(board_of("usage"), seen)) == ["usage"]


@pytest.mark.parametrize("health", [Health.KEY_REJECTED, Health.NOT_MANAGEMENT_KEY, Health.OFFLINE])
def test_without_a_value_the_words_of_all_fill_their_key_and_the_others_stay_dark(health):
    views = shown(board_of("runway", "balance", "usage", "privacy"), replace(snapshot(balance=None), health=health))
    assert {name: view.attention for name, view in views.items()} == {
        "runway": False,
        "balance": True,
        "usage": False,
        "privacy": False,
    }


@pytest.mark.parametrize("health", [Health.NO_KEY, Health.PREPARING])
def test_a_start_fills_no_key(health):
    views = shown(board_of("runway", "balance", "usage"), replace(snapshot(balance=None), health=health))
    assert not any(view.attention for view in views.values())


def test_a_value_beside_the_trouble_is_not_filled():
    seen = replace(snapshot(days=days_back([3] * 6)), health=Health.OFFLINE)
    assert not shown(board_of("balance", "runway"), seen)["balance"].attention


def test_a_trouble_of_one_endpoint_has_words_on_each_tile_that_needs_it():
    seen = snapshot(activity_health=Health.SERVER_ERROR)
    assert loud(shown(board_of("balance", "top-models", "monthly-spend"), seen)) == ["top-models", "monthly-spend"]


def test_each_account_of_a_deck_has_the_words_of_its_own_trouble():
    late = replace(SEEN["work"], health=Health.OFFLINE)
    board = {**board_of("balance", "runway"), 2: TileConfig("runway", account="work"), 3: TileConfig("balance", account="work")}
    views = views_of(board, TileInputs({**SEEN, "work": late}), NOON, 0)
    assert [(view.health, view.is_quiet) for view, _ in views.values()] == [
        (Health.OK, False),
        (Health.OK, False),
        (Health.OFFLINE, True),
        (Health.OFFLINE, False),
    ]


def test_a_tile_that_several_decks_have_is_evaluated_once():
    tile, known = TileConfig("top-models"), {}
    first = views_of({0: tile}, TileInputs(SEEN), NOON, 0, known)
    second = views_of({0: TileConfig("balance"), 5: TileConfig("top-models")}, TileInputs(SEEN), NOON, 0, known)
    assert second[5][0] is first[0][0]
    assert len(known) == 2


def test_a_tile_is_evaluated_anew_on_a_deck_that_shows_another_page():
    pages, known, tile = ("main", "models"), {}, TileConfig("page", options=FrozenMap({"to": "main"}))
    shown = [views_of({0: tile}, TileInputs(SEEN).on(pages, page), NOON, 0, known)[0][0].page for page in (0, 1)]
    assert shown == [(0, 2), (1, 2)]
