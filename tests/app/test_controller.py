"""The controller under virtual time: events in, effects out, nothing else in the room."""

from datetime import timedelta, tzinfo
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.effects import LogTileError, LogWarning, OpenUrl, Paint, Refresh, Repaint, RepaintNext, SetBrightness
from openbalance_hid.app.events import (
    ConfigReloaded,
    GestureRequested,
    RefreshSkipped,
    RepaintRequested,
    SessionLock,
    TimePassed,
)
from openbalance_hid.app.gestures import BOUNCE_S, Gesture
from openbalance_hid.app.presses import FLASH_S
from openbalance_hid.config.schema import Config, DeckConfig, DimConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, KeyEvent
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.kind import TileKind
from openbalance_hid.tiles.view import Flash
from tests.build import NOON, day_of_samples, days_back, snapshot

DECK = "SIM1"


class Story:
    """A controller with its own time: `at` moves it forward, deadline by deadline, as the loop would."""

    def __init__(self, config: Config | None = None, seen: Snapshot | None = None, zone: tzinfo | None = None) -> None:
        self.now = Moment(NOON, 1000.0)
        self.controller = Controller(config or Config(), {"default": seen or healthy()}, self.now, zone)
        self.done: list[tuple[float, object]] = []

    def tell(self, event):
        effects = self.controller.step(event, self.now)
        self.done += [(self.now.mono_s - 1000.0, effect) for effect in effects]
        return effects

    def wait(self, seconds: float) -> None:
        end_s = self.now.mono_s + seconds
        for _ in range(10_000):
            due_s = self.controller.next_deadline()
            assert due_s > self.now.mono_s or due_s == pytest.approx(self.now.mono_s), "a deadline in the past spins the loop"
            if due_s > end_s:
                break
            self._move(due_s)
            self.tell(TimePassed())
        self._move(end_s)

    def key(self, key: int, down: bool) -> list:
        return self.tell(KeyEvent(DECK, key, down, self.now.mono_s))

    def plugged(self) -> "Story":
        self.tell(DeckArrived(DECK, "mk2", 15))
        return self

    def seen(self, kind: type) -> list:
        return [effect for _, effect in self.done if isinstance(effect, kind)]

    def face(self, key: int):
        return self.controller.faces[DECK, key]

    def _move(self, to_s: float) -> None:
        forward = timedelta(seconds=to_s - self.now.mono_s)
        self.now = Moment(self.now.utc + forward, to_s)


def healthy(**changes) -> Snapshot:
    return snapshot(days=days_back([3] * 6), today={"Model A": 1}, taken=day_of_samples(3), **changes)


def test_a_new_deck_gets_its_brightness_and_every_key():
    story = Story().plugged()
    assert [effect.percent for effect in story.seen(SetBrightness)] == [70]
    assert [paint.key for paint in story.seen(Paint)] == list(range(15))
    assert [story.face(key).view.tile for key in (0, 1, 2, 3, 14)] == [
        "balance",
        "top-models",
        "monthly-spend",
        "spike-alert",
        "blank",
    ]


def test_an_idle_deck_paints_nothing_but_one_part_a_minute_in_turn():
    story = Story().plugged()
    story.done.clear()
    story.wait(600)
    assert story.done == [(60.0 * minute, RepaintNext(DECK)) for minute in range(1, 11)]


@pytest.mark.parametrize("event", [RepaintRequested(), ConfigReloaded(Config()), SessionLock(Lock.OPEN)])
def test_a_command_a_reload_and_an_unlock_send_everything_once_more(event):
    story = Story(Config(dim=DimConfig(on_lock=True))).plugged()
    story.tell(SessionLock(Lock.LOCKED))
    story.wait(5)
    assert story.seen(SetBrightness)[-1] == SetBrightness(DECK, 0)
    story.done.clear()
    story.tell(event)
    assert Repaint(DECK) in story.seen(Repaint)


@pytest.mark.parametrize("idle_minutes", [11, 61])
def test_a_press_that_wakes_a_deck_sends_everything_once_more(idle_minutes):
    story = Story(Config(dim=DimConfig(10, 50, 60))).plugged()
    story.wait(60 * idle_minutes)
    assert story.seen(Repaint) == []
    story.key(0, True)
    assert story.seen(Repaint) == [Repaint(DECK)]
    story.wait(0.1)
    story.key(0, False)
    story.key(1, True)
    assert story.seen(Repaint) == [Repaint(DECK)], "an awake deck is painted already"


def test_a_hold_sends_everything_once_more_also_when_the_poll_is_skipped():
    story = Story().plugged()
    for _ in range(2):
        story.tell(GestureRequested(0, Gesture.HOLD))
        story.tell(RefreshSkipped("default"))
    assert story.seen(Repaint) == [Repaint(DECK)] * 2


def test_an_equal_snapshot_paints_nothing():
    story = Story().plugged()
    assert story.tell(replace(healthy(), polls=2)) == []


def test_a_press_paints_only_its_own_key_at_once():
    story = Story().plugged()
    (paint,) = story.key(2, True)
    assert (paint.key, paint.face.pressed) == (2, True)


def test_a_tap_opens_the_tiles_page_and_nothing_else():
    story = Story().plugged()
    story.key(0, True)
    story.wait(0.1)
    story.key(0, False)
    story.wait(BOUNCE_S)
    assert [effect.url for effect in story.seen(OpenUrl)] == ["https://openrouter.ai/settings/credits"]
    assert story.seen(Refresh) == []


def test_a_hold_refreshes_once_while_down_and_opens_nothing():
    story = Story().plugged()
    story.key(0, True)
    story.wait(5)
    story.key(0, False)
    assert [(round(at, 3), effect.account) for at, effect in story.done if isinstance(effect, Refresh)] == [(2.0, "default")]
    assert story.seen(OpenUrl) == []


def test_the_ring_fills_in_steps_up_to_the_hold():
    story = Story().plugged()
    story.done.clear()
    story.key(0, True)
    story.wait(2)
    rings = [effect.face.ring for effect in story.seen(Paint)]
    assert rings == sorted(rings)
    assert rings[0] == 0.0
    assert rings[-1] == 1.0
    assert len(rings) == 13


def test_refreshing_shows_until_the_poll_has_ended_then_how_it_ended():
    story = Story().plugged()
    story.key(0, True)
    story.wait(2)
    story.key(0, False)
    assert story.face(0).refreshing
    story.tell(replace(healthy(), refreshing=True))
    assert story.face(0).refreshing
    story.tell(replace(healthy(), polls=2))
    assert (story.face(0).refreshing, story.face(0).flash) == (False, Flash.DONE)
    story.wait(FLASH_S + 0.01)
    assert story.face(0).flash is Flash.NONE


def test_a_failed_refresh_says_so():
    story = Story().plugged()
    story.tell(GestureRequested(0, Gesture.HOLD))
    story.tell(replace(healthy(), polls=2, health=Health.OFFLINE))
    assert story.face(0).flash is Flash.FAILED


def test_two_holds_wait_for_one_poll_together():
    story = Story().plugged()
    story.tell(GestureRequested(0, Gesture.HOLD))
    story.wait(3)
    story.tell(GestureRequested(1, Gesture.HOLD))
    assert (story.face(0).refreshing, story.face(1).refreshing) == (True, True)
    story.tell(replace(healthy(), polls=2))
    assert (story.face(0).flash, story.face(1).flash) == (Flash.DONE, Flash.DONE)


def test_a_refresh_that_is_not_worth_a_poll_ends_at_once():
    story = Story().plugged()
    story.tell(GestureRequested(0, Gesture.HOLD))
    story.tell(RefreshSkipped("default"))
    assert (story.face(0).refreshing, story.face(0).flash) == (False, Flash.DONE)


def test_another_account_under_the_name_begins_without_alerts():
    story = Story(seen=snapshot(days=days_back([3] * 6), taken=day_of_samples(12))).plugged()
    story.tell(story.controller.snapshots["default"])
    assert story.controller.tile_inputs.alerts
    story.tell(replace(healthy(), started_at=NOON))
    assert not story.controller.tile_inputs.alerts


def test_a_key_that_was_down_at_the_unplug_fires_nothing():
    story = Story().plugged()
    story.key(0, True)
    story.wait(1)
    story.tell(DeckLost(DECK))
    story.plugged()
    story.wait(5)
    story.key(0, False)
    assert (story.seen(OpenUrl), story.seen(Refresh)) == ([], [])


def test_a_tap_on_the_spike_acknowledges_it_and_it_stays_true():
    alarmed = snapshot(days=days_back([3] * 6), taken=day_of_samples(12))
    story = Story(seen=alarmed)
    story.plugged()
    story.tell(alarmed)
    assert story.face(3).view.attention
    story.tell(GestureRequested(3, Gesture.TAP))
    assert not story.face(3).view.attention
    assert "Spike" in story.face(3).view.text
    worse = snapshot(days=days_back([3] * 6), taken=day_of_samples(30))
    story.tell(worse)
    assert story.face(3).view.attention


def test_a_deck_that_comes_between_two_polls_can_be_tapped_at_once():
    alarmed = snapshot(days=days_back([3] * 6), taken=day_of_samples(12))
    alert = TileConfig("spike-alert", options=FrozenMap({"threshold": Decimal(2)}))
    config = Config(decks=(DeckConfig(serial="other"), DeckConfig(pages=(PageConfig("main", FrozenMap({3: alert})),))))
    story = Story(config, alarmed)
    story.plugged()
    assert story.face(3).view.attention
    story.tell(GestureRequested(3, Gesture.TAP))
    assert not story.face(3).view.attention


CRITICAL = snapshot(days=days_back([3] * 6), taken=day_of_samples(30))


def test_critical_pulses_slowly_until_it_is_acknowledged():
    story = Story(seen=CRITICAL).plugged()
    story.tell(CRITICAL)
    story.done.clear()
    story.wait(10)
    lit = [effect.face.view.attention for effect in story.seen(Paint)]
    assert lit == [False, True] * 5
    story.tell(GestureRequested(3, Gesture.TAP))
    story.done.clear()
    story.wait(10)
    assert story.seen(Paint) == []


def test_a_steady_critical_and_a_spike_do_not_move():
    steady = FrozenMap({0: TileConfig("spike-alert", options=FrozenMap({"attention": "steady"})), 1: TileConfig("balance")})
    config = Config(decks=(DeckConfig(pages=(PageConfig("main", steady),)),))
    spike = snapshot(days=days_back([3] * 6), taken=day_of_samples(12))
    for story in (Story(config, CRITICAL).plugged(), Story(seen=spike).plugged()):
        assert any(face.view.attention for face in story.controller.faces.values())
        story.done.clear()
        story.wait(30)
        assert story.seen(Paint) == []


def test_the_page_of_models_turns_every_minute():
    days = {day: {f"v/model-{letter}": 3 for letter in "abcd"} for day in days_back([1] * 6)}
    story = Story(seen=snapshot(days=days))
    story.plugged()
    first = story.face(1).view.page
    story.wait(61)
    assert (first, story.face(1).view.page) == ((0, 2), (1, 2))


def test_data_grows_old_without_any_event():
    story = Story().plugged()
    story.wait(31 * 60)
    assert story.face(0).view.age.value == "old"
    story.wait(30 * 60)
    assert story.face(0).view.age.value == "stale"


def test_preparing_ends_by_itself_after_a_minute():
    story = Story(seen=snapshot(balance=None, health=Health.OFFLINE, started=NOON - timedelta(seconds=10)))
    story.plugged()
    assert "Preparing" in story.face(0).view.text
    story.wait(50.5)
    assert "Offline" in story.face(0).view.text


def test_a_broken_tile_says_so_on_its_own_key_and_once_in_the_log(monkeypatch):
    def bad(scene):
        raise ZeroDivisionError(f"in a tile, at {scene.now}, {scene.snapshot.polls} polls")

    monkeypatch.setitem(TILES, "balance", TileKind("balance", "", bad, TILES["balance"].tap, TILES["balance"].options))
    story = Story().plugged()
    story.tell(replace(healthy(), polls=2))
    assert "Tile error" in story.face(0).view.text
    assert "Tile error" not in story.face(1).view.text
    assert len(story.seen(LogTileError)) == 1


def test_the_decks_own_entry_decides():
    keys = FrozenMap({2: TileConfig("balance", label="Mine"), 99: TileConfig("balance")})
    config = Config(decks=(DeckConfig(serial="M1", brightness=30, pages=(PageConfig("main", keys),), rest="blank"),))
    story = Story(config).plugged()
    assert story.face(2).view.title == "Mine"
    assert story.face(0).view.tile == "blank"
    assert [effect.percent for effect in story.seen(SetBrightness)] == [30]
    assert (DECK, 99) not in story.controller.faces
    assert "key 99" in str(story.seen(LogWarning))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("key"), st.integers(0, 16), st.booleans()),
        st.tuples(st.just("wait"), st.floats(0, 70)),
        st.sampled_from([("plug",), ("unplug",), ("snapshot",), ("failed",)]),
    ),
    max_size=30,
)


@given(steps)
def test_the_glass_equals_the_faces_and_nothing_fires_without_a_press(script):
    story, glass, presses = Story(), {}, 0
    story.plugged()
    for number, (what, *arguments) in enumerate(script):
        if what == "key":
            presses += arguments[1]
            story.key(*arguments)
        elif what == "wait":
            story.wait(*arguments)
        elif what == "plug":
            story.plugged()
        elif what == "unplug":
            story.tell(DeckLost(DECK))
        else:
            health = Health.OK if what == "snapshot" else Health.OFFLINE
            story.tell(replace(healthy(), polls=number + 2, health=health))
    for _, effect in story.done:
        if isinstance(effect, Paint):
            glass[effect.serial, effect.key] = effect.face
    assert all(glass[place] == face for place, face in story.controller.faces.items())
    assert len(story.seen(OpenUrl)) + len(story.seen(Refresh)) <= presses


def test_a_deadline_that_comes_while_a_question_is_answered_is_not_lost():
    story = Story(Config(dim=DimConfig(1, 10, 0))).plugged()
    due_s = story.controller.next_deadline()
    story._move(due_s + 0.001)  # without a step: the loop has only sent a notification
    assert story.controller.next_deadline() == due_s
    story.tell(TimePassed())
    story.wait(3.0)
    assert story.seen(SetBrightness)[-1].percent == 10
