"""What the page of a virtual deck says that a press did: one line for every kind of tile and gesture."""

import pytest

from openbalance_hid.app.effects import ReportAction
from openbalance_hid.app.events import GestureRequested
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.config.schema import Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.actions import OpenPage
from tests.app.test_controller import DECK, Story, healthy

KEYS = {name: key for key, name in enumerate(TILES)}
PAGES = (
    PageConfig(
        "main",
        FrozenMap(
            {
                **{key: TileConfig(name) for name, key in KEYS.items()},
                KEYS["page"]: TileConfig("page", options=FrozenMap({"to": "more"})),
            }
        ),
    ),
    PageConfig("more", FrozenMap({0: TileConfig("blank")})),
)


def connected() -> Story:
    story = Story(Config(decks=(DeckConfig(pages=PAGES),)), healthy())
    story.tell(DeckArrived(DECK, "xl", 32))
    return story


def reports(story: Story, tile: str, gesture: Gesture) -> list[str]:
    effects = story.tell(GestureRequested(KEYS[tile], gesture))
    return [effect.text for effect in effects if isinstance(effect, ReportAction)]


@pytest.mark.parametrize(
    ("tile", "texts"),
    [
        ("meter", ["Meter started", "Meter stopped"]),
        ("privacy", ["Amounts hidden on every deck", "Amounts shown again"]),
        ("spike-alert", ["Nothing to acknowledge: there is no alert"]),
        ("page", ["Page more"]),
        ("blank", ["This key does nothing"]),
    ],
)
def test_a_tap_is_reported_as_what_it_did(tile: str, texts: list[str]):
    story = connected()
    assert [reports(story, tile, Gesture.TAP) for _ in texts] == [[text] for text in texts]


@pytest.mark.parametrize("tile", [name for name, kind in TILES.items() if not isinstance(kind.tap, OpenPage)])
def test_no_tap_is_without_a_report(tile: str):
    assert len(reports(connected(), tile, Gesture.TAP)) == 1


def test_a_hold_is_reported_when_it_starts():
    assert reports(connected(), "balance", Gesture.HOLD) == ["Requesting new numbers from OpenRouter"]
