"""The meter counts what is spent between two taps: exactly, through restarts, sleeps and resets."""

from datetime import timedelta
from decimal import Decimal

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


def test_the_step_that_arrives_after_the_stop_is_counted_whole_and_marked():
    """`/credits` may be a minute old. Interpolation across the step made $0.52 of $1.10."""
    run = count(STARTED, taken((1, 10), (2.1, 10), (3, "10.50")))
    assert (run.usd, run.approximate) == (Decimal("0.50"), False), "certainly spent during the run"
    ended = count(stop(run, at(4)), taken((1, 10), (2.1, 10), (3, "10.50"), (4.1, "10.50")))
    assert (ended.usd, ended.is_settled) == (Decimal("0.50"), False)
    last = count(ended, taken((1, 10), (2.1, 10), (3, "10.50"), (4.1, "10.50"), (5.1, "11.10"), (6, 20)))
    assert (last.usd, last.is_settled, last.approximate) == (Decimal("1.10"), True, True)
    assert count(last, taken((4.1, "10.50"), (5.1, "11.10"), (6, 20))) is last


def test_a_run_whose_steps_are_all_inside_is_exact():
    run = count(stop(STARTED, at(4)), taken((1, 10), (2.1, 10), (3, 11), (4.1, 12), (5.1, 12)))
    assert (run.usd, run.is_settled, run.approximate) == (2, True, False)


def test_spend_of_the_first_minute_may_be_from_before_the_tap_and_is_marked():
    run = count(STARTED, taken((-15, 10), (1.1, 10), (1.9, "10.30"), (3, "10.40")))
    assert (run.usd, run.approximate) == (Decimal("0.40"), True)


def test_a_run_started_offline_counts_the_whole_step_from_the_sample_before_it():
    run = count(STARTED, taken((-15, 10), (31, 15)))
    assert (run.usd, run.approximate) == (5, True)
    idle = count(STARTED, taken((-15, 10), (31, 10), (32.5, 12)))
    assert (idle.usd, idle.approximate) == (2, False), "nothing was spent while offline"


def test_spend_long_after_a_stop_without_samples_is_not_counted_and_marked():
    """The machine slept from the stop to the morning."""
    ended = stop(count(STARTED, taken((1, 10), (2.5, 10), (3.5, 11))), at(4))
    for known in (((1, 10), (2.5, 10), (3.5, 11)), ()):  # the samples of the start may be thinned away
        last = count(ended, taken(*known, (603, 71)))
        assert (last.usd, last.is_settled, last.approximate) == (1, True, True)


def test_counting_again_adds_nothing():
    run = count(STARTED, taken((1, 10), (2, 11)))
    assert count(run, taken((1, 10), (2, 11))) is run


def test_a_restart_counts_what_was_spent_meanwhile():
    run = count(STARTED, taken((1, 10), (2, 11)))
    assert count(run, taken((2, 11), (600, 15))).usd == 5
    assert count(run, taken((590, 14), (600, 15))).usd == 5, "the samples of the start are thinned away"


def test_a_reset_of_the_accounts_usage_subtracts_nothing():
    run = count(STARTED, taken((1, 120), (2, 121)))
    reset = count(run, taken((1, 120), (2, 121), (3, 3), (4, "3.5")))
    assert (reset.usd, reset.approximate) == (Decimal("1.5"), True)


def test_an_amount_across_a_refund_is_marked_and_stays_so():
    run = count(STARTED, taken((1, 10), (2, 10), (3, 11)))
    assert not run.approximate
    refunded = count(run, taken((1, 10), (2, 10), (3, 11), (4, "10.97"), (5, "11.50")))
    assert (refunded.usd, refunded.approximate) == (Decimal("1.53"), True)
    assert count(refunded, taken((4, "10.97"), (5, "11.50"), (6, 12))).approximate
    thinned = count(run, taken((4, "10.97")))
    assert (thinned.usd, thinned.approximate) == (1, True)


def test_a_run_without_a_sample_in_it_has_the_step_around_it_or_nothing():
    soon = count(stop(STARTED, at(2)), taken((-15, 10), (3, 15)))
    assert (soon.usd, soon.is_settled, soon.approximate) == (5, True, True)
    late = count(stop(STARTED, at(2)), taken((-15, 10), (30, 15)))
    assert (late.usd, late.is_settled) == (None, True)
    assert count(late, taken((-15, 10), (30, 15), (40, 20))) is late


def test_a_stop_before_the_start_by_a_clock_that_was_set_ends_the_run_at_its_start():
    assert stop(STARTED, at(-60)).ended_at == STARTED.started_at


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
    assert run.approximate is (steps[begun] > 0 or steps[ended] > 0)  # of the first minute, and of the minute after the stop
