"""Read the rows of the tables as values of the account. The statements that write are in `writes`.

Raises DamagedError for a row that this program has not written.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from sqlite3 import Connection
from sys import intern

from openbalance_hid.account.alert import LEVEL_NAMES, Alert, AlertKind, level_named
from openbalance_hid.account.days import DAYS_KEPT
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Activity, Credits, Spend, Today
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.history.migrations import amount, from_us, reading, salt_of, to_us
from openbalance_hid.history.records import AccountIdentity, StoredAccount, StoredSample
from openbalance_hid.history.thinning import ALL_FOR

_LARGEST = 2**63 - 1  # largest INTEGER of SQLite
_NO_ACCOUNT = -1
RECENT_FOR = ALL_FOR + timedelta(hours=1)  # includes the reading before the oldest midnight

# --- accounts --------------------------------------------------------------------------------------------------------------


def account(db: Connection, who: AccountIdentity) -> int:
    """Return the number of an account, or a number without an account."""
    row = db.execute("SELECT id FROM accounts WHERE name = ? AND bound_to = ?", (who.name, bound_to(db, who))).fetchone()
    return int(row[0]) if row is not None else _NO_ACCOUNT


def bound_to(db: Connection, who: AccountIdentity) -> str:
    """Return the salted fingerprint of an account's key."""
    return hashlib.blake2b(who.fingerprint.encode(), key=salt_of(db), digest_size=16).hexdigest()


# --- everything at once ----------------------------------------------------------------------------------------------------


def past(db: Connection, who: AccountIdentity, now: datetime) -> StoredAccount:
    """Return what a start needs of an account. Days: the last `DAYS_KEPT`; samples later than `now` are left out."""
    number = account(db, who)
    since = now.astimezone(UTC).date() - timedelta(days=DAYS_KEPT)
    asked = "SELECT activity_read_at, today_read_at, key_days_read_at FROM accounts WHERE id = ?"
    read_at, today_read_at, key_days_read_at = db.execute(asked, (number,)).fetchone() or (None, None, None)
    recent = _recent(db, number, now)
    return StoredAccount(
        last=recent[-1] if recent else _last(db, number, now),
        samples=recent,
        activity=Activity(days(db, number, "model", since), days(db, number, "provider", since))
        if read_at is not None
        else None,
        activity_read_at=_instant(read_at),
        today=_today(db, number),
        today_read_at=_instant(today_read_at),
        key_days=days(db, number, "key", since) if key_days_read_at is not None else {},
        key_days_read_at=_instant(key_days_read_at),
        run=_last_run(db, number),
        alerts=_alerts(db, number, who.name),
        masked=db.execute("SELECT 1 FROM meta WHERE name = 'masked'").fetchone() is not None,
    )


# --- samples ---------------------------------------------------------------------------------------------------------------


def samples(db: Connection, number: int) -> tuple[StoredSample, ...]:
    """Return all of an account, oldest first."""
    return _counted(db, "account = ? ORDER BY at", number)


def _recent(db: Connection, number: int, now: datetime) -> tuple[StoredSample, ...]:
    """Return the samples of the last `RECENT_FOR`, oldest first, whose times agree with their order of arrival."""
    window = (number, to_us(now - RECENT_FOR), to_us(now))
    kept: list[StoredSample] = []
    for sample in _counted(db, "account = ? AND at BETWEEN ? AND ? ORDER BY id DESC", *window):
        if not kept or sample.at < kept[-1].at:  # else a clock was set back after it: the later row is right
            kept.append(sample)
    return tuple(reversed(kept))


def _last(db: Connection, number: int, now: datetime) -> StoredSample | None:
    found = _counted(db, "account = ? AND at <= ? ORDER BY at DESC LIMIT 1", number, to_us(now))
    return found[0] if found else None


def _counted(db: Connection, where: str, *values: int) -> tuple[StoredSample, ...]:
    found = db.execute(f"SELECT at, total_credits_usd, total_usage_usd FROM samples WHERE {where}", values)  # noqa: S608  ours
    with reading():
        return tuple(StoredSample(from_us(at), Credits(amount(bought), amount(used))) for at, bought, used in found)


# --- completed days --------------------------------------------------------------------------------------------------------


def days(db: Connection, number: int, kind: str, since: date) -> dict[date, dict[str, Spend]]:
    """Return the completed days from `since` on."""
    found = db.execute(
        "SELECT day, name, usd, requests, tokens FROM days WHERE account = ? AND kind = ? AND day >= ?",
        (number, kind, since.isoformat()),
    )
    made: dict[date, dict[str, Spend]] = {}
    day_text, names = "", {}
    with reading():
        for text, name, usd, requests, tokens in found:  # in the order of the primary key: day by day
            if text != day_text:
                day_text, names = text, made.setdefault(date.fromisoformat(text), {})
            names[intern(name)] = Spend(amount(usd), int(requests), int(tokens))
    return made


def _today(db: Connection, number: int) -> Today | None:
    found = days(db, number, "today", date.min)
    newest = max(found, default=None)
    return Today(newest, found[newest]) if newest is not None else None


# --- runs and alerts -------------------------------------------------------------------------------------------------------


def runs(db: Connection, number: int) -> tuple[MeterRun, ...]:
    """Return all of an account, oldest first."""
    return _runs(db, "account = ? ORDER BY started_at", number)


def _last_run(db: Connection, number: int) -> MeterRun | None:
    return next(iter(_runs(db, "account = ? ORDER BY started_at DESC LIMIT 1", number)), None)


def _runs(db: Connection, where: str, number: int) -> tuple[MeterRun, ...]:
    found = db.execute(
        f"SELECT started_at, ended_at, usd, counted_at, counted_usage_usd, approximate FROM runs WHERE {where}",  # noqa: S608  ours
        (number,),
    )
    with reading():
        return tuple(
            MeterRun(from_us(start), _from_us(end), _amount(usd), _from_us(counted), _amount(usage), bool(approximate))
            for start, end, usd, counted, usage, approximate in found
        )


def _alerts(db: Connection, number: int, account_name: str) -> tuple[Alert, ...]:
    """Return the open alerts of an account. Kinds and levels of a later version of this program are left out."""
    found = db.execute(
        "SELECT kind, rule, since, level, acknowledged, notified, normal_since FROM alerts"
        " WHERE account = ? AND ended_at IS NULL ORDER BY since",
        (number,),
    )
    with reading():
        return tuple(
            Alert(
                AlertKind(kind),
                account_name,
                level_named(AlertKind(kind), level),
                from_us(since),
                level_named(AlertKind(kind), acknowledged),
                level_named(AlertKind(kind), notified),
                _from_us(normal_since),
                rule_of_text(rule) if rule else None,
            )
            for kind, rule, since, level, acknowledged, notified, normal_since in found
            if _is_known(kind, level, acknowledged, notified)
        )


def _is_known(kind: str, *levels: str) -> bool:
    kinds = {each.value: each for each in AlertKind}
    return kind in kinds and all(level in LEVEL_NAMES[kinds[kind]] for level in levels)


def rule_text(rule: SpikeRule | None) -> str:
    """Return a rule as it is stored: 3 and 3.0 are the same rule. Empty for alerts without one."""
    if rule is None:
        return ""
    numbers = (f"{each.normalize():f}" for each in (rule.threshold, rule.floor_usd, rule.window_hours))
    return " ".join((*numbers, str(int(rule.burst))))


def rule_of_text(text: str) -> SpikeRule:
    """Return the rule that was stored as this text. ArithmeticError or ValueError for any other text."""
    threshold, floor_usd, hours, burst = text.split(" ")
    return SpikeRule(amount(threshold), amount(floor_usd), amount(hours), bool(int(burst)))


def _instant(microseconds: int | None) -> datetime | None:
    with reading():
        return _from_us(microseconds)


def _from_us(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_us(microseconds)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else amount(text)
