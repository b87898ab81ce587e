"""One attempt to connect to a broker, for commands: does it accept the login, and has it a snapshot at a topic."""

from __future__ import annotations

import threading
import time

from msgspec import Struct

from openbalance_hid.errors import BrokerError, OpenBalanceError
from openbalance_hid.mqtt.broker_address import BrokerAddress
from openbalance_hid.mqtt.broker_link import BrokerLink
from openbalance_hid.mqtt.link_user import LinkUser, Received
from openbalance_hid.mqtt.snapshot_decoder import RefusedMessage, decode_message
from openbalance_hid.mqtt.snapshot_schema import SnapshotMessage
from openbalance_hid.secret import BrokerLogin

MESSAGE_LIMIT_S = 2.0  # a retained message follows the subscription at once


class BrokerAnswer(Struct, frozen=True):
    """`message`: the retained snapshot at the topic of the address, or why it cannot be used; None: there is none."""

    took_s: float
    message: SnapshotMessage | RefusedMessage | None = None


def probe_broker(address: BrokerAddress, login: BrokerLogin | None, ca_file: str | None, limit_s: float) -> BrokerAnswer:
    """Connect once, and where the address has a topic read its message. Raises BrokerError."""
    probe = _Probe(address, login, ca_file)
    started_s = time.monotonic()
    probe.link.start()
    try:
        probe.decided.wait(limit_s)
        took_s = time.monotonic() - started_s
        if probe.link.error is not None:
            raise probe.link.error
        if not probe.is_connected:
            raise BrokerError(f"{address.broker} does not answer")
        if address.topic:
            probe.received_one.wait(MESSAGE_LIMIT_S)
        if probe.link.error is not None:
            raise probe.link.error
    finally:
        probe.link.stop(1.0)
    return BrokerAnswer(took_s, probe.message)


class _Probe(LinkUser):
    def __init__(self, address: BrokerAddress, login: BrokerLogin | None, ca_file: str | None) -> None:
        self.decided = threading.Event()
        self.received_one = threading.Event()
        self.is_connected = False
        self.message: SnapshotMessage | RefusedMessage | None = None
        self._topic = address.topic
        self.link = BrokerLink("broker probe", address, lambda: login, ca_file, self, is_quiet=True)

    def connected(self) -> None:
        self.is_connected = True
        if self._topic:
            self.link.subscribe(self._topic)
        self.decided.set()

    def received(self, message: Received) -> None:
        if message.payload:
            self.message = decode_message(message.payload)
            self.received_one.set()

    def tick(self) -> float:
        error: OpenBalanceError | None = self.link.error
        if error is not None:
            self.decided.set()
            self.received_one.set()
        return super().tick()
