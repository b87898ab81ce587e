"""Real shells on a terminal of their own, with typed text and Tab."""

import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source ./completion\n"),
    "zsh": (["zsh", "-f", "-i"], "bindkey -e; autoload -U compinit; compinit -u -D; source ./completion\n"),
    "fish": (["fish", "--no-config", "-i"], "source ./completion\n"),
}
LIMIT_S = 240.0
TO_THE_BEGINNING, TO_THE_END = "\x01", "\x05"


def completed(shell: str, script: str, lines: Sequence[str], folder: Path, env: Mapping[str, str]) -> list[str]:
    """Return each line as it is after Tab at its end, in a `shell` that has read `script`."""
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}: apt install {shell}")
    words, begin = START[shell]
    (folder / "completion").write_text(script)
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**env, "TERM": "dumb", "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        _type(ours, begin + "echo 'RE'ADY\n")
        _shown(ours, "READY")
        return [_line_after_tab(ours, number, line) for number, line in enumerate(lines)]
    finally:
        child.kill()
        child.wait()
        os.close(ours)


def _line_after_tab(terminal: int, number: int, line: str) -> str:
    """Return the line after Tab, as the shell prints it with `echo` before it."""
    _type(terminal, f"{line}\t{TO_THE_BEGINNING}echo 'LINE'{number} {TO_THE_END}\n")
    return _shown(terminal, f"LINE{number} (.*)")


def _type(terminal: int, text: str) -> None:
    os.write(terminal, text.encode())


def _shown(terminal: int, pattern: str) -> str:
    """Wait for a line that matches `pattern`; return its group without trailing blanks."""
    seen, end_s = "", time.monotonic() + LIMIT_S
    while time.monotonic() < end_s:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
        found = re.search(rf"^{pattern}\r?$", seen, re.MULTILINE)
        if found is not None:
            return (found.groups() or ("",))[0].strip()
    raise AssertionError(f"the shell did not show {pattern!r} but {seen!r}")
