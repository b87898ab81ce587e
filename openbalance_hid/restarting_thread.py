"""A thread that starts again after a failure, so that no part of the daemon stays dead after a lack of memory or a bug."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from openbalance_hid.secret import mask_keys

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 600.0
STEADY_S = 60.0  # after so long without a failure the pauses start again with the first


class HasThreads(Protocol):
    """A part of the daemon that starts its threads again if they have ended."""

    def revive(self) -> None: ...


class RestartingThread:
    """Calls `run` on a thread of its own, and again when it raises, after a pause that doubles.

    The thread ends when `run` returns. `name`: of the thread. One thread calls `start`, `revive` and `stop`.
    """

    def __init__(self, name: str, run: Callable[[], object]) -> None:
        self._name = name
        self._run = run
        self._thread: threading.Thread | None = None
        self._wanted = False
        self._returned = False
        self._cannot_start = False
        self._stopping = threading.Event()

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this thread."""
        return self._thread is threading.current_thread()

    def start(self) -> None:
        """Start the thread. Idempotent. If the system has no resources for it now, `revive` starts it later."""
        self._wanted = True
        self.revive()

    def revive(self) -> None:
        """Start the thread if it should be running and is not. Cheap; call it now and then."""
        if not self._wanted or self._returned or self.is_alive or self._stopping.is_set():
            return
        if self._thread is not None:
            log.error("the thread %s ended unexpectedly; it is started again", self._name)
        thread = threading.Thread(target=self._guarded_run, name=self._name, daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:  # the system's limit of threads
            if not self._cannot_start:
                log.error("cannot start the thread %s: %s; it is tried again", self._name, error)
            self._cannot_start = True
            return
        self._cannot_start = False
        self._thread = thread

    def stop(self) -> None:
        """Start no more; ends a pause, not `run`."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the thread, if it was started and the caller is another one."""
        if self._thread is not None and not self.is_current:
            self._thread.join(timeout_s)

    def _guarded_run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            started_s = time.monotonic()
            try:
                self._run()
                self._returned = True
                return
            except BaseException as error:  # noqa: BLE001 - the outermost handler of a thread
                if time.monotonic() - started_s >= STEADY_S:
                    pause_s = FIRST_PAUSE_S
                self._report(error, pause_s)
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _report(self, error: BaseException, pause_s: float) -> None:
        words = mask_keys(f"{type(error).__name__}: {error}")
        log.error("the thread %s failed; it starts again in %g s: %s", self._name, pause_s, words, exc_info=error)
