"""The meter in the controller, under virtual time: taps start and stop it, polls count it, a restart goes on with it."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.app.effects import OpenUrl, Refresh, SetPollInterval, Store
from openbalance_hid.app.events import GestureRequested, HistoryLoaded
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.config.schema import Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.tiles.view import Age
from tests.app.test_controller import DECK, Story
from tests.build import NOON, samples, snapshot

BEGUN = NOON - timedelta(hours=1)
MONO_S = 1000.0  # the monotonic clock at noon
PACED = TileConfig("meter", options=FrozenMap({"poll_seconds": 30}))


def start(*tiles: TileConfig, seen=None) -> Story:
    keys = FrozenMap(dict(enumerate(tiles or (TileConfig("meter"),))))
    return Story(Config(decks=(DeckConfig(pages=(PageConfig("main", keys),)),)), seen or polled((-5, 20))).plugged()


def polled(*readings, **more):
    """A poll for each (minutes after noon, total usage); the last one is now."""
    now = NOON + timedelta(minutes=readings[-1][0])
    taken = samples([(NOON + timedelta(minutes=minutes), usage) for minutes, usage in readings])
    taken = tuple(replace(each, mono_s=MONO_S + (each.at - NOON).total_seconds()) for each in taken)
    return snapshot(now, balance=(100, readings[-1][1]), taken=taken, started=BEGUN, **more)


def tap(story: Story, key: int = 0) -> list:
    return story.tell(GestureRequested(key, Gesture.TAP))


def runs(effects: list) -> list[MeterRun]:
    return [effect.record for effect in effects if isinstance(effect, Store) and isinstance(effect.record, MeterRun)]


def paces(effects: list) -> list[float | None]:
    return [effect.seconds for effect in effects if isinstance(effect, SetPollInterval)]


def test_a_tap_starts_a_second_one_stops_and_a_minute_later_the_amount_stands():
    story = start()
    assert "a tap starts it" in story.face(0).view.text
    begun = tap(story)
    assert (runs(begun), paces(begun)) == ([MeterRun(NOON)], [60.0])
    assert story.face(0).view.text == "Meter running, — in <1 m"
    story.wait(60)
    story.tell(polled((-5, 20), (0.1, 20), (1, 20)))
    story.wait(66)
    story.tell(polled((-5, 20), (0.1, 20), (1.1, 20), (2.1, "20.25")))
    assert story.face(0).view.text == "Meter running, $0.25 in 2 m"
    ended = tap(story)
    assert (runs(ended)[-1].ended_at, paces(ended)) == (NOON + timedelta(minutes=2.1), [60.0]), "polled at the stop, too"
    assert story.face(0).view.text == "Meter settling, $0.25 in 2 m"
    story.wait(90)
    settled = story.tell(polled((0.1, 20), (1.1, 20), (2.1, "20.25"), (3.2, "20.25"), (3.6, 22)))
    (run,) = runs(settled)
    assert (run.usd, run.approximate, paces(settled)) == (Decimal("0.25"), False, [None])
    assert story.face(0).view.text == "Meter stopped, $0.25 in 2 m"
    assert story.seen(OpenUrl) == story.seen(Refresh) == []


def test_an_unchanged_run_is_told_nobody_again():
    story = start()
    tap(story)
    counted = polled((-5, 20), (0.1, 20), (1, 21))
    story.wait(60)
    assert runs(story.tell(counted)) == [
        MeterRun(NOON, None, Decimal(1), NOON + timedelta(minutes=1), Decimal(21), approximate=True)
    ]
    story.done.clear()
    story.tell(replace(counted, polls=2))
    assert (story.seen(Store), story.seen(SetPollInterval)) == ([], [])


def test_the_quickest_meter_of_an_account_sets_its_pace():
    story = start(TileConfig("meter"), PACED)
    assert paces(tap(story)) == [30.0]
    assert story.face(0).view.text.startswith("Meter running")
    assert story.face(1).view.text.startswith("Meter running"), "two keys, one meter"


def test_a_run_that_begins_before_the_last_one_is_settled_takes_nothing_away_from_it():
    story = start()
    tap(story)
    story.wait(60)
    story.tell(polled((-5, 20), (0.1, 20), (1, 21)))
    tap(story)
    story.wait(10)
    assert paces(tap(story)) == [60.0], "asked at once, for a new task has begun"
    story.wait(80)
    ended = runs(story.tell(polled((-5, 20), (0.1, 20), (1, 21), (1.2, 22), (2, 25), (2.5, 27))))
    assert [(run.started_at, run.usd, run.is_settled) for run in ended] == [
        (NOON, Decimal(5), True),
        (NOON + timedelta(seconds=70), Decimal(5), False),
    ]


def test_a_run_goes_on_after_a_restart_with_what_was_spent_meanwhile():
    story = start(seen=snapshot(balance=None, started=BEGUN))
    known = MeterRun(NOON - timedelta(hours=3), None, Decimal(2), NOON - timedelta(hours=2), Decimal(20))
    effects = story.tell(HistoryLoaded("default", BEGUN, runs=(known,)))
    assert (runs(effects), paces(effects)) == ([], [60.0]), "known already, and asked often again"
    story.tell(polled((-120, 20), (0, 26)))
    assert story.face(0).view.text == "Meter running, $8.00 in 3 h"


def test_a_settled_run_from_before_stays_on_the_key_and_hurries_nobody():
    story = start()
    known = MeterRun(NOON - timedelta(hours=3), NOON - timedelta(hours=2), Decimal(2), NOON - timedelta(hours=1), Decimal(20))
    assert paces(story.tell(HistoryLoaded("default", BEGUN, runs=(known,)))) == []
    assert story.face(0).view.text == "Meter stopped, $2.00 in 60 m"


def test_a_tap_before_the_history_has_spoken_counts():
    story = start()
    tap(story)
    story.tell(HistoryLoaded("default", BEGUN, runs=(MeterRun(NOON - timedelta(days=9), NOON - timedelta(days=8)),)))
    assert story.face(0).view.text == "Meter running, — in <1 m"


def test_another_account_under_the_name_inherits_no_run():
    story = start()
    tap(story)
    story.tell(replace(polled((-5, 3), (0.1, 3)), started_at=NOON))
    assert "a tap starts it" in story.face(0).view.text


def test_a_running_number_is_old_after_two_of_its_own_polls():
    story = start()
    tap(story)
    story.wait(60)
    story.tell(polled((-5, 20), (0.1, 20), (1, 21)))
    story.wait(60)
    assert story.face(0).view.age is Age.FRESH
    story.wait(60)
    assert story.face(0).view.age is Age.OLD
    assert story.face(0).view.text == "Meter running, ~$1.00 in 3 m, 2 m old"
    story.wait(120)
    assert story.face(0).view.age is Age.STALE


def test_a_reset_of_the_accounts_usage_is_marked_on_the_key():
    story = start()
    tap(story)
    story.wait(240)
    story.tell(polled((-5, 120), (0.1, 120), (1, 121), (2, 3), (3, "3.5")))
    assert story.face(0).view.text.startswith("Meter running, ~$1.50 in 4 m")


def test_an_unplugged_deck_stops_no_meter():
    story = start()
    tap(story)
    story.tell(DeckArrived(DECK, "mini", 6))
    assert story.face(0).view.text == "Meter running, — in <1 m"


def test_a_settled_amount_does_not_grow_old():
    story = start()
    known = MeterRun(NOON - timedelta(hours=3), NOON - timedelta(hours=2), Decimal(2), NOON - timedelta(hours=1), Decimal(20))
    story.tell(HistoryLoaded("default", BEGUN, runs=(known,)))
    story.wait(3 * 3600)
    assert (story.face(0).view.text, story.face(0).view.age) == ("Meter stopped, $2.00 in 60 m", Age.FRESH)
