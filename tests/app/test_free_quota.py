"""The quota of free models is requested while a tile on a connected deck shows it."""

from openbalance_hid.app.effects import WantFreeQuota
from openbalance_hid.config.schema import Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckLost
from tests.app.test_controller import DECK, Story
from tests.build import snapshot


def wanted(effects: list) -> list[WantFreeQuota]:
    return [effect for effect in effects if isinstance(effect, WantFreeQuota)]


def test_the_quota_is_requested_while_a_deck_has_its_tile():
    keys = FrozenMap({0: TileConfig("free-quota"), 1: TileConfig("free-quota")})
    story = Story(Config(decks=(DeckConfig(pages=(PageConfig("main", keys),)),)), snapshot()).plugged()
    assert story.seen(WantFreeQuota) == [WantFreeQuota("default", True)]
    assert wanted(story.tell(snapshot())) == []
    assert wanted(story.tell(DeckLost(DECK))) == [WantFreeQuota("default", False)]


def test_without_the_tile_it_is_never_requested():
    assert Story(Config(), snapshot()).plugged().seen(WantFreeQuota) == []
