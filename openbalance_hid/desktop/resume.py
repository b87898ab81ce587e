"""Hears from the system bus that the machine is awake again (logind), or its network is back (NetworkManager, networkd).

Where there is no such bus nothing is heard, and pollers notice a sleep by their clocks, within a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbalance_hid.desktop.bus_thread import BusThread

CONNECTED = 60  # NM_STATE_CONNECTED_SITE; 70 is GLOBAL
LOGIND = ("org.freedesktop.login1.Manager", "PrepareForSleep", "/org/freedesktop/login1")
NETWORK = ("org.freedesktop.NetworkManager", "StateChanged", "/org/freedesktop/NetworkManager")
NETWORKD = ("org.freedesktop.DBus.Properties", "PropertiesChanged", "/org/freedesktop/network1")
CALL_LIMIT_S = 5.0


class ResumeWatch:
    """Calls `woken` on a thread of its own. `bus`: the address of another than the system's."""

    def __init__(self, woken: Callable[[], object], bus: str = "SYSTEM") -> None:
        self._woken = woken
        self._thread = BusThread("wake", self._listen, bus)

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer; may be called twice."""
        self._thread.stop()

    def _listen(self, connection: Any) -> None:
        from jeepney import MatchRule, message_bus

        for interface, member, path in (LOGIND, NETWORK, NETWORKD):
            rule = MatchRule(type="signal", interface=interface, member=member, path=path)
            connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=CALL_LIMIT_S)
        while True:
            if means_awake(connection.receive(timeout=None)):
                self._woken()


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
