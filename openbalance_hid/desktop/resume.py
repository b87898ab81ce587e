"""Notices on the system bus that the machine is awake again (logind), or its network is back (NetworkManager, networkd).

Without such a bus, pollers notice a sleep by their clocks, within a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbalance_hid.desktop.bus_thread import STOP_LIMIT_S, BusThread

CONNECTED = 60  # NM_STATE_CONNECTED_SITE; 70 is GLOBAL
LOGIND = ("org.freedesktop.login1.Manager", "PrepareForSleep", "/org/freedesktop/login1")
NETWORK = ("org.freedesktop.NetworkManager", "StateChanged", "/org/freedesktop/NetworkManager")
NETWORKD = ("org.freedesktop.DBus.Properties", "PropertiesChanged", "/org/freedesktop/network1")
CALL_LIMIT_S = 5.0


class ResumeWatch:
    """Calls `resumed` on a thread of its own. `bus`: the address of another bus than the system's."""

    def __init__(self, resumed: Callable[[], object], bus: str = "SYSTEM") -> None:
        self._resumed = resumed
        self._thread = BusThread("wake", self._listen, bus)

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def revive(self) -> None:
        """Start the thread again if it has ended."""
        self._thread.revive()

    def stop(self, limit_s: float = STOP_LIMIT_S) -> None:
        """Stop listening, within `limit_s`. Idempotent."""
        self._thread.stop(limit_s)

    def _listen(self, connection: Any) -> None:
        from jeepney import MatchRule, message_bus

        for interface, member, path in (LOGIND, NETWORK, NETWORKD):
            rule = MatchRule(type="signal", interface=interface, member=member, path=path)
            connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=CALL_LIMIT_S)
        while True:
            if _means_resumed(connection.receive(timeout=None)):
                self._resumed()


def _means_resumed(signal: Any) -> bool:
    """Return whether the signal reports that the machine is awake, or that the network is back."""
    from jeepney import HeaderFields

    fields = signal.header.fields
    match fields.get(HeaderFields.interface), fields.get(HeaderFields.member), signal.body:
        case "org.freedesktop.login1.Manager", "PrepareForSleep", (falls_asleep,):
            return not falls_asleep
        case "org.freedesktop.NetworkManager", "StateChanged", (int(state),):
            return bool(state >= CONNECTED)
        case "org.freedesktop.DBus.Properties", "PropertiesChanged", (str(), dict(values), *_):
            return bool(values.get("OnlineState", ("s", ""))[1] == "online")
    return False
