"""A child that is started when it is needed, and ended when it has not been needed for a while."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from openbalance_hid.desktop.child_process import ChildProcess

log = logging.getLogger(__name__)

LINGER_S = 10.0  # after the last use: an alert, or another account, may follow a poll
STOP_LIMIT_S = 0.3
END_LIMIT_S = 2.0

Spawn = Callable[[socket.socket], ChildProcess]


class RunningChild:
    """A child and our end of its standard input. `uses`: how often it is taken now."""

    def __init__(self, spawn: Spawn) -> None:
        self.control, theirs = socket.socketpair()
        self.uses = 0
        try:
            with theirs:
                self._process = spawn(theirs)
        except BaseException:
            self.control.close()
            raise

    def end(self) -> None:
        """Have the child end, and kill it if it does not in time. Idempotent."""
        with suppress(OSError):  # it has ended
            self.control.shutdown(socket.SHUT_RDWR)  # a thread that reads from it would keep it open
        self.control.close()
        self._process.end(END_LIMIT_S)


class LingeringChild:
    """`name`: of the thread that ends the child. Thread-safe."""

    def __init__(self, spawn: Spawn, name: str, linger_s: float = LINGER_S) -> None:
        """`spawn`: starts a child with this standard input; OSError if it cannot. `linger_s`: see `LINGER_S`."""
        self._spawn = spawn
        self._name = name
        self._linger_s = linger_s
        self._changed = threading.Condition()
        self._child: RunningChild | None = None
        self._ending: threading.Thread | None = None  # of the newest child
        self._stopping = False

    @property
    def is_closed(self) -> bool:
        return self._stopping

    def take(self) -> RunningChild:
        """Return the child, a new one if none runs. It stays until `give_back`. OSError if it cannot be started."""
        with self._changed:
            if self._stopping:
                raise ChildProcessError("the daemon is stopping")
            child = self._child or RunningChild(self._spawn)
            if self._ending is None or not self._ending.is_alive() or child is not self._child:
                self._ending = threading.Thread(target=self._end_when_idle, args=(child,), name=self._name, daemon=True)
                self._child = child
                try:
                    self._ending.start()
                except RuntimeError:  # no more threads: the next use tries it again
                    log.debug("the %s goes on without its thread", self._name)
            child.uses += 1
            return child

    def give_back(self, child: RunningChild, is_broken: bool) -> None:
        """End a use. `is_broken`: the child has ended, or does not answer; it is not given out again."""
        with self._changed:
            child.uses -= 1
            if is_broken and self._child is child:
                self._child = None
            self._changed.notify_all()

    def close(self, limit_s: float = STOP_LIMIT_S) -> None:
        """End the child, also while it is in use. Idempotent."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._ending is not None and self._ending.is_alive():
            self._ending.join(limit_s)
        if self._child is not None:
            self._child.end()

    def _end_when_idle(self, child: RunningChild) -> None:
        with self._changed:
            while self._child is child and not self._stopping:
                timed_out = not self._changed.wait(None if child.uses else self._linger_s)
                if timed_out and not child.uses:
                    self._child = None
        child.end()
