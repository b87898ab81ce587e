"""The locks that make a process the daemon: a second one is refused.

A lock is the kernel's (flock) and ends with its process, also when that is killed. Programs that clean up may remove its file:
a lock on a removed file is held, but other processes do not see it. So there are two files, in two directories. When a
file has been removed or replaced, `renew` takes its lock again. Until then others see the control socket, and on Linux a name
without a file for each lock (`lock_name`).
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import socket
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from openbalance_hid.config.private_directory import private_dir
from openbalance_hid.errors import AlreadyRunningError, ConfigError, OpenBalanceError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.lock_name import bind_lock_name, close_lookups, holder_of_lock_name

log = logging.getLogger(__name__)

_T = TypeVar("_T")

RENEW_LIMIT_S = 0.5  # a process that is being refused holds one of the locks for a moment
TRIES = 20  # to use a directory that other programs remove at the same time


class DaemonLock:
    """Locks on `files`. The last one is required; the others are left out where they cannot be created. For one thread.

    `socket_file`: through which the process that holds a lock is stopped.
    """

    def __init__(self, files: Sequence[Path], socket_file: Path) -> None:
        self._files = files
        self._socket_file = socket_file
        self._held: dict[Path, int] = {}  # open file descriptors
        self._names: dict[Path, socket.socket] = {}
        self._failing: set[Path] = set()

    def take(self) -> None:
        """Take every lock. AlreadyRunningError if another process holds one, ConfigError if the last one cannot be created."""
        _retry_if_removed(lambda: private_dir(self._files[-1].parent))  # first: a refused daemon leaves no file
        try:
            for file in self._files:
                self._take_or_report(file)
            if _is_served(self._socket_file):  # both files have been removed, and the other process has not noticed yet
                raise self._already_running("")
        except OpenBalanceError:
            self.release()
            raise

    def renew(self) -> None:
        """Take a lock again when other processes do not see its file. AlreadyRunningError if another process holds it now."""
        for name in self._names.values():
            close_lookups(name)
        for file in self._files:
            if not _is_same_file(file, self._held.get(file)):
                before = self._held.get(file)
                if self._take_or_report(file, RENEW_LIMIT_S) and before is not None:
                    os.close(before)
                    log.warning("%s had been removed; the lock was taken again", file)

    def release(self) -> None:
        """Release every lock. Idempotent."""
        while self._names:
            self._names.popitem()[1].close()
        while self._held:
            os.close(self._held.popitem()[1])

    def _take_or_report(self, file: Path, limit_s: float = 0.0) -> bool:
        """Take the lock on `file`; return whether it is held. A failure that is not final is logged once."""
        try:
            self._held[file] = _retry_if_removed(lambda: self._lock(file, limit_s))
        except (OSError, ConfigError) as error:
            reason = error.message if isinstance(error, ConfigError) else f"cannot lock {file}: {_reason(error)}"
            if file == self._files[-1] and not self._held.get(file):
                raise ConfigError(reason, getattr(error, "hint", hint("the control socket cannot be made"))) from error
            if file not in self._failing:
                log.warning("%s; going on without this lock", reason)
            self._failing.add(file)
            return False
        self._failing.discard(file)
        return True

    def _lock(self, path: Path, limit_s: float) -> int:
        if path not in self._names:
            self._bind_name(path)
        private_dir(path.parent)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        end_s = time.monotonic() + limit_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() < end_s:
                    time.sleep(0.02)
                    continue
                holder = os.read(lock, 32).decode(errors="replace").strip()
                os.close(lock)
                raise self._already_running(holder) from error
            except OSError:
                os.close(lock)
                raise
        with contextlib.suppress(OSError):  # then a second daemon cannot name this process
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
        return lock

    def _bind_name(self, path: Path) -> None:
        private_dir(path.parent)
        if (name := bind_lock_name(path)) is not None:
            self._names[path] = name
        elif (holder := holder_of_lock_name(path)) is not None:
            raise self._already_running(str(holder))

    def _already_running(self, holder: str) -> AlreadyRunningError:
        if not holder.isdigit():
            return AlreadyRunningError("another daemon is running", hint("another daemon is running"))
        stop = hint("another daemon is running")
        if not _is_socket(self._socket_file):
            stop = hint("another daemon is running without a socket", pid=holder)  # without a socket it gets no `stop`
        return AlreadyRunningError(f"another daemon is running as process {holder}", stop)


def _retry_if_removed(action: Callable[[], _T]) -> _T:
    """Return the result of `action`, which uses a directory and creates it if needed. Raises its last error."""
    for left in reversed(range(TRIES)):
        try:
            return action()
        except (FileNotFoundError, ConfigError) as error:
            if left == 0 or not isinstance(error if isinstance(error, OSError) else error.__cause__, FileNotFoundError):
                raise
    raise AssertionError("unreachable")


def _is_socket(file: Path) -> bool:
    try:
        return stat.S_ISSOCK(file.stat().st_mode)
    except OSError:
        return False


def _is_served(socket_file: Path) -> bool:
    """Return whether a process listens there."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
        client.settimeout(0)
        try:
            client.connect(str(socket_file))
        except BlockingIOError:  # so many clients wait
            return True
        except OSError:
            return False
        return True


def _is_same_file(path: Path, descriptor: int | None) -> bool:
    """Return whether `path` leads to the open file."""
    if descriptor is None:
        return False
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
