"""Pages, dials, strip, touch keys, light and identify in the controller, under virtual time."""

import pytest
from msgspec.structs import replace

from openbalance_hid.app.effects import LogWarning, OpenUrl, Paint, Refresh, SetBrightness, SetRotation
from openbalance_hid.app.events import BrightnessRequested, ConfigReloaded, IdentifyRequested, PageRequested
from openbalance_hid.app.gestures import BOUNCE_S
from openbalance_hid.app.input_handling import SWIPE_PX
from openbalance_hid.config.schema import Config, DeckConfig, DialConfig, DimConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import (
    CELL_PX,
    DeckArrived,
    DeckLost,
    DialPushed,
    DialTurned,
    KeyEvent,
    StripTouched,
    TouchKeyEvent,
    TouchKind,
)
from openbalance_hid.simulator.device.models import MODELS, OFFERED
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.actions import WebPage
from tests.app.test_controller import DECK, Story

PLUS = DeckArrived(DECK, "plus", 8, dials=4, cells=4)
NEO = DeckArrived(DECK, "neo", 8, touch_keys=2, screen=True)
PEDAL = DeckArrived(DECK, "pedal", 3, visual=False)


def tile(name, **options):
    return TileConfig(name, options=FrozenMap({**TILES[name].defaults(), **options}))


PAGES = (
    PageConfig("main", FrozenMap({0: tile("balance"), 1: tile("page", to="more"), 2: tile("monthly-spend")})),
    PageConfig("more", FrozenMap({0: tile("monthly-spend"), 1: tile("page", to="main")})),
)


def touched(kind, x_px, x_out_px=None):
    return StripTouched(DECK, kind, x_px, 50, x_px if x_out_px is None else x_out_px, 50, 0.0)


def story(shape, **deck):
    run = Story(Config(decks=(DeckConfig(pages=PAGES, **deck),), dim=DimConfig(0, 10, 0)))
    run.tell(shape)
    return run


def shown(run):
    return run.controller.decks[DECK].pages.shown.name


def tap(run, key):
    """The effects of a tap, which is one only when the key has been up for a moment."""
    before = len(run.done)
    run.key(key, True)
    run.wait(0.1)
    run.key(key, False)
    run.wait(BOUNCE_S)
    return [effect for _, effect in run.done[before:]]


def test_a_page_tile_turns_the_page_and_back():
    run = story(PLUS)
    tap(run, 1)
    assert (shown(run), run.controller.key_tiles[DECK][0].tile) == ("more", "monthly-spend")
    tap(run, 1)
    assert shown(run) == "main"


def test_a_key_that_is_down_while_the_page_turns_fires_nothing_on_the_new_one():
    run = story(PLUS)
    run.key(0, True)
    run.tell(PageRequested("more"))
    run.wait(3.0)
    run.key(0, False)
    assert run.seen(OpenUrl) == run.seen(Refresh) == []


def test_an_unknown_page_changes_nothing():
    run = story(PLUS)
    run.tell(PageRequested("mroe"))
    assert shown(run) == "main"


def test_page_and_brightness_are_as_they_were_after_a_replug():
    run = story(PLUS, dials=(DialConfig(0, turn="brightness"),))
    run.tell(PageRequested("more"))
    run.tell(DialTurned(DECK, 0, -2, 0.0))
    run.tell(DeckLost(DECK))
    run.tell(PLUS)
    assert shown(run) == "more"
    assert run.seen(SetBrightness)[-1] == SetBrightness(DECK, 60)


@pytest.mark.parametrize(
    ("event", "page"), [(TouchKeyEvent(DECK, 1, True, 0.0), "more"), (TouchKeyEvent(DECK, 0, True, 0.0), "more")]
)
def test_the_touch_keys_of_the_neo_turn_pages_both_ways_round(event, page):
    run = story(NEO)
    run.tell(event)
    assert shown(run) == page
    run.tell(event)
    assert shown(run) == "main"


def test_a_swipe_over_the_strip_turns_the_page():
    run = story(PLUS)
    run.tell(touched(TouchKind.DRAG, 300, 150))
    assert shown(run) == "more"
    run.tell(touched(TouchKind.DRAG, 300, 300 + SWIPE_PX))
    assert shown(run) == "main"


@pytest.mark.parametrize(
    ("along_px", "across_px"), [(0, 0), (5, 3), (SWIPE_PX - 1, 0), (1 - SWIPE_PX, 0), (0, 90), (3, -90), (-120, 130)]
)
def test_a_short_or_vertical_drag_over_the_strip_is_nothing(along_px, across_px):
    run = story(PLUS, strip=(tile("balance"), tile("runway")))
    x_px, y_px = 300, 100
    run.done.clear()
    run.tell(StripTouched(DECK, TouchKind.DRAG, x_px, y_px, x_px + along_px, y_px + across_px, run.now.mono_s))
    run.wait(5)
    assert (run.done, shown(run)) == ([], "main")


@pytest.mark.parametrize(
    ("shape", "contact", "seen"),
    [
        (NEO, lambda down, at_s: TouchKeyEvent(DECK, 1, down, at_s), "page"),
        (PLUS, lambda down, at_s: DialPushed(DECK, 0, down, at_s), "refresh"),
    ],
)
def test_a_touch_key_or_dial_that_bounces_acts_once(shape, contact, seen):
    run = story(shape, strip=(tile("balance"),), dials=(DialConfig(0, turn="page"),))
    for at_s, down in ((0.0, True), (0.08, False), (0.09, True), (0.1, False)):
        run.tell(contact(down, at_s))
    assert (shown(run) == "more") if seen == "page" else (len(run.seen(Refresh)) == 1)
    run.tell(contact(True, 0.16))
    assert (shown(run) == "main") if seen == "page" else (len(run.seen(Refresh)) == 2)


def test_a_dial_turns_the_period_of_the_tile_above_it_alone():
    run = story(PLUS, strip=(tile("balance"), tile("top-models")), dials=(DialConfig(1, turn="period"),))
    before = run.controller.decks[DECK].keys()
    run.tell(DialTurned(DECK, 1, 1, 0.0))
    periods = [each.options["period"] for each in run.controller.decks[DECK].cells().values() if each.tile == "top-models"]
    assert periods == ["today"], "after 30d the round begins anew"
    assert run.controller.decks[DECK].keys() == before
    run.tell(DialTurned(DECK, 1, 1, 0.0))
    assert next(c for c in run.controller.decks[DECK].cells().values() if c.tile == "top-models").options["period"] == "7d"


def test_a_dial_that_is_pushed_refreshes_the_account_above_it():
    run = story(PLUS, strip=(tile("balance"),), dials=(DialConfig(0, turn="page"),))
    assert Refresh("default") in run.tell(DialPushed(DECK, 0, True, 0.0))


def test_tap_and_long_touch_on_the_strip_are_tap_and_hold_of_the_tile_there():
    run = story(PLUS, strip=(tile("balance"), tile("runway")))
    assert [type(each) for each in run.tell(touched(TouchKind.TAP, 0)) if isinstance(each, OpenUrl)] == [OpenUrl]
    assert Refresh("default") in run.tell(touched(TouchKind.HOLD, CELL_PX))
    assert run.tell(touched(TouchKind.TAP, 9 * CELL_PX)) == []


def test_a_pedal_refreshes_on_a_press_and_opens_the_page_on_a_hold():
    run = story(PEDAL)
    assert Refresh("default") in tap(run, 0)
    run.key(0, True)
    run.wait(2.5)
    assert len(run.seen(OpenUrl)) == 1
    run.key(0, False)
    assert len(run.seen(OpenUrl)) == 1


def test_a_key_held_beside_the_one_that_turns_the_page_fires_nothing_on_the_new_one():
    run = story(PEDAL)
    run.key(1, True)  # a pedal's hold does what a tap does elsewhere
    run.key(0, True)
    run.wait(2.5)
    assert shown(run) == "more"
    assert run.seen(OpenUrl) == run.seen(Refresh) == []


def test_the_first_press_on_a_dark_deck_only_wakes_it():
    run = Story(Config(decks=(DeckConfig(pages=PAGES),), dim=DimConfig(10, 10, 60)))
    run.tell(PLUS)
    run.wait(61 * 60)
    assert run.seen(SetBrightness)[-1] == SetBrightness(DECK, 0)
    run.key(0, True)
    assert run.seen(SetBrightness)[-1] == SetBrightness(DECK, 70)
    run.wait(3.0)
    run.key(0, False)
    run.wait(0.02)
    run.key(0, True)  # a bounce is still the same press
    run.wait(0.1)
    run.key(0, False)
    run.wait(1.0)
    assert run.seen(OpenUrl) == run.seen(Refresh) == []
    tap(run, 0)
    assert len(run.seen(OpenUrl)) == 1


def test_a_deck_returns_to_its_first_page_after_so_long_without_an_input():
    run = story(PLUS, home_after_minutes=5)
    run.tell(PageRequested("more"))
    run.wait(299)
    run.key(0, True)
    run.key(0, False)
    run.wait(299)
    assert shown(run) == "more", "a press starts the time again"
    run.wait(2)
    assert shown(run) == "main"
    assert run.face(0).view.tile == "balance"
    run.tell(PageRequested("more"))
    run.wait(299)
    assert shown(run) == "more", "and so does a command for a page"


def test_a_deck_without_a_time_to_return_stays_on_its_page():
    run = story(PLUS)
    run.tell(PageRequested("more"))
    run.wait(3600 * 24)
    assert shown(run) == "more"


def test_a_turned_deck_is_told_its_rotation_before_its_pictures():
    run = story(DeckArrived(DECK, "mk2", 15), rotate=90)
    kinds = [type(effect) for _, effect in run.done]
    assert run.seen(SetRotation) == [SetRotation(DECK, 90)]
    assert kinds.index(SetRotation) < kinds.index(Paint)


def test_another_rotation_paints_everything_anew_and_drops_the_keys_that_are_down():
    run = story(DeckArrived(DECK, "mk2", 15))
    run.key(0, True)
    run.done.clear()
    config = run.controller.config
    run.tell(ConfigReloaded(replace(config, decks=(replace(config.decks[0], rotate=180),))))
    assert run.seen(SetRotation) == [SetRotation(DECK, 180)]
    assert len({paint.key for paint in run.seen(Paint)}) == 15
    run.wait(5)
    run.key(0, False)
    assert run.seen(OpenUrl) == run.seen(Refresh) == []
    assert OpenUrl in {type(effect) for effect in tap(run, 0)}, "the key is up for the next press"


@pytest.mark.parametrize("shape", [PLUS, NEO])
def test_a_deck_with_parts_below_its_keys_refuses_a_quarter_turn_with_words(shape):
    run = story(shape, rotate=270)
    assert run.seen(SetRotation) == []
    (warning,) = run.seen(LogWarning)
    assert "found 270, but this deck can only be turned by 180" in warning.text
    run = story(shape, rotate=180)
    assert run.seen(SetRotation) == [SetRotation(DECK, 180)]
    assert run.seen(LogWarning) == []


def test_brightness_by_command_lasts_until_a_press_or_another_command():
    run = story(PLUS)
    run.tell(DeckArrived("OTHER", "mini", 6))
    run.done.clear()
    run.tell(BrightnessRequested((DECK,), 0))
    assert run.seen(SetBrightness) == [SetBrightness(DECK, 0)]
    run.wait(3600)
    assert run.seen(SetBrightness) == [SetBrightness(DECK, 0)]
    run.key(0, True)
    run.wait(0.1)
    run.key(0, False)
    run.wait(1)
    assert run.seen(SetBrightness)[-1] == SetBrightness(DECK, 70)
    assert run.seen(OpenUrl) == [], "the press that wakes does nothing else"
    run.tell(BrightnessRequested((DECK, "GONE"), 30))
    assert run.seen(SetBrightness)[-1] == SetBrightness(DECK, 30)
    run.tell(BrightnessRequested((DECK,), 0))
    run.tell(DeckLost(DECK))
    run.tell(PLUS)
    assert run.seen(SetBrightness)[-1] == SetBrightness(DECK, 0), "also after a replug"
    run.tell(BrightnessRequested((DECK,), None))
    assert run.seen(SetBrightness)[-1] == SetBrightness(DECK, 30)


def test_a_dial_switches_its_deck_off_or_steps_through_its_brightness():
    run = story(PLUS, dials=(DialConfig(0, push="off"), DialConfig(1, push="brightness")))
    levels = []
    for at_s in range(4):
        run.tell(DialPushed(DECK, 1, True, float(at_s)))
        levels.append(run.seen(SetBrightness)[-1].percent)
    assert levels == [40, 20, 100, 70]
    run.tell(DialPushed(DECK, 0, True, 9.0))
    assert run.seen(SetBrightness)[-1].percent == 0
    run.tell(DialPushed(DECK, 0, True, 10.0))
    assert run.seen(SetBrightness)[-1].percent == 70, "a push of a dark deck only wakes it"
    assert run.seen(Refresh) == []


CHOSEN = (
    ("credits", OpenUrl, WebPage.CREDITS.value),
    ("logs", OpenUrl, WebPage.LOGS.value),
    ("refresh", Refresh, "default"),
    ("off", SetBrightness, 0),
    ("brightness", SetBrightness, 40),
)


@pytest.mark.parametrize("tile_name", ["balance", "spike-alert", "privacy", "meter", "page"])
@pytest.mark.parametrize("gesture", ["tap", "hold"])
@pytest.mark.parametrize(("action", "kind", "value"), CHOSEN)
def test_tap_and_hold_of_any_tile_do_what_the_configuration_names(gesture, action, kind, value, tile_name):
    chosen = replace(tile(tile_name, **({"to": "more"} if tile_name == "page" else {})), **{gesture: action})
    run = Story(Config(decks=(DeckConfig(pages=(PageConfig("main", FrozenMap({0: chosen})), PAGES[1])),)))
    run.tell(DeckArrived(DECK, "mk2", 15))
    run.done.clear()
    if gesture == "tap":
        tap(run, 0)
    else:
        run.key(0, True)
        run.wait(2.1)
        run.key(0, False)
        run.wait(0.1)
    effects = run.seen(OpenUrl) + run.seen(Refresh) + run.seen(SetBrightness)
    assert [type(each) for each in effects] == [kind]
    assert value in [getattr(effects[0], name) for name in effects[0].__struct_fields__]


@pytest.mark.parametrize("action", ["none", "acknowledge"])
def test_a_tap_that_is_configured_away_opens_nothing(action):
    run = Story(Config(decks=(DeckConfig(pages=(PageConfig("main", FrozenMap({0: replace(tile("balance"), tap=action)})),)),)))
    run.tell(DeckArrived(DECK, "mk2", 15))
    tap(run, 0)
    assert run.seen(OpenUrl) == run.seen(Refresh) == []


def test_a_tap_shows_the_page_that_the_configuration_names():
    main = PageConfig("main", FrozenMap({0: replace(tile("balance"), tap="page:more")}))
    run = Story(Config(decks=(DeckConfig(pages=(main, PAGES[1])),)))
    run.tell(DeckArrived(DECK, "mk2", 15))
    tap(run, 0)
    assert shown(run) == "more"


def test_identify_shows_the_number_of_each_key_for_ten_seconds():
    run = story(PLUS)
    before = {key: run.face(key) for key in range(8)}
    run.tell(IdentifyRequested())
    assert [str(key) in run.face(key).view.text for key in range(8)] == [True] * 8
    run.wait(10.1)
    assert {key: run.face(key) for key in range(8)} == before


@pytest.mark.parametrize("name", OFFERED)
def test_on_every_model_a_tap_opens_and_a_hold_refreshes_each_key(name):
    model = MODELS[name]
    run = Story(Config(dim=DimConfig(0, 10, 0)))
    visual = name != "pedal"
    run.tell(DeckArrived(DECK, name, model.keys, visual))
    for key in range(min(model.keys, 3)):
        opened, asked = len(run.seen(OpenUrl)), len(run.seen(Refresh))
        tap(run, key)
        run.tell(KeyEvent(DECK, key, True, run.now.mono_s))
        run.wait(2.1)
        run.key(key, False)
        assert (len(run.seen(OpenUrl)) - opened, len(run.seen(Refresh)) - asked) == (1, 1), key
