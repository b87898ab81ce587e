"""The waiting of a link's thread: for its connection, for another thread that wakes it, or for a time."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from types import TracebackType


class LinkWait:
    """`wake` may be called by any thread, at any time; everything else by the thread that waits."""

    def __init__(self) -> None:
        self._reads, self._writes = socket.socketpair()
        self._reads.setblocking(False)
        self._writes.setblocking(False)

    def __enter__(self) -> LinkWait:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._reads.close()
        self._writes.close()

    def wake(self) -> None:
        """End the present or the next wait."""
        with suppress(OSError):  # enough bytes wait already, or this is closed
            self._writes.send(b"x")

    def wait(self, timeout_s: float, connection: socket.socket | None = None, sends: bool = False) -> tuple[bool, bool]:
        """Return whether the connection can be read, and written (`sends`); neither after the time or a wake-up."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._reads, selectors.EVENT_READ)
            if connection is not None:
                selector.register(connection, selectors.EVENT_READ | (selectors.EVENT_WRITE if sends else 0))
            ready = {key.fileobj: events for key, events in selector.select(timeout_s)}
        if self._reads in ready:
            with suppress(BlockingIOError):
                while self._reads.recv(4096):
                    pass
        events = ready.get(connection, 0) if connection is not None else 0
        return bool(events & selectors.EVENT_READ), bool(events & selectors.EVENT_WRITE)
