"""The services on a D-Bus bus: which are running or can be started, and which shows notifications. For `doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import Any

from openbalance_hid.desktop.notify import NAME as NOTIFICATIONS
from openbalance_hid.desktop.notify import OBJECT_PATH


class ServiceStatus(Enum):
    """Status of one name on a bus."""

    RUNNING = "running"
    STARTABLE = "startable"  # the bus starts it when it is called
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class NotificationServer:
    """The service that shows notifications. `has_buttons`: its notifications can have buttons."""

    name: str
    version: str
    has_buttons: bool


class NoBusError(Exception):
    """The bus does not exist, or does not answer."""


def service_statuses(names: Iterable[str], bus: str, limit_s: float) -> dict[str, ServiceStatus]:
    """Return the status of each name on the bus at the address `bus`. Starts nothing. Raises NoBusError."""
    from jeepney import message_bus

    with closing(_connect(bus)) as connection:
        running = set(_call(connection, message_bus.ListNames(), limit_s)[0])
        startable = set(_call(connection, message_bus.ListActivatableNames(), limit_s)[0])

    def status(name: str) -> ServiceStatus:
        if name in running:
            return ServiceStatus.RUNNING
        return ServiceStatus.STARTABLE if name in startable else ServiceStatus.ABSENT

    return {name: status(name) for name in names}


def notification_server(bus: str, limit_s: float) -> NotificationServer:
    """Return the notification service, which the bus starts if necessary. NoBusError without one, or after `limit_s`."""
    from jeepney import DBusAddress, new_method_call

    address = DBusAddress(OBJECT_PATH, bus_name=NOTIFICATIONS, interface=NOTIFICATIONS)
    with closing(_connect(bus)) as connection:
        name, _, version, _ = _call(connection, new_method_call(address, "GetServerInformation"), limit_s)
        (capabilities,) = _call(connection, new_method_call(address, "GetCapabilities"), limit_s)
    return NotificationServer(str(name), str(version), "actions" in capabilities)


def _connect(bus: str) -> Any:
    from jeepney.io.blocking import open_dbus_connection

    if not bus:
        raise NoBusError("DBUS_SESSION_BUS_ADDRESS is not set")
    try:
        return open_dbus_connection(bus)
    except (OSError, LookupError, ValueError) as error:  # LookupError: jeepney's for an empty address
        raise NoBusError(str(error) or type(error).__name__) from error


def _call(connection: Any, message: Any, limit_s: float) -> tuple[Any, ...]:
    from jeepney import MessageType

    try:
        reply = connection.send_and_get_reply(message, timeout=limit_s)
    except TimeoutError as error:
        raise NoBusError(f"no answer within {limit_s:g} s") from error
    except OSError as error:
        raise NoBusError(str(error)) from error
    if reply.header.message_type is MessageType.error:
        raise NoBusError(" ".join(str(part) for part in reply.body) or "refused")
    return tuple(reply.body)
