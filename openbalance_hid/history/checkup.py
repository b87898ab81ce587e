"""Check the history file as a whole, read-only, while a daemon may write it. For `doctor`, and for large files."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from openbalance_hid.history.file import is_damage
from openbalance_hid.history.migrations import STEPS, DamagedError, check, version

LOCK_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Condition:
    """`trouble`: why the file cannot be used; `set_aside`: names of damaged files that were replaced."""

    exists: bool
    size_bytes: int = 0
    samples: int = 0
    trouble: str | None = None
    set_aside: tuple[str, ...] = ()


def damage(path: Path) -> str | None:
    """Return the first damage of the file, after reading it as a whole; None: it has none, or cannot be read now.

    Nearly all of the time is spent in SQLite, where other threads run.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=LOCK_LIMIT_S, uri=True)) as db:
            check(db)
    except (DamagedError, sqlite3.Error, UnicodeDecodeError) as error:
        return str(error) if is_damage(error) else None
    return None


def condition(path: Path) -> Condition:
    """Return the state of the file, after reading it as a whole with its indexes. Raises nothing."""
    try:
        size_bytes = path.stat().st_size
    except FileNotFoundError:
        size_bytes = None
    except OSError as error:
        return Condition(True, trouble=f"it cannot be looked at: {(error.strerror or '').lower()}")
    aside = tuple(
        sorted(file.name for file in path.parent.glob(f"{path.name}.damaged-*") if not file.name.endswith(("-wal", "-shm")))
    )
    if size_bytes is None:
        return Condition(False, set_aside=aside)
    if not path.is_file():  # SQLite would wait at a pipe for ever
        return Condition(True, size_bytes, trouble="it is not a file", set_aside=aside)
    if not os.access(path, os.R_OK | os.W_OK):
        return Condition(True, size_bytes, trouble="it may not be read and written", set_aside=aside)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=LOCK_LIMIT_S, uri=True)) as db:
            if version(db) > len(STEPS):
                newer = f"it is of version {version(db)}, and this program knows {len(STEPS)}"
                return Condition(True, size_bytes, trouble=newer, set_aside=aside)
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                return Condition(True, size_bytes, trouble=f"it is damaged: {str(found).splitlines()[-1]}", set_aside=aside)
            samples = db.execute("SELECT count(*) FROM samples").fetchone()[0] if version(db) else 0
            return Condition(True, size_bytes, int(samples), set_aside=aside)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return Condition(True, size_bytes, trouble=f"it cannot be read: {error}", set_aside=aside)
