"""Spend of days and periods, and the trend: like with like, and unknown is never zero."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from openbalance_hid.account.amount import UNKNOWN, Amount
from openbalance_hid.account.leaders import leaders
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spend import daily_usd, day_usd, percent_used, today_usd, trend, used_usd
from tests.build import NOON, day_of_samples, days_back, samples, snapshot, usd


def shown(amount: Amount) -> str:
    """Return sign and number, without zeros at the end."""
    return f"{amount.sign}{amount.usd.normalize():f}" if amount.usd is not None else "—"


def compared(seen: Snapshot) -> tuple[Decimal, str]:
    found = trend(seen, NOON)
    assert found is not None
    return found.difference_usd, found.basis


def test_a_period_is_its_completed_days_and_today_where_known():
    days = days_back([1, 2, 3, 4, 5, 6, 7, 100])
    assert shown(used_usd(snapshot(days=days, taken=day_of_samples(1)), "7d", NOON)) == "28.5"
    assert shown(used_usd(snapshot(days=days), "7d", NOON)) == "≥28"
    assert shown(used_usd(snapshot(days=days, today={"A": "0.5"}), "7d", NOON)) == "≥28.5", "the query may lag"
    assert shown(used_usd(snapshot(days=days), "all", NOON)) == "25.75"


def test_month_is_the_utc_month_to_date():
    assert shown(used_usd(snapshot(days=days_back([1] * 30), taken=day_of_samples(2)), "month", NOON)) == "22"


@pytest.mark.parametrize("period", ["today", "7d", "30d", "month"])
def test_spend_without_any_answer_is_unknown(period):
    assert used_usd(snapshot(), period, NOON) == UNKNOWN


@pytest.mark.parametrize("period", ["today", "7d", "30d", "month"])
def test_a_new_account_knows_that_there_was_no_more_than_all(period):
    new = snapshot(balance=(10, "0.37"), days={}, today={"A": "0.37"})
    assert shown(used_usd(new, period, NOON)) == "0.37"
    assert shown(used_usd(snapshot(balance=(10, "0.38"), days={}, today={"A": "0.37"}), period, NOON)) == "≥0.37"
    assert shown(used_usd(snapshot(balance=(10, 0)), period, NOON)) == "0", "nothing was ever used"
    reset = snapshot(balance=(10, "0.37"), days=days_back([3, 5]), today={"A": "0.37"})
    assert shown(used_usd(reset, period, NOON)).startswith("≥"), "more is known than all"


def test_percent_of_nothing_purchased_is_unknown():
    assert percent_used(snapshot(balance=(0, 0)), "all", NOON) is None
    assert percent_used(snapshot(), "all", NOON) == usd("25.75")


def test_an_idle_day_is_zero_once_the_activity_is_settled_and_unknown_before():
    days = days_back([2, 2], newest=2)
    early = datetime(2026, 11, 22, 0, 40, tzinfo=UTC)
    yesterday = early.date() - timedelta(days=1)
    assert day_usd(snapshot(early, days=days), yesterday) == UNKNOWN
    assert shown(day_usd(snapshot(NOON, days=days), yesterday)) == "0"


def test_the_trend_compares_whole_days_while_today_is_not_comparable():
    assert compared(snapshot(days=days_back([3, 5]))) == (-2, "yesterday")


def test_the_trend_compares_today_with_yesterday_by_now():
    taken = day_of_samples(48, hours=48)  # a dollar an hour
    assert compared(snapshot(days=days_back([24, 24]), today={"A": 15}, taken=taken)) == (3, "today")


def test_part_of_a_day_is_never_compared_with_a_whole_one():
    assert compared(snapshot(days=days_back([24]), today={"A": 1})) == (24, "yesterday")


def test_days_before_the_activity_began_are_unknown():
    assert day_usd(snapshot(days=days_back([24])), NOON.date() - timedelta(days=30)).usd == 0
    assert day_usd(snapshot(days=days_back([24])), NOON.date() - timedelta(days=31)) == UNKNOWN


def test_today_by_counter_when_the_query_has_no_answer():
    assert shown(today_usd(snapshot(taken=day_of_samples(24)), NOON)) == "12"
    assert today_usd(snapshot(taken=samples([(NOON, 5)])), NOON) == UNKNOWN


def test_daily_spend_ends_with_today():
    seen = snapshot(days=days_back([1, 2]), taken=day_of_samples(18))
    assert [shown(each) for each in daily_usd(seen, 3, NOON)] == ["2", "1", "9"]


MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("later", [timedelta(minutes=14), timedelta(hours=20), timedelta(days=5)])
def test_without_answers_no_day_drops_out_of_a_rolling_period(later):
    seen = snapshot(days=days_back([1, 2, 3, 4, 5, 6, 7, 100]), today={"A": "0.5"}, taken=day_of_samples(3))
    for read in (lambda now: used_usd(seen, "7d", now), lambda now: leaders(seen, "30d", "spend", now)):
        assert read(NOON + later) == read(NOON)
    assert daily_usd(seen, 7, NOON + later) == daily_usd(seen, 7, NOON)


def test_a_new_calendar_month_is_unknown_until_the_next_answer():
    evening = datetime(2026, 11, 30, 23, 50, tzinfo=UTC)
    seen = snapshot(evening, days=days_back([1] * 30, evening), today={"A": "0.5"})
    assert used_usd(seen, "month", evening + timedelta(minutes=9)).usd == usd("29.5")
    assert used_usd(seen, "month", evening + timedelta(minutes=11)) == UNKNOWN


def test_yesterday_is_compared_up_to_the_time_of_the_last_answer():
    taken = day_of_samples(48, hours=48)
    seen = snapshot(days=days_back([24, 24]), today={"A": 15}, taken=taken)
    assert trend(seen, NOON + timedelta(hours=9)) == trend(seen, NOON)
    assert compared(seen) == (3, "today")


def test_a_completed_day_that_is_not_published_is_counted():
    now = MIDNIGHT + timedelta(minutes=15)
    seen = snapshot(now, days=days_back([2, 3], now, newest=2), taken=day_of_samples(48, now, hours=48))  # a dollar an hour
    assert shown(today_usd(seen, now)) == "0.25"
    assert shown(used_usd(seen, "7d", now)) == "29.25"
    assert [shown(each) for each in daily_usd(seen, 3, now)] == ["2", "24", "0.25"]
