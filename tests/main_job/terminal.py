"""A program on a terminal of its own, which can be closed under it as a user closes a window."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.main_job.daemon_process import COMMAND
from tests.waiting import PATIENCE_S


class TerminalProcess:
    """`process` has the terminal as its controlling terminal; `read`: what it has printed."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self.read = ""
        self._terminal: int | None = terminal

    def read_until(self, words: str) -> None:
        """Read what the program prints until `words` are in it."""
        end_s = time.monotonic() + PATIENCE_S
        while words not in self.read:
            assert self._terminal is not None
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, end_s - time.monotonic()))
            assert ready, f"{words!r} was never printed, but {self.read}"
            self.read += os.read(self._terminal, 4096).decode()

    def close(self) -> None:
        """Close the terminal. Idempotent."""
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None


@contextmanager
def on_a_terminal(
    env: Mapping[str, str], *words: str, before: tuple[str, ...] = (), folder: Path | None = None
) -> Iterator[TerminalProcess]:
    """Run a command on a new terminal until the end of the block, in the `folder`.

    `before`: words before the command, as `nohup`.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*before, *COMMAND, *words],
        env=env,
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    running = TerminalProcess(process, ours)
    try:
        yield running
    finally:
        running.close()
        process.kill()
        process.wait()
