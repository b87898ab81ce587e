"""What the spike rule knows at one moment, of an account or of one of its API keys. Pure. USD."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.amount import UNKNOWN, Amount
from openbalance_hid.account.counter import Tick, ticks
from openbalance_hid.account.remembered import remembered_by_account
from openbalance_hid.account.snapshot import Activity, ApiKey, Reading, Snapshot
from openbalance_hid.account.spend import day_usd, misses_part_of_today, published_usd, today_usd
from openbalance_hid.account.usual_spend import DaysAndSamples, UsualSpend, before_midnight, known_days, usual_spend
from openbalance_hid.account.utc_days import midnight, server_shift

GROWING_DAYS = 2  # the newest days, which `/activity` may not have whole
KEY_DAY_SETTLED_AFTER = timedelta(minutes=35)  # midnight: a day of a key without rows is idle if it was requested after this


class Evidence(Struct, frozen=True):
    """`at`: in the server's time, as everything in a snapshot. `yesterday`: the completed day before."""

    snapshot: Snapshot
    at: datetime
    series: tuple[Tick, ...]
    usual: UsualSpend
    so_far: Amount  # of today; a lower bound only where nothing is known of its beginning
    yesterday: Amount

    @property
    def today(self) -> date:
        """The UTC day."""
        return self.at.date()


def evidence_at(snapshot: Snapshot, at: datetime, key_name: str | None) -> Evidence | None:
    """Return what is known at `at`; None before the first answer about completed days, or without the key."""
    if key_name is not None:
        return _of_key(snapshot, key_name)
    if snapshot.activity.value is None:
        return None
    today = at.date()
    now, yesterday = at - server_shift(snapshot), today - timedelta(days=1)
    so_far = replace(today_usd(snapshot, now), lower_bound=misses_part_of_today(snapshot, now))
    before = day_usd(snapshot, yesterday)
    is_published = published_usd(snapshot, yesterday) is not None
    before = before if before.is_whole or is_published else UNKNOWN
    return Evidence(snapshot, at, ticks(snapshot.samples), usual_at(snapshot, today), so_far, before)


def usual_at(snapshot: Snapshot, today: date) -> UsualSpend:
    """Return what the account usually spends, from the days before `today` and their samples."""
    published = _published_days(snapshot.account, _Published(snapshot, today))

    def whole_usd(day: date) -> Decimal | None:
        found = day_usd(snapshot, day)
        return found.usd if found.is_whole else None

    def known_usd(day: date) -> Decimal | None:
        """Return a day as published; from the counter where that has more, or where `/activity` fails."""
        usd = published.get(day) if today - day > timedelta(days=GROWING_DAYS) else None
        return whole_usd(day) if usd is None else usd

    series = before_midnight(ticks(snapshot.samples), today)
    return usual_spend(snapshot.account, DaysAndSamples(known_days(known_usd, today), series, today))


def known_at(snapshot: Snapshot, at: datetime) -> Snapshot:
    """Return what was known at an earlier moment, as far as the snapshot still has it."""
    activity = snapshot.activity
    if activity.value is not None:
        by_model = {day: spent for day, spent in activity.value.by_model.items() if day < at.date()}
        by_provider = {day: spent for day, spent in activity.value.by_provider.items() if day < at.date()}
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
    found = [key for key in keys if key.given_name == name] or [key for key in keys if key.name == name]
    return found[0] if len(found) == 1 else None


def _of_key(snapshot: Snapshot, key_name: str) -> Evidence | None:
    """Return what is known of one API key when the keys were last read: its completed days, and its spend that day."""
    at, key = snapshot.keys.measured_at, find_key(snapshot.keys.value or (), key_name)
    if at is None or key is None or snapshot.key_days.value is None:
        return None
    days, read_at, name = snapshot.key_days.value, snapshot.key_days.measured_at, key.name
    newest = max(days, default=date.min)

    def key_day_usd(day: date) -> Decimal | None:
        spend = days.get(day, {}).get(name)
        if spend is not None:
            return spend.usd
        settled_at = midnight(day + timedelta(days=1)) + KEY_DAY_SETTLED_AFTER
        return Decimal(0) if day < newest or (read_at is not None and read_at >= settled_at) else None

    known = DaysAndSamples(known_days(key_day_usd, at.date()), (), at.date())
    usual = usual_spend(f"{snapshot.account}/{key.hash}", known)
    return Evidence(snapshot, at, (), usual, Amount(key.today_usd), Amount(key_day_usd(at.date() - timedelta(days=1))))


class _Published:
    """A cache key: an answer of `/activity`, compared by identity, read at the same time, before the same UTC day."""

    __slots__ = ("snapshot", "today")

    def __init__(self, snapshot: Snapshot, today: date) -> None:
        self.snapshot = snapshot
        self.today = today

    def __hash__(self) -> int:
        return hash(self.today)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Published):
            return False
        own, others = self.snapshot.activity, other.snapshot.activity
        return own.value is others.value and own.measured_at == others.measured_at and self.today == other.today


@remembered_by_account
def _published_days(of: _Published) -> dict[date, Decimal]:
    """Return the completed days that `/activity` has published."""
    return dict(known_days(lambda day: published_usd(of.snapshot, day), of.today))


def _is_before(measured_at: datetime | None, at: datetime) -> bool:
    return measured_at is not None and measured_at <= at
