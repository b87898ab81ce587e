"""How bright a deck is, minute by minute, on a clock of the test's own."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.dimming import FADE_S, READABLE, Dimmer, Lock
from openbalance_hid.config.schema import DimConfig

BERLIN = ZoneInfo("Europe/Berlin")
DAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NIGHT = DimConfig(after_minutes=10, to_percent=10, off_after_minutes=60, night=(time(23), time(7)))


def moment(minutes: float = 0.0, begin: datetime = DAY) -> Moment:
    return Moment(begin + timedelta(minutes=minutes), 1000.0 + 60.0 * minutes)


def settled(light: Dimmer, minutes: float, begin: datetime = DAY) -> Dimmer:
    """After the fade that is due at that minute."""
    begun = light.at(moment(minutes, begin))
    return begun.at(moment(minutes + FADE_S / 60, begin))


@pytest.mark.parametrize(
    ("minutes", "percent", "name"),
    [(0, 70, "awake"), (9.9, 70, "awake"), (10, 10, "dimmed"), (59, 10, "dimmed"), (60, 0, "off"), (5000, 0, "off")],
)
def test_an_idle_deck_dims_and_then_goes_off(minutes, percent, name):
    light = settled(Dimmer.begin(DimConfig(), 70, moment()), minutes)
    assert (light.percent, light.name) == (percent, name)


def test_it_fades_down_in_steps_and_wakes_at_once():
    light = Dimmer.begin(DimConfig(), 70, moment()).at(moment(10))
    seen = []
    at_s = moment(10).mono_s
    for step in range(11):
        light = light.at(Moment(DAY + timedelta(minutes=10, seconds=step * FADE_S / 10), at_s + step * FADE_S / 10))
        seen.append(light.percent)
    assert seen == sorted(seen, reverse=True)
    assert (seen[0], seen[-1]) == (70, 10)
    assert len(set(seen)) == 11
    assert light.woken(moment(11)).percent == 70


def test_a_deck_that_is_switched_off_stays_off_until_it_is_woken():
    light = Dimmer.begin(DimConfig(), 70, moment()).off()
    assert (light.percent, light.name, light.is_dark) == (0, "off", True)
    assert settled(light, 5).percent == 0
    assert settled(light.with_lock(Lock.LOCKED, moment(5)).with_lock(Lock.OPEN, moment(6)), 7).percent == 0
    assert light.woken(moment(8)).percent == 70
    assert light.on(moment(8)).percent == 70
    assert light.on(moment(8), 40).woken(moment(9)).percent == 40


def test_a_deck_of_a_locked_session_is_switched_on_when_the_session_is_unlocked():
    dim = DimConfig(on_lock=True)
    light = Dimmer.begin(dim, 70, moment()).off().with_lock(Lock.LOCKED, moment(1)).on(moment(2))
    assert settled(light, 3).percent == 0
    assert settled(light.with_lock(Lock.OPEN, moment(4)), 5).percent == 70


def test_minutes_of_zero_mean_never():
    never = Dimmer.begin(DimConfig(after_minutes=0, off_after_minutes=0), 70, moment())
    assert settled(never, 100_000).percent == 70


@pytest.mark.parametrize(("to_percent", "dark"), [(READABLE, False), (READABLE - 1, True), (0, True)])
def test_a_press_on_a_panel_too_dark_to_read_only_wakes_it(to_percent, dark):
    light = settled(Dimmer.begin(DimConfig(to_percent=to_percent), 70, moment()), 10)
    assert light.is_dark is dark


def test_an_owner_who_wants_it_dark_can_still_press():
    assert not Dimmer.begin(DimConfig(), 5, moment()).is_dark


@pytest.mark.parametrize(
    ("local", "percent"),
    [("22:59", 70), ("23:00", 0), ("03:00", 0), ("06:59", 0), ("07:00", 70), ("12:00", 70)],
)
@pytest.mark.parametrize("day", ["2026-11-22", "2026-03-29", "2026-10-25"])  # an ordinary one, and both changes of the clock
def test_at_night_it_is_off_by_the_clock_on_the_wall(local, percent, day):
    begin = datetime.fromisoformat(f"{day}T{local}").replace(tzinfo=BERLIN).astimezone(UTC)
    assert Dimmer.begin(NIGHT, 70, moment(begin=begin), BERLIN).percent == percent


def test_a_press_in_the_night_lights_it_for_a_while():
    begin = datetime(2026, 11, 22, 2, 0, tzinfo=BERLIN).astimezone(UTC)
    light = Dimmer.begin(NIGHT, 70, moment(begin=begin), BERLIN)
    assert light.is_dark
    light = light.woken(moment(1, begin))
    assert settled(light, 10.9, begin).percent == 70
    assert settled(light, 11, begin).percent == 0


def test_brightness_set_while_dark_is_remembered_and_not_shown():
    light = settled(Dimmer.begin(DimConfig(), 70, moment()), 60).wanting(40)
    assert light.percent == 0
    assert light.woken(moment(61)).percent == 40


def test_every_deadline_lies_ahead_and_the_next_change_is_among_them():
    light = Dimmer.begin(NIGHT, 70, moment(), BERLIN)
    for minute in range(0, 24 * 60, 7):
        now = moment(minute)
        light = light.at(now)
        marks = light.deadlines(now)
        assert all(mark > now.mono_s for mark in marks)
        soonest = min(marks)
        just_before = Moment(now.utc + timedelta(seconds=soonest - now.mono_s - 0.01), soonest - 0.01)
        assert light.goal(just_before) == light.goal(now), minute


# --- the session's lock ------------------------------------------------------------------------------------------------------

ON_LOCK = DimConfig(on_lock=True)


def test_a_locked_session_is_dark_whatever_is_pressed_and_bright_when_it_opens():
    light = settled(Dimmer.begin(ON_LOCK, 70, moment()).with_lock(Lock.LOCKED, moment(1)), 1)
    assert (light.percent, light.is_dark) == (0, True)
    assert light.woken(moment(2)).at(moment(2)).percent == 0
    opened = light.with_lock(Lock.OPEN, moment(300)).at(moment(300))
    assert opened.percent == 70, "who has opened it is there, however long ago the deck was touched"
    assert settled(opened, 310).percent == 10


def test_a_press_during_the_fade_of_a_lock_does_nothing():
    light = Dimmer.begin(ON_LOCK, 70, moment()).with_lock(Lock.LOCKED, moment(1)).at(moment(1))
    assert (light.percent, light.is_dark) == (70, True)


def test_what_was_only_asked_to_be_locked_a_press_opens():
    light = settled(Dimmer.begin(ON_LOCK, 70, moment()).with_lock(Lock.ASKED, moment(1)), 1)
    assert (light.percent, light.is_dark) == (0, True)
    woken = light.woken(moment(2))
    assert (settled(woken, 3).percent, woken.is_dark) == (70, False)


def test_a_deck_plugged_in_while_the_session_is_locked_stays_dark():
    assert Dimmer.begin(ON_LOCK, 70, moment(), lock=Lock.LOCKED).percent == 0


def test_opening_the_session_in_the_night_is_no_touch_of_the_deck():
    night = DimConfig(night=(time(23), time(7)), on_lock=True)
    begin = datetime(2026, 11, 22, 2, 0, tzinfo=BERLIN).astimezone(UTC)
    light = Dimmer.begin(night, 70, moment(begin=begin), BERLIN, Lock.LOCKED)
    assert light.with_lock(Lock.OPEN, moment(1, begin)).at(moment(1, begin)).percent == 0


def test_by_default_a_lock_changes_nothing():
    light = Dimmer.begin(DimConfig(), 70, moment()).with_lock(Lock.LOCKED, moment(1)).at(moment(1))
    assert (light.percent, light.is_dark) == (70, False)
