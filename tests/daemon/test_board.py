"""What is on each key of a deck, and whose it is."""

from openbalance_hid.config.schema import TileConfig
from openbalance_hid.daemon.board import Known, views_of
from tests.build import NOON, days_back, snapshot

SEEN = {name: snapshot(days=days_back([3] * 6), account=name) for name in ("default", "work")}


def stripes(board):
    return {key: view.stripe for key, (view, _) in views_of(board, Known(SEEN), NOON, 0).items()}


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
    views = views_of({0: TileConfig("balance", account="gone"), 1: TileConfig("balance")}, Known(SEEN), NOON, 0)
    assert "Tile error" in views[0][0].text
    assert isinstance(views[0][1], KeyError)
    assert views[1][1] is None
