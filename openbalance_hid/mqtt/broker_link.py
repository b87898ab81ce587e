"""One connection to a broker on a thread of its own: connect, read and write, and connect again after a pause.

What is published and read is decided in `account_publisher` and `account_reader`. Only the thread of the connection uses the
client: other threads hand it a call.
"""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from random import SystemRandom
from typing import TYPE_CHECKING, cast

from openbalance_hid.errors import BrokerError, CredentialError, OpenBalanceError, Retry
from openbalance_hid.mqtt import broker_words
from openbalance_hid.mqtt.broker_address import BrokerAddress
from openbalance_hid.mqtt.link_user import LONGEST_WAIT_S, LinkState, LinkUser, LoginReader, Received, pause_s
from openbalance_hid.mqtt.link_wait import LinkWait
from openbalance_hid.restarting_thread import RestartingThread
from openbalance_hid.secret import mask_keys

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage, SocketLike
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from openbalance_hid.mqtt.paho_client import BoundedClient

STEADY_S = 30.0  # a connection of this length starts the pauses again with the first
CONNACK_LIMIT_S = 10.0
OVERHEAD_BYTES = 256  # of a packet, with its topic and properties
CLOSING_LIMIT_S = 0.4  # for the confirmations of the last messages: a broker that is slow must not delay the end

log = logging.getLogger(__name__)


class BrokerLink:
    """`state`: of the connection, readable by any thread."""

    def __init__(
        self,
        name: str,
        address: BrokerAddress,
        read_login: LoginReader,
        ca_file: str | None,
        user: LinkUser,
        will: Callable[[], tuple[str, bytes] | None] = lambda: None,
        is_quiet: bool = False,
    ) -> None:
        """`name`: of the thread. `will`: topic and payload that the broker publishes when the connection is lost.

        `is_quiet`: log nothing, because the caller reports `error`.
        """
        self.address = address
        self.state = LinkState()
        self.error: OpenBalanceError | None = None  # of the state's trouble
        self._level = logging.DEBUG if is_quiet else logging.WARNING
        self._name = name
        self._read_login = read_login
        self._ca_file = ca_file
        self._user = user
        self._will = will
        self._rng = SystemRandom()
        self._identity = f"openbalance-{self._rng.getrandbits(64):016x}"
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: LinkWait | None = None  # while the thread runs
        self._stopping = threading.Event()
        self._retry_now = False
        self._client: BoundedClient | None = None
        self._actions: dict[int, str] = {}  # message id -> what it does, until the broker has confirmed it
        self._error: BrokerError | None = None
        self._largest_bytes: int | None = None  # of a packet, as the broker has reported
        self._thread = RestartingThread(name, self._run)

    def start(self) -> None:
        """Connect, and keep the connection up. Idempotent."""
        self._thread.start()

    def revive(self) -> None:
        """Start the thread again if it has ended (see `RestartingThread.revive`)."""
        self._thread.revive()

    def retry(self) -> None:
        """End a pause: connect now. Thread-safe."""
        self._retry_now = True
        self._wake()

    def call(self, function: Callable[[], None]) -> None:
        """Run `function` on the thread of the link, if it is connected then; else it is dropped. Thread-safe."""
        self._calls.put(function)
        self._wake()

    def stop(self, join_s: float) -> None:
        """Disconnect and end the thread; wait up to `join_s` for it. Idempotent."""
        self._stopping.set()
        self._thread.stop()
        self._wake()
        self._thread.join(join_s)

    # --- for the user of the link, on its thread ---

    def publish(self, topic: str, payload: bytes, retain: bool = True, expires_s: int | None = None) -> None:
        """Send a message with QoS 1. A refusal by the broker becomes the state's trouble."""
        from openbalance_hid.mqtt.paho_client import expiring

        if self._client is None:
            return
        if self._largest_bytes is not None and len(payload) + OVERHEAD_BYTES > self._largest_bytes:
            self._report(broker_words.too_large(self.address, topic, len(payload), self._largest_bytes), connected=True)
            return
        properties = expiring(expires_s) if expires_s is not None else None
        sent = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        self._actions[sent.mid] = f"to publish to {topic}"

    def subscribe(self, *topics: str, ignores_own: bool = False) -> None:
        """Subscribe with QoS 1. `ignores_own`: not to what this connection publishes."""
        from openbalance_hid.mqtt.paho_client import subscription

        for topic in topics:
            if self._client is not None:
                _, mid = self._client.subscribe(topic, options=subscription(ignores_own))
                self._actions[mid or 0] = f"to read {topic}"

    def end(self) -> None:
        """Disconnect, so that no last will is published, and stay away."""
        self._stopping.set()
        self._thread.stop()

    # --- the thread ---

    def _run(self) -> None:
        with LinkWait() as waiting:
            self._waiting = waiting
            self._user.starting()
            self._keep_connected(waiting)

    def _keep_connected(self, waiting: LinkWait) -> None:
        failures = 0
        while not self._stopping.is_set():
            started_s = time.monotonic()
            error = self._session(waiting)
            if self._stopping.is_set():
                self.state = LinkState(False, datetime.now(UTC), "stopped")
                return
            if error is None:  # `retry` was called
                self.state = LinkState(False, datetime.now(UTC))
                continue
            failures = 1 if time.monotonic() - started_s >= STEADY_S else failures + 1
            self._report(error)
            self._pause(pause_s(failures, error.retry is Retry.USER, self._rng), waiting)

    def _session(self, waiting: LinkWait) -> OpenBalanceError | None:
        """Run one connection to its end; return why it ended, None after `retry`."""
        self._error, self._retry_now = None, False
        if self.state.connected:  # a bug has ended the thread
            self.state = LinkState(False, datetime.now(UTC))
        try:
            from openbalance_hid.mqtt.paho_client import connect, new_client
        except ImportError:
            return broker_words.missing_library()
        try:
            client = new_client(self._identity, self.address, self._read_login(), self._ca_file, self._will())
        except CredentialError as error:
            return error
        except OSError as error:
            return broker_words.connection_error(self.address, error)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        self._client = client
        try:
            connect(client, self.address)
            self._serve(client, waiting)
            if self._retry_now and self._error is None:
                return None
        except OSError as error:
            self._error = self._error or broker_words.connection_error(self.address, error)
        except (AssertionError, LookupError, ValueError, struct.error) as error:  # the library, on packets against the protocol
            log.debug("%s: %s", self._name, error, exc_info=error)
            self._error = broker_words.unreadable(self.address)
        finally:
            if client.has_refused_packet:
                self._error = broker_words.oversized(self.address)
            self._client = None
            self._actions.clear()
            _close(client)
        return self._error or broker_words.lost_connection(self.address)

    def _serve(self, client: BoundedClient, waiting: LinkWait) -> None:
        """Read and write until the connection ends or `stop` is called."""
        end_s = time.monotonic() + CONNACK_LIMIT_S
        while (connection := client.socket()) is not None:
            if self._stopping.is_set():
                self._send_last(client, waiting)
                return
            if self._retry_now and self.state.connected:
                return  # after a sleep of the machine, the other end may have given up this connection
            if self.state.connected:
                self._run_calls()
            elif time.monotonic() > end_s:
                self._error = broker_words.no_reply(self.address)
                return
            wait_s = min(self._user.tick(), LONGEST_WAIT_S if self.state.connected else 1.0)
            _exchange(client, connection, waiting, wait_s)
            client.loop_misc()

    def _send_last(self, client: BoundedClient, waiting: LinkWait) -> None:
        """Send the last messages of the user, and DISCONNECT once the broker has confirmed them.

        Not before: where confirmations are unread, closing the connection would take back what the broker has not read yet.
        """
        if self.state.connected:
            self._user.closing()
        end_s = time.monotonic() + CLOSING_LIMIT_S
        while self._actions and (connection := client.socket()) is not None and (left_s := end_s - time.monotonic()) > 0:
            _exchange(client, connection, waiting, left_s)
        client.disconnect()
        while client.want_write() and (connection := client.socket()) is not None and time.monotonic() < end_s:
            _exchange(client, connection, waiting, 0.05)

    def _run_calls(self) -> None:
        while True:
            try:
                function = self._calls.get_nowait()
            except queue.Empty:
                return
            function()

    def _pause(self, seconds: float, waiting: LinkWait) -> None:
        end_s = time.monotonic() + seconds
        while not self._stopping.is_set() and not self._retry_now and (left_s := end_s - time.monotonic()) > 0:
            waiting.wait(min(left_s, self._user.tick()))
        self._retry_now = False
        with suppress(queue.Empty):  # what was to be sent over the connection that has ended
            while True:
                self._calls.get_nowait()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.wake()

    # --- callbacks of the library ---

    def _on_connect(
        self, _client: object, _data: object, _flags: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        from openbalance_hid.mqtt.paho_client import largest_packet

        self._largest_bytes = largest_packet(properties)
        if reason.is_failure:
            self._error = broker_words.refusal(self.address, reason.value)
            return
        if self.state.trouble:
            log.info("%s: connected to %s", self._name, self.address.broker)
        self.state, self.error = LinkState(True, datetime.now(UTC)), None
        self._user.connected()

    def _on_message(self, _client: object, _data: object, message: MQTTMessage) -> None:
        from openbalance_hid.mqtt.paho_client import seconds_left

        self._user.received(Received(message.topic, bytes(message.payload), message.retain, seconds_left(message)))

    def _on_publish(self, _client: object, _data: object, mid: int, reason: ReasonCode, _: Properties) -> None:
        self._confirmed(mid, [reason])

    def _on_subscribe(self, _client: object, _data: object, mid: int, reasons: list[ReasonCode], _: Properties | None) -> None:
        self._confirmed(mid, reasons)

    def _on_disconnect(self, _client: object, _data: object, _flags: object, reason: ReasonCode, _: Properties | None) -> None:
        if self._error is None and reason.is_failure and reason.value != 0x80:
            self._error = broker_words.refusal(self.address, reason.value)

    def _confirmed(self, mid: int, reasons: list[ReasonCode]) -> None:
        action = self._actions.pop(mid, "")
        failed = next((reason for reason in reasons if reason.is_failure), None)
        if failed is not None:
            error = broker_words.refusal(self.address, failed.value, action)
            self._report(error, connected=True)
        elif self.state.trouble and action.startswith("to publish"):
            log.info("%s: %s accepts messages again", self._name, self.address.broker)
            self.state, self.error = LinkState(True, self.state.since), None

    def _report(self, error: OpenBalanceError, connected: bool = False) -> None:
        """Note the trouble; log it where it is another one than before."""
        words = mask_keys(error.message)
        if words != self.state.trouble:
            helps = f" – try: {error.hint}" if error.hint else ""
            log.log(self._level, "%s: %s%s", self._name, words, helps)
        since = self.state.since if self.state.connected is connected else datetime.now(UTC)
        self.error = error
        self.state = LinkState(connected, since, words, error.hint)


def _exchange(client: BoundedClient, connection: SocketLike, waiting: LinkWait, wait_s: float) -> None:
    """Wait up to `wait_s`, then read and write what can be."""
    reads, writes = waiting.wait(wait_s, cast(socket.socket, connection), client.want_write())
    if reads:
        client.loop_read()
        while client.socket() is connection and isinstance(connection, ssl.SSLSocket) and connection.pending():
            client.loop_read()  # read from the network already, so that no wait reports it
    if writes and client.socket() is not None:
        client.loop_write()


def _close(client: BoundedClient) -> None:
    connection = client.socket()
    if connection is not None:
        with suppress(OSError):
            connection.close()
