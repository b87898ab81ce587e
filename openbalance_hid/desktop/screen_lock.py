"""Follows the lock of the user's session through logind.

The session's `LockedHint` comes from the desktop itself and is certain. A `Lock` signal is only a request: some screen lockers
react to it and report neither lock nor unlock, so that it is passed on as uncertain. Without logind nothing is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbalance_hid.desktop.bus_thread import STOP_LIMIT_S, BusThread

LOGIND = "org.freedesktop.login1"
MANAGER = "/org/freedesktop/login1"
SESSION = f"{LOGIND}.Session"
SESSIONS = f"{MANAGER}/session"
CALL_LIMIT_S = 5.0

# https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html


class ScreenLock:
    """Calls `changed(locked, certain)` on a thread of its own: at the start and at each change. `bus`: not the system's."""

    def __init__(self, changed: Callable[[bool, bool], object], bus: str = "SYSTEM") -> None:
        self._changed = changed
        # Without the bus, an unlock would go unnoticed.
        self._thread = BusThread("screen lock", self._listen, bus, lost=lambda: changed(False, True))

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
        from jeepney import HeaderFields, MatchRule, message_bus

        # Of all sessions: the user's may start after this process, and be another one tomorrow.
        rule = MatchRule(type="signal", path_namespace=SESSIONS)
        with connection.filter(rule, bufsize=1000) as signals:
            connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=CALL_LIMIT_S)
            self._report_hint(connection)
            while True:
                signal = connection.recv_until_filtered(signals, timeout=None)
                fields = signal.header.fields
                if fields.get(HeaderFields.path) != _own_session(connection):
                    continue
                match fields.get(HeaderFields.member), signal.body:
                    case "Lock", _:
                        self._changed(True, False)
                    case "Unlock", _:
                        self._changed(False, True)
                    case "PropertiesChanged", (str(interface), dict(values), list(invalidated)):
                        if interface == SESSION and ("LockedHint" in values or "LockedHint" in invalidated):
                            self._report_hint(connection)

    def _report_hint(self, connection: Any) -> None:
        from jeepney import DBusAddress, Properties

        session = _own_session(connection)
        if session is not None:
            properties = Properties(DBusAddress(session, bus_name=LOGIND, interface=SESSION))
            body = _call(connection, properties.get("LockedHint"))
            if body is not None:
                self._changed(bool(body[0][1]), True)


def _own_session(connection: Any) -> str | None:
    """Return the object path of this process's session or, for a service, of its user's graphical one; None without."""
    from jeepney import DBusAddress, new_method_call

    manager = DBusAddress(MANAGER, bus_name=LOGIND, interface=f"{LOGIND}.Manager")
    body = _call(connection, new_method_call(manager, "GetSession", "s", ("auto",)))
    return None if body is None else str(body[0])


def _call(connection: Any, message: Any) -> tuple[Any, ...] | None:
    from jeepney import MessageType

    try:
        reply = connection.send_and_get_reply(message, timeout=CALL_LIMIT_S)
    except TimeoutError:  # logind may be restarting; the next signal leads to the next call
        return None
    return None if reply.header.message_type is MessageType.error else tuple(reply.body)
