"""The client of the paho library with our limits: MQTT 5, TLS, and no packet that is larger than a message may be.

Imported when a broker is configured, on the thread of its connection. Everything that needs paho's types is here.
"""

from __future__ import annotations

import errno
import ssl
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from openbalance_hid.file_safety import check_certificates
from openbalance_hid.mqtt.broker_address import BrokerAddress
from openbalance_hid.mqtt.snapshot_schema import LARGEST_MESSAGE_BYTES
from openbalance_hid.secret import BrokerLogin

LARGEST_PACKET_BYTES = LARGEST_MESSAGE_BYTES + 4096  # with topic and properties
KEEPALIVE_S = 60
CONNECT_LIMIT_S = 8.0


class BoundedClient(Client):
    """Closes the connection at the head of a packet that is too large, so that it is never held in memory.

    A broker that keeps to MQTT 5 drops such messages by itself: CONNECT names the limit.
    """

    has_refused_packet = False

    def _sock_recv(self, bufsize: int) -> bytes:  # the library has no public limit; a test sends such a packet
        if bufsize > LARGEST_PACKET_BYTES:
            self.has_refused_packet = True
            raise OSError(errno.EMSGSIZE, "a message is too large")
        return super()._sock_recv(bufsize)


class _ClosedWhenRefused(ssl.SSLSocket):
    """Closes itself when the handshake fails: the library leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def new_client(
    identity: str, address: BrokerAddress, login: BrokerLogin | None, ca_file: str | None, will: tuple[str, bytes] | None
) -> BoundedClient:
    """Return a client that is not connected yet. OSError for a CA file that cannot be read. `will`: topic and payload."""
    client = BoundedClient(
        CallbackAPIVersion.VERSION2, identity, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
    )
    client.connect_timeout = CONNECT_LIMIT_S
    client.suppress_exceptions = False
    if address.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name; ignores SSLKEYLOGFILE
        if ca_file is None:
            context.load_default_certs()
        else:
            check_certificates(Path(ca_file))
            context.load_verify_locations(ca_file)
        context.sslsocket_class = _ClosedWhenRefused
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        client.tls_set_context(context)
    if login is not None:
        client.username_pw_set(login.user, login.reveal())
    if will is not None:
        client.will_set(will[0], will[1], qos=1, retain=True)
    return client


def connect(client: BoundedClient, address: BrokerAddress) -> None:
    """Open the connection and send CONNECT. Raises OSError, or ssl.SSLError which is one."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = LARGEST_PACKET_BYTES
    properties.SessionExpiryInterval = 0
    client.connect(address.host, address.port, KEEPALIVE_S, clean_start=True, properties=properties)


def expiring(seconds: int) -> Properties:
    """Return the properties of a message that the broker drops after so long; until then it reports the age."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = seconds
    return properties


def largest_packet(properties: Properties | None) -> int | None:
    """Return the bytes of the largest packet that the broker accepts, as its CONNACK reports; None: no limit."""
    found = getattr(properties, "MaximumPacketSize", None)
    return found if isinstance(found, int) else None


def seconds_left(message: MQTTMessage) -> int | None:
    """Return the seconds until the broker drops a message, as it reports them; None if it does not."""
    left = getattr(message.properties, "MessageExpiryInterval", None)
    return left if isinstance(left, int) else None


def subscription(is_own_ignored: bool) -> SubscribeOptions:
    """Return QoS 1. `is_own_ignored`: the client does not receive what it publishes itself."""
    return SubscribeOptions(qos=1, noLocal=is_own_ignored)
