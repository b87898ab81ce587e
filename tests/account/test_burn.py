"""The burn rate: hours from samples, gaps, and the usual hour."""

from datetime import timedelta
from decimal import Decimal

from openbalance_hid.account.burn import burn_usd_per_hour, last_hours_usd, usual_hour_usd
from openbalance_hid.account.snapshot import Sample
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


def test_a_steady_pace_is_the_rate_of_every_hour():
    account = snapshot(taken=steady(5, "2.00"))
    assert burn_usd_per_hour(account).usd == Decimal("2.00")
    assert last_hours_usd(account, 5) == (Decimal("2.00"),) * 5


def test_an_hour_before_the_first_sample_is_unknown_and_not_zero():
    assert last_hours_usd(snapshot(taken=steady(2, "1.00")), 4)[:2] == (None, None)


def test_hours_of_a_sleep_are_unknown():
    account = snapshot(taken=samples((300, "10"), (285, "10"), (60, "12"), (45, "12"), (30, "12"), (15, "12"), (0, "12.5")))
    hours = last_hours_usd(account, 5)
    assert hours[-1] == Decimal("0.5")
    assert hours[1:4] == (None, None, None)


def test_without_samples_nothing_is_known():
    assert burn_usd_per_hour(snapshot(taken=())).usd is None
    assert last_hours_usd(snapshot(taken=()), 3) == (None, None, None)


def test_an_idle_hour_is_zero():
    assert burn_usd_per_hour(snapshot(taken=steady(2, "0"))).usd == 0


def test_the_usual_hour_spreads_the_mean_active_day():
    usual = usual_hour_usd(snapshot(days=days_back([8, 0, 8, 8, 0, 8]), taken=()), NOON)
    assert usual == Decimal(1)  # eight usual hours until more is known


def test_the_usual_hour_needs_three_days_with_spend():
    assert usual_hour_usd(snapshot(days=days_back([8, 0, 8])), NOON) is None
