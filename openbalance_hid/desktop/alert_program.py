"""Run the user's program for an alert: the words as they are configured, never a shell; the alert on its standard input.

The program gets no key and no terminal, its output is discarded, and after a while it is ended with everything that it started.
A program that another user could replace is not run.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from openbalance_hid.desktop.process_hardening import without_key_variables

LIMIT_S = 10.0
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def run_alert_program(words: Sequence[str], content: bytes, env: Mapping[str, str], limit_s: float = LIMIT_S) -> str | None:
    """Return why the program did not accept the alert; None if it exited with 0 within `limit_s`. `words`: path, arguments."""
    problem = unsafe_reason(Path(words[0]))
    if problem is not None:
        return problem
    try:
        process = subprocess.Popen(  # noqa: S603  the user's own program, checked above
            list(words),
            env=without_key_variables(env),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return f"{words[0]} cannot be started: {(error.strerror or str(error)).lower()}"
    try:
        process.communicate(content, timeout=limit_s)  # a program that does not read its input is no failure
    except subprocess.TimeoutExpired:
        with suppress(OSError):  # with everything that it has started
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"{words[0]} did not end within {limit_s:g} s"
    if process.returncode < 0:
        return f"{words[0]} was ended by signal {-process.returncode}"
    return None if process.returncode == 0 else f"{words[0]} ended with exit code {process.returncode}"


def unsafe_reason(program: Path) -> str | None:
    """Return why the program must not be run: it is missing, or another user could replace it; None if it may be.

    Checked are the file, and every directory on its way with and without links. In a directory with the sticky bit, like /tmp,
    other users can add names but replace none.
    """
    try:
        real = program.resolve(strict=True)
        found = real.stat()
        if not stat.S_ISREG(found.st_mode) or not os.access(real, os.X_OK):
            return f"{program} is not an executable file"
        if found.st_uid not in (0, os.geteuid()):
            return f"{program} belongs to user {found.st_uid}"
        if found.st_mode & _OTHERS_MAY_WRITE:
            return f"{program} may be written by other users; to change that: chmod go-w {real}"
        for directory in dict.fromkeys((*real.parents, *program.parents)):
            found = directory.stat()
            if found.st_uid not in (0, os.geteuid()):
                return f"{directory} belongs to user {found.st_uid}"
            if found.st_mode & _OTHERS_MAY_WRITE and not (found.st_mode & stat.S_ISVTX and directory != real.parent):
                return f"{directory} may be written by other users; to change that: chmod go-w {directory}"
    except FileNotFoundError:
        return f"{program} does not exist"
    except OSError as error:
        return f"{program} cannot be checked: {(error.strerror or str(error)).lower()}"
    return None
