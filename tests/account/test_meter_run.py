"""The meter counts what is spent between two taps: exactly, through restarts, sleeps and resets."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.account.meter_run import MeterRun, count, stop
from tests.build import NOON, samples


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def taken(*readings):
    """(minutes after noon, total usage)."""
    return samples([(at(minutes), usage) for minutes, usage in readings])


STARTED = MeterRun(at(1))


def test_spend_before_the_tap_is_not_counted():
    assert count(STARTED, taken((-15, 10), (0, 12))) == STARTED
    run = count(STARTED, taken((-15, 10), (0, 12), (1.1, 13)))
    assert (run.usd, run.counted_at) == (0, at(1.1))
    assert count(run, taken((-15, 10), (0, 12), (1.1, 13), (2.1, "13.25"))).usd == Decimal("0.25")


def test_spend_within_a_minute_after_the_stop_is_counted_and_no_later():
    run = count(STARTED, taken((1, 10), (2, 11)))
    ended = count(stop(run, at(3)), taken((1, 10), (2, 11), (3.5, "11.5")))
    assert (ended.usd, ended.is_settled) == (Decimal("1.5"), False)
    last = count(ended, taken((1, 10), (2, 11), (3.5, "11.5"), (4, 12), (5, 20)))
    assert (last.usd, last.is_settled, last.approximate) == (2, True, False)
    assert count(last, taken((4, 12), (5, 20), (6, 30))) is last


def test_spend_long_after_a_stop_without_samples_is_not_counted():
    """The machine slept from the stop to the morning: of what was spent meanwhile, the minute that belongs to it."""
    ended = stop(count(STARTED, taken((1, 10), (3, 11))), at(4))
    for known in (((3, 11),), ()):  # the samples of the start may be thinned away
        last = count(ended, taken(*known, (603, 71)))
        assert last.usd == pytest.approx(Decimal("1.2"))
        assert (last.is_settled, last.approximate) == (True, True)


def test_counting_again_adds_nothing():
    run = count(STARTED, taken((1, 10), (2, 11)))
    assert count(run, taken((1, 10), (2, 11))) is run


def test_a_restart_counts_what_was_spent_meanwhile():
    run = count(STARTED, taken((1, 10), (2, 11)))
    assert count(run, taken((2, 11), (600, 15))).usd == 5
    assert count(run, taken((590, 14), (600, 15))).usd == 5, "the samples of the start are thinned away"
    assert count(run, taken((1, 10), (600, 15))).usd == pytest.approx(1 + 5 * Decimal(598) / 599), "one sample was lost"


def test_a_reset_of_the_accounts_usage_subtracts_nothing():
    run = count(STARTED, taken((1, 120), (2, 121)))
    reset = count(run, taken((1, 120), (2, 121), (3, 3), (4, "3.5")))
    assert (reset.usd, reset.approximate) == (Decimal("1.5"), True)


def test_an_amount_across_a_refund_is_marked_and_stays_so():
    run = count(STARTED, taken((1, 10), (2, 11)))
    assert not run.approximate
    refunded = count(run, taken((1, 10), (2, 11), (3, "10.97"), (4, "11.50")))
    assert (refunded.usd, refunded.approximate) == (Decimal("1.53"), True)
    assert count(refunded, taken((3, "10.97"), (4, "11.50"), (5, 12))).approximate
    thinned = count(run, taken((3, "10.97")))
    assert (thinned.usd, thinned.approximate) == (1, True)


def test_without_a_sample_before_the_stop_the_amount_is_unknown():
    for first in (2.2, 3):
        run = count(stop(STARTED, at(2)), taken((-15, 10), (first, 15)))
        assert (run.usd, run.is_settled) == (None, True)
        assert count(run, taken((-15, 10), (first, 15), (4, 20))) is run


@given(
    steps=st.lists(st.decimals("0", "5", places=3), min_size=3, max_size=30),
    begun=st.integers(0, 10),
    length=st.integers(1, 19),
    looks=st.sets(st.integers(0, 30)),
)
def test_the_amount_does_not_depend_on_how_often_it_is_counted(steps, begun, length, looks):
    usage, readings = Decimal(50), [(0, Decimal(50))]
    for index, step in enumerate(steps, start=1):
        usage += step
        readings.append((index, usage))
    begun = min(begun, len(steps) - 2)
    ended = min(begun + length, len(steps) - 1)  # and a minute later it is closed
    run = MeterRun(at(begun))
    for index in range(len(readings)):
        if index == ended:
            run = stop(run, at(ended))
        if index in looks or index in (begun, ended + 1):
            run = count(run, taken(*readings[: index + 1]))
    assert run.usd == sum(steps[begun : ended + 1])
    assert run.is_settled
    assert not run.approximate
