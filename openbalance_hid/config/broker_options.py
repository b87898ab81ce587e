"""Read `[publish]`, and the `source` of an account: the brokers of a team's decks.

An address with a user name or password is refused, and no message repeats it: a configuration file is no place for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from openbalance_hid.mqtt.broker_address import BrokerAddress, is_topic, parse_broker_address
from openbalance_hid.tiles.options import Option

if TYPE_CHECKING:
    from openbalance_hid.config.diagnostics import Section  # which imports `schema`, which has these values

DEFAULT_TOPIC = "openbalance"
ACCEPTED_BROKER = "mqtts://HOST or mqtts://HOST:PORT (mqtt:// only for this machine)"
ACCEPTED_SOURCE = "mqtts://HOST:PORT/TOPIC/ACCOUNT (mqtt:// only for this machine)"

MQTT = Option("mqtt", "text", None, minimum=1, maximum=1000, help="address of the broker")
TOPIC = Option("topic", "text", DEFAULT_TOPIC, minimum=1, maximum=150, help="topic above those of the accounts")
HOME_ASSISTANT = Option("home_assistant", "bool", False, help="let Home Assistant discover the accounts")
CA_FILE = Option("ca_file", "text", None, minimum=1, help="root certificate of the broker, PEM; without: those of the system")
SOURCE = Option("source", "text", None, minimum=1, maximum=1000, help="show this account from a broker, without a key")
SOURCE_CA_FILE = Option("source_ca_file", "text", None, minimum=1, help="root certificate of that broker, PEM")


class PublishConfig(Struct, frozen=True):
    """Where the snapshots of the accounts are published. `ca_file`: root certificates in place of the system's."""

    mqtt: str
    topic: str = DEFAULT_TOPIC
    home_assistant: bool = False
    ca_file: str | None = None

    @property
    def address(self) -> BrokerAddress:
        """The checked address."""
        return _checked(self.mqtt)


class SourceConfig(Struct, frozen=True):
    """Where the snapshot of an account comes from, in place of a key."""

    url: str
    ca_file: str | None = None

    @property
    def address(self) -> BrokerAddress:
        """The checked address, with its topic."""
        return _checked(self.url)


def read_publish(section: Section) -> PublishConfig | None:
    """Return `[publish]`; None where it has a problem, which is added to the diagnostics."""
    found, topic = section.take(MQTT.name), section.value(TOPIC)
    home_assistant, ca_file = section.value(HOME_ASSISTANT), section.value(CA_FILE)
    section.close()
    if not is_topic(topic):
        section.diagnostics.reject((*section.path, TOPIC.name), topic, "letters, digits, -, _, . and / between them")
    if found is None:
        section.diagnostics.add_missing((*section.path, MQTT.name), ACCEPTED_BROKER)
        return None
    address = _address(section, MQTT.name, found, ACCEPTED_BROKER)
    if address is not None and address.topic:
        problem = f'found an address with a topic, accepted: {ACCEPTED_BROKER}, and topic = "…" below it'
        section.diagnostics.add((*section.path, MQTT.name), problem)
        return None
    return None if address is None else PublishConfig(address.broker, topic, home_assistant, ca_file)


def read_source(section: Section) -> SourceConfig | None:
    """Return the source of an account; None without one, or where it has a problem, which is added to the diagnostics."""
    found, ca_file = section.take(SOURCE.name), section.value(SOURCE_CA_FILE)
    if found is None:
        if ca_file is not None:
            problem = "found without source, accepted: only beside source"
            section.diagnostics.add((*section.path, SOURCE_CA_FILE.name), problem)
        return None
    address = _address(section, SOURCE.name, found, ACCEPTED_SOURCE)
    if address is not None and not address.topic:
        problem = f"found an address without a topic, accepted: {ACCEPTED_SOURCE}"
        section.diagnostics.add((*section.path, SOURCE.name), problem)
        return None
    return None if address is None else SourceConfig(str(address), ca_file)


def _address(section: Section, name: str, found: object, accepted: str) -> BrokerAddress | None:
    path = (*section.path, name)
    if not isinstance(found, str):
        section.diagnostics.reject(path, found, accepted)
        return None
    parsed = parse_broker_address(found)
    if isinstance(parsed, str):
        section.diagnostics.add(path, f"found {parsed}, accepted: {accepted}")  # never the address: it may have a password
        return None
    return parsed


def _checked(text: str) -> BrokerAddress:
    parsed = parse_broker_address(text)
    assert isinstance(parsed, BrokerAddress)  # noqa: S101  checked when the file was read
    return parsed
