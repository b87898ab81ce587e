"""How long the balance lasts: idle days count, and an unknown day is not an idle one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.pace import NoRunway, empty_on, find_runway, runway
from openbalance_hid.account.snapshot import Credits, Reading
from tests.build import NOON, day_of_samples, days_back, snapshot, usd

FIRST_MINUTES = datetime(2026, 11, 22, 0, 10, tzinfo=UTC)  # yesterday is over, and not published


def test_the_paces_are_those_of_seven_and_of_thirty_calendar_days():
    seen = snapshot(balance=(63, 0), days=days_back([0, 3, 0, 3, 0, 3, 0] + [9] * 9))
    left = runway(seen, NOON)
    assert left is not None
    assert (left.days, left.days_at_long_pace, left.approximate) == (63 / (Decimal(9) / 7), 63 / (Decimal(90) / 30), False)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([2, 2, 2], True), ([2, 2], False), ([0, 0, 2], True), (["0.023"] * 3, False), (["0.024"] * 3, True)],
)
def test_a_runway_needs_three_days_of_history_and_a_cent_a_day(amounts, expected):
    assert (runway(snapshot(days=days_back(amounts)), NOON) is not None) is expected


def test_a_balance_below_zero_lasts_no_day():
    left = runway(snapshot(balance=(10, 12), days=days_back([2] * 7)), NOON)
    assert left is not None
    assert left.days == 0


@pytest.mark.parametrize("taken", [(), day_of_samples(2, FIRST_MINUTES, hours=48)])
def test_an_unpublished_yesterday_does_not_lengthen_the_runway(taken):
    seen = snapshot(FIRST_MINUTES, balance=(70, 0), days=days_back([2] * 30, FIRST_MINUTES, newest=2), taken=taken)
    left = runway(seen, FIRST_MINUTES)
    assert left is not None
    assert left.days == pytest.approx(Decimal(35) if not taken else Decimal(70) / 13 * 7)  # counted: one dollar that day


def test_without_answers_the_runway_stays():
    seen = snapshot(days=days_back([5, 1, 1, 1]))
    assert runway(seen, NOON + timedelta(days=4)) == runway(seen, NOON) is not None


def test_unknown_days_are_left_out_of_the_pace_and_never_lengthen_the_runway():
    later = NOON + timedelta(days=3)  # `/activity` has failed since
    seen = replace(snapshot(balance=(70, 0), days=days_back([2] * 30)), credits=Reading(Credits(usd(70), usd(0)), later))
    left = runway(seen, later)
    assert left is not None
    assert (left.days, left.approximate) == (35, True)
    gone = NOON + timedelta(days=27)
    assert find_runway(replace(seen, credits=Reading(Credits(usd(70), usd(0)), gone)), gone) is NoRunway.UNKNOWN


@pytest.mark.parametrize(
    ("days", "reason"), [([2, 2], NoRunway.YOUNG), ([0, 0, 0, 0, 0, 0, 0, 9], NoRunway.IDLE), (None, NoRunway.UNKNOWN)]
)
def test_there_is_a_reason_for_no_runway(days, reason):
    assert find_runway(snapshot(days=None if days is None else days_back(days)), NOON) is reason


def test_the_day_on_which_the_balance_is_used_up():
    seen = snapshot(balance=(63, 0), days=days_back([7] * 7))
    left = runway(seen, NOON)
    assert left is not None
    assert empty_on(seen, left, NOON) == NOON.date() + timedelta(days=9)
    endless = replace(left, days=Decimal(10**9))
    assert empty_on(seen, endless, NOON) is None
