"""Values of the account as rows of the tables, and back. SQL is here and in `schema`, nowhere else.

Writers are part of a transaction that somebody else opens. Readers raise DamagedError for a row that this program has not
written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from sqlite3 import Connection
from sys import intern

from openbalance_hid.account.days import DAYS_KEPT
from openbalance_hid.account.episode import Episode
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Activity, Credits, Spend, Today
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.history.migrations import amount, from_us, reading, salt_of, to_us
from openbalance_hid.history.records import AccountIdentity, Days, StoredAccount, StoredSample
from openbalance_hid.history.thinning import ALL_FOR, thin

_LARGEST = 2**63 - 1  # what an INTEGER of SQLite holds
_NOBODY = -1
RECENT_FOR = ALL_FOR + timedelta(hours=1)  # so that the reading before the oldest midnight is among them

# --- accounts --------------------------------------------------------------------------------------------------------------


def account(db: Connection, who: AccountIdentity) -> int:
    """The number of an account, or one that no account has."""
    row = db.execute("SELECT id FROM accounts WHERE name = ? AND bound_to = ?", (who.name, _bound(db, who))).fetchone()
    return int(row[0]) if row is not None else _NOBODY


def account_for(db: Connection, who: AccountIdentity) -> int:
    """The number of an account, which exists afterwards."""
    db.execute("INSERT OR IGNORE INTO accounts (name, bound_to) VALUES (?, ?)", (who.name, _bound(db, who)))
    return account(db, who)


def _bound(db: Connection, who: AccountIdentity) -> str:
    return hashlib.blake2b(who.fingerprint.encode(), key=salt_of(db), digest_size=16).hexdigest()


# --- everything at once ----------------------------------------------------------------------------------------------------


def past(db: Connection, number: int, now: datetime) -> StoredAccount:
    """What a start wants to know."""
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
        episodes=_episodes(db, number),
        concerns=dict(db.execute("SELECT kind, told FROM concerns WHERE account = ?", (number,))),
        masked=db.execute("SELECT 1 FROM meta WHERE name = 'masked'").fetchone() is not None,
    )


def write_masked(db: Connection, on: bool) -> None:
    """Whether amounts are hidden: the owner's wish, and no account's."""
    db.execute("DELETE FROM meta WHERE name = 'masked'")
    if on:
        db.execute("INSERT INTO meta VALUES ('masked', x'01')")


# --- samples ---------------------------------------------------------------------------------------------------------------


def samples(db: Connection, number: int) -> tuple[StoredSample, ...]:
    """All of an account, oldest first."""
    return _counted(db, "account = ? ORDER BY at", number)


def write_sample(db: Connection, number: int, sample: StoredSample) -> None:
    """Adds one, or replaces the one of the same instant."""
    usd = (str(sample.credits.total_credits_usd), str(sample.credits.total_usage_usd))
    db.execute(
        "INSERT OR REPLACE INTO samples (account, at, total_credits_usd, total_usage_usd) VALUES (?, ?, ?, ?)",
        (number, to_us(sample.at), *usd),
    )


def thin_samples(db: Connection, number: int, now: datetime) -> None:
    """Deletes those that need not be kept any longer."""
    with reading():
        instants = [from_us(at) for (at,) in db.execute("SELECT at FROM samples WHERE account = ?", (number,))]
    stays = thin(instants, now)
    gone = [(number, to_us(at)) for at in instants if at not in stays]
    db.executemany("DELETE FROM samples WHERE account = ? AND at = ?", gone)


def _recent(db: Connection, number: int, now: datetime) -> tuple[StoredSample, ...]:
    """Those of the last `RECENT_FOR`, oldest first, as far as their times agree with the order in which they came."""
    window = (number, to_us(now - RECENT_FOR), to_us(now))
    kept: list[StoredSample] = []
    for sample in _counted(db, "account = ? AND at BETWEEN ? AND ? ORDER BY id DESC", *window):
        if not kept or sample.at < kept[-1].at:  # else a clock was set back after it; the later row knows better
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
    """The completed days from `since` on."""
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


def write_days(db: Connection, number: int, kind: str, whole: Days, gone: Iterable[date]) -> None:
    """Each day of `whole` in the place of what was there, and nothing for the days that are `gone`."""
    emptied = [(number, kind, day.isoformat()) for day in (*whole, *gone)]
    db.executemany("DELETE FROM days WHERE account = ? AND kind = ? AND day = ?", emptied)
    db.executemany(
        "INSERT INTO days VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (number, kind, day.isoformat(), name, str(spend.usd), min(spend.requests, _LARGEST), min(spend.tokens, _LARGEST))
            for day, names in whole.items()
            for name, spend in names.items()
        ],
    )


def write_today(db: Connection, number: int, today: Today, read_at: datetime) -> None:
    """The day that is not over, in the place of the one before it."""
    db.execute("DELETE FROM days WHERE account = ? AND kind = 'today'", (number,))
    write_days(db, number, "today", {today.day: today.by_model}, ())
    db.execute("UPDATE accounts SET today_read_at = ? WHERE id = ?", (to_us(read_at), number))


def _today(db: Connection, number: int) -> Today | None:
    found = days(db, number, "today", date.min)
    newest = max(found, default=None)
    return Today(newest, found[newest]) if newest is not None else None


def write_read_at(db: Connection, number: int, kind: str, read_at: datetime) -> None:
    """When the completed days were read last; those by key on their own."""
    column = "key_days_read_at" if kind == "key" else "activity_read_at"
    db.execute(f"UPDATE accounts SET {column} = ? WHERE id = ?", (to_us(read_at), number))  # noqa: S608  ours


# --- runs and episodes -----------------------------------------------------------------------------------------------------


def runs(db: Connection, number: int) -> tuple[MeterRun, ...]:
    """All of an account, oldest first."""
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


def write_run(db: Connection, number: int, run: MeterRun) -> None:
    """Adds one, or replaces the one that began at the same instant."""
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


def write_episode(db: Connection, number: int, rule: SpikeRule, episode: Episode) -> None:
    """An episode that goes on."""
    levels = (int(episode.highest), int(episode.acknowledged), int(episode.notified))
    db.execute(
        "INSERT OR REPLACE INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (number, *_rule_key(rule), to_us(episode.started_at), *levels, _us(episode.normal_since)),
    )


def end_episode(db: Connection, number: int, rule: SpikeRule, ended_at: datetime) -> None:
    """Nothing goes on under this rule any more."""
    db.execute(
        "UPDATE episodes SET ended_at = ? WHERE account = ? AND threshold = ? AND floor_usd = ? AND window_hours = ?"
        " AND burst = ? AND ended_at IS NULL",
        (to_us(ended_at), number, *_rule_key(rule)),
    )


def _episodes(db: Connection, number: int) -> dict[SpikeRule, Episode]:
    """Those that go on, by rule."""
    found = db.execute(
        "SELECT threshold, floor_usd, window_hours, burst, started_at, highest, acknowledged, notified, normal_since"
        " FROM episodes WHERE account = ? AND ended_at IS NULL ORDER BY started_at",
        (number,),
    )
    with reading():
        return {
            SpikeRule(amount(threshold), amount(floor), amount(hours), bool(burst)): Episode(
                from_us(start), Level(highest), Level(seen), None if normal is None else from_us(normal), Level(notified)
            )
            for threshold, floor, hours, burst, start, highest, seen, notified, normal in found
        }


def write_concern(db: Connection, number: int, kind: str, told: str | None) -> None:
    """What the desktop was told, None: it is over."""
    db.execute("DELETE FROM concerns WHERE account = ? AND kind = ?", (number, kind))
    if told is not None:
        db.execute("INSERT INTO concerns VALUES (?, ?, ?)", (number, kind, told))


def _rule_key(rule: SpikeRule) -> tuple[str, str, str, int]:
    """3 and 3.0 are the same rule."""
    threshold, floor_usd, hours = (f"{each.normalize():f}" for each in (rule.threshold, rule.floor_usd, rule.window_hours))
    return threshold, floor_usd, hours, int(rule.burst)


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def _instant(microseconds: int | None) -> datetime | None:
    with reading():
        return _from_us(microseconds)


def _from_us(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_us(microseconds)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else amount(text)
