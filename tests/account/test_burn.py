"""The burn rate: hours from samples, gaps, and the usual hour."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.burn import burn_usd_per_hour, lacks_hours, last_hours, usual_hour_usd
from openbalance_hid.account.snapshot import Health, HourlySpend, Reading, Sample, Snapshot
from tests.build import NOON, days_back, snapshot


def samples(*usages: tuple[int, str]) -> tuple[Sample, ...]:
    """Return samples from (minutes before noon, usage)."""
    made = []
    for minutes, usage in usages:
        at = NOON - timedelta(minutes=minutes)
        made.append(Sample(at, -60.0 * minutes, Decimal(100), Decimal(usage)))
    return tuple(made)


def steady(hours: int, usd_per_hour: str) -> tuple[Sample, ...]:
    """Return a sample every 15 minutes, up to noon."""
    step = Decimal(usd_per_hour) / 4
    count = hours * 4
    return samples(*((15 * back, str(10 + step * (count - back))) for back in range(count, -1, -1)))


def hours_usd(account: Snapshot, hours: int) -> tuple[Decimal | None, ...]:
    return tuple(each.usd for each in last_hours(account, hours))


def with_hours(account: Snapshot, usd_per_hour: str = "3", hours: int = 48, end: datetime = NOON) -> Snapshot:
    """Return the account with an answer of the analytics query by hour, the same in each hour before `end`."""
    first = end.replace(minute=0, second=0) - timedelta(hours=hours)
    length = hours + (1 if end > first + timedelta(hours=hours) else 0)
    usd = {first + timedelta(hours=number): Decimal(usd_per_hour) for number in range(length)}
    return replace(account, hours=Reading(HourlySpend(end, usd), end, Health.OK))


def test_a_steady_pace_is_the_rate_of_every_hour():
    account = snapshot(taken=steady(5, "2.00"))
    assert burn_usd_per_hour(account).usd == Decimal("2.00")
    assert hours_usd(account, 5) == (Decimal("2.00"),) * 5


def test_an_hour_before_the_first_sample_is_unknown_and_not_zero():
    assert hours_usd(snapshot(taken=steady(2, "1.00")), 4)[:2] == (None, None)


def test_hours_of_a_sleep_are_unknown():
    account = snapshot(taken=samples((300, "10"), (285, "10"), (60, "12"), (45, "12"), (30, "12"), (15, "12"), (0, "12.5")))
    hours = hours_usd(account, 5)
    assert hours[-1] == Decimal("0.5")
    assert hours[1:4] == (None, None, None)


def test_without_samples_nothing_is_known():
    assert burn_usd_per_hour(snapshot(taken=())).usd is None
    assert hours_usd(snapshot(taken=()), 3) == (None, None, None)


def test_an_idle_hour_is_zero():
    assert burn_usd_per_hour(snapshot(taken=steady(2, "0"))).usd == 0


def test_the_usual_hour_spreads_the_mean_active_day():
    usual = usual_hour_usd(snapshot(days=days_back([8, 0, 8, 8, 0, 8]), taken=()), NOON)
    assert usual == Decimal(1)  # eight usual hours until more is known


def test_the_usual_hour_needs_three_days_with_spend():
    assert usual_hour_usd(snapshot(days=days_back([8, 0, 8])), NOON) is None


SLEPT = ((300, "10"), (285, "10.5"), (60, "22"), (45, "22"), (30, "22"), (15, "22"), (0, "22.5"))  # minutes before noon, usage


def test_hours_without_samples_are_filled_by_the_analytics_query_and_approximate():
    hours = last_hours(with_hours(snapshot(taken=samples(*SLEPT))), 5)
    assert [each.approximate for each in hours] == [True, True, True, True, False]
    assert [each.usd for each in hours] == [Decimal("2.75"), 3, 3, 3, Decimal("0.5")], "15 minutes by samples, 45 by hour"
    assert hours_usd(snapshot(taken=samples(*SLEPT)), 5)[1:4] == (None, None, None)


def test_exact_hours_stay_exact_beside_an_answer_by_hour():
    account = snapshot(taken=steady(30, "2.00"))
    assert last_hours(with_hours(account, "9"), 24) == last_hours(account, 24)


def test_hours_before_the_first_sample_come_from_the_analytics_query():
    assert hours_usd(with_hours(snapshot(taken=steady(2, "1.00"))), 4) == (3, 3, 1, 1)


def test_an_answer_that_ends_before_a_gap_ends_does_not_fill_it():
    account = with_hours(snapshot(taken=samples(*SLEPT)), end=NOON - timedelta(hours=3))
    hours = hours_usd(account, 5)
    assert (hours[1], hours[2:4], hours[4]) == (3, (None, None), Decimal("0.5"))


def test_without_credits_the_answer_by_hour_is_the_burn_rate():
    half_past = NOON + timedelta(minutes=30)
    usd = {NOON - timedelta(hours=1): Decimal(4), NOON: Decimal(1)}  # half of the hour from noon
    account = replace(snapshot(taken=()), hours=Reading(HourlySpend(half_past, usd), half_past, Health.OK))
    burn = burn_usd_per_hour(account)
    assert (burn.usd, burn.approximate, burn.measured_at) == (3, True, half_past)
    old = replace(account, samples=steady(5, "2.00")[:-12])  # the last sample is three hours old
    assert burn_usd_per_hour(old).usd == 3


def test_a_reset_of_the_usage_is_a_gap_of_the_samples():
    account = snapshot(taken=samples((90, "10"), (75, "10.5"), (60, "11"), (45, "1"), (30, "1.5"), (15, "2"), (0, "2.5")))
    assert burn_usd_per_hour(account).usd is None
    assert burn_usd_per_hour(with_hours(account)).approximate


@pytest.mark.parametrize(
    ("account", "lacks"),
    [
        (snapshot(taken=steady(30, "1")), False),
        (snapshot(taken=steady(20, "1")), True),
        (snapshot(taken=()), True),
        (snapshot(taken=samples(*SLEPT)), True),
        (with_hours(snapshot(taken=samples(*SLEPT))), False),
        (with_hours(snapshot(taken=samples(*SLEPT)), end=NOON - timedelta(hours=3)), True),
        (with_hours(snapshot(taken=steady(20, "1")), hours=22), True),
        (with_hours(snapshot(taken=steady(20, "1")), hours=48), False),
    ],
)
def test_an_answer_by_hour_is_wanted_only_for_a_gap_that_none_has_filled(account: Snapshot, lacks: bool):
    assert lacks_hours(account, NOON) is lacks
