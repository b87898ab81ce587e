"""Thousands of random accounts: an amount without a sign is the true one, and a lower bound is never above it.

The truth comes from `random_account`, in fractions. Days are written in the server's UTC, and amounts in USD.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.leaders import leaders, providers
from openbalance_hid.account.pace import Runway, find_runway
from openbalance_hid.account.spend import daily_usd, day_usd, today_usd, trend, used_usd
from tests.account.random_account import DAY, HOUR, SETTLED, RandomAccount, midnight
from tests.torture.amounts import amounts

SLACK = Fraction(1, 10**8)
NEAR = Fraction(1, 9)  # of the smaller: at most a tenth of the larger bound is unplaced
JUST_AFTER = timedelta(seconds=20)  # a sample so soon after midnight reads the midnight


def check(amount: Amount, true: Fraction, where: object, kinds: Counter[str], slack: Fraction = SLACK) -> None:
    kinds["unknown" if amount.usd is None else amount.sign or "exact"] += 1
    if amount.usd is None:
        return
    shown = Fraction(amount.usd)
    if amount.lower_bound:
        assert not amount.approximate, (where, "has one sign")
        assert shown <= true + slack, (where, float(shown), float(true))
    elif amount.approximate:
        assert abs(shown - true) <= NEAR * min(shown, true) + slack, (where, float(shown), float(true))
        assert amount.low_usd is None or Fraction(amount.low_usd) <= true + slack, (where, float(amount.low_usd), float(true))
    else:
        assert abs(shown - true) <= slack, (where, float(shown), float(true))


def around_midnight(seen: RandomAccount, day: date) -> Fraction:
    """Return what a sample just after midnight may count to the day before."""
    return seen.spent(midnight(day), midnight(day) + JUST_AFTER + timedelta(microseconds=1))


def is_provable(seen: RandomAccount, day: date) -> bool:
    """Return whether the day must be known: it is settled, or two samples read its midnights and nothing was refunded."""
    reading = seen.snapshot.activity
    if reading.measured_at is not None and midnight(day + DAY) + SETTLED <= reading.measured_at:
        return reading.measured_at.date() - day <= timedelta(days=30)
    edges = [midnight(day), midnight(day + DAY)]
    reads = all(any(edge <= at <= edge + JUST_AFTER for at in seen.sampled) for edge in edges)
    refunded = any(edges[0] - 15 * HOUR <= at <= edges[1] + 15 * HOUR for at, _ in seen.refunds)
    return reads and not refunded


@pytest.mark.statistical
@amounts("count", short=1200, long=20_000)
def test_no_amount_of_a_random_account_is_misleading(count: int) -> None:
    kinds: Counter[str] = Counter()
    for seed in range(count):
        check_account(RandomAccount(seed), kinds)
    assert min(kinds[kind] for kind in ("exact", "≥", "~", "unknown")) > count / 20, kinds
    assert kinds["exact"] > 3 * (kinds.total() - kinds["exact"]), kinds


def check_account(seen: RandomAccount, kinds: Counter[str]) -> None:
    snapshot, now, today = seen.snapshot, seen.now, seen.now.date()
    until = seen.sampled[-1] + timedelta(microseconds=1) if seen.sampled else None
    edges = {today - timedelta(days=age): around_midnight(seen, today - timedelta(days=age)) for age in range(-1, 32)}
    for age in range(1, 31):
        day = today - timedelta(days=age)
        amount = day_usd(snapshot, day)
        check(amount, seen.day(day), (seen.seed, day), kinds, SLACK + edges[day] + edges[day + DAY])
        assert amount.is_known or not is_provable(seen, day), (seen.seed, day)
    slack = SLACK + sum(edges.values(), Fraction(0))
    last = max([at for at in (until, snapshot.today.measured_at) if at is not None], default=now)
    spent_today = today_usd(snapshot, now)
    counted_to = max(until, midnight(today)) if spent_today.is_whole and until is not None else last
    check(spent_today, seen.spent(midnight(today), counted_to), (seen.seed, "today"), kinds, SLACK + edges[today])
    for period in ("7d", "30d", "month"):
        at = ended_at(seen, period)
        days = {"7d": 7, "30d": 30, "month": at.day - 1}[period]
        whole = seen.spent(midnight(at.date() - timedelta(days=days)), max(midnight(at.date()), min(last, at + HOUR)))
        check(used_usd(snapshot, period, now), whole, (seen.seed, period), kinds, slack)
    bars = daily_usd(snapshot, 7, now)
    at = ended_at(seen, "7d")
    for age, bar in enumerate(reversed(bars)):
        day = at.date() - timedelta(days=age)
        true = seen.day(day) if age else seen.spent(midnight(day), min(midnight(day + DAY), last))
        check(bar, true, (seen.seed, "bar", day), kinds, slack)
    check_leaders(seen, last, slack)
    check_runway(seen, slack)
    compared = trend(snapshot, now)
    if compared is not None:
        assert not compared.spent.lower_bound, seen.seed
        assert not compared.before.lower_bound, seen.seed


def ended_at(seen: RandomAccount, period: str) -> datetime:
    """Return the end of a period: the last answer; now for a month that began after it."""
    readings = (seen.snapshot.credits, seen.snapshot.activity, seen.snapshot.today)
    at = max((each.measured_at for each in readings if each.measured_at is not None), default=seen.now)
    return seen.now if period == "month" and (at.year, at.month) != (seen.now.year, seen.now.month) else min(at, seen.now)


def check_leaders(seen: RandomAccount, last: datetime, slack: Fraction) -> None:
    """A part is never above the truth, whole where it has no sign, and the first one is right where it is certain."""
    at = ended_at(seen, "30d")
    start, last = midnight(at.date() - timedelta(days=30)), max(last, midnight(at.date()))
    found = leaders(seen.snapshot, "30d", "spend", seen.now) or ()
    true = {name: seen.spent_on(name, start, last) for name in ("v/a", "v/b", "w/c")}
    for leader in found:
        part = Fraction(leader.spend.usd)
        assert part <= true[leader.name] + slack, (seen.seed, leader)
        assert leader.lower_bound or abs(part - true[leader.name]) <= slack + Fraction(1, 200), (seen.seed, leader)
    if found and found[0].is_certain and len(found) > 1 and found[0].spend.usd - found[1].spend.usd > slack + Fraction(1, 200):
        assert max(true, key=lambda name: true[name]) == found[0].name, (seen.seed, found, true)
    for provider in providers(seen.snapshot, "30d", "spend", seen.now) or ():
        whole = sum(true[name] for name in true if (name == "w/c") == (provider.name == "W"))
        assert Fraction(provider.spend.usd) <= whole + slack, (seen.seed, provider)


def check_runway(seen: RandomAccount, slack: Fraction) -> None:
    """The pace is the mean of the days that are known, and says so where some are not."""
    left = find_runway(seen.snapshot, seen.now)
    if not isinstance(left, Runway) or left.pace.usd is None:
        return
    day = ended_at(seen, "7d").date()
    true = [seen.day(day - timedelta(days=age)) for age in range(1, 8)]
    mean = sum(true, Fraction(0)) / 7
    pace = Fraction(left.pace.usd)
    if left.approximate:
        assert min(true) * (1 - NEAR) - slack <= pace <= max(true) * (1 + NEAR) + slack, seen.seed
    else:
        assert abs(pace - mean) <= slack, seen.seed
