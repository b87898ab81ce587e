"""What an account usually spends: on a day, on each weekday, in an hour; and whether a week was much dearer. Pure. USD.

It follows from completed UTC days alone, so that it changes once a day, and when `/activity` publishes. Here is what the spike
rule compares with; the rule itself is in `spike`.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.counter import Tick
from openbalance_hid.account.hours import active_hours, hourly_habits, hourly_usd, recorded
from openbalance_hid.account.remembered import remembered_by_account
from openbalance_hid.account.utc_days import midnight

BASELINE_DAYS = 30
KNOWN_DAYS = 35  # five of each weekday
ENOUGH_DAYS = 3
FEW_DAYS = 7  # a baseline of fewer days is weak evidence
IDLE_SHARE = Decimal("0.01")  # of the third highest day: a day with less is as good as idle
GROWTH = 2  # two days running at this many times the days before are the new usual
DEARER = Decimal("1.5")  # a weekday that is this many times the other days each time is a habit
REPETITIONS = 3

LEAK = Decimal("1.8")
LEAK_WITHOUT_DEAREST = Decimal("1.5")  # and without its two dearest days: one or two expensive days are no leak
LEAK_USD = Decimal(1)  # a day; accounts that spend less have no leak
LEAK_ACTIVE_DAYS = 4  # of the seven
LEAK_KNOWN_DAYS = 10  # of the three weeks before

DailyUsd = Mapping[date, Decimal]  # completed UTC day -> USD; a day that is unknown is missing, an idle one is 0


class Week(Struct, frozen=True):
    """The mean of the active days of the last seven completed days, and of the three weeks before. USD a day."""

    usd: Decimal
    before_usd: Decimal
    without_dearest_usd: Decimal  # of the same seven days, without the two dearest

    def is_leak(self, usual_usd: Decimal | None = None) -> bool:
        """Return whether the week is much dearer. `usual_usd`: a weekly mean that the user has acknowledged."""
        before_usd = self.before_usd if usual_usd is None else max(usual_usd, self.before_usd)
        is_dearer = self.usd >= LEAK * before_usd and self.without_dearest_usd >= LEAK_WITHOUT_DEAREST * before_usd
        return before_usd >= LEAK_USD and is_dearer


class UsualSpend(Struct, frozen=True):
    """`days`: the active days of the baseline, newest first. `weekdays`: mean USD of those that are always dearer.

    `hours`: what each UTC hour costs on most of the last days. `stayed`: of a growth that has lasted for two days, the smaller
    day and the mean before it.
    """

    days: tuple[date, ...]
    total_usd: Decimal = Decimal(0)
    largest_usd: Decimal = Decimal(0)
    stayed: tuple[Decimal, Decimal] | None = None
    weekdays: Mapping[int, Decimal] = {}
    active_hours: Decimal = Decimal(8)
    hours: tuple[Decimal, ...] = (Decimal(0),) * 24
    week: Week | None = None

    @property
    def mean_usd(self) -> Decimal:
        """The mean of the days, USD; there must be one."""
        return self.total_usd / len(self.days)


class DaysAndSamples(Struct, frozen=True):
    """All that the usual spend follows from. `series`: the samples before `today`."""

    days: tuple[tuple[date, Decimal], ...]
    series: tuple[Tick, ...]
    today: date

    def __hash__(self) -> int:  # the whole would cost too much at every poll; comparing mostly compares the same objects
        return hash((self.today, len(self.days), len(self.series)))


def known_days(day_usd: Callable[[date], Decimal | None], today: date) -> tuple[tuple[date, Decimal], ...]:
    """Return the completed days that are known, newest first."""
    found = ((day := today - timedelta(days=age), day_usd(day)) for age in range(1, KNOWN_DAYS + 1))
    return tuple((day, usd) for day, usd in found if usd is not None)


def before_midnight(series: tuple[Tick, ...], today: date) -> tuple[Tick, ...]:
    """Return the ticks up to the first one of `today`."""
    return series[: bisect_left(series, midnight(today), key=lambda tick: tick.at) + 1]


@remembered_by_account
def usual_spend(known: DaysAndSamples) -> UsualSpend:
    """Return the usual spend, without `today`."""
    days, today = dict(known.days), known.today
    active = _active({day: usd for day, usd in days.items() if today - day <= timedelta(days=BASELINE_DAYS)})
    yesterday = today - timedelta(days=1)
    baseline = {day: usd for day, usd in active.items() if day != yesterday} if len(active) > ENOUGH_DAYS else active
    if not baseline:
        return UsualSpend(())
    amounts = list(baseline.values())
    total_usd = sum(amounts, Decimal(0))
    hours = recorded(hourly_usd(known.series), active)
    return UsualSpend(
        tuple(baseline),
        total_usd,
        max(amounts),
        _stayed(amounts),
        _dearer_weekdays(_active({day: usd for day, usd in days.items() if day != yesterday})),
        active_hours(hours, total_usd / len(baseline)),
        hourly_habits(hours),
        _week(days),
    )


def _active(days: DailyUsd) -> dict[date, Decimal]:
    """Return the days with spend worth the name: a heartbeat of a tenth of a cent is no work."""
    amounts = sorted((usd for usd in days.values() if usd > 0), reverse=True)
    least = IDLE_SHARE * amounts[min(2, len(amounts) - 1)] if amounts else Decimal(0)
    return {day: usd for day, usd in days.items() if usd > 0 and usd >= least}


def _stayed(amounts: list[Decimal]) -> tuple[Decimal, Decimal] | None:
    """Return the smaller of the two newest days and the mean before, if both are growth. `amounts`: newest first."""
    if len(amounts) < 2 + ENOUGH_DAYS:
        return None
    smaller, before = min(amounts[:2]), sum(amounts[2:], Decimal(0)) / (len(amounts) - 2)
    return (smaller, before) if smaller >= GROWTH * before else None


def _dearer_weekdays(active: DailyUsd) -> dict[int, Decimal]:
    """Return the mean of each weekday that was dearer than the others each time."""
    dearer = {}
    for weekday in range(7):
        own = [usd for day, usd in active.items() if day.weekday() == weekday]
        others = [usd for day, usd in active.items() if day.weekday() != weekday]
        if len(own) >= REPETITIONS and others and min(own) * len(others) > DEARER * sum(others, Decimal(0)):
            dearer[weekday] = sum(own, Decimal(0)) / len(own)
    return dearer


def _week(days: DailyUsd) -> Week | None:
    """Return the last seven completed days against the three weeks before; None while too little is known."""
    newest = max(days, default=None)
    if newest is None or any(newest - timedelta(days=age) not in days for age in range(7)):
        return None
    active = _active(days)
    last = [usd for day, usd in active.items() if newest - day < timedelta(days=7)]
    before = [usd for day, usd in active.items() if timedelta(days=7) <= newest - day < timedelta(days=28)]
    if len(last) < LEAK_ACTIVE_DAYS or len(before) < LEAK_KNOWN_DAYS:
        return None
    total_usd = sum(last, Decimal(0))
    cheaper = sorted(last)[:-2]
    return Week(total_usd / len(last), sum(before, Decimal(0)) / len(before), sum(cheaper, Decimal(0)) / len(cheaper))
