"""Asks the desktop's portal to open a page: `org.freedesktop.portal.OpenURI` over the session bus.

A browser that is started so is the desktop's child: it has nothing of a service's sandbox and outlives it.

`python -m openbalance_hid.desktop.portal URL` does it in a process of its own, which ends with 0 or says on stderr why not. The
daemon asks so: the portal looks into its caller's /proc/PID/root and refuses one whose memory is guarded.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing, suppress
from secrets import token_hex
from typing import Any

NAME = "org.freedesktop.portal.Desktop"
PLACE = "/org/freedesktop/portal/desktop"
FAILED = 2  # a Response's "ended in some other way"; 0 is success, 1 that the person changed their mind

# https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.OpenURI.html


class PortalError(Exception):
    """The portal is not there, or could not open the page."""


def open_uri(url: str, bus: str = "SESSION", patience_s: float = 10.0) -> None:
    """Hand `url` over. Returns when the portal has opened it, or is still asking the person after `patience_s`.

    `bus`: the address of another than the session's. PortalError when it cannot.
    """
    from jeepney.io.blocking import open_dbus_connection

    try:
        with closing(open_dbus_connection(bus)) as connection:
            _ask(connection, url, patience_s)
    except TimeoutError as error:
        raise PortalError("the portal did not answer") from error
    except (OSError, KeyError, ValueError) as error:  # KeyError: jeepney's for a session without a bus
        raise PortalError(f"no session bus: {error}") from error


def _ask(connection: Any, url: str, patience_s: float) -> None:
    from jeepney import DBusAddress, MatchRule, MessageType, message_bus, new_method_call

    token = f"openbalance_{token_hex(8)}"
    request = f"{PLACE}/request/{connection.unique_name[1:].replace('.', '_')}/{token}"
    response = MatchRule(type="signal", interface="org.freedesktop.portal.Request", member="Response", path=request)
    with connection.filter(response) as answers:
        connection.send_and_get_reply(message_bus.AddMatch(response), timeout=patience_s)
        portal = DBusAddress(PLACE, bus_name=NAME, interface="org.freedesktop.portal.OpenURI")
        call = new_method_call(portal, "OpenURI", "ssa{sv}", ("", url, {"handle_token": ("s", token)}))
        reply = connection.send_and_get_reply(call, timeout=patience_s)
        if reply.header.message_type is MessageType.error:
            raise PortalError(" ".join(str(part) for part in reply.body) or "the portal refused")
        with suppress(TimeoutError):  # a person is asked which program to use
            if connection.recv_until_filtered(answers, timeout=patience_s).body[0] == FAILED:
                raise PortalError("the portal could not open it")


def _main(url: str) -> int:
    try:
        open_uri(url, os.environ.get("DBUS_SESSION_BUS_ADDRESS", ""))
    except PortalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
