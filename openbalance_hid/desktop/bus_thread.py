"""A thread that listens on a bus for as long as there is one, and ends at once when it is told to."""

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
    """Calls `listen(connection)` on a thread called `name`; it stays until the bus ends or `stop` is called.

    `bus`: "SYSTEM" or an address. `lost`: called on the thread when nothing is heard any more, and nobody wanted that. Where
    there is no such bus, as on macOS, that is at once.
    """

    def __init__(self, name: str, listen: Callable[[Any], None], bus: str, lost: Callable[[], object] = lambda: None) -> None:
        self._listen = listen
        self._bus = bus
        self._lost = lost
        self._socket: socket.socket | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer; may be called twice."""
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
        except (ImportError, OSError, LookupError, ValueError) as error:  # no bus, or no longer
            if not self._stopping:
                log.debug("%s: the bus is not heard: %s", self._thread.name, error)
        except Exception:  # one turn of a thread
            log.exception("%s: the bus is not heard any more", self._thread.name)
        if not self._stopping:
            self._lost()
