"""A fake logind on a private bus: one session of the user, locked and unlocked with the real signals."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from openbalance_hid.desktop.screen_lock import LOGIND, SESSION, SESSIONS
from tests.private_bus import serving

OWN_SESSION = f"{SESSIONS}/_32"
OTHER_SESSION = f"{SESSIONS}/c1"


class Logind:
    """`hint`: the LockedHint property. Answers GetSession("auto") and Get(LockedHint); everything else is an error."""

    def __init__(self, connection: Any) -> None:
        self.hint = False
        self.asked = threading.Semaphore(0)  # for the hint
        self._connection = connection
        self._sending = threading.Lock()

    def set_hint(self, locked: bool, with_value: bool = True) -> None:
        """Change the property; `with_value` False: the signal invalidates it without the new value."""
        self.hint = locked
        changed = {"LockedHint": ("b", locked)} if with_value else {}
        invalidated = [] if with_value else ["LockedHint"]
        interface = "org.freedesktop.DBus.Properties"
        self.signal(interface, "PropertiesChanged", "sa{sv}as", SESSION, changed, invalidated)

    def request(self, member: str, session: str = OWN_SESSION) -> None:
        """Send the signal Lock or Unlock, as after `loginctl lock-session`."""
        self.signal(SESSION, member, "", path=session)

    def signal(self, interface: str, member: str, signature: str, *body: object, path: str = OWN_SESSION) -> None:
        from jeepney import DBusAddress, new_signal

        self._send(new_signal(DBusAddress(path, interface=interface), member, signature or None, body))

    def answer(self, call: Any) -> None:
        from jeepney import HeaderFields, MessageType, new_error, new_method_return

        if call.header.message_type is not MessageType.method_call:
            return
        match call.header.fields.get(HeaderFields.member), call.body:
            case "GetSession", ("auto",):
                self._send(new_method_return(call, "o", (OWN_SESSION,)))
            case "Get", (interface, "LockedHint") if interface == SESSION:
                self._send(new_method_return(call, "v", (("b", self.hint),)))
                self.asked.release()
            case _:
                self._send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    def _send(self, message: Any) -> None:
        with self._sending:
            self._connection.send(message)


@contextmanager
def logind(address: str) -> Iterator[Logind]:
    """Run the service during the block."""
    made: list[Logind] = []

    def serve(connection: Any) -> Callable[[Any], None]:
        made.append(Logind(connection))
        return made[0].answer

    with serving(address, [LOGIND], serve):
        yield made[0]
