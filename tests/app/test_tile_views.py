"""What is on each key of a deck, and whose it is."""

import pytest

from openbalance_hid.account.snapshot import KEY_TROUBLES, Health
from openbalance_hid.app.tile_views import TileInputs, tap_of, views_of
from openbalance_hid.config.schema import TileConfig
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
