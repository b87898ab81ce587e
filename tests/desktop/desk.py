"""A small desktop on a private bus: it shows notifications, presses their buttons, and opens pages through its portal."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from openbalance_hid.desktop import notify, portal
from tests.private_bus import serving
from tests.waiting import PATIENCE_S


class Desk:
    """`notes`: the arguments of each Notify call; `pages`: the addresses of each OpenURI call."""

    def __init__(self, connection: Any) -> None:
        self.notes: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self.pages: queue.Queue[str] = queue.Queue()
        self._connection = connection
        self._sending = threading.Lock()
        self._number = 0

    def next_note(self) -> tuple[str, str, list[str]]:
        """Return title, text and buttons of the next notification."""
        _, _, _, title, text, buttons, *_ = self.notes.get(timeout=PATIENCE_S)
        return title, text, buttons

    def press(self, button: str) -> None:
        """Press the button of the last notification, which closes it."""
        from jeepney import DBusAddress, new_signal

        place = DBusAddress(notify.OBJECT_PATH, interface=notify.NAME)
        self._send(new_signal(place, "ActionInvoked", "us", (self._number, button)))
        self._send(new_signal(place, "NotificationClosed", "uu", (self._number, 2)))

    def answer(self, call: Any) -> None:
        from jeepney import DBusAddress, HeaderFields, MessageType, new_method_return, new_signal

        if call.header.message_type is not MessageType.method_call:
            return
        match call.header.fields.get(HeaderFields.member):
            case "Notify":
                self._number += 1
                self._send(new_method_return(call, "u", (self._number,)))
                self.notes.put(call.body)
            case "OpenURI":
                sender = call.header.fields[HeaderFields.sender][1:].replace(".", "_")
                handle = f"{portal.OBJECT_PATH}/request/{sender}/{call.body[2]['handle_token'][1]}"
                self._send(new_method_return(call, "o", (handle,)))
                place = DBusAddress(handle, interface="org.freedesktop.portal.Request")
                self._send(new_signal(place, "Response", "ua{sv}", (0, {})))
                self.pages.put(call.body[1])

    def _send(self, message: Any) -> None:
        with self._sending:
            self._connection.send(message)


@contextmanager
def desk(address: str) -> Iterator[Desk]:
    """Run the desktop during the block."""
    made: list[Desk] = []

    def serve(connection: Any) -> Callable[[Any], None]:
        made.append(Desk(connection))
        return made[0].answer

    with serving(address, [notify.NAME, portal.NAME], serve):
        yield made[0]
