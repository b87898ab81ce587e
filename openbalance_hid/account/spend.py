"""Spend over windows of UTC days, the daily trend, and the leading models.

One window for everything: the last 7 or 30 *completed* UTC days of `/activity`, plus today's credits so far where known. What
is not known is None, never zero. Windows are those of the last good answer: while none comes, no day falls out of them, and a
value grows old instead of small.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from msgspec import Struct

from openbalance_hid.account.counter import spent_between, ticks
from openbalance_hid.account.days import ACTIVITY_DAYS
from openbalance_hid.account.snapshot import Health, Snapshot, Spend

DAYS = {"7d": 7, "30d": 30}
SETTLED_AFTER = timedelta(hours=6)  # an absent newest day is idle, not late, once `/activity` was read this long after its end
SKEW_LIMIT_S = 120.0  # from here on, day boundaries follow the server's clock
TREND_GAP_S = 3600.0  # "by this time yesterday" wants samples this close to both of its ends


class Trend(Struct, frozen=True):
    """Spend against the day before. `basis`: "today" (by this time of day) or "yest" (last completed day)."""

    difference_usd: Decimal  # above zero: more was spent
    basis: str


class Leader(Struct, frozen=True):
    """One model's part of a window. `share` 0..1 of the measure asked for."""

    name: str
    spend: Spend
    share: float


def utc_now(snapshot: Snapshot, now: datetime) -> datetime:
    """`now` in UTC as OpenRouter sees it: the local clock, or the server's where the two differ by more than 120 s."""
    return now.astimezone(UTC) + _shift(snapshot)


def answered_at(snapshot: Snapshot, now: datetime) -> datetime:
    """When the account was heard of last, at most `now`; `now` where it never was."""
    readings = (snapshot.credits, snapshot.activity, snapshot.today, snapshot.window)
    return min(now, max((each.measured_at for each in readings if each.measured_at is not None), default=now))


def _shift(snapshot: Snapshot) -> timedelta:
    """What turns an instant of the local clock, such as a sample's, into one of the server's."""
    skew_s = snapshot.server_skew_s
    return timedelta(seconds=skew_s) if skew_s is not None and abs(skew_s) > SKEW_LIMIT_S else timedelta(0)


def midnight(day: date) -> datetime:
    """The beginning of a UTC day."""
    return datetime.combine(day, time(0), tzinfo=UTC)


def day_usd(snapshot: Snapshot, day: date) -> Decimal | None:
    """Spend of a completed UTC day; None while it is not published, or before `/activity` was read."""
    activity = snapshot.activity.value
    if activity is None:
        return None
    if day in activity.by_model:
        return sum((spend.usd for spend in activity.by_model[day].values()), Decimal(0))
    newest, measured_at = activity.newest, snapshot.activity.measured_at
    read_at = None if measured_at is None else measured_at + _shift(snapshot)
    if read_at is not None and day < read_at.date() - timedelta(days=ACTIVITY_DAYS):
        return None
    settled = read_at is not None and read_at >= midnight(day + timedelta(days=1)) + SETTLED_AFTER
    return Decimal(0) if settled or (newest is not None and day < newest) else None


def completed_usd(snapshot: Snapshot, day: date) -> Decimal | None:
    """Spend of a completed UTC day: as published, and by the counter until then; None where neither tells."""
    published = day_usd(snapshot, day)
    if published is not None:
        return published
    start, shift = midnight(day), _shift(snapshot)
    stretch = spent_between(ticks(snapshot.samples), start - shift, start + timedelta(days=1) - shift)
    return stretch.usd if stretch is not None else None


def today_usd(snapshot: Snapshot, now: datetime) -> Decimal | None:
    """Credits spent since UTC midnight: from the analytics query and the counter since it, else by the counter, else None.

    The query is asked a few times a day; every poll between moves the counter.
    """
    day = utc_now(snapshot, now).date()
    asked = snapshot.today
    named = asked.value if asked.value is not None and asked.value.day == day else None
    usd = None if named is None or asked.measured_at is None else named.usd + _counted_after(snapshot, asked.measured_at)
    if usd is not None and named is not None and asked.health in (Health.OK, Health.PREPARING) and not named.truncated:
        return usd
    counted = counted_usd(snapshot, midnight(day) - _shift(snapshot))
    return counted if counted is not None else usd


def today_since(snapshot: Snapshot, now: datetime) -> tuple[Decimal, datetime] | None:
    """What the counter knows of a UTC day that it does not know from midnight on, and since when (aware UTC).

    None while `today_usd` is not known from fewer than two samples of this day.
    """
    start = midnight(utc_now(snapshot, now).date()) - _shift(snapshot)
    made = [tick for tick in ticks(snapshot.samples) if tick.at >= start]
    made = [tick for tick in made if tick.epoch == made[-1].epoch]
    if len(made) < 2:
        return None
    return made[-1].counter_usd - made[0].counter_usd, made[0].at + _shift(snapshot)


def counted_usd(snapshot: Snapshot, start: datetime) -> Decimal | None:
    """Spend from `start` to the newest sample, by the counter; None where the samples do not reach back."""
    made = ticks(snapshot.samples)
    if not made or made[-1].at < start:
        return None
    stretch = spent_between(made, start, made[-1].at)
    return stretch.usd if stretch is not None else None


def _counted_after(snapshot: Snapshot, start: datetime) -> Decimal:
    """Spend after `start`; nothing where the samples do not tell."""
    return counted_usd(snapshot, start) or Decimal(0)


def used_usd(snapshot: Snapshot, period: str, now: datetime) -> Decimal | None:
    """Credits used in `period`: "today", "7d", "30d", "month" (UTC, to date) or "all"."""
    if period == "all":
        return snapshot.credits.value.total_usage_usd if snapshot.credits.value is not None else None
    if period == "today":
        return today_usd(snapshot, now)
    if snapshot.activity.value is None:
        return None
    at = _window_end(snapshot, period, now)
    days = [completed_usd(snapshot, day) for day in _days_of(snapshot, period, at)]
    known = [usd for usd in (*days, today_usd(snapshot, at)) if usd is not None]
    return sum(known, Decimal(0)) if known else None


def percent_used(snapshot: Snapshot, period: str, now: datetime) -> Decimal | None:
    """Used in `period` as percent of everything purchased; None while unknown or nothing was purchased."""
    used = used_usd(snapshot, period, now)
    account = snapshot.credits.value
    if used is None or account is None or account.total_credits_usd <= 0:
        return None
    return used * 100 / account.total_credits_usd


def trend(snapshot: Snapshot, now: datetime) -> Trend | None:
    """Like with like: today against yesterday by this time where both are known, else the last two completed days."""
    day, at = utc_now(snapshot, now).date(), utc_now(snapshot, answered_at(snapshot, now))
    # Today is known as of the last answer; by now, yesterday was further.
    today, before = today_usd(snapshot, now), _yesterday_by(snapshot, at)
    if today is not None and before is not None:
        return Trend(today - before, "today")
    newer, older = (completed_usd(snapshot, day - timedelta(days=age)) for age in (1, 2))
    return Trend(newer - older, "yest") if newer is not None and older is not None else None


def daily_usd(snapshot: Snapshot, days: int, now: datetime) -> tuple[Decimal | None, ...]:
    """Spend of the last `days` UTC days, oldest first, the last one being today so far."""
    at = answered_at(snapshot, now)
    today = utc_now(snapshot, at).date()
    completed = [completed_usd(snapshot, today - timedelta(days=age)) for age in range(days - 1, 0, -1)]
    return (*completed, today_usd(snapshot, at))


def leaders(snapshot: Snapshot, period: str, by: str, now: datetime) -> tuple[Leader, ...] | None:
    """Models by `by` ("spend", "requests", "tokens") in `period`, largest first; None while unknown, () when idle."""
    at = _window_end(snapshot, period, now)
    day = utc_now(snapshot, at).date()
    today = snapshot.today.value
    named = today.by_model if today is not None and today.day == day else None
    if period == "today":
        if named is None:  # of a day without spend it is not asked
            return () if today_usd(snapshot, at) == 0 else None
        return ranked(named, by)
    activity = snapshot.activity.value
    if activity is None:
        return None
    sums = sum_by_name([activity.by_model.get(each, {}) for each in _days_of(snapshot, period, at)])
    return ranked(sums if named is None else _merge_labels(sums, named), by)


def providers(snapshot: Snapshot, period: str, by: str, now: datetime) -> tuple[Leader, ...] | None:
    """Upstream providers of the completed days of `period`, like `leaders`; nobody tells today's."""
    activity = snapshot.activity.value
    if activity is None:
        return None
    days = _days_of(snapshot, period, _window_end(snapshot, period, now))
    return ranked(sum_by_name([activity.by_provider.get(each, {}) for each in days]), by)


def ranked(sums: Mapping[str, Spend], by: str) -> tuple[Leader, ...]:
    """Names by their part of the whole, largest first; those without any, or with less than was refunded, left out."""
    if not any(_measure(spend, by) for spend in sums.values()):
        by = "spend"  # the analytics query has no tokens: the order is that of the money, the tokens stay unknown
    parts = {name: part for name, spend in sums.items() if (part := _measure(spend, by)) > 0}
    total = sum(parts.values(), Decimal(0))
    in_order = sorted(parts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Leader(name, sums[name], float(part / total)) for name, part in in_order)


def sum_by_name(days: list[Mapping[str, Spend]]) -> dict[str, Spend]:
    """The same names added up over several days."""
    sums: dict[str, Spend] = {}
    for day in days:
        for name, spend in day.items():
            sums[name] = sums.get(name, Spend()) + spend
    return sums


def match_labels(labels: Iterable[str], slugs: Iterable[str]) -> dict[str, str]:
    """Display label -> the slug that means the same model, for those that can be told.

    `/activity` says `anthropic/claude-sonnet-4.5`, the analytics query `Claude Sonnet 4.5`. The same words are the same model;
    else the one slug that has all words of the label and some more (`deepseek-chat-v3.1` for `DeepSeek V3.1`).
    """
    by_words = {_name_words(slug): slug for slug in slugs}
    matched: dict[str, str] = {}
    for label in labels:
        said = _name_words(label)
        longer = [slug for words, slug in by_words.items() if said < words]
        if said in by_words:
            matched[label] = by_words[said]
        elif len(longer) == 1:
            matched[label] = longer[0]
    return matched


def _name_words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+(?:\.[^\W_]+)*", name.rpartition("/")[2].rpartition(": ")[2].lower()))


def _merge_labels(sums: dict[str, Spend], labelled: Mapping[str, Spend]) -> dict[str, Spend]:
    slugs = match_labels(labelled, sums)
    merged = dict(sums)
    for label, spend in labelled.items():
        name = slugs.get(label, label)
        merged[name] = merged.get(name, Spend()) + spend
    return merged


def _window_end(snapshot: Snapshot, period: str, now: datetime) -> datetime:
    """When a rolling window ends: with the last answer. A calendar's day or month ends now, and begins anew unheard of."""
    at = answered_at(snapshot, now)
    if period in DAYS:
        return at
    then, today = utc_now(snapshot, at).date(), utc_now(snapshot, now).date()
    return at if period == "month" and then.replace(day=1) == today.replace(day=1) else now


def _days_of(snapshot: Snapshot, period: str, at: datetime) -> list[date]:
    """The completed UTC days of a period that ends at `at`, newest first."""
    today = utc_now(snapshot, at).date()
    count = today.day - 1 if period == "month" else DAYS[period]
    return [today - timedelta(days=age) for age in range(1, count + 1)]


def _yesterday_by(snapshot: Snapshot, at: datetime) -> Decimal | None:
    """Spend of the day before `at` (of the server's clock) by the same time of day."""
    made = ticks(snapshot.samples)
    start, shift = midnight(at.date() - timedelta(days=1)), _shift(snapshot)
    stretch = spent_between(made, start - shift, at - timedelta(days=1) - shift)
    return stretch.usd if stretch is not None and stretch.edge_gap_s <= TREND_GAP_S else None


def _measure(spend: Spend, by: str) -> Decimal:
    return spend.usd if by == "spend" else Decimal(spend.requests if by == "requests" else spend.tokens)
