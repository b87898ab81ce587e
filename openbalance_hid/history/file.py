"""The one SQLite file: how it is opened, and what happens when it cannot be opened, read or written.

A damaged file is renamed and a new one created. A file that was removed or replaced while it was in use is no longer written:
the one at its path is. While the disk is full, the directory is not writable or the file is locked, changes are kept in memory,
and written to the file once that is possible again. A file of a newer version is not changed. Each failure is logged when it
starts and when it ends, and never raised. What the tables mean is in `store`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.history.migrations import (
    STEPS,
    DamagedError,
    Migration,
    TooNewError,
    bring_up,
    check,
    check_tables,
    salt_of,
    transact,
)

LOCK_LIMIT_S = 0.25  # a program that reads or copies the file needs less; a longer lock counts as a failure
MOST_PENDING = 5000  # changes kept for the file: fifty days of polls
CHECKED_AT_START_BYTES = 8 * 1024 * 1024  # takes a fifth of a second; ten years of 300 models are 120 MB, and take seconds
_SUFFIXES = ("", "-shm", "-wal")  # of the file and its companions
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# SQLite's message about damage can contain the damage: then Python raises a UnicodeDecodeError.
_READING = (sqlite3.DatabaseError, DamagedError, UnicodeDecodeError)
_FAILURES = (OSError, OpenBalanceError, sqlite3.Error, DamagedError, UnicodeDecodeError)

Change = Callable[[Connection], object]
Value = TypeVar("Value")
logger = logging.getLogger(__name__)


class HistoryFile:
    """The file, or memory in its place. Used by one thread only: the one that created it."""

    def __init__(
        self,
        path: Path,
        prepare: Callable[[], object],
        utc: Callable[[], datetime],
        new_salt: Callable[[], bytes],
        steps: Sequence[Migration] = STEPS,
    ) -> None:
        """`prepare` creates the directory with access for the user only; it raises OSError or OpenBalanceError."""
        self._path = path
        self._prepare = prepare
        self._utc = utc
        self._new_salt = new_salt
        self._steps = steps
        self._waiting: deque[Change] | None = None  # None: the file is in use
        self._for_good = False
        self.checks_later = False  # the file is large: it was opened without reading it as a whole
        self._opened: dict[str, tuple[int, int]] = {}  # device and inode of the file and its companions, by suffix
        self._db = self._open_or_memory()

    @property
    def in_memory(self) -> bool:
        """Whether the file cannot be written at present."""
        return self._waiting is not None

    def change(self, change: Change) -> None:
        """Run a change as one transaction, in the file or else in memory."""
        if self._waiting is None:
            self._follow_path()
        if self._waiting is not None:
            transact(self._db, change)
            self._waiting.append(change)
            self._try_again(self._waiting)
            return
        try:
            transact(self._db, change)
        except _READING as error:
            self._replace(error)
            transact(self._db, change)
            if self._waiting is not None:
                self._waiting.append(change)

    def query(self, statement: Callable[[Connection], Value], otherwise: Value) -> Value:
        """Return the result of a query, or `otherwise` if it cannot be read."""
        try:
            return statement(self._db)
        except _READING as error:
            self._replace(error)
            return otherwise

    def replace_damaged(self, damage: str) -> None:
        """Set the file aside, because a later check has found damage, and go on with a new one."""
        if self._waiting is None:
            self._replace(DamagedError(damage))

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._waiting is not None and not self._for_good:
            self._try_again(self._waiting)
        with suppress(sqlite3.Error):
            self._db.close()

    # --- opening -----------------------------------------------------------------------------------------------------

    def _open_or_memory(self) -> Connection:
        """Return a connection to the file; while that fails, to memory."""
        try:
            return self._open()
        except TooNewError as error:
            self._for_good = True
            return self._begin_memory(str(error))
        except _FAILURES as error:
            return self._begin_memory(_reason(error))

    def _open(self) -> Connection:
        try:
            return self._connect()
        except _READING as error:
            # While the file is opened, SQLITE_ERROR means foreign or missing tables.
            if not is_damage(error) and getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR:
                raise
            self._set_aside(_reason(error))
            return self._connect()

    def _connect(self) -> Connection:
        self._prepare()
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        if not self._path.is_file():  # SQLite would wait at a pipe for ever
            raise DamagedError("it is not a file")
        db = sqlite3.connect(self._path, timeout=LOCK_LIMIT_S, isolation_level=None)
        try:
            bring_up(db, self._new_salt, self._steps)
            # With a write-ahead log, readers and the writer do not wait for each other, and a killed process loses nothing
            # that it has committed. FULL: nor does a machine that loses power; it costs one fsync a poll.
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
            self.checks_later = self._path.stat().st_size > CHECKED_AT_START_BYTES
            if not self.checks_later:
                check(db)
            with closing(self._empty_memory()) as intended:
                check_tables(db, intended)
            salt_of(db)
        except BaseException:
            db.close()
            raise
        self._opened = {suffix: found for suffix in _SUFFIXES if (found := self._identity(suffix)) is not None}
        return db

    def _follow_path(self) -> None:
        """Go on with the file at the path, if it is not the open one: that one has no name, and is lost at the end."""
        try:
            if self._identity("") == self._opened.get(""):
                return
        except OSError:  # no permission now: what is open can still be written
            return
        logger.warning("history %s was removed or replaced while it was in use: going on with the one there", self._path)
        with suppress(sqlite3.Error):
            self._db.close()
        for suffix in _SUFFIXES[1:]:  # a log of the old file would be written into another one (sqlite.org/howtocorrupt.html)
            with suppress(OSError):
                if self._identity(suffix) == self._opened.get(suffix):
                    self._path.with_name(self._path.name + suffix).unlink()
        self._db = self._open_or_memory()

    def _identity(self, suffix: str) -> tuple[int, int] | None:
        """Return device and inode of the file with this suffix; None: there is none. OSError if that is not known."""
        try:
            found = self._path.with_name(self._path.name + suffix).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino

    def _set_aside(self, reason: str) -> None:
        """Rename the file and its companion files. Raises OSError."""
        aside = f"{self._path.name}.damaged-{self._utc():%Y%m%dT%H%M%SZ}"
        for suffix in reversed(_SUFFIXES):
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).rename(self._path.with_name(aside + suffix))
        logger.warning("history %s is damaged (%s): set aside as %s, and a new one begun", self._path, reason, aside)

    # --- when the file fails -----------------------------------------------------------------------------------------

    def _replace(self, error: Exception) -> None:
        """Replace the connection: by a new file for a damaged one, else by memory."""
        damaged = is_damage(error)
        if _may_be_our_mistake(error):
            if self._is_sound():
                raise error  # a bug of ours, which must be reported; the file is good
            damaged = True
        with suppress(sqlite3.Error):
            self._db.close()
        if self._waiting is not None:
            self._db = self._empty_memory()
            return
        try:
            if not damaged:
                self._db = self._begin_memory(_reason(error))
                return
            self._set_aside(_reason(error))
            self._db = self._connect()
        except _FAILURES as further:
            self._db = self._begin_memory(_reason(further))

    def _is_sound(self) -> bool:
        try:
            return bool(self._db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except _READING:
            return False

    def _begin_memory(self, reason: str) -> Connection:
        """Return a copy of the file in memory, as far as it can be read."""
        self._waiting = deque(maxlen=MOST_PENDING)
        until = "" if self._for_good else " until it can be written"
        logger.warning("history %s: %s; what comes is kept in memory only%s", self._path, reason, until)
        memory = self._empty_memory()
        if self._for_good or not os.path.isfile(self._path):  # noqa: PTH113 - Path.is_file raises PermissionError
            return memory
        for how in ("mode=ro", "mode=ro&immutable=1"):  # the second for a directory in which no lock file can be created
            try:
                source = sqlite3.connect(f"{self._path.absolute().as_uri()}?{how}", timeout=LOCK_LIMIT_S, uri=True)
            except sqlite3.Error:
                continue
            copy = sqlite3.connect(":memory:", isolation_level=None)
            try:
                source.backup(copy)
                bring_up(copy, self._new_salt, self._steps)
                salt_of(copy)
            except (*_READING, TooNewError) as error:
                copy.close()
                if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                    break  # locked: without the lock a change could be read in part
            else:
                memory.close()
                copy.execute("PRAGMA foreign_keys = ON")
                return copy
            finally:
                source.close()
        return memory

    def _empty_memory(self) -> Connection:
        memory = sqlite3.connect(":memory:", isolation_level=None)
        bring_up(memory, self._new_salt, self._steps)
        memory.execute("PRAGMA foreign_keys = ON")
        return memory

    def _try_again(self, waiting: deque[Change]) -> None:
        """Return to the file, and write everything that was kept since."""
        if self._for_good:
            return

        def write_all(db: Connection) -> None:
            for change in waiting:
                change(db)

        try:
            db = self._open()
        except (*_FAILURES, TooNewError):
            return
        try:
            transact(db, write_all)
        except _READING:
            db.close()
            return
        self._db.close()
        self._db, self._waiting = db, None
        logger.info("history %s: written again", self._path)


def is_damage(error: Exception) -> bool:
    """Return whether the content of the file is wrong, and not only its use now."""
    if isinstance(error, sqlite3.DatabaseError):
        code = getattr(error, "sqlite_errorcode", None)
        return code is None or code & 0xFF in _DAMAGE  # without a code it is Python's error for text that is not UTF-8
    return isinstance(error, DamagedError | UnicodeDecodeError)


def _may_be_our_mistake(error: Exception) -> bool:
    """Return whether the statement can be wrong rather than the file."""
    return isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError) or (
        getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OpenBalanceError):
        return error.message
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return str(error) or type(error).__name__
