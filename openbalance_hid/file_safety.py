"""Which programs and files must not be trusted, because another user could change them. Reads the file system, nothing else.

A module of its own, because the configuration (which file names programs) and the desktop (which runs them) both import it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH  # with an access list, the group's bits are its mask: the most that it permits
_INTERPRETER = re.compile(r"(?:ba|da|z|k|mk|fi)?sh|python[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node|nodejs|lua[0-9.]*|php[0-9.]*")


class FileRisk(NamedTuple):
    """Why a file must not be trusted, or cannot be run. `writable`: what other users may write to, if that is why."""

    words: str
    writable: Path | None = None

    def __str__(self) -> str:
        return self.words if self.writable is None else f"{self.words}; to change that: chmod go-w {self.writable}"


def command_risk(words: Sequence[str]) -> FileRisk | None:
    """Return why a program must not be run with these arguments, None if it may be. `words`: absolute path, then arguments.

    The script of an interpreter is checked like the program: `["/bin/sh", "/home/me/script"]`.
    """
    program = Path(words[0])
    risk = program_risk(program)
    if risk is None and _INTERPRETER.fullmatch(program.name):
        script = next((Path(word) for word in words[1:] if not word.startswith("-")), None)
        if script is not None and script.is_absolute() and script.is_file():
            return file_risk(script)
    return risk


def program_risk(program: Path) -> FileRisk | None:
    """Return why a program must not be run: it is missing, or another user could replace it; None if it may be."""
    try:
        real = program.resolve(strict=True)
        if not stat.S_ISREG(real.stat().st_mode) or not os.access(real, os.X_OK):
            return FileRisk(f"{program} is not an executable file")
    except FileNotFoundError:
        return FileRisk(f"{program} does not exist")
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of links
        return FileRisk(f"{program} cannot be checked: {_words(error)}")
    return file_risk(program)


def file_risk(file: Path) -> FileRisk | None:
    """Return why a file must not be trusted, None if only this user and root can change it.

    Checked are the file, and every directory on its way with and without links. In a directory with the sticky bit, like /tmp,
    other users can add names but replace none.
    """
    try:
        real = file.resolve(strict=True)
        found = real.stat()
        if found.st_uid not in (0, os.geteuid()):
            return FileRisk(f"{file} belongs to user {found.st_uid}")
        if found.st_mode & _OTHERS_MAY_WRITE:
            return FileRisk(f"{file} may be written by other users", real)
        for directory in dict.fromkeys((*real.parents, *Path(os.path.abspath(file)).parents)):  # noqa: PTH100 - keeps links
            found = directory.stat()
            if found.st_uid not in (0, os.geteuid()):
                return FileRisk(f"{directory} belongs to user {found.st_uid}")
            if found.st_mode & _OTHERS_MAY_WRITE and not (found.st_mode & stat.S_ISVTX and directory != real.parent):
                return FileRisk(f"{directory} may be written by other users", directory)
    except (OSError, ValueError, RuntimeError) as error:
        return FileRisk(f"{file} cannot be checked: {_words(error)}")
    return None


def _words(error: Exception) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()
