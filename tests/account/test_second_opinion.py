"""Made-up accounts, lived through every mischief at once, and two readings of one rule that have to agree on each of them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Reading, Sample, Snapshot, Spend, Today
from openbalance_hid.account.spend import day_usd, published_usd, today_usd
from openbalance_hid.account.spike import Level, SpikeRule, judge, window_name
from tests.account.second_opinion import Case, Opinion, Poll, opinion
from tests.build import activity, snapshot

CLOSE = Fraction(1, 10**12)  # Decimal arithmetic, and instants as floats, round
ACCOUNTS = 800
FIRST = datetime(2026, 11, 20, tzinfo=UTC)


def polls(dice: Random, interval_s: int, burning: float) -> Iterator[Poll]:
    """Jitter, sleeps, clocks that are set, refunds, resets, top-ups, zeros and passing nonsense."""
    at, mono_s = FIRST + timedelta(seconds=dice.choice((0, 43_200, dice.randrange(172_800)))), 1000.0
    used = Decimal(dice.randrange(2000)) / 10
    bought = used + 50
    for _ in range(dice.choice((1, 2, 3, 10, 60, 100, 110, 200, 24 * 3600 // interval_s + 5))):
        yield Poll(at, mono_s, used, bought)
        step_s = dice.choice((interval_s, interval_s, interval_s, dice.uniform(0.2, 2.5) * interval_s))
        step_s += dice.randrange(3600, 40_000) if dice.random() < 0.01 else 0
        at += timedelta(seconds=step_s)
        mono_s += step_s
        event = dice.random()
        if event < 0.01:  # the wall clock was set, or the machine slept
            mono_s -= dice.randrange(30, 90)
        elif event < 0.015:
            at -= timedelta(seconds=dice.randrange(3000))
        elif event < 0.045:
            used = max(Decimal(0), used - dice.choice((Decimal("0.03"), used / 200, used / 2)))
        elif event < 0.05:
            bought += 50
        elif event < 0.055:
            yield Poll(at, mono_s, dice.choice((Decimal(0), Decimal("NaN"), Decimal(-1))), Decimal(0))
            at += timedelta(seconds=interval_s)
            mono_s += interval_s
        used += Decimal(f"{dice.expovariate(1) * burning * interval_s / 86_400 * dice.choice((0, 1, 1, 5)):.6f}")


def days(dice: Random, today: date) -> dict[date, dict[str, Decimal]]:
    works, dear = dice.choice((0.1, 0.6, 0.95)), dice.choice((0.01, 2, 10))
    made = {
        today - timedelta(days=age): {model: Decimal(f"{dice.expovariate(1) * dear:.4f}") for model in ("v/a", "v/b")}
        for age in range(1, 34)
        if dice.random() < works
    }
    late = dice.choice((0, 0, 0, 1, 2, 4))  # not published yet
    return {day: models for day, models in made.items() if (today - day).days > late}


def account(seed: int) -> tuple[Snapshot, SpikeRule, Case]:
    """The same account for the product and for the second reading."""
    dice = Random(seed)
    interval_s = dice.choice((900, 900, 300, 1800, 3600))
    taken = tuple(polls(dice, interval_s, dice.choice((0, 1, 5, 30, 60, 120))))
    now = taken[-1].at
    published = days(dice, now.date())
    by_model = {"A": Spend(Decimal(dice.randrange(500)) / 100)}
    seen = replace(
        snapshot(now, health=Health.OK),
        interval_s=float(interval_s),
        activity=Reading(activity(published), now - timedelta(hours=dice.choice((0, 0, 3, 12))), Health.OK),
        today=Reading(Today(now.date(), by_model), now, Health.OK) if dice.random() < 0.4 else Reading(),
        samples=tuple(Sample(each.at, each.mono_s, each.bought, each.used) for each in taken),
    )
    rule = SpikeRule(
        dice.choice((Decimal(3), Decimal(3), Decimal("1.5"), Decimal(20))),
        dice.choice((Decimal(1), Decimal(0), Decimal("0.3"))),
        dice.choice((Decimal(24), Decimal(24), Decimal(2), Decimal("0.25"), Decimal("7.3"))),
        dice.random() < 0.7,
    )
    return (
        seen,
        rule,
        Case(
            taken,
            known_days(seen, published),
            None if (today := today_usd(seen, now).usd) is None else Fraction(today),
            now,
            interval_s,
            *(Fraction(each) for each in (rule.threshold, rule.floor_usd, rule.window_hours)),
            rule.burst,
        ),
    )


def known_days(seen: Snapshot, published: Mapping[date, object]) -> dict[date, Fraction]:
    """Return the days that are known whole; of those that are older than two days, as they are published."""
    today = seen.samples[-1].at.date()
    known = {}
    for age in range(1, 36):
        day = today - timedelta(days=age)
        spent, listed = day_usd(seen, day), published_usd(seen, day)
        assert spent.is_known or day not in published
        if age > 2 and listed is not None:
            known[day] = Fraction(listed)
        elif spent.is_whole and spent.usd is not None:
            known[day] = Fraction(spent.usd)
    return known


LANES = {"1h": "hour", "6h": "six hours", "7d": "week"}


@pytest.mark.statistical
def test_two_implementations_of_the_rule_agree_on_every_account():
    met = set()
    for seed in range(ACCOUNTS):
        seen, rule, case = account(seed)
        verdict, expected = judge(seen, case.now, rule), opinion(case)
        lane = "window" if verdict.lane == window_name(rule) else LANES[verdict.lane]
        if expected is None:
            assert verdict.approximate or verdict.level is Level.PREPARING or lane == "week", seed
            met.add(("kept", lane))
            continue
        ratio = None if verdict.ratio is None else Fraction(verdict.ratio)
        if ratio is not None and expected.ratio is not None and abs(ratio - expected.ratio) <= CLOSE * expected.ratio:
            ratio = expected.ratio
        found = Opinion(verdict.level.name.lower(), verdict.active_days, ratio, verdict.approximate, lane)
        assert found == expected, seed
        met.add((found.level, found.lane))
    windows = {(level, "window") for level in ("kept", "gathering", "normal", "spike", "critical")}
    assert met >= windows | {("critical", "hour"), ("critical", "six hours"), ("spike", "week")}, "every verdict, in every lane"
