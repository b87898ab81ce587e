"""A stand-in for logind on a private bus: one session of the user's, which is locked and opened as the real one does it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from openbalance_hid.desktop.screen_lock import LOGIND, SESSION, SESSIONS
from tests.private_bus import serving

OURS = f"{SESSIONS}/_32"
ANOTHER = f"{SESSIONS}/c1"


class Logind:
    """`hint`: what LockedHint says. Answers GetSession("auto") and Get(LockedHint); everything else is an error."""

    def __init__(self, connection: Any) -> None:
        self.hint = False
        self.asked = threading.Semaphore(0)  # for the hint
        self._connection = connection
        self._sending = threading.Lock()

    def set_hint(self, locked: bool, said: bool = True) -> None:
        """As SetLockedHint does; `said` False: the signal only says that it has changed."""
        self.hint = locked
        changed = {"LockedHint": ("b", locked)} if said else {}
        self.signal(
            "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", SESSION, changed, [] if said else ["LockedHint"]
        )

    def ask(self, member: str, session: str = OURS) -> None:
        """The signals Lock and Unlock, as `loginctl lock-session` has them sent."""
        self.signal(SESSION, member, "", path=session)

    def signal(self, interface: str, member: str, signature: str, *body: object, path: str = OURS) -> None:
        from jeepney import DBusAddress, new_signal

        self._send(new_signal(DBusAddress(path, interface=interface), member, signature or None, body))

    def answer(self, call: Any) -> None:
        from jeepney import HeaderFields, MessageType, new_error, new_method_return

        if call.header.message_type is not MessageType.method_call:
            return
        match call.header.fields.get(HeaderFields.member), call.body:
            case "GetSession", ("auto",):
                self._send(new_method_return(call, "o", (OURS,)))
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
    """It lives as long as the block."""
    made: list[Logind] = []

    def serve(connection: Any) -> Callable[[Any], None]:
        made.append(Logind(connection))
        return made[0].answer

    with serving(address, [LOGIND], serve):
        yield made[0]
