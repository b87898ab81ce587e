"""The counter: only `total_usage` counts, and it never runs backwards."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.account.counter import spent_between, ticks
from openbalance_hid.account.snapshot import Sample
from tests.build import NOON, samples, usd


def readings(*usages):
    return samples([(NOON + timedelta(minutes=15 * index), usage) for index, usage in enumerate(usages)])


def counted(*usages):
    return [tick.counter_usd for tick in ticks(readings(*usages))]


def test_vector_12_a_small_fall_is_a_refund():
    assert counted("12.34", "12.30", "13.30") == [0, 0, usd("1.00")]


def test_vector_13_a_confirmed_large_fall_starts_a_new_epoch():
    made = ticks(readings(120, 3, "3.5"))
    assert [(tick.counter_usd, tick.epoch) for tick in made] == [(0, 0), (0, 1), (usd("0.5"), 1)]


def test_a_large_fall_that_is_not_confirmed_is_ignored():
    assert counted(120, 3, "120.5") == [0, usd("0.5")]


@pytest.mark.parametrize(
    ("usages", "spent"),
    [
        ((120, 100, 1, "100.5", 101), "1.0"),  # 100 is confirmed, 1 is not
        ((120, 100, 1, "1.5"), "0.5"),  # both are
        ((120, 1, 100, "100.5"), "0.5"),  # the second only: nothing rose from 1 to 100
        ((120, 1, 1, 1, "1.25"), "0.25"),
        ((120, 100, 80, 60, "60.5"), "0.5"),
        ((120, 3, 70, 120, 121), "1"),  # neither
        ((120, 100, 118, "118.5"), "0.5"),  # the second one, from 120
    ],
)
def test_of_large_falls_in_a_row_each_is_confirmed_by_itself(usages, spent):
    assert counted(*usages)[-1] == usd(spent)


def test_vector_11_zero_over_zero_after_a_reading_is_dropped():
    taken = (*readings("12.34"), Sample(NOON + timedelta(minutes=15), 1.0, Decimal(0), Decimal(0)))
    assert len(ticks(taken)) == 1


def test_samples_out_of_order_are_left_out():
    forward = readings(1, 2, 3)
    assert len(ticks((forward[0], forward[2], forward[1]))) == 2


def test_a_stretch_across_a_reset_is_unknown():
    made = ticks(readings(120, 3, "3.5"))
    assert spent_between(made, NOON, NOON + timedelta(minutes=30)) is None


def test_between_samples_the_counter_is_linear():
    made = ticks(readings(0, 4))
    stretch = spent_between(made, NOON + timedelta(minutes=3, seconds=45), NOON + timedelta(minutes=15))
    assert stretch is not None
    assert stretch.usd == 3


@given(st.lists(st.decimals("0", "100000", places=4), max_size=40))
def test_the_counter_never_falls(usages):
    made = [tick.counter_usd for tick in ticks(readings(*usages))]
    assert made == sorted(made)


@given(st.lists(st.decimals("0", "10", places=4), min_size=1, max_size=40))
def test_growth_is_counted_exactly(steps):
    usages = [sum(steps[: index + 1], Decimal(1)) for index in range(len(steps))]
    assert counted(*usages)[-1] == usages[-1] - usages[0]
