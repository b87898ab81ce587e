"""Amounts hidden on every deck by one tap, and shown as long as a finger rests on the tile."""

import re
from datetime import timedelta

import pytest

from openbalance_hid.account.snapshot import Health
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import OpenUrl, Paint, Refresh, ReportAction, SendAlert, Store
from openbalance_hid.app.events import GestureRequested, HistoryLoaded
from openbalance_hid.app.gestures import BOUNCE_S, Gesture
from openbalance_hid.app.tile_views import with_refused_config
from openbalance_hid.config.schema import Config, DeckConfig, DialConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived, DeckLost
from openbalance_hid.history.records import MaskedSetting
from openbalance_hid.ipc.status import ProcessInfo, status
from openbalance_hid.tiles import TILES
from tests.app.test_controller import DECK, Story, healthy
from tests.build import NOON, snapshot

AMOUNT = re.compile(r"\$\s*\d")
PRIVACY = len(TILES)
BEGUN = NOON - timedelta(hours=1)
EVERY = FrozenMap({**dict(enumerate(map(TileConfig, TILES))), PRIVACY: TileConfig("privacy")})


def start() -> Story:
    deck = DeckConfig(pages=(PageConfig("main", EVERY),), dials=(DialConfig(0),))
    story = Story(Config(decks=(deck,)), healthy())
    for serial, shape in (
        (DECK, DeckArrived(DECK, "plus", 32, cells=4, dials=4, screen=True)),
        ("SIM2", DeckArrived("SIM2", "xl", 32)),
    ):
        story.tell(shape)
        assert any(AMOUNT.search(text) for text in texts(story, serial))
    return story


def texts(story: Story, serial: str | None = None) -> list[str]:
    return [face.view.text for place, face in story.controller.faces.items() if serial in (None, place[0])]


def bare(story: Story) -> list[str]:
    return [text for text in texts(story) if AMOUNT.search(text)]


def test_a_tap_masks_every_amount_on_every_deck_and_a_second_one_shows_them_again():
    story = start()
    before = texts(story)
    story.key(PRIVACY, True)
    story.key(PRIVACY, False)
    story.wait(BOUNCE_S)
    assert bare(story) == []
    assert story.face(PRIVACY).view.text == "Amounts hidden, hold to peek"
    assert any("$•••" in text for text in texts(story))
    story.key(PRIVACY, True)
    story.wait(0.2)
    assert bare(story) == [], "a tap that lasts a moment shows nothing before it is one"
    story.key(PRIVACY, False)
    story.wait(BOUNCE_S)
    assert texts(story) == before
    assert story.seen(OpenUrl) == story.seen(Refresh) == []


def test_masked_amounts_show_only_while_the_tile_is_held():
    story = start()
    story.tell(GestureRequested(PRIVACY, Gesture.TAP))
    story.key(PRIVACY, True)
    story.wait(1.9)
    assert bare(story) == []
    story.wait(0.2)
    assert bare(story)
    assert story.face(PRIVACY).view.text == "Amounts shown, while held"
    assert story.seen(ReportAction)[-1].text == "Amounts shown while this key is held"
    assert len(story.seen(Refresh)) == 1, "as a hold of any tile"
    story.wait(300)
    assert bare(story), "for as long as it is held"
    story.key(PRIVACY, False)
    assert bare(story) == []
    assert story.face(PRIVACY).view.text == "Amounts hidden, hold to peek"


def test_a_hold_on_another_key_shows_nothing():
    story = start()
    story.tell(GestureRequested(PRIVACY, Gesture.TAP))
    story.key(0, True)
    story.wait(3)
    assert bare(story) == []


def test_amounts_stay_hidden_when_the_deck_goes_under_the_finger_and_comes_back():
    story = start()
    story.tell(GestureRequested(PRIVACY, Gesture.TAP))
    story.key(PRIVACY, True)
    story.wait(2.5)
    story.tell(DeckLost(DECK))
    assert bare(story) == []
    story.tell(DeckArrived(DECK, "mk2", 15))
    assert bare(story) == []


def test_new_numbers_and_time_bring_no_amount_to_light():
    story = start()
    story.tell(GestureRequested(PRIVACY, Gesture.TAP))
    story.tell(healthy(balance=(900, 25)))
    story.wait(3 * 3600)
    assert bare(story) == []
    painted = [effect.face.view for effect in story.seen(Paint)[-32:]]
    assert [view.text for view in map(with_refused_config, painted) if AMOUNT.search(view.text)] == []


def test_what_was_hidden_before_a_restart_is_hidden_before_any_amount_is_there():
    deck = DeckConfig(pages=(PageConfig("main", EVERY),))
    story = Story(Config(decks=(deck,)), snapshot(balance=None, health=Health.PREPARING, started=BEGUN))
    story.tell(DeckArrived(DECK, "xl", 32))
    assert story.face(PRIVACY).view.text == "Amounts shown, tap to hide"
    story.tell(HistoryLoaded("default", BEGUN, masked=True))
    story.tell(healthy(started=BEGUN))
    assert bare(story) == []
    assert [view for view in story.seen(Paint) if AMOUNT.search(view.face.view.text)] == []
    story.tell(GestureRequested(PRIVACY, Gesture.TAP))
    assert bare(story)
    assert story.seen(Store) == [Store(None, None, MaskedSetting(False))], "stored once, and not loaded back"


def test_a_mask_costs_one_picture_a_tile_with_amounts_and_no_poll():
    story = start()
    story.done.clear()
    story.tell(GestureRequested(PRIVACY, Gesture.TAP))
    painted = [(effect.serial, effect.key) for effect in story.seen(Paint)]
    assert len(painted) == len(set(painted))
    assert story.seen(Refresh) == story.seen(SendAlert) == []


@pytest.mark.parametrize("masked", [False, True])
def test_programs_are_told_exact_amounts_and_that_they_are_masked(masked):
    story = start()
    if masked:
        story.tell(GestureRequested(PRIVACY, Gesture.TAP))
    known = status(story.controller, (), ProcessInfo(1, 1.0, "", NOON, None), Moment(NOON, 1000.0))["accounts"]["default"]
    assert (known["balance_usd"], known["masked"]) == ("74.25", masked)
