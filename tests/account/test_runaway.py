"""What a runaway costs before the spike rule raises the alarm: it spends a usual day's money every hour."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openbalance_hid.account.spike import Level, SpikeRule, judge
from tests.build import NOON, days_back, samples, snapshot

DAY_USD = Decimal(8)  # from 8 to 16 h UTC, evenly
QUARTER = timedelta(minutes=15)


def usual_usd(at) -> Decimal:
    """Spent in the quarter of an hour that ends at `at`."""
    return DAY_USD / 32 if 8 <= (at - QUARTER).hour < 16 else Decimal(0)


def usual_days_gone(begins, rule: SpikeRule) -> Decimal:
    """What the runaway has burnt when the key is first amber, in usual days."""
    at, usage, burnt = begins - timedelta(hours=48), Decimal(100), Decimal(0)
    readings = [(at, usage)]
    while True:
        at += QUARTER
        runaway = DAY_USD / 4 if at > begins else Decimal(0)
        usage, burnt = usage + usual_usd(at) + runaway, burnt + runaway
        readings.append((at, usage))
        if at <= begins:
            continue
        known = snapshot(at, days=days_back([DAY_USD] * 29, at), taken=samples(readings[-193:], 1000), balance=(1000, usage))
        if judge(known, at, rule).level > Level.NORMAL:
            return burnt / DAY_USD


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_a_runaway_is_amber_within_one_usual_day_and_three_without_burst(hour):
    begins = NOON.replace(hour=hour)
    assert usual_days_gone(begins, SpikeRule()) <= 1
    assert 1 < usual_days_gone(begins, SpikeRule(burst=False)) <= 3


def test_an_ended_runaway_is_one_amber_while_it_is_a_usual_day_of_the_last_six_hours():
    begins, lasts, usage = NOON.replace(hour=17), timedelta(hours=1.5), Decimal(100)
    at, readings, seen = begins - timedelta(hours=48), [], []
    while at < begins + timedelta(hours=12):
        at += QUARTER
        usage += usual_usd(at) + (DAY_USD / 4 if begins < at <= begins + lasts else Decimal("0.01"))
        readings.append((at, usage))
        if at > begins:
            known = snapshot(
                at, days=days_back([DAY_USD] * 29, at), taken=samples(readings[-193:], 1000), balance=(1000, usage)
            )
            seen.append((at - begins, judge(known, at, SpikeRule())))
    levels = [verdict.level for _, verdict in seen]
    first, last = levels.index(Level.SPIKE), len(levels) - 1 - [level > Level.NORMAL for level in levels[::-1]].index(True)
    assert all(level > Level.NORMAL for level in levels[first : last + 1]), "one amber"
    assert {verdict.lane for passed, verdict in seen[: last + 1] if passed > lasts + timedelta(hours=1)} == {"6h"}
    ended, verdict = seen[last]
    assert timedelta(hours=6) < ended <= timedelta(hours=7), "then less than a usual day is left in the six hours"
    assert verdict.ratio is not None
    assert verdict.ratio >= 4
