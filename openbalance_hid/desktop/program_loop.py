"""The loop of the thread that runs the user's programs: it starts them, and waits for all of them at once.

Without a program it waits without a time limit: it costs no wake-ups.
"""

from __future__ import annotations

import os
import queue
import selectors
import tempfile
import time
from collections.abc import Hashable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from openbalance_hid.desktop.plain_program import PlainProgram
from openbalance_hid.desktop.program_run import ProgramRequest, ProgramRun, StartedProgram
from openbalance_hid.desktop.transient_unit import NoUnitError, TransientUnits, is_user_service
from openbalance_hid.file_safety import command_risk
from openbalance_hid.tiles.program_output import EndKind, ProgramEnd

POLL_S = 0.05  # where the system does not report the end of a child (macOS)
STOPPED = ProgramEnd(EndKind.STOPPED)


class ProgramLoop:
    """`requests`: key of a run and the program to run, None: the run to stop. `env`: of this process."""

    def __init__(self, env: Mapping[str, str], requests: queue.SimpleQueue[tuple[Hashable, ProgramRequest | None]]) -> None:
        self._env = env
        self._requests = requests
        bus = env.get("DBUS_SESSION_BUS_ADDRESS") or f"unix:path={env.get('XDG_RUNTIME_DIR', '/nowhere')}/bus"
        self._units = TransientUnits(bus) if is_user_service(env, os.getpid()) else None
        self._bus: int | None = None  # descriptor of the bus that the selector knows
        self._runs: dict[Hashable, ProgramRun] = {}
        self._kill_s: float | None = None  # monotonic: when programs that still run are killed, to close the loop
        self._read_wake, self._write_wake = os.pipe()
        for descriptor in (self._read_wake, self._write_wake):
            os.set_blocking(descriptor, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._read_wake, selectors.EVENT_READ, self._drain_wakes)

    def wake(self) -> None:
        """Have the requests taken. Called by other threads."""
        with suppress(BlockingIOError):  # it is awake
            os.write(self._write_wake, b"x")

    @property
    def _is_closing(self) -> bool:
        return self._kill_s is not None

    def request_close(self, kill_after_s: float) -> None:
        """Have all runs ended, and then the loop; a program that still runs after `kill_after_s` is killed.

        Called by other threads.
        """
        self._kill_s = time.monotonic() + kill_after_s
        self.wake()

    def run(self) -> None:
        """Wait and work until a close is requested and every run has ended."""
        while not self._is_closing or self._runs:
            for key, _ in self._selector.select(self._wait_s()):
                key.data()
            self._take_requests()
            for name, run in list(self._runs.items()):
                if run.advance(time.monotonic()):
                    del self._runs[name]
            self._follow_bus()
        self._take_requests()
        if self._units is not None:
            self._units.close()
            self._follow_bus()

    def release(self) -> None:
        """Close the descriptors, after `run` has returned."""
        self._selector.close()
        os.close(self._read_wake)
        os.close(self._write_wake)

    def _wait_s(self) -> float | None:
        now_s = time.monotonic()
        times_s = [each for run in self._runs.values() for each in run.times_s()]
        if any(run.must_be_polled for run in self._runs.values()):
            times_s.append(now_s + POLL_S)
        return max(0.0, min(times_s) - now_s) if times_s else None

    def _drain_wakes(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._read_wake, 4096)

    def _follow_bus(self) -> None:
        """Wait for the present connection to the bus, and for no earlier one."""
        descriptor = self._units.descriptor if self._units is not None else None
        if self._units is None or descriptor == self._bus:
            return
        if self._bus is not None:
            self._selector.unregister(self._bus)
        if descriptor is not None:
            self._selector.register(descriptor, selectors.EVENT_READ, self._units.dispatch)
        self._bus = descriptor

    def _take_requests(self) -> None:
        if self._kill_s is not None:
            for run in self._runs.values():
                run.end(STOPPED, time.monotonic())
                run.kill_by(self._kill_s)
        with suppress(queue.Empty):
            while True:
                key, request = self._requests.get_nowait()
                if request is not None:
                    self._launch(key, request)
                elif key in self._runs:
                    self._runs[key].end(STOPPED, time.monotonic())

    def _launch(self, key: Hashable, request: ProgramRequest) -> None:
        problem = STOPPED if self._is_closing else _refusal(request.words)
        if problem is None:
            try:
                self._runs[key] = self._started(request)
                return
            except (OSError, ValueError, NoUnitError) as error:
                problem = ProgramEnd(
                    EndKind.NOT_STARTED, detail=f"{request.words[0]} cannot be started: {_reason(error, request.words[0])}"
                )
        request.ended(problem)

    def _started(self, request: ProgramRequest) -> ProgramRun:
        with ExitStack() as opened, ExitStack() as kept:
            content = None
            if request.content is not None:
                file = opened.enter_context(tempfile.TemporaryFile())  # a pipe could fill, and block this thread
                file.write(request.content)
                file.seek(0)
                content = file.fileno()
            output, inner = os.pipe() if request.prints else (None, None)
            if output is not None and inner is not None:
                kept.callback(os.close, output)
                opened.callback(os.close, inner)
            program: StartedProgram
            if self._units is not None:
                program = self._units.start(request.words, inner, content, request.limit_s)
                self._follow_bus()
            else:
                program = PlainProgram(request.words, inner, content, self._env)
            kept.pop_all()
        return ProgramRun(request, program, output, self._selector, time.monotonic())


def _reason(error: Exception, program: str) -> str:
    if isinstance(error, FileNotFoundError) and error.filename == program:  # not itself: `_refusal` has seen it
        return "the interpreter that it names does not exist"
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def _refusal(words: tuple[str, ...]) -> ProgramEnd | None:
    """Return the end of a run that must not start."""
    risk = command_risk(words)
    if risk is None:
        return None
    program = Path(words[0])
    try:
        kind = EndKind.REFUSED if os.access(program, os.X_OK) and program.is_file() else EndKind.NOT_STARTED
        kind = kind if program.exists() else EndKind.NOT_FOUND
    except (OSError, ValueError):
        kind = EndKind.NOT_STARTED
    return ProgramEnd(kind, detail=str(risk))
