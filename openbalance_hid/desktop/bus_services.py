"""The services on a D-Bus bus: which are running or can be started, and which shows notifications. For `doctor`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum

from openbalance_hid.desktop.bus_connection import call, open_bus
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


def service_statuses(names: Iterable[str], bus: str, limit_s: float) -> dict[str, ServiceStatus]:
    """Return the status of each name on the bus at the address `bus`. Starts nothing. Raises NoBusError."""
    from jeepney import message_bus

    with closing(open_bus(bus)) as connection:
        running = set(call(connection, message_bus.ListNames(), limit_s)[0])
        startable = set(call(connection, message_bus.ListActivatableNames(), limit_s)[0])

    def status(name: str) -> ServiceStatus:
        if name in running:
            return ServiceStatus.RUNNING
        return ServiceStatus.STARTABLE if name in startable else ServiceStatus.ABSENT

    return {name: status(name) for name in names}


def notification_server(bus: str, limit_s: float) -> NotificationServer:
    """Return the notification service, which the bus starts if necessary. NoBusError without one, or after `limit_s`."""
    from jeepney import DBusAddress, new_method_call

    address = DBusAddress(OBJECT_PATH, bus_name=NOTIFICATIONS, interface=NOTIFICATIONS)
    with closing(open_bus(bus)) as connection:
        name, _, version, _ = call(connection, new_method_call(address, "GetServerInformation"), limit_s)
        (capabilities,) = call(connection, new_method_call(address, "GetCapabilities"), limit_s)
    return NotificationServer(str(name), str(version), "actions" in capabilities)
