"""How low a balance is by an amount, by its runway, and by several limits."""

from decimal import Decimal

import pytest

from openbalance_hid.account.alert import BalanceLevel
from openbalance_hid.account.low_balance import AUTO, OFF, low_level, lowest_level
from tests.build import NOON, days_back, snapshot

TWO_A_DAY = days_back([2] * 10)


@pytest.mark.parametrize(
    ("left", "level"),
    [
        ("14.01", BalanceLevel.NORMAL),  # seven days
        ("13.99", BalanceLevel.LOW),
        ("4.01", BalanceLevel.LOW),  # two days
        ("3.99", BalanceLevel.VERY_LOW),
        ("0", BalanceLevel.VERY_LOW),
        ("-0.01", BalanceLevel.BELOW_ZERO),
    ],
)
def test_without_an_amount_a_balance_is_low_by_the_days_that_it_lasts(left: str, level: BalanceLevel):
    seen = snapshot(balance=(100, 100 - Decimal(left)), days=TWO_A_DAY)
    assert low_level(seen, AUTO, NOON) is level


def test_a_balance_without_a_runway_is_low_only_below_zero():
    assert low_level(snapshot(balance=(10, "9.99")), AUTO, NOON) is BalanceLevel.NORMAL
    assert low_level(snapshot(balance=(10, "10.01")), AUTO, NOON) is BalanceLevel.BELOW_ZERO
    assert low_level(snapshot(balance=None), AUTO, NOON) is BalanceLevel.NORMAL


def test_the_highest_level_of_several_limits_counts_and_off_is_none():
    seen = snapshot(balance=(100, 90), days=TWO_A_DAY)  # five days
    assert lowest_level(seen, (Decimal(5),), NOON) is BalanceLevel.NORMAL
    assert lowest_level(seen, (Decimal(5), AUTO), NOON) is BalanceLevel.LOW
    assert lowest_level(seen, (Decimal(60), AUTO), NOON) is BalanceLevel.VERY_LOW
    assert lowest_level(snapshot(balance=(1, 2)), (OFF,), NOON) is BalanceLevel.NORMAL
