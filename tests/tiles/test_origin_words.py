"""What tiles show of an account whose key another machine has: its troubles, and messages that cannot be used."""

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Origin, OriginProblem
from openbalance_hid.app.tile_views import TileInputs, tap_of, view_of
from openbalance_hid.config.schema import FrozenMap, TileConfig
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.actions import OpenPage, WebPage
from openbalance_hid.tiles.states import ORIGIN_PROBLEMS
from tests.build import NOON, api_key, day_of_samples, days_back, snapshot

KNOWN = replace(
    snapshot(days=days_back([5, 6, 7]), today={"v/model-a": "1.5"}, taken=day_of_samples(4), keys=[api_key("ci", 1)]),
    origin=Origin("alpha"),
)
NOTHING = replace(snapshot(balance=None), origin=Origin())


def text(tile: str, account, **options) -> str:
    config = TileConfig(tile, options=FrozenMap({**TILES[tile].defaults(), **options}))
    view, error = view_of(config, TileInputs({"default": account}), NOON, 0)
    assert error is None
    return view.text


@pytest.mark.parametrize("problem", OriginProblem)
@pytest.mark.parametrize("tile", ["balance", "today", "top-models", "spike-alert", "runway", "usage"])
def test_a_message_that_cannot_be_used_has_words_beside_the_value_and_without_one(tile: str, problem: OriginProblem):
    words = ORIGIN_PROBLEMS[problem].words
    for account in (KNOWN, NOTHING):
        assert account.origin is not None
        bad = replace(account, health=Health.SERVER_ERROR, origin=replace(account.origin, problem=problem))
        assert words in text(tile, bad)
    assert words not in text(tile, KNOWN)


@pytest.mark.parametrize("health", [Health.NO_KEY, Health.NOT_MANAGEMENT_KEY, Health.KEY_REJECTED])
def test_a_trouble_with_the_key_is_that_of_the_publisher(health: Health):
    found = text("balance", replace(NOTHING, health=health))
    assert ("on the publisher" in found) is (health is not Health.NOT_MANAGEMENT_KEY)
    assert "openbalance-hid setup" not in found
    tile = TileConfig("balance")
    assert tap_of(tile, replace(NOTHING, health=health)) != OpenPage(WebPage.MANAGEMENT_KEYS)


def test_a_key_is_shown_and_never_switched():
    found = text("key-switch", KNOWN, key_name="ci", key_hash=None)
    assert "ci" in found
    assert "view only" in found
