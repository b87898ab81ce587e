"""The tables of the history file, and how an older file becomes a newer one.

Amounts are text, the decimal number as OpenRouter wrote it: exact at any size, and readable with any tool. Instants are whole
microseconds since 1970 UTC, days are ISO dates. `PRAGMA user_version` counts the steps that a file has taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)

Migration = tuple[str, ...]

# An account is a name and a key: `bound_to` is the key's fingerprint under the salt of this file, so that a file that gets
# about tells nobody which keys it knows. Samples keep the order in which they came (`id`): a clock may have been wrong. The
# kind `today` of days is the one that is not over; its names are display labels.
_FIRST: Migration = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, bound_to TEXT NOT NULL, activity_read_at INTEGER,"
    " today_read_at INTEGER, UNIQUE (name, bound_to))",
    "CREATE TABLE samples (id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"
    " at INTEGER NOT NULL, total_credits_usd TEXT NOT NULL, total_usage_usd TEXT NOT NULL, UNIQUE (account, at))",
    "CREATE TABLE days (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"
    " kind TEXT NOT NULL CHECK (kind IN ('model', 'provider', 'key', 'today')), day TEXT NOT NULL, name TEXT NOT NULL,"
    " usd TEXT NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,"
    " PRIMARY KEY (account, kind, day, name)) WITHOUT ROWID",
    "CREATE TABLE runs (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, started_at INTEGER NOT NULL,"
    " ended_at INTEGER, usd TEXT, PRIMARY KEY (account, started_at)) WITHOUT ROWID",
    "CREATE TABLE episodes (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"
    " threshold TEXT NOT NULL, floor_usd TEXT NOT NULL, window_hours TEXT NOT NULL, burst INTEGER NOT NULL,"
    " started_at INTEGER NOT NULL, highest INTEGER NOT NULL, acknowledged INTEGER NOT NULL, notified INTEGER NOT NULL,"
    " normal_since INTEGER, ended_at INTEGER,"
    " PRIMARY KEY (account, threshold, floor_usd, window_hours, burst, started_at)) WITHOUT ROWID",
)
# Days by key are read apart from the others; a run of the meter is counted up to a sample, and goes on from there.
_SECOND: Migration = (
    "ALTER TABLE accounts ADD COLUMN key_days_read_at INTEGER",
    "ALTER TABLE runs ADD COLUMN counted_at INTEGER",
    "ALTER TABLE runs ADD COLUMN counted_usage_usd TEXT",
)
# An amount that may be short of the whole, because usage was refunded or reset on the way.
_THIRD: Migration = ("ALTER TABLE runs ADD COLUMN approximate INTEGER NOT NULL DEFAULT 0",)
# What the desktop was told of an account and is not over yet, so that a restart does not tell it again.
_FOURTH: Migration = (
    "CREATE TABLE concerns (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, kind TEXT NOT NULL,"
    " told TEXT NOT NULL, PRIMARY KEY (account, kind)) WITHOUT ROWID",
)
# Spike episodes and concerns become alerts of one table. `rule` is the text of a spike's rule, empty for other kinds. When a
# concern started was not stored: the last sample is the nearest known instant.
_FIFTH: Migration = (
    "CREATE TABLE alerts (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, kind TEXT NOT NULL,"
    " rule TEXT NOT NULL, since INTEGER NOT NULL, level TEXT NOT NULL, acknowledged TEXT NOT NULL, notified TEXT NOT NULL,"
    " normal_since INTEGER, ended_at INTEGER, PRIMARY KEY (account, kind, rule, since)) WITHOUT ROWID",
    "INSERT INTO alerts SELECT account, 'spike', threshold || ' ' || floor_usd || ' ' || window_hours || ' ' || burst,"
    " started_at, CASE highest WHEN 3 THEN 'spike' WHEN 4 THEN 'critical' ELSE 'normal' END,"
    " CASE acknowledged WHEN 3 THEN 'spike' WHEN 4 THEN 'critical' ELSE 'normal' END,"
    " CASE notified WHEN 3 THEN 'spike' WHEN 4 THEN 'critical' ELSE 'normal' END, normal_since, ended_at FROM episodes",
    "INSERT INTO alerts SELECT account, kind, '',"
    " coalesce((SELECT max(at) FROM samples WHERE samples.account = concerns.account), 0),"
    " told, 'normal', told, NULL, NULL FROM concerns",
    "DROP TABLE episodes",
    "DROP TABLE concerns",
)
STEPS: tuple[Migration, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH)


class DamagedError(Exception):
    """The file holds something that this program has not written."""


class TooNewError(Exception):
    """The file was written by a newer version of this program; it is not to be touched."""


def bring_up(db: Connection, new_salt: Callable[[], bytes], steps: Sequence[Migration] = STEPS) -> None:
    """Takes the steps that the file has not taken, all or none. TooNewError for a file that is ahead of us."""
    if version(db) > len(steps):
        raise TooNewError(f"it is of version {version(db)}, and this program knows {len(steps)}")
    if version(db) == len(steps):
        return
    transact(db, lambda db: _take(db, new_salt, steps))


def transact(db: Connection, change: Callable[[Connection], object]) -> None:
    """Carries out `change` as a whole or not at all. Raises what it raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        change(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # some errors of SQLite have ended it already
            db.execute("ROLLBACK")
        raise


def check(db: Connection) -> None:
    """Reads the whole file, each index beside its table. DamagedError where they disagree: SQLite notices by itself only
    what it happens to read, and an index that leads nowhere looks like a row that was never written."""
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedError(str(found).splitlines()[-1])


def salt_of(db: Connection) -> bytes:
    """The salt that was made with the file. DamagedError where there is none."""
    row = db.execute("SELECT value FROM meta WHERE name = 'salt'").fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise DamagedError("it has no salt")
    return row[0]


@contextmanager
def reading() -> Iterator[None]:
    """Round the reading of stored values: what cannot be read is damage."""
    try:
        yield
    except (ArithmeticError, TypeError, ValueError) as error:
        raise DamagedError(f"it has a row that cannot be read: {error}") from error


def to_us(at: datetime) -> int:
    """Whole microseconds since 1970 of an aware instant."""
    return (at - _EPOCH) // _TICK


def from_us(microseconds: int) -> datetime:
    """The aware UTC instant. ArithmeticError or TypeError for what is none."""
    return _EPOCH + timedelta(microseconds=microseconds)


def amount(text: str) -> Decimal:
    """The finite number of a stored text. ArithmeticError, TypeError or ValueError for anything else."""
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError("it has an amount that is no number")
    return value


def _take(db: Connection, new_salt: Callable[[], bytes], steps: Sequence[Migration]) -> None:
    for step in steps[version(db) :]:  # asked again: another process may have been faster
        for statement in step:
            db.execute(statement)
    db.execute("INSERT OR IGNORE INTO meta VALUES ('salt', ?)", (new_salt(),))
    db.execute(f"PRAGMA user_version = {len(steps)}")


def version(db: Connection) -> int:
    """How many steps the file has taken."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])
