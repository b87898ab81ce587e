"""Read the history file, read-only, while a daemon may write it. For `export`.

Rows of one account name under several keys are returned as one account, because a replaced key is still the user's same
account. Where both have a day, the one of the newer key counts.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from openbalance_hid.account.alert import AlertKind, level_named
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Credits, Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.errors import ConfigError
from openbalance_hid.hints import hint
from openbalance_hid.history import rows
from openbalance_hid.history.migrations import STEPS, DamagedError, amount, from_us, reading, to_us, version
from openbalance_hid.history.records import StoredSample, StoredToday

Value = TypeVar("Value")

LOCK_LIMIT_S = 5.0

# Each day of an account, with the number of the newest key that has it. Parameters: name, kind, first day.
_NEWEST_KEYS = (
    "SELECT day, max(account) AS account FROM days WHERE account IN (SELECT id FROM accounts WHERE name = ?)"
    " AND kind = ? AND day >= ? GROUP BY day"
)


class Day(Struct, frozen=True):
    """What one model, provider or key spent on a completed UTC day."""

    account: str
    day: date
    by: str  # "model", "provider" or "key"
    name: str
    spend: Spend


@dataclass(frozen=True, slots=True)
class Spike:
    """A spike alert. `ended_at` None: it is open."""

    account: str
    started_at: datetime
    ended_at: datetime | None
    highest: Level
    acknowledged: Level
    notified: Level
    rule: SpikeRule


@dataclass(frozen=True, slots=True)
class KeyAction:
    """A key that was disabled or enabled. `disables`: it was disabled; `source`: by which tile or command."""

    account: str
    at: datetime
    key_name: str
    disables: bool
    source: str
    result: str
    message: str


class Reader:
    """Returns everything in the file from `since` on, oldest first. A table that can be long is read row by row.

    `names`: the accounts in the file.
    """

    def __init__(self, db: sqlite3.Connection, since: date | None) -> None:
        self._db = db
        self._since = since or date.min
        self._since_us = to_us(datetime.combine(since, time(), UTC)) if since is not None else -(2**62)
        self._accounts = db.execute("SELECT id, name FROM accounts ORDER BY name, id").fetchall()
        self.names = tuple(dict.fromkeys(name for _, name in self._accounts))

    def last_answers(self, account: str) -> tuple[datetime | None, StoredToday | None]:
        """Return when `/activity` was read last, and the last answer about the day that was not over then."""
        found = self._db.execute(
            "SELECT id, activity_read_at FROM accounts WHERE name = ? ORDER BY activity_read_at DESC NULLS LAST, id DESC",
            (account,),
        ).fetchone()
        if found is None:
            return None, None
        with reading():
            return (None if found[1] is None else from_us(found[1])), rows.today(self._db, found[0])

    def days(self, by: str) -> Iterator[Day]:
        """Yield the completed days by model, provider or key, in the order of account, day and name, one day at a time."""
        for account in self.names:
            for text, number in self._newest(account, by):
                found = self._db.execute(
                    f"SELECT name, {rows.SPEND_COLUMNS} FROM days"  # noqa: S608  ours
                    " WHERE account = ? AND kind = ? AND day = ? ORDER BY name",
                    (number, by, text),
                )
                with reading():
                    day = date.fromisoformat(text)
                    for name, *columns in found:
                        yield Day(account, day, by, name, rows.spend_of(*columns))

    def days_by_name(self, by: str) -> Iterator[Day]:
        """Yield the same as `days`, in the order of account, name and day: all days of a name together."""
        for account in self.names:
            found = self._db.execute(
                f"SELECT day, name, {rows.SPEND_COLUMNS} FROM days"  # noqa: S608  ours
                f" JOIN ({_NEWEST_KEYS}) USING (account, day) WHERE kind = ? ORDER BY name, day",
                (account, by, self._since.isoformat(), by),
            )
            with reading():
                for text, name, *columns in found:
                    yield Day(account, date.fromisoformat(text), by, name, rows.spend_of(*columns))

    def count_days(self, by: str) -> int:
        """Return how many rows `days` has at most."""
        found = self._db.execute("SELECT count(*) FROM days WHERE kind = ? AND day >= ?", (by, self._since.isoformat()))
        return int(found.fetchone()[0])

    def samples(self) -> Iterator[tuple[str, StoredSample]]:
        """Yield pairs of account and sample, one account after the other."""
        for account in self.names:
            found = self._db.execute(
                "SELECT at, total_credits_usd, total_usage_usd FROM samples"
                " WHERE account IN (SELECT id FROM accounts WHERE name = ?) AND at >= ? ORDER BY at, account",
                (account, self._since_us),
            )
            with reading():
                for at, bought, used in found:
                    yield account, StoredSample(from_us(at), Credits(amount(bought), amount(used)))

    def count_samples(self) -> int:
        """Return how many rows `samples` has."""
        return int(self._db.execute("SELECT count(*) FROM samples WHERE at >= ?", (self._since_us,)).fetchone()[0])

    def runs(self) -> list[tuple[str, MeterRun]]:
        """Return pairs of account and run of the meter."""
        return self._each(lambda number: rows.runs(self._db, number), lambda run: run.started_at)

    def spikes(self) -> list[Spike]:
        """Return the spike alerts, open and ended."""
        found = self._db.execute(
            "SELECT name, since, ended_at, level, acknowledged, notified, rule FROM alerts"
            " JOIN accounts ON accounts.id = alerts.account WHERE kind = 'spike' AND since >= ? ORDER BY name, since",
            (self._since_us,),
        )
        with reading():
            return [
                Spike(
                    name,
                    from_us(since),
                    None if end is None else from_us(end),
                    _level(highest),
                    _level(acknowledged),
                    _level(notified),
                    rows.rule_of_text(rule),
                )
                for name, since, end, highest, acknowledged, notified, rule in found
            ]

    def actions(self) -> list[KeyAction]:
        """Return what was written to the accounts: API keys that were disabled and enabled."""
        if self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'actions'").fetchone() is None:
            return []
        found = self._db.execute(
            "SELECT name, at, key_name, disables, source, result, message FROM actions"
            " JOIN accounts ON accounts.id = actions.account WHERE at >= ? ORDER BY name, at",
            (self._since_us,),
        )
        with reading():
            return [KeyAction(name, from_us(at), key, bool(disables), *words) for name, at, key, disables, *words in found]

    def _newest(self, account: str, by: str) -> list[tuple[str, int]]:
        """Return each day of an account, in order, with the number of the newest key that has it."""
        return self._db.execute(f"{_NEWEST_KEYS} ORDER BY day", (account, by, self._since.isoformat())).fetchall()

    def _each(self, read: Callable[[int], tuple[Value, ...]], at: Callable[[Value], datetime]) -> list[tuple[str, Value]]:
        found = [(account, value) for number, account in self._accounts for value in read(number)]
        kept = [pair for pair in found if to_us(at(pair[1])) >= self._since_us]
        return sorted(kept, key=lambda pair: (pair[0], at(pair[1])))


def _level(name: str) -> Level:
    return Level(level_named(AlertKind.SPIKE, name))


@contextmanager
def open_reader(path: Path, since: date | None) -> Iterator[Reader]:
    """Open the file for reading. ConfigError when it is missing, damaged, locked, or of another version."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # SQLite would wait at a pipe for ever
            raise ConfigError(f"cannot read the history {path}: it is not a file", hint("the history cannot be read", "export"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no history yet at {path}", hint("there is no history")) from error
    except OSError as error:
        raise ConfigError(
            f"cannot read the history {path}: {(error.strerror or '').lower()}", hint("the history cannot be read", "export")
        ) from error
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=LOCK_LIMIT_S, uri=True)) as db:
            if version(db) == 0:  # empty: a daemon could write nothing to it, as on a full disk
                raise ConfigError(f"there is no history yet in {path}", hint("there is no history"))
            if version(db) != len(STEPS):
                raise ConfigError(
                    f"history {path} is of version {version(db)}, and this program reads {len(STEPS)}",
                    hint("the history has another version"),
                )
            db.execute("BEGIN")  # everything is read from one state of the file
            yield Reader(db, since)
    except (sqlite3.Error, DamagedError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the history {path}: {error}", hint("the history cannot be read", "export")) from error
