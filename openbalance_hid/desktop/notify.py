"""Shows desktop notifications: `org.freedesktop.Notifications` over the session bus; on macOS see `mac_notify`.

A notification has the buttons that its caller gives it; on macOS it has none.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from enum import Enum
from typing import Any

from openbalance_hid.desktop.bus_connection import open_bus
from openbalance_hid.desktop.mac_notify import show_on_macos

log = logging.getLogger(__name__)

NAME = "org.freedesktop.Notifications"
OBJECT_PATH = "/org/freedesktop/Notifications"
Buttons = Mapping[tuple[str, str], Callable[[], None]]  # key and label -> what a press does
ACKNOWLEDGE = ("acknowledge", "Acknowledge")  # key and label of a button
OPEN = ("open", "Open page")
CALL_LIMIT_S = 10.0
BUTTON_LIMIT_S = 3600.0  # a later press of the button is ignored; the key of the deck still works
NORMAL, CRITICAL = 1, 2  # urgency


class Shown(Enum):
    """What is known of a notification."""

    YES = "shown"
    MAYBE = "handed over"  # to a system that may drop it without an error
    NO = "not shown"


# https://specifications.freedesktop.org/notification-spec/latest/protocol.html


def send_notification(
    title: str,
    body: str,
    env: Mapping[str, str],
    delivered: Callable[[Shown], None],
    buttons: Buttons,
    urgent: bool = False,
) -> None:
    """Show a notification; return at once. Another thread calls `delivered` once, and what a button does at each press."""

    def run() -> None:
        try:
            if sys.platform == "darwin":
                show_on_macos(title, body, env)
                delivered(Shown.MAYBE)
            else:
                show(title, body, env.get("DBUS_SESSION_BUS_ADDRESS", ""), lambda: delivered(Shown.YES), buttons, urgent)
        except (OSError, LookupError, ValueError, TimeoutError, subprocess.SubprocessError) as error:
            log.debug("cannot show a notification: %s", error)
            delivered(Shown.NO)

    threading.Thread(target=run, name="notification", daemon=True).start()


def show(
    title: str,
    body: str,
    bus: str,
    delivered: Callable[[], None],
    buttons: Buttons,
    urgent: bool = False,
) -> None:
    """Show a notification on the bus at the address `bus`, and return when it is closed. OSError or LookupError on failure."""
    with closing(open_bus(bus)) as connection:
        _show(connection, title, body, delivered, buttons, urgent)


def _show(
    connection: Any,
    title: str,
    body: str,
    delivered: Callable[[], None],
    buttons: Buttons,
    urgent: bool,
) -> None:
    from html import escape  # brings a table of all its 2,231 entities

    from jeepney import DBusAddress, HeaderFields, MatchRule, MessageType, message_bus, new_method_call

    signals = MatchRule(type="signal", interface=NAME, path=OBJECT_PATH)
    with connection.filter(signals, bufsize=100) as received:
        connection.send_and_get_reply(message_bus.AddMatch(signals), timeout=CALL_LIMIT_S)
        labels = [text for button in buttons for text in button]
        press = {name: act for (name, _), act in buttons.items()}
        hints = {"urgency": ("y", CRITICAL if urgent else NORMAL), "category": ("s", "network")}
        fields = ("OpenRouter", 0, "", title, escape(body, quote=False), labels, hints, -1)
        call = new_method_call(DBusAddress(OBJECT_PATH, bus_name=NAME, interface=NAME), "Notify", "susssasa{sv}i", fields)
        reply = connection.send_and_get_reply(call, timeout=CALL_LIMIT_S)
        if reply.header.message_type is MessageType.error:
            raise LookupError(" ".join(str(part) for part in reply.body))
        delivered()
        number, end_s = reply.body[0], time.monotonic() + BUTTON_LIMIT_S
        try:
            while (left_s := end_s - time.monotonic()) > 0:
                signal = connection.recv_until_filtered(received, timeout=left_s)
                if signal.body[0] != number:
                    continue
                if signal.header.fields[HeaderFields.member] == "NotificationClosed":
                    return
                if signal.body[1] in press:
                    press[signal.body[1]]()
        except (OSError, TimeoutError) as error:  # the session has ended, or the button was not pressed
            log.debug("stopped waiting for the button of a notification: %s", error)
