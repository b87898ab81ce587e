"""Addresses of MQTT brokers, and the topics of an account. Pure; the library is not imported.

An address has no user name and no password: those are stored by `setup --broker`.
"""

from __future__ import annotations

import re

from msgspec import Struct

from openbalance_hid.hints import SETUP_BROKER
from openbalance_hid.host_names import is_loopback, with_port

TLS_PORT, PLAIN_PORT = 8883, 1883
LONGEST_ADDRESS = 500
LONGEST_TOPIC = 200
DISCOVERY_PREFIX = "homeassistant"  # where Home Assistant looks, by default

# Matched as a whole: the library must not see another host than the one that was checked. A topic has no wildcard (+ and #),
# no space, and does not start with $, which brokers keep for themselves.
_ADDRESS = (  # compiled at its first use
    r"(?is)(?P<scheme>mqtts?)://(?P<host>[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<topic>/.*)?"
)
_TOPIC = r"[A-Za-z0-9_.~-]+(?:/[A-Za-z0-9_.~-]+)*"


class BrokerAddress(Struct, frozen=True):
    """A broker, and the topic of an account where the address names one."""

    host: str
    port: int
    tls: bool
    topic: str = ""

    @property
    def place(self) -> str:
        """Host and port."""
        return with_port(self.host, self.port)

    @property
    def broker(self) -> str:
        """The address without its topic, as a user writes it."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.place}"

    def __str__(self) -> str:
        return f"{self.broker}/{self.topic}" if self.topic else self.broker


class AccountTopics(Struct, frozen=True):
    """The topics of one account. `snapshot` is the one that an address names; the others are below it."""

    snapshot: str

    @property
    def availability(self) -> str:
        """Whether the publisher is running, retained: its last will publishes that it is not."""
        return f"{self.snapshot}/availability"

    @property
    def refresh(self) -> str:
        """Requests of desks to poll now."""
        return f"{self.snapshot}/refresh"

    @property
    def publishers(self) -> str:
        """What publishers of the same account report to each other."""
        return f"{self.snapshot}/publishers"


def parse_broker_address(text: str) -> BrokerAddress | str:
    """Return the address in `text`, or what is wrong with it, in words that never repeat a password."""
    if "@" in text:
        return f"an address with a user name or password: store them with {SETUP_BROKER} ADDRESS"
    match = re.fullmatch(_ADDRESS, text) if len(text) <= LONGEST_ADDRESS else None
    port = int(match["port"] or 0) if match is not None else 0
    if match is None or (match["port"] is not None and not 0 < port < 65536):
        return "no address of a broker"
    tls, host = match["scheme"].lower() == "mqtts", match["host"].lower().strip("[]")
    if not tls and not is_loopback(host):
        return "an address without TLS"
    topic = (match["topic"] or "").removeprefix("/")
    if topic and not is_topic(topic):
        return "an address with a topic that is not of letters, digits, -, _, . and /"
    return BrokerAddress(host, port or (TLS_PORT if tls else PLAIN_PORT), tls, topic)


def is_topic(text: str) -> bool:
    """Return whether `text` is a topic that this program publishes to or reads."""
    return len(text) <= LONGEST_TOPIC and re.fullmatch(_TOPIC, text) is not None
