"""Hears from the system bus that the machine is awake again (logind), or its network is back (NetworkManager, networkd).

Where there is no such bus nothing is heard, and pollers notice a sleep by their clocks, within a minute.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

log = logging.getLogger(__name__)

CONNECTED = 60  # NM_STATE_CONNECTED_SITE; 70 is GLOBAL
LOGIND = ("org.freedesktop.login1.Manager", "PrepareForSleep", "/org/freedesktop/login1")
NETWORK = ("org.freedesktop.NetworkManager", "StateChanged", "/org/freedesktop/NetworkManager")
NETWORKD = ("org.freedesktop.DBus.Properties", "PropertiesChanged", "/org/freedesktop/network1")
STOP_LIMIT_S = 2.0


class Wake:
    """Calls `woken` on a thread of its own. `bus`: the address of another than the system's."""

    def __init__(self, woken: Callable[[], object], bus: str = "SYSTEM") -> None:
        self._woken = woken
        self._bus = bus
        self._socket: socket.socket | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="wake", daemon=True)

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
            from jeepney import MatchRule, message_bus
            from jeepney.io.blocking import open_dbus_connection

            with closing(open_dbus_connection(self._bus)) as connection:
                self._socket = connection.sock
                for interface, member, path in (LOGIND, NETWORK, NETWORKD):
                    rule = MatchRule(type="signal", interface=interface, member=member, path=path)
                    connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=STOP_LIMIT_S)
                while not self._stopping:
                    if means_awake(connection.receive(timeout=None)):
                        self._woken()
        except (ImportError, OSError, LookupError, ValueError) as error:  # no bus, or no longer; macOS has none
            if not self._stopping:
                log.debug("sleep and network are not heard of: %s", error)
        except Exception:  # one turn of a thread
            log.exception("sleep and network are not heard of any more")


def means_awake(message: Any) -> bool:
    """Whether a signal says that the machine woke up, or that the network is there again."""
    from jeepney import HeaderFields

    told = message.header.fields
    match told.get(HeaderFields.interface), told.get(HeaderFields.member), message.body:
        case "org.freedesktop.login1.Manager", "PrepareForSleep", (begins,):
            return not begins
        case "org.freedesktop.NetworkManager", "StateChanged", (int(state),):
            return bool(state >= CONNECTED)
        case "org.freedesktop.DBus.Properties", "PropertiesChanged", (str(), dict(values), *_):
            return bool(values.get("OnlineState", ("s", ""))[1] == "online")
    return False
