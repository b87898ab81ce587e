"""What every service manager has in common: the state of the service, its operations, and how a unit file is written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from openbalance_hid.errors import ServiceError
from openbalance_hid.file_safety import nearest_existing
from openbalance_hid.hints import hint

RUN_WITHOUT = hint("the service manager does not answer")  # the hint where no service manager answers

UNIT_MODE = 0o644  # whatever the umask: launchd refuses a file that others may write to (launchctl(1), load)


@dataclass(frozen=True, slots=True)
class UnitState:
    """State of the service. `file`: its unit, or None; `enabled`: starts at login; `summary`: all of it in a few words.

    `stopped`: it is not running, and nothing went wrong.
    """

    file: Path | None
    enabled: bool
    active: bool
    summary: str
    pid: int | None = None
    stopped: bool = False


class UserService(Protocol):
    """The service of this program under a user's service manager, installed or not.

    Every method raises ServiceError when the manager does not answer. `restart`: also when the unit has not changed.
    """

    def install(self, restart: bool = False) -> list[str]: ...
    def uninstall(self) -> list[str]: ...
    def state(self) -> UnitState: ...
    def logs_command(self, lines: int, follow: bool) -> list[str]: ...


def write_unit(file: Path, text: str) -> bool:
    """Return whether the file had to be changed. It is written whole or not at all; ServiceError when that fails."""
    try:
        if os.access(file, os.R_OK) and file.read_text(encoding="utf-8", errors="replace") == text:
            if file.stat().st_mode & 0o022:
                file.chmod(UNIT_MODE)
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.new")
        draft.write_text(text, encoding="utf-8")
        draft.chmod(UNIT_MODE)
        draft.replace(file)
    except OSError as error:
        raise ServiceError(
            f"cannot write {file}: {(error.strerror or str(error)).lower()}",
            hint("a file cannot be written", path=nearest_existing(file)),
        ) from error
    return True
