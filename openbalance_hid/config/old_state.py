"""Moves the state of an older version, which kept it beside the configuration where the platform has one directory for both.

Only files with the names of this program's state are moved, each by a rename: an interrupted move is completed by the next one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from openbalance_hid.config.paths import paths, shared_state_dir
from openbalance_hid.config.private_directory import private_dir
from openbalance_hid.errors import ConfigError
from openbalance_hid.hints import hint

LOCK, HISTORY = "daemon.lock", "history.sqlite3"
# The journal of SQLite is moved before its database: the database alone would lose the journal's changes.
STATE_NAMES = ("keys", "accounts.json", f"{HISTORY}-*", f"{HISTORY}.*", HISTORY, "last-crash.txt", LOCK)


def move_old_state(env: Mapping[str, str]) -> tuple[str, ...]:
    """Move the state of an older version to its directory, and return the names of what was moved.

    Nothing is moved while a daemon of that version runs, and nothing is replaced. ConfigError if the new directory cannot be
    used.
    """
    old, new = shared_state_dir(env), paths(env).state_dir
    if old is None or not any(_state_in(old)):
        return ()
    with _locked(old / LOCK) as is_free:
        return tuple(_moved(old, private_dir(new))) if is_free else ()


def _moved(old: Path, new: Path) -> Iterator[str]:
    has_history = os.path.lexists(new / HISTORY)  # to which the journal of another database does not belong
    for file in _state_in(old):
        target = new / file.name
        if os.path.lexists(target) or (has_history and file.name.startswith(HISTORY)):
            continue
        try:
            file.rename(target)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ConfigError(f"cannot move {file} to {new}: {reason}", hint("a directory is not safe", path=old)) from error
        yield file.name


def _state_in(directory: Path) -> list[Path]:
    return [file for name in STATE_NAMES for file in sorted(directory.glob(name))]


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    """Lock the file as a daemon does; yield whether it is free: it does not exist, or no daemon holds it."""
    try:
        lock = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield True
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)
