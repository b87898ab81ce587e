"""Budgets: the bounds of periods, spend with unknown days, and the projection."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spend import used_usd
from openbalance_hid.account.spend_budget import bounds_of, find_budget
from tests.build import NOON, day_of_samples, days_back, samples, snapshot

LIMIT = Decimal(100)


@pytest.mark.parametrize(
    ("period", "day", "first", "after"),
    [
        ("day", date(2026, 2, 28), date(2026, 2, 28), date(2026, 3, 1)),
        ("week", date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 23)),  # a Sunday
        ("week", date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 30)),  # a Monday
        ("week", date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 4)),
        ("month", date(2028, 2, 29), date(2028, 2, 1), date(2028, 3, 1)),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_a_period_has_the_days_of_the_utc_calendar(period: str, day: date, first: date, after: date):
    assert bounds_of(period, day) == (first, after)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.sampled_from(["day", "week", "month"]))
def test_every_day_is_in_its_period(day: date, period: str):
    first, after = bounds_of(period, day)
    assert first <= day < after
    assert bounds_of(period, after)[0] == after


def test_an_even_pace_ends_where_it_leads():
    account = snapshot(days=days_back([2] * 30), today={"m": 1})
    budget = find_budget(account, "month", LIMIT, NOON)
    assert budget.spent.usd is not None
    assert budget.spent.usd == 21 * 2 + 1  # 22 November, noon
    assert (budget.low_usd, budget.high_usd) == (60, 60)
    assert budget.projected_usd == 60


def test_a_dearer_pace_than_usual_makes_a_range():
    account = snapshot(days=days_back([4] * 6 + [1] * 24), today={"m": 2})  # this week four times the weeks before
    budget = find_budget(account, "week", LIMIT, NOON)
    assert budget.low_usd is not None
    assert budget.high_usd is not None
    assert budget.low_usd < budget.high_usd


def test_an_unknown_day_makes_a_lower_bound():
    days = days_back([2] * 30)
    account = snapshot(days={day: rows for day, rows in days.items() if day > date(2026, 11, 10)}, today={"m": 1})
    budget = find_budget(account, "month", LIMIT, NOON)
    assert budget.spent.lower_bound


def test_without_known_days_nothing_is_projected():
    budget = find_budget(snapshot(days=None, today={"m": 1}), "month", LIMIT, NOON)
    assert budget.projected_usd is None


@pytest.mark.parametrize(
    ("period", "now", "elapsed"),
    [("day", NOON, 0.5), ("week", NOON, 6.5 / 7), ("month", NOON, 21.5 / 30), ("day", NOON.replace(hour=0), 0.0)],
)
def test_the_elapsed_part_is_that_of_the_period(period: str, now: datetime, elapsed: float):
    assert find_budget(snapshot(days=days_back([2] * 30)), period, LIMIT, now).elapsed == pytest.approx(elapsed)


def test_a_runaway_hour_reaches_as_far_as_the_rest_of_today_at_its_rate():
    account = snapshot(days=days_back([2] * 30), today={"m": 1}, taken=day_of_samples("65", hours=13))
    budget = find_budget(account, "month", LIMIT, NOON)
    assert budget.spent.usd is not None
    assert budget.high_usd == budget.spent.usd + 5 * 12 + 8 * 2
    assert budget.low_usd == budget.spent.usd + 1 + 8 * 2
    quiet = find_budget(replace(account, samples=day_of_samples("2.5", hours=13)), "month", LIMIT, NOON)
    assert quiet.high_usd is not None
    assert quiet.high_usd < 65, "three usual hours and less are no runaway"


def test_what_an_hour_cost_two_hours_ago_says_nothing_about_the_end():
    account = snapshot(days=days_back([2] * 30), today={"m": 1}, taken=day_of_samples("65", hours=13))
    later = find_budget(account, "month", LIMIT, NOON + timedelta(hours=2))
    assert later.high_usd is not None
    assert later.high_usd < 150


@pytest.mark.parametrize(
    ("period", "at"), [("month", datetime(2026, 12, 1, 0, 40, tzinfo=UTC)), ("day", NOON + timedelta(hours=13))]
)
def test_a_period_of_which_nothing_is_known_yet_has_no_amount(period: str, at: datetime):
    """The last poll was before the period started: "at least $0.00" is no number."""
    before = at.replace(hour=0, minute=0) - timedelta(minutes=20)
    account = snapshot(before, days=days_back([2] * 30, before), taken=day_of_samples(2, now=before), today={"m": 1})
    budget = find_budget(account, period, LIMIT, at)
    assert (budget.spent.usd, budget.share, budget.projected_usd) == (None, None, None)


def test_the_month_of_the_budget_is_the_month_of_every_other_number():
    """Days unknown one by one, which the counter has seen together, count in both; a month without a known day in neither."""
    apart = [(NOON - timedelta(days=age), usage) for age, usage in ((5, 50), (4, 52), (1, 70), (0, 73))]
    for days in (None, days_back([2] * 15, newest=7), days_back([2] * 30)):
        account = snapshot(days=days, today={"m": 1}, taken=samples(apart), activity_health=Health.SERVER_ERROR)
        assert find_budget(account, "month", LIMIT, NOON).spent == used_usd(account, "month", NOON)


@pytest.mark.parametrize(("today", "known"), [(79, False), (80, True), (120, True)])
def test_today_alone_is_the_month_only_if_it_nearly_uses_up_the_budget(today: int, known: bool):
    account = snapshot(today={"m": today}, activity_health=Health.SERVER_ERROR)
    assert find_budget(account, "month", LIMIT, NOON).spent.is_known is known
