"""A budget of a UTC day, week (from Monday) or month: what is spent of it, and where this pace ends. Pure.

The projection adds the days that are left at their usual spend (the mean of the same weekday in the last four weeks), once as
usual and once scaled by the pace of this period so far. The two are the ends of a range. While an hour costs far more than a
usual one, the range reaches to where the rest of today at that rate would end.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.amount import UNKNOWN, Amount, total
from openbalance_hid.account.burn import burn_usd_per_hour, usual_hour_usd
from openbalance_hid.account.remembered import remembered
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spend import day_usd, joined_usd, today_usd
from openbalance_hid.account.utc_days import midnight, utc_now

PERIODS = ("month", "week", "day")
PATTERN_DAYS = 28  # four of each weekday
FEWEST_DAYS = 7  # known days before weekdays can be compared
RUNAWAY_HOURS = 3  # usual hours that cost less than one of a runaway: the spike rule's default threshold
RECENT = timedelta(hours=1)  # what an hour cost before that says nothing about the next one
NEAR_SHARE = Decimal("0.8")  # of a budget: from here on it is nearly spent
FEWEST_EXPECTED = Decimal("0.1")  # of the period's usual spend: before that its pace says little


class Budget(Struct, frozen=True):
    """`elapsed`: 0..1 of the period. `low_usd`, `high_usd`: the spend at its end, from two paces; None: not known yet."""

    period: str
    limit_usd: Decimal
    spent: Amount
    elapsed: float
    low_usd: Decimal | None = None
    high_usd: Decimal | None = None

    @property
    def share(self) -> Decimal | None:
        """The spent part of the limit; above 1 when it is exceeded."""
        return None if self.spent.usd is None else self.spent.usd / self.limit_usd

    @property
    def projected_usd(self) -> Decimal | None:
        """The middle of the range."""
        return None if self.low_usd is None or self.high_usd is None else (self.low_usd + self.high_usd) / 2


def find_budget(snapshot: Snapshot, period: str, limit_usd: Decimal, now: datetime) -> Budget:
    """Return the budget of the period (one of `PERIODS`) that contains `now`. `limit_usd` is above zero."""
    at = utc_now(snapshot, now)
    first, after = bounds_of(period, at.date())
    done = [first + timedelta(days=number) for number in range((at.date() - first).days)]
    days, completed, usual = _completed_days(snapshot, at.date(), len(done))
    spent_today = today_usd(snapshot, now)
    spent = UNKNOWN
    if _is_known(completed, spent_today, bool(done), limit_usd):  # as in `used_usd`, so that the month is the same everywhere
        is_whole = completed.is_whole and spent_today.is_whole
        spent = completed + spent_today if is_whole else joined_usd(snapshot, {at.date(): spent_today, **days})
    length_s = (midnight(after) - midnight(first)).total_seconds()
    elapsed = (at - midnight(first)).total_seconds() / length_s
    budget = Budget(period, limit_usd, spent, elapsed)
    if spent.usd is None or usual is None:
        return budget
    part = Decimal((at - midnight(at.date())).total_seconds()) / 86400
    today = usual[at.date().weekday()]
    later = [usual[(at.date() + timedelta(days=number)).weekday()] for number in range(1, (after - at.date()).days)]
    left_usd = today * (1 - part) + sum(later, Decimal(0))
    expected_usd = sum((usual[day.weekday()] for day in done), today * part)
    ends = [spent.usd + left_usd]
    if expected_usd >= FEWEST_EXPECTED * (expected_usd + left_usd) and expected_usd > 0:
        ends.append(spent.usd + left_usd * spent.usd / expected_usd)
    runaway_usd = _runaway_usd(snapshot, now)
    if runaway_usd is not None:
        hours_left = Decimal((midnight(at.date() + timedelta(days=1)) - at).total_seconds()) / 3600
        ends.append(spent.usd + runaway_usd * hours_left + sum(later, Decimal(0)))
    return Budget(period, limit_usd, spent, elapsed, min(ends), max(ends))


def _is_known(completed: Amount, spent_today: Amount, has_completed: bool, limit_usd: Decimal) -> bool:
    """Return whether enough is known for a number, as in `used_usd`. Today alone is no month, unless it uses up the budget."""
    if has_completed and not completed.is_known:
        return spent_today.usd is not None and spent_today.usd >= NEAR_SHARE * limit_usd
    return spent_today.is_known or bool(completed.usd)  # "at least nothing" is no number


def _runaway_usd(snapshot: Snapshot, now: datetime) -> Decimal | None:
    """Return what an hour costs now, if that is known and far more than a usual hour; else None."""
    burn, usual_usd = burn_usd_per_hour(snapshot), usual_hour_usd(snapshot, now)
    is_recent = burn.measured_at is not None and utc_now(snapshot, now) - burn.measured_at <= RECENT
    if burn.usd is None or usual_usd is None or burn.approximate or not is_recent:
        return None
    return burn.usd if burn.usd > RUNAWAY_HOURS * usual_usd else None


def bounds_of(period: str, day: date) -> tuple[date, date]:
    """Return the first day of the period that contains `day`, and the first day after it."""
    if period == "day":
        return day, day + timedelta(days=1)
    if period == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=7)
    first = day.replace(day=1)
    return first, first + timedelta(days=monthrange(day.year, day.month)[1])


@remembered
def _completed_days(snapshot: Snapshot, today: date, done: int) -> tuple[Mapping[date, Amount], Amount, list[Decimal] | None]:
    """Return the `done` days before `today`, newest first, their sum, and the usual spend of each weekday.

    Tile, alerts and `status` share it: within a day only what was spent today changes.
    """
    days = [today - timedelta(days=age) for age in range(1, max(done, PATTERN_DAYS) + 1)]
    amounts = {day: day_usd(snapshot, day) for day in days}
    done_days = {day: amounts[day] for day in days[:done]}
    return done_days, total(done_days.values()), _usual_days(amounts, today)


def _usual_days(amounts: Mapping[date, Amount], today: date) -> list[Decimal] | None:
    """Return the usual spend of each weekday from Monday on, USD; None while fewer than seven days are known.

    A weekday that is not known has the mean of the others.
    """
    known: dict[int, list[Decimal]] = {}
    for age in range(1, PATTERN_DAYS + 1):
        day = today - timedelta(days=age)
        usd = amounts[day].usd
        if usd is not None:
            known.setdefault(day.weekday(), []).append(usd)
    count = sum(len(days) for days in known.values())
    if count < FEWEST_DAYS:
        return None
    mean_usd = sum((sum(days, Decimal(0)) for days in known.values()), Decimal(0)) / count
    return [sum(known[number], Decimal(0)) / len(known[number]) if number in known else mean_usd for number in range(7)]
