"""A thread that listens on a D-Bus bus until the bus ends or the thread is stopped."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from openbalance_hid.desktop.bus_connection import open_bus
from openbalance_hid.restarting_thread import RestartingThread

log = logging.getLogger(__name__)

STOP_LIMIT_S = 0.3  # a thread that is connecting cannot be woken, and ends with the process
RETRY_S = 300.0  # a bus that was restarted is found again


class BusThread:
    """Calls `listen(connection)`, which returns only when the bus ends or `stop` is called, on a thread called `name`.

    `bus`: "SYSTEM" or an address. `lost`: called on the thread when the bus has ended without `stop`, and where there is none,
    as on macOS. It is tried again every RETRY_S.
    """

    def __init__(self, name: str, listen: Callable[[Any], None], bus: str, lost: Callable[[], object] = lambda: None) -> None:
        self._listen = listen
        self._bus = bus
        self._lost = lost
        self._socket: socket.socket | None = None
        self._stopping = False
        self._name = name
        self._ended = threading.Event()
        self._thread = RestartingThread(name, self._run)

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def revive(self) -> None:
        """Start the thread again if it has ended (see `RestartingThread.revive`)."""
        self._thread.revive()

    def stop(self, limit_s: float = STOP_LIMIT_S) -> None:
        """Stop listening, within `limit_s`. Idempotent."""
        self._stopping = True
        self._ended.set()
        self._thread.stop()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join(limit_s)

    def _run(self) -> None:
        while not self._stopping:
            self._listen_once()
            if not self._stopping:
                self._lost()
                self._ended.wait(RETRY_S)

    def _listen_once(self) -> None:
        try:
            with closing(open_bus(self._bus)) as connection:
                self._socket = connection.sock
                if self._stopping:  # `stop` came before there was a socket to shut down
                    return
                self._listen(connection)
        except (ImportError, OSError, LookupError, ValueError) as error:  # the bus does not exist, or has ended
            if not self._stopping:
                log.debug("%s: no connection to the bus: %s", self._name, error)
        except Exception:  # an error in one thread must not end the daemon
            log.exception("%s: stopped listening on the bus", self._name)
