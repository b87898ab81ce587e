"""Runs the user's programs, for `command` tiles and alerts, on one thread that starts with the first of them.

The words are run as they are configured, never by a shell. A program gets no key and no terminal; what it prints is bounded;
when its run ends, everything that it has started ends. A program that another user could change is not run. In a service of the
user's systemd the runs are transient units, outside of the service's sandbox; elsewhere they are children of this process.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from openbalance_hid.desktop.program_run import GIVE_UP_S, KILL_AFTER_S, USUAL_LIMIT_S, ProgramRequest
from openbalance_hid.restarting_thread import RestartingThread
from openbalance_hid.tiles.program_output import EndKind, ProgramEnd

if TYPE_CHECKING:
    from openbalance_hid.desktop.program_loop import ProgramLoop

CLOSE_LIMIT_S = 3.0
LEAST_CLOSE_S = 0.1  # also when the time is over: a program that is not killed would run on without this process
GENTLE_SHARE = 0.5  # of the time to close: how long a program has to end by itself


class ProgramRunner:
    """Used by any thread. `env`: of this process; `mask`: returns what a program has printed without the keys in it."""

    def __init__(self, env: Mapping[str, str] = os.environ, mask: Callable[[bytes], bytes] = bytes) -> None:
        self._env = env
        self._mask = mask
        self._requests: queue.SimpleQueue[tuple[Hashable, ProgramRequest | None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._loop: ProgramLoop | None = None
        self._thread: RestartingThread | None = None
        self._is_closed = False

    def start(self, key: Hashable, request: ProgramRequest) -> None:
        """Run a program; return at once. `key`: names the run for `stop`."""
        with self._lock:
            if self._is_closed:
                request.ended(ProgramEnd(EndKind.STOPPED))
                return
            self._requests.put((key, self._masked(request)))
            if self._loop is None or self._thread is None:
                from openbalance_hid.desktop.program_loop import ProgramLoop

                self._loop = ProgramLoop(self._env, self._requests)
                self._thread = RestartingThread("programs", self._loop.run)
                self._thread.start()
            self._loop.wake()

    def _masked(self, request: ProgramRequest) -> ProgramRequest:
        return replace(
            request,
            printed=lambda line: request.printed(self._mask(line)),
            ended=lambda end: request.ended(replace(end, output=self._mask(end.output))),
        )

    def stop(self, key: Hashable) -> None:
        """End a run; return at once. Idempotent."""
        with self._lock:
            if self._loop is not None and not self._is_closed:
                self._requests.put((key, None))
                self._loop.wake()

    def call(self, words: tuple[str, ...], content: bytes, limit_s: float = USUAL_LIMIT_S) -> ProgramEnd:
        """Run a program with `content` as its standard input. Wait for its end."""
        ends: queue.SimpleQueue[ProgramEnd] = queue.SimpleQueue()
        self.start(object(), ProgramRequest(words, ends.put, limit_s, content=content))
        try:
            return ends.get(timeout=limit_s + KILL_AFTER_S + 2 * GIVE_UP_S)
        except queue.Empty:
            return ProgramEnd(EndKind.NOT_STARTED, detail=f"{words[0]} cannot be started: this machine is too busy")

    def revive(self) -> None:
        """Start the thread again if it has ended (see `RestartingThread.revive`)."""
        if self._thread is not None:
            self._thread.revive()

    def close(self, limit_s: float = CLOSE_LIMIT_S) -> None:
        """End all runs, and the thread, within `limit_s`. Idempotent."""
        with self._lock:
            loop, thread, self._is_closed = self._loop, self._thread, True
            self._loop = None
        if loop is None or thread is None:
            return
        loop.request_close(min(KILL_AFTER_S, limit_s * GENTLE_SHARE))  # killed before this process ends, with its thread
        thread.stop()
        thread.join(max(limit_s, LEAST_CLOSE_S))
        if not thread.is_alive:  # else a process that the kernel does not end: they are closed with this process
            loop.release()
