"""The statements that write: one for each type of record, in the table `_WRITERS`.

They are part of a transaction that the caller opens.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from sqlite3 import Connection
from typing import Any

from openbalance_hid.account.alert import Alert, level_name
from openbalance_hid.account.key_switching import KeySwitch
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.sample_thinning import thin
from openbalance_hid.account.snapshot import Days, Spend
from openbalance_hid.history.migrations import from_us, reading, to_us
from openbalance_hid.history.records import (
    AccountIdentity,
    EndedAlert,
    MaskedSetting,
    Record,
    StoredDays,
    StoredDelivery,
    StoredModels,
    StoredSample,
    StoredToday,
)
from openbalance_hid.history.rows import DELIVERIES_KEPT_FOR, account, bound_to, rule_text

_NO_ACCOUNT = 0  # no row has this number
_LARGEST = 2**63 - 1  # what an INTEGER of SQLite holds


def write(db: Connection, who: AccountIdentity | None, record: Record) -> None:
    """Write a record of an account, which exists afterwards; None: a setting of the whole program."""
    number = _NO_ACCOUNT
    if who is not None:
        db.execute("INSERT OR IGNORE INTO accounts (name, bound_to) VALUES (?, ?)", (who.name, bound_to(db, who)))
        number = account(db, who)
    _WRITERS[type(record)](db, number, record)


def _write_masked(db: Connection, _: int, setting: MaskedSetting) -> None:
    db.execute("DELETE FROM meta WHERE name = 'masked'")
    if setting.on:
        db.execute("INSERT INTO meta VALUES ('masked', x'01')")


def _write_sample(db: Connection, number: int, sample: StoredSample) -> None:
    """Add a sample, or replace the one of the same instant. The first sample of each UTC hour thins those before it."""
    before = db.execute("SELECT at FROM samples WHERE account = ? ORDER BY id DESC LIMIT 1", (number,)).fetchone()
    usd = (str(sample.credits.total_credits_usd), str(sample.credits.total_usage_usd))
    db.execute(
        "INSERT OR REPLACE INTO samples (account, at, total_credits_usd, total_usage_usd) VALUES (?, ?, ?, ?)",
        (number, to_us(sample.at), *usd),
    )
    with reading():
        is_same_hour = before is not None and _hour(from_us(before[0])) == _hour(sample.at)
    if not is_same_hour:
        _thin_samples(db, number, sample.at)


def _thin_samples(db: Connection, number: int, now: datetime) -> None:
    with reading():
        instants = [from_us(at) for (at,) in db.execute("SELECT at FROM samples WHERE account = ?", (number,))]
    kept = thin(instants, now)
    gone = [(number, to_us(at)) for at in instants if at not in kept]
    db.executemany("DELETE FROM samples WHERE account = ? AND at = ?", gone)


def _write_days(db: Connection, number: int, days: StoredDays) -> None:
    _replace_days(db, number, days.kind, days.days, (*days.days, *days.gone))
    if days.read_at is not None:
        column = "key_days_read_at" if days.kind == "key" else "activity_read_at"
        db.execute(f"UPDATE accounts SET {column} = ? WHERE id = ?", (to_us(days.read_at), number))  # noqa: S608  ours


def _write_today(db: Connection, number: int, stored: StoredToday) -> None:
    today = stored.today
    (before,) = db.execute("SELECT max(day) FROM days WHERE account = ? AND kind = 'today'", (number,)).fetchone()
    if before is not None and before < today.day.isoformat():
        _keep_as_yesterday(db, number)
    db.execute("DELETE FROM days WHERE account = ? AND kind IN ('today', 'today provider')", (number,))
    _replace_days(db, number, "today", {today.day: today.by_model}, ())
    _replace_days(db, number, "today provider", {today.day: today.by_provider}, ())
    times = (to_us(stored.read_at), _us(today.cached_at), number)
    db.execute("UPDATE accounts SET today_read_at = ?, today_cached_at = ? WHERE id = ?", times)


def _keep_as_yesterday(db: Connection, number: int) -> None:
    """Keep the last answer about the day that is over."""
    db.execute("DELETE FROM days WHERE account = ? AND kind IN ('yesterday', 'yesterday provider')", (number,))
    db.execute("UPDATE days SET kind = 'yesterday' WHERE account = ? AND kind = 'today'", (number,))
    db.execute("UPDATE days SET kind = 'yesterday provider' WHERE account = ? AND kind = 'today provider'", (number,))
    db.execute(
        "UPDATE accounts SET yesterday_read_at = today_read_at, yesterday_cached_at = today_cached_at WHERE id = ?", (number,)
    )


def _write_models(db: Connection, _: int, stored: StoredModels) -> None:
    db.execute("DELETE FROM models")
    read_at = to_us(stored.read_at)
    db.executemany("INSERT INTO models VALUES (?, ?, ?)", [(name, slug, read_at) for name, slug in stored.slugs.items()])


def _replace_days(db: Connection, number: int, kind: str, days: Days, replaced: tuple[date, ...]) -> None:
    emptied = [(number, kind, day.isoformat()) for day in replaced]
    db.executemany("DELETE FROM days WHERE account = ? AND kind = ? AND day = ?", emptied)
    db.executemany(
        "INSERT INTO days VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (number, kind, day.isoformat(), name, *_columns(spend))
            for day, names in days.items()
            for name, spend in names.items()
        ],
    )


def _columns(spend: Spend) -> tuple[str, int, int, str | None, int]:
    """Return the values of `SPEND_COLUMNS`."""
    byok_usd = None if spend.byok.usd is None else str(spend.byok.usd)
    return str(spend.usd), min(spend.requests, _LARGEST), min(spend.tokens, _LARGEST), byok_usd, int(spend.byok.lower_bound)


def _write_run(db: Connection, number: int, run: MeterRun) -> None:
    """Add a run of the meter, or replace the one that started at the same instant."""
    amounts = [None if usd is None else str(usd) for usd in (run.usd, run.counted_usage_usd)]
    db.execute(
        "INSERT OR REPLACE INTO runs (account, started_at, ended_at, usd, counted_at, counted_usage_usd, approximate)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            to_us(run.started_at),
            _us(run.ended_at),
            amounts[0],
            _us(run.counted_at),
            amounts[1],
            int(run.approximate),
        ),
    )


def _write_alert(db: Connection, number: int, alert: Alert) -> None:
    """Write the present state of an open alert."""
    levels = [level_name(alert.kind, level) for level in (alert.level, alert.acknowledged, alert.notified)]
    key, since = (number, alert.kind.value, rule_text(alert.rule)), to_us(alert.since)
    db.execute(  # one that was over and kept for its week
        "UPDATE alerts SET ended_at = coalesce(normal_since, ?) WHERE account = ? AND kind = ? AND rule = ? AND since < ?"
        " AND ended_at IS NULL",
        (since, *key, since),
    )
    usual_usd = None if alert.usual_usd is None else str(alert.usual_usd)
    db.execute(
        "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
        (*key, since, *levels, _us(alert.normal_since), usual_usd),
    )


def _end_alert(db: Connection, number: int, ended: EndedAlert) -> None:
    kind, _, rule = ended.key
    db.execute(
        "UPDATE alerts SET ended_at = ? WHERE account = ? AND kind = ? AND rule = ? AND ended_at IS NULL",
        (to_us(ended.ended_at), number, kind.value, rule_text(rule)),
    )


def _write_delivery(db: Connection, number: int, stored: StoredDelivery) -> None:
    """Write the state of one message for one sink; very old ones are deleted."""
    notice = stored.notice
    key = (number, stored.sink, notice.kind.value, rule_text(notice.rule), to_us(notice.since), notice.stage.value)
    if stored.is_over:
        where = "account = ? AND sink = ? AND kind = ? AND rule = ? AND since = ? AND stage = ?"
        db.execute(f"DELETE FROM deliveries WHERE {where}", key)  # noqa: S608  ours
        return
    db.execute("DELETE FROM deliveries WHERE account = ? AND at < ?", (number, to_us(notice.at - DELIVERIES_KEPT_FOR)))
    content = (level_name(notice.kind, notice.level), to_us(notice.at), notice.title, notice.text, int(notice.urgent))
    db.execute(
        "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*key, *content, _us(stored.delivered_at)),
    )


def _write_switch(db: Connection, number: int, switch: KeySwitch) -> None:
    """Add a switch of a key, or write how it has ended."""
    values = (switch.key_hash, switch.key_name, int(switch.disables), switch.source, switch.stage.value, switch.message)
    db.execute("INSERT OR REPLACE INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, to_us(switch.requested_at), *values))


_WRITERS: dict[type, Callable[[Connection, int, Any], None]] = {
    StoredSample: _write_sample,
    StoredDays: _write_days,
    StoredToday: _write_today,
    MeterRun: _write_run,
    Alert: _write_alert,
    EndedAlert: _end_alert,
    StoredModels: _write_models,
    StoredDelivery: _write_delivery,
    KeySwitch: _write_switch,
    MaskedSetting: _write_masked,
}


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)
