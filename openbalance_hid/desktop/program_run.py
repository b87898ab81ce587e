"""One run of a user's program: what it prints within bounds, its time limit, and its end with everything that it has started.

Used on the thread of `program_loop`. How the program is started is in `plain_program` and `transient_unit`.
"""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from msgspec import Struct

from openbalance_hid.tiles.program_output import MOST_BYTES, EndKind, ProgramEnd

USUAL_LIMIT_S = 10.0
KILL_AFTER_S = 1.0  # from SIGTERM to SIGKILL
GIVE_UP_S = 5.0  # after SIGKILL: a process that the kernel does not end (proc(5), state D)
PAUSE_S = 0.25  # between two reads of a program that keeps printing: its pipe fills, and it waits
_CHUNK = 65536  # bytes: a whole pipe (pipe(7))


class ProgramRequest(Struct, frozen=True):
    """A program to run. `limit_s` None: it keeps printing, and `printed` gets each line; `prints`: its output is wanted.

    `content`: of its standard input. `ended` and `printed` are called on the thread of the programs.
    """

    words: tuple[str, ...]
    ended: Callable[[ProgramEnd], object]
    limit_s: float | None = USUAL_LIMIT_S
    prints: bool = False
    printed: Callable[[bytes], object] = lambda _: None
    content: bytes | None = None


class StartedProgram(Protocol):
    """A program that was started. `exit_descriptor`: readable when it has ended; None: `poll` has to be called."""

    exit_descriptor: int | None
    is_reported: bool  # something else wakes the thread when it has ended

    def poll(self) -> ProgramEnd | None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


class ProgramRun:
    """`output`: descriptor of what it prints, which is closed here; `selector`: of the thread."""

    def __init__(
        self,
        request: ProgramRequest,
        program: StartedProgram,
        output: int | None,
        selector: selectors.BaseSelector,
        now_s: float,
    ) -> None:
        self._request = request
        self._program = program
        self._output = output
        self._selector = selector
        self._text = bytearray()
        self._reason: ProgramEnd | None = None  # why it is being ended
        self._is_killed = False
        self._deadline_s = now_s + request.limit_s if request.limit_s is not None else None
        self._kill_s: float | None = None
        self._resume_s: float | None = None  # when reading goes on
        self._must_pause = self._is_too_long = False
        if output is not None:
            os.set_blocking(output, False)
            selector.register(output, selectors.EVENT_READ, self._read)
        if program.exit_descriptor is not None:
            selector.register(program.exit_descriptor, selectors.EVENT_READ, lambda: None)

    @property
    def must_be_polled(self) -> bool:
        """Whether nothing wakes the thread when the program has ended."""
        return self._program.exit_descriptor is None and not self._program.is_reported

    def times_s(self) -> list[float]:
        """Return the monotonic seconds at which `advance` has something to do."""
        return [each for each in (self._deadline_s, self._kill_s, self._resume_s) if each is not None]

    def end(self, reason: ProgramEnd, now_s: float) -> None:
        """End the run for a reason, unless it is being ended already."""
        if self._reason is None:
            self._reason, self._deadline_s, self._kill_s = reason, None, now_s + KILL_AFTER_S
            self._program.terminate()

    def kill_by(self, at_s: float) -> None:
        """Kill a program that is being ended and still runs then, unless that is earlier anyway."""
        if self._kill_s is not None and not self._is_killed:
            self._kill_s = min(self._kill_s, at_s)

    def advance(self, now_s: float) -> bool:
        """Look at its times, and whether it has ended. Return True after `ended` of its request was called."""
        words = self._request.words
        if self._is_too_long:  # before its end is looked at: its pipe is closed, of which it may have died
            self.end(self._too_long, now_s)
        end = self._program.poll()
        if end is None and self._kill_s is not None and now_s >= self._kill_s:
            end = self._reason if self._is_killed else None
            self._program.kill()
            self._is_killed, self._kill_s = True, now_s + GIVE_UP_S
        if end is not None:
            self._finish(end)
            return True
        if self._deadline_s is not None and now_s >= self._deadline_s:
            detail = f"{words[0]} did not end within {self._request.limit_s:g} s"
            self.end(ProgramEnd(EndKind.TOO_SLOW, detail=detail), now_s)
        if self._must_pause:
            self._must_pause, self._resume_s = False, now_s + PAUSE_S
        elif self._resume_s is not None and now_s >= self._resume_s and self._output is not None:
            self._resume_s = None
            self._selector.register(self._output, selectors.EVENT_READ, self._read)
        return False

    @property
    def _too_long(self) -> ProgramEnd:
        return ProgramEnd(EndKind.TOO_LONG, detail=f"{self._request.words[0]} printed more than {MOST_BYTES} bytes")

    def _read(self) -> None:
        """Read what it has printed. A program that keeps printing is read again after a pause."""
        if self._output is None:
            return
        try:
            chunk = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._stop_reading()
            return
        self._text += chunk
        if self._request.limit_s is None:
            self._report_line()
            self._selector.unregister(self._output)
            self._must_pause = True
        if len(self._text) > MOST_BYTES:
            self._is_too_long = True
            self._stop_reading()

    def _report_line(self) -> None:
        """Report the last whole line, the newest; keep what follows it."""
        whole, end, rest = bytes(self._text).rpartition(b"\n")
        if end:
            self._text[:] = rest
            self._request.printed(whole.rpartition(b"\n")[2][:MOST_BYTES])

    def _stop_reading(self) -> None:
        if self._output is not None:
            with suppress(KeyError):  # during a pause
                self._selector.unregister(self._output)
            os.close(self._output)
        self._output = self._resume_s = None
        self._must_pause = False

    def _finish(self, end: ProgramEnd) -> None:
        if self._output is not None:  # what it has printed last is in the pipe
            with suppress(BlockingIOError):
                self._text += os.read(self._output, _CHUNK)
        if self._request.limit_s is None:
            self._report_line()
        if self._program.exit_descriptor is not None:
            self._selector.unregister(self._program.exit_descriptor)
        self._program.close()
        self._stop_reading()
        reason = self._reason or (self._too_long if len(self._text) > MOST_BYTES else end)
        self._request.ended(ProgramEnd(reason.kind, reason.code, bytes(self._text[:MOST_BYTES]), reason.detail))
