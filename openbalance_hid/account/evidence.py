"""What the spike rule knows at one moment, of an account or of one of its API keys. Pure. USD."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.counter import Tick, ticks
from openbalance_hid.account.snapshot import Activity, ApiKey, Reading, Snapshot
from openbalance_hid.account.spend import completed_usd, day_usd, today_usd
from openbalance_hid.account.usual_spend import DaysAndSamples, UsualSpend, before_midnight, known_days, usual_spend
from openbalance_hid.account.utc_days import midnight, server_shift, utc_now

KEY_DAY_SETTLED_AFTER = timedelta(minutes=35)  # midnight: a day of a key without rows is idle if it was requested after this


class Evidence(Struct, frozen=True):
    """`at`: by the local clock, as in samples; `utc` and `today`: by the server's. `day_usd`: of completed days."""

    snapshot: Snapshot
    at: datetime
    utc: datetime
    shift: timedelta
    series: tuple[Tick, ...]
    usual: UsualSpend
    today_usd: Decimal | None
    day_usd: Callable[[date], Decimal | None]

    @property
    def today(self) -> date:
        """The UTC day."""
        return self.utc.date()


def evidence_at(snapshot: Snapshot, at: datetime, key_name: str | None) -> Evidence | None:
    """Return what is known at `at`; None before the first answer about completed days, or without the key."""
    if key_name is not None:
        return _of_key(snapshot, key_name)
    if snapshot.activity.value is None:
        return None
    utc, shift, series = utc_now(snapshot, at), server_shift(snapshot), ticks(snapshot.samples)
    today = utc.date()
    days = _published_days(_Published(snapshot, shift, today))
    if not days or days[0][0] < today - timedelta(days=1):  # not published yet, or `/activity` fails
        known = dict(days)
        days = known_days(lambda day: known[day] if day in known else completed_usd(snapshot, day), today)
    usual = usual_spend(DaysAndSamples(days, before_midnight(series, today, shift), shift, today))
    return Evidence(snapshot, at, utc, shift, series, usual, today_usd(snapshot, at), lambda day: completed_usd(snapshot, day))


def known_at(snapshot: Snapshot, at: datetime) -> Snapshot:
    """Return what was known at an earlier moment, as far as the snapshot still has it."""
    activity = snapshot.activity
    if activity.value is not None:
        today = utc_now(snapshot, at).date()
        by_model = {day: spent for day, spent in activity.value.by_model.items() if day < today}
        by_provider = {day: spent for day, spent in activity.value.by_provider.items() if day < today}
        read_at = None if activity.measured_at is None else min(activity.measured_at, at)
        activity = replace(activity, value=Activity(by_model, by_provider), measured_at=read_at)
    return replace(
        snapshot,
        activity=activity,
        credits=replace(snapshot.credits, measured_at=at),
        today=next((each for each in (snapshot.today, snapshot.yesterday) if _is_before(each.measured_at, at)), Reading()),
        window=snapshot.window if _is_before(snapshot.window.measured_at, at) else Reading(),
        keys=snapshot.keys if _is_before(snapshot.keys.measured_at, at) else Reading(),
        samples=tuple(each for each in snapshot.samples if each.at <= at),
    )


def find_key(keys: tuple[ApiKey, ...], name: str) -> ApiKey | None:
    """Return the key of that name; None if there is none, or more than one."""
    found = [key for key in keys if key.name == name] or [key for key in keys if key.given_name == name]
    return found[0] if len(found) == 1 else None


class _Published:
    """A cache key: an answer of `/activity`, compared by identity, read at the same time, before the same UTC day."""

    __slots__ = ("shift", "snapshot", "today")

    def __init__(self, snapshot: Snapshot, shift: timedelta, today: date) -> None:
        self.snapshot = snapshot
        self.shift = shift
        self.today = today

    def __hash__(self) -> int:
        return hash(self.today)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Published):
            return False
        own, others = self.snapshot.activity, other.snapshot.activity
        is_same = own.value is others.value and own.measured_at == others.measured_at
        return is_same and self.shift == other.shift and self.today == other.today


@lru_cache(maxsize=8)
def _published_days(of: _Published) -> tuple[tuple[date, Decimal], ...]:
    """Return the completed days that `/activity` has published, newest first."""
    return known_days(lambda day: day_usd(of.snapshot, day), of.today)


def _of_key(snapshot: Snapshot, key_name: str) -> Evidence | None:
    """Return what is known of one API key when the keys were last read: its completed days, and its spend that day."""
    at, key = snapshot.keys.measured_at, find_key(snapshot.keys.value or (), key_name)
    if at is None or key is None or snapshot.key_days.value is None:
        return None
    days, shift = snapshot.key_days.value, server_shift(snapshot)
    read_at = snapshot.key_days.measured_at
    utc = utc_now(snapshot, at)
    today, name = utc.date(), key.name
    newest = max(days, default=date.min)

    def key_day_usd(day: date) -> Decimal | None:
        spend = days.get(day, {}).get(name)
        if spend is not None:
            return spend.usd
        settled_at = midnight(day + timedelta(days=1)) + KEY_DAY_SETTLED_AFTER
        return Decimal(0) if day < newest or (read_at is not None and read_at + shift >= settled_at) else None

    known = known_days(key_day_usd, today)
    usual = usual_spend(DaysAndSamples(known, (), shift, today))
    return Evidence(snapshot, at, utc, shift, (), usual, key.today_usd, key_day_usd)


def _is_before(measured_at: datetime | None, at: datetime) -> bool:
    return measured_at is not None and measured_at <= at
