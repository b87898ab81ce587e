"""What the desktop offers on a bus: which services run or would be started, and who shows notifications. For `doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import Any

from openbalance_hid.desktop.notify import NAME as NOTIFICATIONS
from openbalance_hid.desktop.notify import PLACE


class ServiceStatus(Enum):
    """How one name stands on a bus."""

    RUNNING = "running"
    STARTABLE = "startable"  # the bus starts it for the first who asks
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class NotificationServer:
    """Who shows notifications. `has_buttons`: they can have some."""

    name: str
    version: str
    has_buttons: bool


class NoBusError(Exception):
    """There is no such bus, or it does not answer."""


def service_statuses(names: Iterable[str], bus: str, limit_s: float) -> dict[str, ServiceStatus]:
    """Each name on the bus at the address `bus`. NoBusError. Nothing is started."""
    from jeepney import message_bus

    with closing(_connected(bus)) as connection:
        running = set(_answer(connection, message_bus.ListNames(), limit_s)[0])
        startable = set(_answer(connection, message_bus.ListActivatableNames(), limit_s)[0])
    return {
        name: ServiceStatus.RUNNING
        if name in running
        else ServiceStatus.STARTABLE
        if name in startable
        else ServiceStatus.ABSENT
        for name in names
    }


def notification_server(bus: str, limit_s: float) -> NotificationServer:
    """Who shows notifications; started if need be, as a notification would. NoBusError when nobody does, or in time."""
    from jeepney import DBusAddress, new_method_call

    place = DBusAddress(PLACE, bus_name=NOTIFICATIONS, interface=NOTIFICATIONS)
    with closing(_connected(bus)) as connection:
        name, _, version, _ = _answer(connection, new_method_call(place, "GetServerInformation"), limit_s)
        (capabilities,) = _answer(connection, new_method_call(place, "GetCapabilities"), limit_s)
    return NotificationServer(str(name), str(version), "actions" in capabilities)


def _connected(bus: str) -> Any:
    from jeepney.io.blocking import open_dbus_connection

    if not bus:
        raise NoBusError("DBUS_SESSION_BUS_ADDRESS is not set")
    try:
        return open_dbus_connection(bus)
    except (OSError, LookupError, ValueError) as error:  # LookupError: jeepney's for an address that is empty
        raise NoBusError(str(error) or type(error).__name__) from error


def _answer(connection: Any, call: Any, limit_s: float) -> tuple[Any, ...]:
    from jeepney import MessageType

    try:
        reply = connection.send_and_get_reply(call, timeout=limit_s)
    except TimeoutError as error:
        raise NoBusError(f"no answer within {limit_s:g} s") from error
    except OSError as error:
        raise NoBusError(str(error)) from error
    if reply.header.message_type is MessageType.error:
        raise NoBusError(" ".join(str(part) for part in reply.body) or "refused")
    return tuple(reply.body)
