"""Hears from logind whether the owner's session is locked.

Its `LockedHint` is what the desktop itself says, and certain. A `Lock` signal only asks for it: some screen lockers answer to
it and say neither that they have locked nor that they have opened again, so it is told as not certain. Where there is no logind
nothing is heard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbalance_hid.desktop.bus_thread import BusThread

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
        # Without the bus nobody would tell when it is open again.
        self._thread = BusThread("screen lock", self._listen, bus, lost=lambda: changed(False, True))

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer; may be called twice."""
        self._thread.stop()

    def _listen(self, connection: Any) -> None:
        from jeepney import HeaderFields, MatchRule, message_bus

        # Of all sessions: ours may begin after us, and be another one tomorrow.
        rule = MatchRule(type="signal", path_namespace=SESSIONS)
        with connection.filter(rule, bufsize=1000) as heard:
            connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=CALL_LIMIT_S)
            self._tell_hint(connection)
            while True:
                signal = connection.recv_until_filtered(heard, timeout=None)
                told = signal.header.fields
                if told.get(HeaderFields.path) != _our_session(connection):
                    continue
                match told.get(HeaderFields.member), signal.body:
                    case "Lock", _:
                        self._changed(True, False)
                    case "Unlock", _:
                        self._changed(False, True)
                    case "PropertiesChanged", (str(interface), dict(values), list(unsaid)):
                        if interface == SESSION and ("LockedHint" in values or "LockedHint" in unsaid):
                            self._tell_hint(connection)

    def _tell_hint(self, connection: Any) -> None:
        from jeepney import DBusAddress, Properties

        session = _our_session(connection)
        if session is not None:
            properties = Properties(DBusAddress(session, bus_name=LOGIND, interface=SESSION))
            answer = _answer(connection, properties.get("LockedHint"))
            if answer is not None:
                self._changed(bool(answer[0][1]), True)


def _our_session(connection: Any) -> str | None:
    """The object of the session that this process is in or, for a service, of the one that its user sees; None without one."""
    from jeepney import DBusAddress, new_method_call

    manager = DBusAddress(MANAGER, bus_name=LOGIND, interface=f"{LOGIND}.Manager")
    answer = _answer(connection, new_method_call(manager, "GetSession", "s", ("auto",)))
    return None if answer is None else str(answer[0])


def _answer(connection: Any, call: Any) -> tuple[Any, ...] | None:
    from jeepney import MessageType

    try:
        reply = connection.send_and_get_reply(call, timeout=CALL_LIMIT_S)
    except TimeoutError:  # it is being started again, perhaps; the next signal asks anew
        return None
    return None if reply.header.message_type is MessageType.error else tuple(reply.body)
