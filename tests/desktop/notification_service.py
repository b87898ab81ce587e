"""A notification service on a bus, as a desktop has: it receives notifications, and sends what a user would do with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from openbalance_hid.desktop.notify import NAME, OBJECT_PATH
from tests.waiting import PATIENCE_S

NUMBER = 7  # of each notification


@contextmanager
def desktop(address: str, *signals: tuple[str, str, tuple[object, ...]], count: int = 1) -> Iterator[list[Any]]:
    """A service for `count` notifications, each followed by `signals`. Yields the calls that it received."""
    import jeepney
    from jeepney.io.blocking import open_dbus_connection

    shown: list[Any] = []
    with closing(open_dbus_connection(address)) as connection:
        connection.send_and_get_reply(jeepney.message_bus.RequestName(NAME))

        def serve() -> None:
            for _ in range(count):
                serve_one()

        def serve_one() -> None:
            call = connection.receive(timeout=PATIENCE_S)
            while call.header.fields.get(jeepney.HeaderFields.member) != "Notify":
                call = connection.receive(timeout=PATIENCE_S)
            shown.append(call.body)
            connection.send(jeepney.new_method_return(call, "u", (NUMBER,)))
            for member, signature, body in signals:
                connection.send(jeepney.new_signal(jeepney.DBusAddress(OBJECT_PATH, interface=NAME), member, signature, body))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield shown
        finally:
            thread.join(PATIENCE_S)
