"""The numbers of a report, of one account and period. Pure: from rows of the history to frozen values.

The spend of a day is the one that the tiles show (`account.spend`): published days, else the counter across the midnights, else
unknown. A sum with an unknown part is a lower bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.amount import UNKNOWN, ZERO, Amount, mean
from openbalance_hid.account.leaders import LEAST_USD, sum_by_name
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import ZERO_SPEND, Activity, Credits, Days, Health, Reading, Sample, Snapshot, Spend
from openbalance_hid.account.spend import day_usd, joined_usd, today_usd
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.history.account_records import AccountRecords
from openbalance_hid.history.reader import KeyAction, Spike
from openbalance_hid.report.own_keys import OwnKeyFigures, own_key_figures
from openbalance_hid.report.period import PeriodPart, ReportPeriod, days_of, end_of_month, parts_of

INTERVAL_S = 900.0
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class DayFigures(Struct, frozen=True):
    """One UTC day. `requests` and `tokens` None: not known. `spiked`: a spike alert was open."""

    day: date
    spent: Amount
    requests: int | None = None
    tokens: int | None = None
    balance_usd: Decimal | None = None  # at its end
    spiked: bool = False


class PartFigures(Struct, frozen=True):
    """A bar of the first chart."""

    part: PeriodPart
    spent: Amount
    requests: int | None
    tokens: int | None
    spiked: bool
    unknown_days: int


class NameFigures(Struct, frozen=True):
    """What a model, provider or key spent in the period. `share`: of everything that is known, 0 to 1."""

    name: str
    spent: Amount
    requests: int
    tokens: int
    share: float


class Ranking(Struct, frozen=True):
    """Names, the largest first. `rest`: spent, but not by any of these names; None if that is nothing."""

    names: tuple[NameFigures, ...]
    rest: Amount | None


class WeekdayFigures(Struct, frozen=True):
    """The mean of a weekday. `days`: how many of them are known."""

    name: str
    mean: Amount
    days: int


class BudgetMonth(Struct, frozen=True):
    """A UTC month against the budget."""

    first: date
    limit_usd: Decimal
    spent: Amount
    ended: bool


class AccountFigures(Struct, frozen=True):
    """Everything that a report shows of an account."""

    account: str
    first: date
    last: date
    today: date
    unit: str
    days: tuple[DayFigures, ...]
    parts: tuple[PartFigures, ...]
    total: Amount
    mean: Amount  # of the days with spend
    largest: DayFigures | None
    rankings: Mapping[str, Ranking]  # "model", "provider", "key"
    weekdays: tuple[WeekdayFigures, ...]
    spikes: tuple[Spike, ...]
    actions: tuple[KeyAction, ...]
    runs: tuple[MeterRun, ...]
    budget: tuple[BudgetMonth, ...]
    own_keys: OwnKeyFigures | None  # None: none is known; it is in no amount above

    @property
    def unknown_days(self) -> int:
        """How many days are not known at all."""
        return sum(not day.spent.is_known for day in self.days)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the period."""
        return not any(day.spent.is_known or day.balance_usd is not None for day in self.days)


def figures(history: AccountRecords, period: ReportPeriod, budget_usd: Decimal | None, now: datetime) -> AccountFigures:
    """Return the numbers of an account. `budget_usd`: of a UTC month; None: there is no budget."""
    snapshot = _snapshot(history, now)
    today = utc_now(snapshot, now).date()
    first = min(period.first or _first_known(snapshot) or today, period.last)
    in_period = days_of(first, period.last)
    spiked = _spiked_days(history.spikes, now)
    balances = {sample.at.date(): sample.total_credits_usd - sample.total_usage_usd for sample in snapshot.samples}
    sums = _day_sums(snapshot)
    amounts = {day: _spent(snapshot, day, today, now) for day in _with_whole_months(in_period, today)}
    days = tuple(
        DayFigures(
            day,
            amounts[day],
            sums[day].requests if day in sums else 0 if amounts[day].usd == 0 else None,
            sums[day].tokens if day in sums else 0 if amounts[day].usd == 0 else None,
            balances.get(day),
            day in spiked,
        )
        for day in in_period
    )
    unit, parts = parts_of(in_period)
    by_day = {each.day: each for each in days}
    whole = _sum(snapshot, amounts, in_period)
    known = [each for each in days if each.spent.usd]
    named_days = _named_days(snapshot, history.days, in_period, today)
    return AccountFigures(
        account=history.account,
        first=first,
        last=period.last,
        today=today,
        unit=unit,
        days=days,
        parts=tuple(_part(part, [by_day[day] for day in part.days], _sum(snapshot, amounts, part.days)) for part in parts),
        total=whole,
        mean=mean(each.spent for each in known if each.day != today) if known else UNKNOWN,
        largest=max(known, key=lambda each: each.spent.usd or ZERO, default=None),
        rankings={by: _ranking(each, whole) for by, each in named_days.items()},
        weekdays=tuple(_weekday(number, days, today) for number in range(7)),
        spikes=tuple(each for each in history.spikes if _overlaps(each.started_at, each.ended_at, first, period.last, now)),
        actions=tuple(each for each in history.actions if first <= each.at.date() <= period.last),
        runs=tuple(each for each in history.runs if _overlaps(each.started_at, each.ended_at, first, period.last, now)),
        budget=_budget(snapshot, amounts, in_period, budget_usd, today),
        own_keys=own_key_figures(snapshot, in_period, parts, named_days, now),
    )


def _snapshot(history: AccountRecords, now: datetime) -> Snapshot:
    """Return what was known of the account last, with all days."""
    samples = tuple(
        Sample(each.at, each.at.timestamp(), each.credits.total_credits_usd, each.credits.total_usage_usd)
        for each in history.samples
        if each.at <= now + timedelta(days=1)
    )
    newest = samples[-1] if samples else None
    models, today = history.days.get("model", {}), history.today
    return Snapshot(
        account=history.account,
        started_at=now,
        interval_s=INTERVAL_S,
        health=Health.OK,
        credits=Reading(Credits(newest.total_credits_usd, newest.total_usage_usd), newest.at, Health.OK)
        if newest is not None
        else Reading(),
        activity=Reading(Activity(models, history.days.get("provider", {})), history.activity_read_at, Health.OK),
        today=Reading(today.today, today.read_at, Health.OK) if today is not None else Reading(),
        samples=samples,
        polls=1,
    )


def _first_known(snapshot: Snapshot) -> date | None:
    activity = snapshot.activity.value
    days = [*(activity.by_model if activity is not None else ()), *(each.at.date() for each in snapshot.samples[:1])]
    return min(days, default=None)


def _spent(snapshot: Snapshot, day: date, today: date, now: datetime) -> Amount:
    return today_usd(snapshot, now) if day == today else day_usd(snapshot, day)


def _day_sums(snapshot: Snapshot) -> dict[date, Spend]:
    activity, today = snapshot.activity.value, snapshot.today.value
    days: dict[date, Mapping[str, Spend]] = dict(activity.by_model) if activity is not None else {}
    if today is not None:
        days.setdefault(today.day, today.by_model)
    return {day: sum(names.values(), ZERO_SPEND) for day, names in days.items()}


def _with_whole_months(days: Sequence[date], today: date) -> list[date]:
    """Return the days with those before and after them in the same months: a budget is of a whole month."""
    first, last = days[0].replace(day=1), min(end_of_month(days[-1]), today)
    return list(days_of(first, max(last, days[-1])))


def _sum(snapshot: Snapshot, amounts: Mapping[date, Amount], days: Sequence[date]) -> Amount:
    """Return the spend of consecutive days, oldest first, with what the counter has seen over several unknown ones."""
    return joined_usd(snapshot, {day: amounts[day] for day in reversed(days)})


def _part(part: PeriodPart, days: Sequence[DayFigures], spent: Amount) -> PartFigures:
    requests = [each.requests for each in days if each.requests is not None]
    tokens = [each.tokens for each in days if each.tokens is not None]
    return PartFigures(
        part,
        spent,
        sum(requests) if requests else None,
        sum(tokens) if tokens else None,
        any(each.spiked for each in days),
        sum(not each.spent.is_known for each in days),
    )


def _named_days(
    snapshot: Snapshot, days: Mapping[str, Days], in_period: Sequence[date], today: date
) -> dict[str, list[Mapping[str, Spend]]]:
    """Return the days of the period by name, with the last answer about today."""
    reported = snapshot.today.value if today in in_period else None
    of_today: dict[str, Mapping[str, Spend]] = {}
    if reported is not None and reported.day == today:
        of_today = {"model": reported.by_model, "provider": reported.by_provider}
    return {
        by: [*(days.get(by, {}).get(day, {}) for day in in_period), of_today.get(by, {})] for by in ("model", "provider", "key")
    }


def _ranking(days: Iterable[Mapping[str, Spend]], whole: Amount) -> Ranking:
    sums = {name: spend for name, spend in sum_by_name(days).items() if spend.usd or spend.requests}
    known_usd = sum((spend.usd for spend in sums.values()), ZERO)
    rest_usd = (whole.usd or ZERO) - known_usd
    is_lower = whole.lower_bound or not whole.is_known or rest_usd >= LEAST_USD
    positive_usd = sum((spend.usd for spend in sums.values() if spend.usd > 0), ZERO)
    names = tuple(
        NameFigures(
            name,
            Amount(spend.usd, lower_bound=is_lower),
            spend.requests,
            spend.tokens,
            float(max(ZERO, spend.usd) / positive_usd) if positive_usd else 0.0,
        )
        for name, spend in sorted(sums.items(), key=lambda item: (-item[1].usd, item[0]))
    )
    return Ranking(names, Amount(rest_usd, whole.lower_bound, whole.approximate) if rest_usd >= LEAST_USD else None)


def _weekday(number: int, days: Sequence[DayFigures], today: date) -> WeekdayFigures:
    ours = [each.spent for each in days if each.day.weekday() == number and each.day != today]
    return WeekdayFigures(WEEKDAYS[number], mean(ours), sum(each.is_known for each in ours))


def _spiked_days(spikes: Iterable[Spike], now: datetime) -> frozenset[date]:
    return frozenset(day for each in spikes for day in days_of(each.started_at.date(), (each.ended_at or now).date()))


def _overlaps(start: datetime, end: datetime | None, first: date, last: date, now: datetime) -> bool:
    return start.date() <= last and (end or now).date() >= first


def _budget(
    snapshot: Snapshot, amounts: Mapping[date, Amount], in_period: Sequence[date], budget_usd: Decimal | None, today: date
) -> tuple[BudgetMonth, ...]:
    if budget_usd is None:
        return ()
    months = dict.fromkeys(day.replace(day=1) for day in in_period)
    return tuple(
        BudgetMonth(
            first,
            budget_usd,
            _sum(snapshot, amounts, [day for day in amounts if first <= day <= end_of_month(first)]),
            end_of_month(first) < today,
        )
        for first in months
    )
