"""A user at a terminal: starts a program on a real pseudo-terminal, waits for words and types answers."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from tests.waiting import PATIENCE_S

PROGRAM = (sys.executable, "-m", "openbalance_hid")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class TerminalUser:
    """Runs `openbalance-hid args` on a terminal of its own, until the end of the block. `program`: the words before `args`."""

    def __init__(
        self, env: Mapping[str, str], *args: str, program: Sequence[str] = PROGRAM, limit_s: float = PATIENCE_S
    ) -> None:
        self._limit_s = limit_s
        self._ours, theirs = pty.openpty()
        self._seen_until = 0
        self.raw = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WITH_TERMINAL, *program, *args],
            env={**env, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> TerminalUser:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)

    @property
    def screen(self) -> str:
        """Everything that was printed, without colours."""
        return _COLOURS.sub("", self.raw).replace("\r\n", "\n")

    @property
    def sees_what_is_typed(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._ours)[3] & termios.ECHO)

    def waits_for(self, words: str) -> str:
        """Return what was printed since the last call, up to and with `words`."""
        end_s = time.monotonic() + self._limit_s
        while words not in self.screen[self._seen_until :]:
            assert self._read(end_s), f"{words!r} did not appear in:\n{self.screen}"
        start, self._seen_until = self._seen_until, self.screen.index(words, self._seen_until) + len(words)
        return self.screen[start : self._seen_until]

    def types(self, text: str) -> None:
        """Type `text` and Enter, once the program waits for it: what is typed before a question is discarded."""
        time.sleep(0.2)
        os.write(self._ours, text.encode() + b"\n")

    def answers(self, question: str, text: str) -> None:
        """Wait for the question and type the answer."""
        self.waits_for(question)
        self.types(text)

    def presses_ctrl_c(self) -> None:
        time.sleep(0.2)  # as for an answer: a signal just before the read would wait for it
        os.write(self._ours, b"\x03")

    def ends(self) -> int:
        """Return the exit code, when the program has ended by itself."""
        end_s = time.monotonic() + self._limit_s
        while self._read(end_s):
            pass
        try:
            return self.process.wait(self._limit_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the program goes on after:\n{self.screen}") from None

    def _read(self, end_s: float) -> bool:
        """Read what is printed next. Return False at the end of the program or of the time."""
        while True:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, end_s - time.monotonic()))
            if not ready:
                return False
            try:
                read = os.read(self._ours, 4096)
            except OSError:  # Linux: every program on the terminal has ended
                return False
            self.raw += read.decode(errors="replace")
            return bool(read)


# Makes the pseudo-terminal the controlling one, so that Ctrl-C is a signal and getpass opens /dev/tty.
_WITH_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)  # as a shell starts it; ignored where the tests run in the background
os.execvp(sys.argv[1], sys.argv[1:])
"""
