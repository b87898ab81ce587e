"""The tables of the history file, and how an older file becomes a newer one.

Amounts are text, the decimal number as OpenRouter wrote it: exact at any size, and readable with any tool. Instants are whole
microseconds since 1970 UTC, days are ISO dates. `PRAGMA user_version` counts the steps applied to a file.
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

# An account is a name and a key. `bound_to` is the key's fingerprint with the salt of this file, so that a copied file does not
# reveal its keys. `id` of samples is the order of arrival: a clock may have been wrong. The kind `today` of days is the day
# that is not over; its names are display labels.
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
# Days by key are read separately; a run of the meter is counted up to a sample, and continues from there.
_SECOND: Migration = (
    "ALTER TABLE accounts ADD COLUMN key_days_read_at INTEGER",
    "ALTER TABLE runs ADD COLUMN counted_at INTEGER",
    "ALTER TABLE runs ADD COLUMN counted_usage_usd TEXT",
)
# An amount that may be too small, because usage was refunded or reset meanwhile.
_THIRD: Migration = ("ALTER TABLE runs ADD COLUMN approximate INTEGER NOT NULL DEFAULT 0",)
# Notifications of open conditions, so that a restart does not send them again.
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
# Today's providers beside its models: the kind `today provider` of days, which the check of the first version refuses. The
# names of models are the same for every account. When the server computed today's answer.
_SIXTH: Migration = (
    "CREATE TABLE all_days (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, kind TEXT NOT NULL,"
    " day TEXT NOT NULL, name TEXT NOT NULL, usd TEXT NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,"
    " PRIMARY KEY (account, kind, day, name)) WITHOUT ROWID",
    "INSERT INTO all_days SELECT * FROM days",
    "DROP TABLE days",
    "ALTER TABLE all_days RENAME TO days",
    "CREATE TABLE models (spelling TEXT PRIMARY KEY, slug TEXT NOT NULL, read_at INTEGER NOT NULL) WITHOUT ROWID",
    "ALTER TABLE accounts ADD COLUMN today_cached_at INTEGER",
)
# Messages about alerts that wait for a sink, or that it has received: `sink` is a digest of its address, which is a secret.
# What was written to the account: keys that were disabled and enabled.
_SEVENTH: Migration = (
    "CREATE TABLE deliveries (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, sink TEXT NOT NULL,"
    " kind TEXT NOT NULL, rule TEXT NOT NULL, since INTEGER NOT NULL, stage TEXT NOT NULL, level TEXT NOT NULL,"
    " at INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, urgent INTEGER NOT NULL, delivered_at INTEGER,"
    " PRIMARY KEY (account, sink, kind, rule, since, stage)) WITHOUT ROWID",
    "CREATE TABLE actions (account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, at INTEGER NOT NULL,"
    " key_hash TEXT NOT NULL, key_name TEXT NOT NULL, disables INTEGER NOT NULL, source TEXT NOT NULL, result TEXT NOT NULL,"
    " message TEXT NOT NULL, PRIMARY KEY (account, at, key_hash)) WITHOUT ROWID",
)
# The spend of a day in a week of slow growth that the user has acknowledged.
_EIGHTH: Migration = ("ALTER TABLE alerts ADD COLUMN usual_usd TEXT",)
# The last answer about the day before `today`: the kinds `yesterday` and `yesterday provider` of days.
_NINTH: Migration = (
    "ALTER TABLE accounts ADD COLUMN yesterday_read_at INTEGER",
    "ALTER TABLE accounts ADD COLUMN yesterday_cached_at INTEGER",
)
# Own-key (BYOK) inference of a day, USD: null is unknown, and `byok_lower_bound` marks a sum with an unknown part.
_TENTH: Migration = (
    "ALTER TABLE days ADD COLUMN byok_usd TEXT",
    "ALTER TABLE days ADD COLUMN byok_lower_bound INTEGER NOT NULL DEFAULT 0",
)
STEPS: tuple[Migration, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH, _SEVENTH, _EIGHTH, _NINTH, _TENTH)


class DamagedError(Exception):
    """The file has content that this program has not written."""


class TooNewError(Exception):
    """The file was written by a newer version of this program and must not be changed."""


def bring_up(db: Connection, new_salt: Callable[[], bytes], steps: Sequence[Migration] = STEPS) -> None:
    """Apply the missing steps, all or none. TooNewError for a file of a newer version."""
    if version(db) > len(steps):
        raise TooNewError(f"it is of version {version(db)}, and this program knows {len(steps)}")
    if version(db) == len(steps):
        return
    transact(db, lambda db: _take(db, new_salt, steps))


def transact(db: Connection, change: Callable[[Connection], object]) -> None:
    """Run `change` as one transaction. Raises what it raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        change(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # some errors of SQLite have ended it already
            db.execute("ROLLBACK")
        raise


def check(db: Connection) -> None:
    """Read the whole file with its indexes; raise DamagedError where they disagree.

    SQLite itself only notices damage in what it reads, and a damaged index looks like a missing row.
    """
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedError(str(found).splitlines()[-1])


def check_tables(db: Connection, intended: Connection) -> None:
    """Raise DamagedError where the tables or columns differ from those of `intended`: SQLite accepts a damaged name."""
    if _columns(db) != _columns(intended):
        raise DamagedError("its tables are not those of this program")


def _columns(db: Connection) -> set[tuple[str, str]]:
    names = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    return {(table, column) for table, column in db.execute(names) if not table.startswith("sqlite_")}


def salt_of(db: Connection) -> bytes:
    """Return the salt that was created with the file. DamagedError without one."""
    row = db.execute("SELECT value FROM meta WHERE name = 'salt'").fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise DamagedError("it has no salt")
    return row[0]


@contextmanager
def reading() -> Iterator[None]:
    """Turn errors in stored values into DamagedError."""
    try:
        yield
    except (ArithmeticError, TypeError, ValueError) as error:
        raise DamagedError(f"it has a row that cannot be read: {error}") from error


def to_us(at: datetime) -> int:
    """Return an aware instant as whole microseconds since 1970."""
    return (at - _EPOCH) // _TICK


def from_us(microseconds: int) -> datetime:
    """Return the aware UTC instant. ArithmeticError or TypeError for an invalid value."""
    return _EPOCH + timedelta(microseconds=microseconds)


def amount(text: str) -> Decimal:
    """Return the finite number of a stored text. ArithmeticError, TypeError or ValueError for any other text."""
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError("it has an amount that is no number")
    return value


def _take(db: Connection, new_salt: Callable[[], bytes], steps: Sequence[Migration]) -> None:
    for step in steps[version(db) :]:  # read again: another process may have been faster
        for statement in step:
            db.execute(statement)
    db.execute("INSERT OR IGNORE INTO meta VALUES ('salt', ?)", (new_salt(),))
    db.execute(f"PRAGMA user_version = {len(steps)}")


def version(db: Connection) -> int:
    """Return how many steps were applied to the file."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])
