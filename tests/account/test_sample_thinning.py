"""All for 48 hours, hourly for 35 days, both ends of each day for ever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.account.sample_thinning import thin

NOW = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
INSTANTS = st.sets(st.integers(-3600, 70 * 86400).map(lambda age_s: NOW - timedelta(seconds=age_s)), max_size=200)


def every(minutes: int, days: int) -> list[datetime]:
    return [NOW - timedelta(minutes=minutes * step) for step in range(days * 24 * 60 // minutes + 1)]


def test_seventy_days_of_polls_become_all_hourly_and_daily():
    stays = thin(every(15, 70), NOW)
    ages = sorted(NOW - at for at in stays)
    assert sum(age <= timedelta(hours=48) for age in ages) == 48 * 4 + 1
    assert sum(timedelta(hours=48) < age <= timedelta(days=35) for age in ages) in range(33 * 24, 33 * 25 + 2)
    assert sum(age > timedelta(days=35) for age in ages) in range(69, 73)


def test_the_last_of_each_hour_and_the_first_and_last_of_each_day_stay():
    old = [datetime(2026, 9, 1, hour, minute, tzinfo=UTC) for hour in (0, 9, 23) for minute in (0, 59)]
    last_week = [datetime(2026, 11, 18, 9, minute, tzinfo=UTC) for minute in (0, 30, 45)]
    assert thin([*old, *last_week], NOW) == {old[0], old[-1], last_week[0], last_week[-1]}


def test_both_sides_of_the_last_midnights_stay():
    midnights = [datetime(2026, 11, day, tzinfo=UTC) for day in (21, 22)]
    sides = {midnight + timedelta(minutes=minutes) for midnight in midnights for minutes in (-7, 8)}
    assert sides <= thin([*every(15, 30), *sides], NOW)


@given(INSTANTS)
def test_nothing_is_invented_and_the_newest_stays(instants: set[datetime]):
    stays = thin(instants, NOW)
    assert stays <= instants
    assert max(instants, default=None) == max(stays, default=None)
    assert {at for at in instants if NOW - at <= timedelta(hours=48)} <= stays
    assert {at.date() for at in stays} == {at.date() for at in instants}, "no day is lost"


@given(INSTANTS, st.integers(0, 20 * 86400))
def test_thinning_in_steps_ends_where_thinning_at_once_does(instants: set[datetime], later_s: int):
    later = NOW + timedelta(seconds=later_s)
    assert thin(thin(instants, NOW), later) == thin(instants, later)
