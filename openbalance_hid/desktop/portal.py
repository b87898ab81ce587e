"""Opens a page through the desktop portal: `org.freedesktop.portal.OpenURI` over the session bus.

The browser is then a child of the desktop: outside of a service's sandbox, and it survives the service.

`python -m openbalance_hid.desktop.portal URL` does this in a process of its own, which ends with 0 or prints the reason to
stderr. The daemon uses it, because the portal reads its caller's /proc/PID/root and refuses a caller whose memory is guarded.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing, suppress
from secrets import token_hex
from typing import Any

from openbalance_hid.desktop.bus_connection import open_bus

NAME = "org.freedesktop.portal.Desktop"
OBJECT_PATH = "/org/freedesktop/portal/desktop"
FAILED = 2  # Response "ended in some other way"; 0 is success, 1 cancelled by the user

# https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.OpenURI.html


class PortalError(Exception):
    """The portal is not available, or could not open the page."""


def open_uri(url: str, bus: str = "SESSION", limit_s: float = 10.0) -> None:
    """Open `url`. Return when the portal has opened it, or when the user has not chosen a program within `limit_s`.

    `bus`: the address of another bus than the session's. PortalError on failure.
    """
    try:
        with closing(open_bus(bus)) as connection:
            _request(connection, url, limit_s)
    except TimeoutError as error:
        raise PortalError("the portal did not answer") from error
    except (OSError, ValueError) as error:
        raise PortalError(f"no session bus: {error}") from error


def _request(connection: Any, url: str, limit_s: float) -> None:
    from jeepney import DBusAddress, MatchRule, MessageType, message_bus, new_method_call

    token = f"openbalance_{token_hex(8)}"
    request = f"{OBJECT_PATH}/request/{connection.unique_name[1:].replace('.', '_')}/{token}"
    response = MatchRule(type="signal", interface="org.freedesktop.portal.Request", member="Response", path=request)
    with connection.filter(response) as answers:
        connection.send_and_get_reply(message_bus.AddMatch(response), timeout=limit_s)
        portal = DBusAddress(OBJECT_PATH, bus_name=NAME, interface="org.freedesktop.portal.OpenURI")
        call = new_method_call(portal, "OpenURI", "ssa{sv}", ("", url, {"handle_token": ("s", token)}))
        reply = connection.send_and_get_reply(call, timeout=limit_s)
        if reply.header.message_type is MessageType.error:
            raise PortalError(" ".join(str(part) for part in reply.body) or "the portal refused")
        with suppress(TimeoutError):  # the portal waits for the user to choose a program
            if connection.recv_until_filtered(answers, timeout=limit_s).body[0] == FAILED:
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
