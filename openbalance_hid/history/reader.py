"""Read the history file, read-only, while a daemon may write it. For `export`.

Rows of one account name under several keys are returned as one account, because a replaced key is still the user's same
account. Where both have a day, the one of the newer key counts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TypeVar

from openbalance_hid.account.alert import AlertKind, level_named
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.errors import ConfigError
from openbalance_hid.history import rows
from openbalance_hid.history.migrations import STEPS, DamagedError, from_us, reading, to_us, version
from openbalance_hid.history.records import StoredSample

Value = TypeVar("Value")

LOCK_LIMIT_S = 5.0
KINDS = ("model", "provider", "key")


@dataclass(frozen=True, slots=True)
class Day:
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
    """Returns everything in the file from `since` on, oldest first."""

    def __init__(self, db: sqlite3.Connection, since: date | None) -> None:
        self._db = db
        self._since = since or date.min
        self._since_us = to_us(datetime.combine(since, time(), UTC)) if since is not None else -(2**62)
        self._accounts = db.execute("SELECT id, name FROM accounts ORDER BY name, id").fetchall()

    def days(self) -> list[Day]:
        """Return the completed days, by account, day, kind and name."""
        found: dict[tuple[str, date, str], dict[str, Spend]] = {}
        for number, account in self._accounts:
            for kind in KINDS:
                for day, names in rows.days(self._db, number, kind, self._since).items():
                    found[account, day, kind] = names
        return [
            Day(account, day, kind, name, spend)
            for (account, day, kind), names in sorted(found.items(), key=lambda item: item[0])
            for name, spend in sorted(names.items())
        ]

    def samples(self) -> list[tuple[str, StoredSample]]:
        """Return pairs of account and sample."""
        return self._each(lambda number: rows.samples(self._db, number), lambda sample: sample.at)

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
        path.stat()
    except FileNotFoundError as error:
        raise ConfigError(f"there is no history yet at {path}", "openbalance-hid run") from error
    except OSError as error:
        raise ConfigError(
            f"cannot read the history {path}: {(error.strerror or '').lower()}", "openbalance-hid doctor"
        ) from error
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=LOCK_LIMIT_S, uri=True)) as db:
            if version(db) != len(STEPS):
                raise ConfigError(
                    f"history {path} is of version {version(db)}, and this program reads {len(STEPS)}", "openbalance-hid run"
                )
            db.execute("BEGIN")  # everything is read from one state of the file
            yield Reader(db, since)
    except (sqlite3.Error, DamagedError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the history {path}: {error}", "openbalance-hid status") from error
