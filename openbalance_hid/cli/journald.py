"""What is said on stderr where that leads to systemd's journal: each line begins with its priority (sd-daemon(3)).

So `journalctl --priority=warning` finds what matters, and errors stand out there. Anywhere else nothing is added.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

ERROR, WARNING, INFO, DEBUG = 3, 4, 6, 7  # as syslog(3) counts
_PRIORITIES = ((logging.ERROR, ERROR), (logging.WARNING, WARNING), (logging.INFO, INFO), (logging.NOTSET, DEBUG))


class JournalFormatter(logging.Formatter):
    """As its base, each line with its priority: a traceback has many."""

    def format(self, record: logging.LogRecord) -> str:
        return marked(super().format(record), next(priority for level, priority in _PRIORITIES if record.levelno >= level))


def leads_to_journal(file: int, env: Mapping[str, str]) -> bool:
    """Whether this descriptor is the journal's: a program started by a service inherits the variable, too (systemd.exec(5))."""
    try:
        found = os.fstat(file)
    except OSError:
        return False
    return env.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def marked(text: str, priority: int) -> str:
    """`text` with the priority before each line."""
    return "\n".join(f"<{priority}>{line}" for line in text.splitlines() or [""])
