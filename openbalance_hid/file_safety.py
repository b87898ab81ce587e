"""Which programs and files must not be trusted, because another user could change them. Reads the file system, nothing else.

A module of its own, because the configuration (which file names programs) and the desktop (which runs them) both import it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH  # with an access list, the group's bits are its mask: the most that it permits
_MOST_LINKS = 40  # as in Linux (path_resolution(7))
_LONGEST_FIRST_LINE = 256  # bytes that Linux reads of it (execve(2))
_INTERPRETER = r"(?:ba|da|z|k|mk|fi)?sh|python[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node|nodejs|lua[0-9.]*|php[0-9.]*"

# Programs that start the one among their arguments.
_LAUNCHER = r"chrt|env|flock|ionice|nice|nohup|setsid|stdbuf|sudo|systemd-run|taskset|time|timeout|xargs"


class FileRisk(NamedTuple):
    """Why a file must not be trusted, or cannot be run. `writable`: what other users may write to, if that is why."""

    words: str
    writable: Path | None = None

    def __str__(self) -> str:
        return self.words if self.writable is None else f"{self.words}; to change that: chmod go-w {self.writable}"


def command_risk(words: Sequence[str]) -> FileRisk | None:
    """Return why a program must not be run with these arguments, None if it may be. `words`: absolute path, then arguments.

    The script of an interpreter is checked like the program: `["/bin/sh", "/home/me/script"]`. So is a program that another one
    starts: `["/usr/bin/timeout", "5", "/home/me/program"]`.
    """
    if not words:
        return None
    program = Path(words[0])
    if program.is_absolute() and (risk := program_risk(program)) is not None:
        return risk
    if re.fullmatch(_INTERPRETER, program.name):
        script = next((Path(word) for word in words[1:] if not word.startswith("-")), None)
        if script is not None and script.is_absolute() and script.is_file():
            return file_risk(script)
    if re.fullmatch(_LAUNCHER, program.name):
        started = (number for number, word in enumerate(words) if number and _is_started(word))
        return command_risk(words[next(started, len(words)) :])
    return None


def _is_started(word: str) -> bool:
    """Return whether an argument of a launcher is the program that it starts."""
    return Path(word).is_file() and os.access(word, os.X_OK) if word.startswith("/") else bool(re.fullmatch(_INTERPRETER, word))


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
    interpreter = _interpreter_of(real)
    return file_risk(program) or (file_risk(interpreter) if interpreter is not None else None)


def _interpreter_of(script: Path) -> Path | None:
    """Return the interpreter that the first line of a script names; None: there is none, or it cannot be read."""
    try:
        with script.open("rb") as file:
            start = file.read(_LONGEST_FIRST_LINE)
    except OSError:
        return None
    words = start.partition(b"\n")[0].removeprefix(b"#!").split() if start.startswith(b"#!") else []
    found = Path(os.fsdecode(words[0])) if words else None
    return found if found is not None and found.is_absolute() and found.is_file() else None


def file_risk(file: Path) -> FileRisk | None:
    """Return why a file must not be trusted, None if only this user and root can change it.

    Checked are the file, and every directory and link on its way. In a directory with the sticky bit, like /tmp, other users
    can add names but replace only their own.
    """
    try:
        real = file.resolve(strict=True)
        found = real.stat()
        if found.st_uid not in (0, os.geteuid()):
            return FileRisk(f"{file} belongs to user {found.st_uid}")
        if found.st_mode & _OTHERS_MAY_WRITE:
            return FileRisk(f"{file} may be written by other users", real)
        for entry, found in _way_to(file):
            if found.st_uid not in (0, os.geteuid()):
                return FileRisk(f"{entry} belongs to user {found.st_uid}")
            is_open = stat.S_ISDIR(found.st_mode) and found.st_mode & _OTHERS_MAY_WRITE
            if is_open and not (found.st_mode & stat.S_ISVTX and entry != real.parent):
                return FileRisk(f"{entry} may be written by other users", entry)
    except (OSError, ValueError, RuntimeError) as error:
        return FileRisk(f"{file} cannot be checked: {_words(error)}")
    return None


def check_certificates(file: Path) -> None:
    """Check that a file with root certificates may be read and trusted. Raises OSError; PermissionError says what is wrong.

    Its owner does not count: in a container of a desktop (bubblewrap) the system's files have an unknown one.
    """
    if not stat.S_ISREG(file.stat().st_mode):  # a pipe or a device would be read for ever
        raise PermissionError(errno.EPERM, "not a file")
    risk = file_risk(file)
    if risk is not None and risk.writable is not None:
        raise PermissionError(errno.EPERM, str(risk))


def _way_to(file: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield every directory and link that leads to the file, also those that a link leads through. Raises OSError."""
    directory = Path(file.absolute().anchor)
    yield directory, directory.stat()
    names, links = list(reversed(file.absolute().parts[1:])), 0
    while names:
        if (name := names.pop()) == "..":
            directory = directory.parent
            continue
        entry = directory / name
        found = entry.lstat()
        if stat.S_ISLNK(found.st_mode):
            yield entry, found
            target = entry.readlink()
            if (links := links + 1) > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            names += reversed(target.parts[1:] if target.is_absolute() else target.parts)
            directory = Path(target.anchor) if target.is_absolute() else directory
        elif stat.S_ISDIR(found.st_mode):
            yield entry, found
            directory = entry


def _words(error: Exception) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()


def nearest_existing(file: Path) -> Path:
    """Return the lowest of the directories above a file that exists: it decides whether the file can be written."""
    return next((each for each in file.parents if os.path.lexists(each)), file.parent)
