"""The log on standard error: with a time and the level of each line, or with priorities for systemd's journal (sd-daemon(3)).

The journal has times of its own; with priorities `journalctl --priority=warning` filters, and errors are highlighted. Names of
modules are for developers, in a log at debug level. A key that the configuration has in a wrong place is masked.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from openbalance_hid.secret import mask_keys

STDOUT_FD, STDERR_FD = 1, 2
LOG_LIMIT_BYTES = 1_000_000  # about a year of a healthy daemon

ERROR, WARNING, INFO, DEBUG = 3, 4, 6, 7  # the numbers of syslog(3)
_PRIORITIES = ((logging.ERROR, ERROR), (logging.WARNING, WARNING), (logging.INFO, INFO), (logging.NOTSET, DEBUG))


class TimedFormatter(logging.Formatter):
    """Adds the local time and the level, as `2026-11-22 12:00:00 info: message`."""

    def __init__(self, with_names: bool) -> None:
        super().__init__(f"%(asctime)s {{level}}: {_message_format(with_names)}", datefmt="%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return mask_keys(super().format(record)).replace("{level}", record.levelname.lower(), 1)


class JournalFormatter(logging.Formatter):
    """Adds the priority to each line of a record; a traceback has many."""

    def __init__(self, with_names: bool) -> None:
        super().__init__(_message_format(with_names))

    def format(self, record: logging.LogRecord) -> str:
        priority = next(priority for level, priority in _PRIORITIES if record.levelno >= level)
        return with_priority(mask_keys(super().format(record)), priority)


class CappedHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic for type checkers only
    """Writes to standard error, which is the file `file`. Over `limit_bytes` a new one is started, and one old one is kept.

    For launchd, which opens the file and never shortens it. Everything else that the process writes follows to the new file.
    """

    def __init__(self, file: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
        super().__init__()
        self._file = file
        self._limit_bytes = limit_bytes

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, and start a new file if this one is too large."""
        super().emit(record)
        with contextlib.suppress(OSError):  # the log goes on in the file that it has
            self._start_new_file()

    def _start_new_file(self) -> None:
        written = os.fstat(STDERR_FD)
        if written.st_size <= self._limit_bytes or not os.path.samestat(written, self._file.stat()):
            return
        self._file.replace(old_log_file(self._file))
        new = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for each in (STDOUT_FD, STDERR_FD):
            if os.path.samestat(os.fstat(each), written):
                os.dup2(new, each)
        os.close(new)


def old_log_file(file: Path) -> Path:
    """Return where the log before the one in `file` is kept."""
    return file.with_name(f"{file.name}.old")


def set_up_log(level: str, capped_file: Path | None = None) -> None:
    """Log to standard error from `level` on. The libraries log warnings and errors only. `capped_file`: see `CappedHandler`."""
    stderr = logging.StreamHandler() if capped_file is None else CappedHandler(capped_file)
    formatter = JournalFormatter if is_journal(STDERR_FD, os.environ) else TimedFormatter
    stderr.setFormatter(formatter(with_names=level == "debug"))
    logging.basicConfig(level=level.upper(), handlers=[stderr])
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its warnings quote what a server sent, which may be the key
    for library in ("websockets", "PIL", "keyring"):
        logging.getLogger(library).setLevel(logging.WARNING)  # their debug lines contain headers and addresses


def is_journal(fd: int, env: Mapping[str, str]) -> bool:
    """Return whether this descriptor is the journal's. The variable alone is not enough: child processes inherit it."""
    try:
        found = os.fstat(fd)
    except OSError:
        return False
    return env.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"  # systemd.exec(5)


def with_priority(text: str, priority: int) -> str:
    """Return `text` with the priority before each line."""
    return "\n".join(f"<{priority}>{line}" for line in text.splitlines() or [""])


def _message_format(with_names: bool) -> str:
    return "%(name)s: %(message)s" if with_names else "%(message)s"
