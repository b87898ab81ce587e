"""A listening socket that another thread can end, on every system.

On Linux, shutdown(2) of a listening socket wakes the thread that waits in accept(2). On macOS it fails with ENOTCONN and the
thread waits on. A connection to our own address would wake it, but not after the socket's file was removed. So the thread
waits for a second descriptor as well: a pipe, which `stop` closes.
"""

from __future__ import annotations

import os
import select
import socket
import threading


class ClientListener:
    """Accepts the clients of `listener` on one thread, and is stopped by any. It closes the listener."""

    def __init__(self, listener: socket.socket) -> None:
        self._socket = listener
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        self._stopped = False
        listener.setblocking(False)  # a client may leave before it is accepted
        self._poll = select.poll()
        self._poll.register(listener, select.POLLIN)
        self._poll.register(self._wake_read, select.POLLIN)

    def accept(self) -> socket.socket | None:
        """Wait for the next client and return its connection; None once `stop` was called. OSError as from accept(2)."""
        while not self._stopped:
            self._poll.poll()
            if self._stopped:
                return None
            try:
                client, _ = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                continue
            client.setblocking(True)  # on macOS and the BSDs it has the mode of the listener (accept(2))
            return client
        return None

    def stop(self) -> None:
        """Let `accept` return None, from now on. Idempotent."""
        with self._lock:
            if not self._stopped:
                self._stopped = True
                os.close(self._wake_write)

    def close(self) -> None:
        """Stop, and close the socket. Call it once no thread is in `accept`. Idempotent."""
        self.stop()
        self._socket.close()
        with self._lock:
            if self._wake_read >= 0:
                os.close(self._wake_read)
                self._wake_read = -1
