"""Connections to a D-Bus bus, and one kind of error for a bus that cannot be reached.

An address is an environment variable: it may be of a kind that jeepney does not know (`tcp:`, `autolaunch:`), or no address.
https://dbus.freedesktop.org/doc/dbus-specification.html#addresses
"""

from __future__ import annotations

from typing import Any

GREETING_LIMIT_S = 4.0  # jeepney waits for 1 s, which is too short on a busy machine (measured in a guest under QEMU)


class NoBusError(OSError):
    """The bus does not exist, or does not answer."""


def open_bus(bus: str, enable_fds: bool = False) -> Any:
    """Return jeepney's connection to the bus: "SYSTEM", "SESSION" or an address. Raises NoBusError.

    `enable_fds`: messages may bring descriptors.
    """
    from jeepney.io.blocking import open_dbus_connection

    if not bus:
        raise NoBusError("DBUS_SESSION_BUS_ADDRESS is not set")
    try:
        return open_dbus_connection(bus, enable_fds=enable_fds, auth_timeout=GREETING_LIMIT_S)
    except OSError as error:
        raise NoBusError((error.strerror or str(error) or type(error).__name__).lower()) from error
    except KeyError as error:  # of the environment
        raise NoBusError(f"{error.args[0]} is not set") from error
    except (LookupError, ValueError, RuntimeError) as error:  # an address of another kind, or no bus there
        raise NoBusError(f"no bus can be reached at {bus[:100]!r}") from error


def call(connection: Any, message: Any, limit_s: float) -> tuple[Any, ...]:
    """Return the values of the reply to a call. NoBusError for an error reply, or for none within `limit_s`."""
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
