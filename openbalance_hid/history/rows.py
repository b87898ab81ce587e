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
from openbalance_hid.account.alert_notice import AlertNotice, AlertStage
from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount
from openbalance_hid.account.days import DAYS_KEPT
from openbalance_hid.account.key_switching import KeySwitch, SwitchStage
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.sample_thinning import RECENT_FOR
from openbalance_hid.account.snapshot import Activity, Credits, Spend, Today
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.history.migrations import amount, from_us, reading, salt_of, to_us
from openbalance_hid.history.records import (
    AccountIdentity,
    StoredAccount,
    StoredDelivery,
    StoredModels,
    StoredSample,
    StoredToday,
)

SPEND_COLUMNS = "usd, requests, tokens, byok_usd, byok_lower_bound"
_LARGEST = 2**63 - 1  # largest INTEGER of SQLite
_NO_ACCOUNT = -1
DELIVERIES_KEPT_FOR = timedelta(days=30)  # an alert may be open for long, and its end is for the sinks that know its start

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
    """Return what a start needs of an account. Days: the last `DAYS_KEPT`.

    Samples are dated by the server: a local clock that is wrong at the start, as `now` may be, leaves none of them out.
    """
    number = account(db, who)
    since = now.astimezone(UTC).date() - timedelta(days=DAYS_KEPT)
    query = "SELECT activity_read_at, key_days_read_at FROM accounts WHERE id = ?"
    read_at, key_days_read_at = db.execute(query, (number,)).fetchone() or (None, None)
    recent = _recent(db, number)
    return StoredAccount(
        last=recent[-1] if recent else None,
        samples=recent,
        activity=Activity(days(db, number, "model", since), days(db, number, "provider", since))
        if read_at is not None
        else None,
        activity_read_at=_instant(read_at),
        today=_day_read(db, number, "today"),
        yesterday=_day_read(db, number, "yesterday"),
        key_days=days(db, number, "key", since) if key_days_read_at is not None else {},
        key_days_read_at=_instant(key_days_read_at),
        runs=_open_runs(db, number),
        alerts=_alerts(db, number, who.name),
        models=_models(db),
        deliveries=_deliveries(db, number, who.name, now),
        masked=db.execute("SELECT 1 FROM meta WHERE name = 'masked'").fetchone() is not None,
    )


# --- samples ---------------------------------------------------------------------------------------------------------------


def samples(db: Connection, number: int) -> tuple[StoredSample, ...]:
    """Return all of an account, oldest first."""
    return _counted(db, "account = ? ORDER BY at", number)


def _recent(db: Connection, number: int) -> tuple[StoredSample, ...]:
    """Return the samples of the last `RECENT_FOR` before the newest one.

    Oldest first, and only those whose times agree with their order of arrival.
    """
    newest = _counted(db, "account = ? ORDER BY id DESC LIMIT 1", number)
    if not newest:
        return ()
    kept: list[StoredSample] = []
    for sample in _counted(db, "account = ? AND at >= ? ORDER BY id DESC", number, to_us(newest[0].at - RECENT_FOR)):
        if not kept or sample.at < kept[-1].at:  # else a clock was set back after it: the later row is right
            kept.append(sample)
    return tuple(reversed(kept))


def _counted(db: Connection, where: str, *values: int) -> tuple[StoredSample, ...]:
    found = db.execute(f"SELECT at, total_credits_usd, total_usage_usd FROM samples WHERE {where}", values)  # noqa: S608  ours
    with reading():
        return tuple(StoredSample(from_us(at), Credits(amount(bought), amount(used))) for at, bought, used in found)


# --- completed days --------------------------------------------------------------------------------------------------------


def days(db: Connection, number: int, kind: str, since: date) -> dict[date, dict[str, Spend]]:
    """Return the completed days from `since` on."""
    found = db.execute(
        f"SELECT day, name, {SPEND_COLUMNS} FROM days WHERE account = ? AND kind = ? AND day >= ?",  # noqa: S608  ours
        (number, kind, since.isoformat()),
    )
    made: dict[date, dict[str, Spend]] = {}
    day_text, names = "", {}
    with reading():
        for text, name, *columns in found:  # in the order of the primary key: day by day
            if text != day_text:
                day_text, names = text, made.setdefault(date.fromisoformat(text), {})
            names[intern(name)] = spend_of(*columns)
    return made


def spend_of(usd: str, requests: int, tokens: int, byok_usd: str | None, byok_lower_bound: int) -> Spend:
    """Return the spend of a row from its `SPEND_COLUMNS`."""
    if byok_usd is None:
        byok = UNKNOWN
    else:  # one value for all rows without any, because a start reads a year of rows
        byok = NOTHING if byok_usd == "0" and not byok_lower_bound else Amount(amount(byok_usd), bool(byok_lower_bound))
    return Spend(amount(usd), int(requests), int(tokens), byok)


def today(db: Connection, number: int) -> StoredToday | None:
    """Return the last answer about the day that was not over when it was read."""
    return _day_read(db, number, "today")


def _day_read(db: Connection, number: int, kind: str) -> StoredToday | None:
    """Return the last answer about the present day, or about the day before it. `kind`: "today", "yesterday"."""
    found, providers = days(db, number, kind, date.min), days(db, number, f"{kind} provider", date.min)
    times = f"SELECT {kind}_read_at, {kind}_cached_at FROM accounts WHERE id = ?"  # noqa: S608  ours
    read_at, cached_at = map(_instant, db.execute(times, (number,)).fetchone() or (None, None))
    newest = max(found, default=None)
    if newest is None or read_at is None:
        return None
    return StoredToday(Today(newest, found[newest], by_provider=providers.get(newest, {}), cached_at=cached_at), read_at)


def _models(db: Connection) -> StoredModels | None:
    found = db.execute("SELECT spelling, slug, read_at FROM models").fetchall()
    if not found:
        return None
    with reading():
        return StoredModels({name: slug for name, slug, _ in found}, from_us(found[0][2]))


# --- runs and alerts -------------------------------------------------------------------------------------------------------


def runs(db: Connection, number: int) -> tuple[MeterRun, ...]:
    """Return all of an account, oldest first."""
    return _runs(db, "account = ? ORDER BY started_at", number)


def _open_runs(db: Connection, number: int) -> tuple[MeterRun, ...]:
    """Return the last run, and the runs before it that wait for their last sample; oldest first."""
    *before, last = _runs(db, "account = ? ORDER BY started_at DESC LIMIT 20", number)[::-1] or (None,)
    return () if last is None else (*(run for run in before if run is not None and not run.is_settled), last)


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
        "SELECT kind, rule, since, level, acknowledged, notified, normal_since, usual_usd FROM alerts"
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
                _amount(usual_usd),
            )
            for kind, rule, since, level, acknowledged, notified, normal_since, usual_usd in found
            if _is_known(kind, level, acknowledged, notified)
        )


def switches(db: Connection, number: int, account_name: str) -> tuple[KeySwitch, ...]:
    """Return the switches of keys, oldest first. One that was pending when the program was killed stays so."""
    found = db.execute(
        "SELECT key_hash, key_name, disables, source, at, result, message FROM actions WHERE account = ? ORDER BY at", (number,)
    )
    with reading():
        return tuple(
            KeySwitch(account_name, key_hash, name, bool(disables), source, from_us(at), SwitchStage(result), None, message)
            for key_hash, name, disables, source, at, result, message in found
        )


def _deliveries(db: Connection, number: int, account_name: str, now: datetime) -> tuple[StoredDelivery, ...]:
    """Return the messages about alerts that wait or were delivered; kinds of a later version are left out."""
    found = db.execute(
        "SELECT sink, kind, rule, since, stage, level, at, title, body, urgent, delivered_at FROM deliveries"
        " WHERE account = ? AND at >= ? ORDER BY at",
        (number, to_us(now - DELIVERIES_KEPT_FOR)),
    )
    with reading():
        return tuple(
            StoredDelivery(
                sink,
                AlertNotice(
                    AlertKind(kind),
                    account_name,
                    AlertStage(stage),
                    level_named(AlertKind(kind), level),
                    from_us(since),
                    from_us(at),
                    title,
                    body,
                    rule_of_text(rule) if rule else None,
                    bool(urgent),
                ),
                _from_us(delivered_at),
            )
            for sink, kind, rule, since, stage, level, at, title, body, urgent, delivered_at in found
            if _is_known(kind, level)
        )


def _is_known(kind: str, *levels: str) -> bool:
    kinds = {each.value: each for each in AlertKind}
    return kind in kinds and all(level in LEVEL_NAMES[kinds[kind]] for level in levels)


def rule_text(rule: SpikeRule | None) -> str:
    """Return a rule as it is stored: 3 and 3.0 are the same rule. Empty for alerts without one."""
    if rule is None:
        return ""
    numbers = (f"{each.normalize():f}" for each in (rule.threshold, rule.floor_usd, rule.window_hours))
    key_name = () if rule.key_name is None else (rule.key_name,)
    return " ".join((*numbers, str(int(rule.burst)), *key_name))


def rule_of_text(text: str) -> SpikeRule:
    """Return the rule that was stored as this text. ArithmeticError or ValueError for any other text."""
    threshold, floor_usd, hours, burst, *key_name = text.split(" ", 4)
    return SpikeRule(amount(threshold), amount(floor_usd), amount(hours), bool(int(burst)), *key_name)


def _instant(microseconds: int | None) -> datetime | None:
    with reading():
        return _from_us(microseconds)


def _from_us(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_us(microseconds)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else amount(text)
