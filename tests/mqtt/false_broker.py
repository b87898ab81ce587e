"""A server that is no honest broker: it accepts MQTT's CONNECT on this machine and then sends what a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from openbalance_hid.mqtt.broker_address import BrokerAddress

CONNACK = bytes((0x20, 3, 0, 0, 0))


class FalseBroker:
    """`sent`: bytes that the client took; `connections`: so far."""

    def __init__(self, reply: bytes, after: bytes = b"", copies: int = 0) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._reply, self._after, self._copies = reply, after, copies
        self.connections = 0
        self.sent = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> BrokerAddress:
        return BrokerAddress("127.0.0.1", self._server.getsockname()[1], False, "openbalance/team")

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            with client, suppress(OSError):
                client.recv(4096)
                client.sendall(self._reply)
                for _ in range(self._copies):
                    client.sendall(self._after)
                    self.sent += len(self._after)
                while client.recv(4096):
                    pass


@contextmanager
def false_broker(reply: bytes, after: bytes = b"", copies: int = 0) -> Iterator[FalseBroker]:
    server = FalseBroker(reply, after, copies)
    try:
        yield server
    finally:
        server.close()
