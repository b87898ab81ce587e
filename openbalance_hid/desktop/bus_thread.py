"""A thread that listens on a D-Bus bus until the bus ends or the thread is stopped."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

log = logging.getLogger(__name__)

STOP_LIMIT_S = 2.0


class BusThread:
    """Calls `listen(connection)`, which returns only when the bus ends or `stop` is called, on a thread called `name`.

    `bus`: "SYSTEM" or an address. `lost`: called on the thread when the bus has ended without `stop`; at once where there is no
    such bus, as on macOS.
    """

    def __init__(self, name: str, listen: Callable[[Any], None], bus: str, lost: Callable[[], object] = lambda: None) -> None:
        self._listen = listen
        self._bus = bus
        self._lost = lost
        self._socket: socket.socket | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening. Idempotent."""
        self._stopping = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        if self._thread.ident is not None:
            self._thread.join(STOP_LIMIT_S)

    def _run(self) -> None:
        try:
            from jeepney.io.blocking import open_dbus_connection

            with closing(open_dbus_connection(self._bus)) as connection:
                self._socket = connection.sock
                if self._stopping:  # `stop` came before there was a socket to shut down
                    return
                self._listen(connection)
        except (ImportError, OSError, LookupError, ValueError) as error:  # the bus does not exist, or has ended
            if not self._stopping:
                log.debug("%s: no connection to the bus: %s", self._thread.name, error)
        except Exception:  # an error in one thread must not end the daemon
            log.exception("%s: stopped listening on the bus", self._thread.name)
        if not self._stopping:
            self._lost()
