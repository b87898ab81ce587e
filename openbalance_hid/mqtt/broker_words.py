"""What went wrong with a broker, in words: from exceptions of sockets and TLS, and from reason codes of MQTT 5. Pure."""

from __future__ import annotations

import errno
import socket
import ssl

from openbalance_hid.errors import BrokerError, BrokerRefusedError
from openbalance_hid.hints import SETUP_BROKER, clock_hint, hint
from openbalance_hid.mqtt.broker_address import BrokerAddress

CONFIG_EDIT = hint("the settings of a broker do not work")
_EXPIRED, _NOT_YET_VALID = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID of OpenSSL
_NO_NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}

# Reason codes of CONNACK, PUBACK, SUBACK and DISCONNECT (MQTT 5.0, 2.4).
_BAD_LOGIN, _NOT_AUTHORIZED = 0x86, 0x87
_REASONS = {
    0x81: "has received a message that it cannot read",
    0x82: "refuses a message: it may be too large for it",
    0x83: "refuses a message",
    0x84: "does not speak MQTT 5",
    0x85: "refuses the client's name",
    _BAD_LOGIN: "refuses user or password",
    _NOT_AUTHORIZED: "does not permit it",
    0x88: "is not available",
    0x89: "is busy",
    0x8A: "has banned this client",
    0x8B: "is shutting down",
    0x8D: "received nothing for too long",
    0x8E: "has given the connection to another client",
    0x8F: "does not accept the topic",
    0x90: "does not accept the topic",
    0x93: "has too many messages to confirm",
    0x95: "does not accept a message of this size",
    0x96: "receives too many messages",
    0x97: "is full: its quota is exceeded",
    0x99: "does not accept the message",
    0x9A: "keeps no messages: retained ones are switched off",
    0x9B: "does not support QoS 1",
    0x9F: "accepts no more connections now",
}


def missing_library() -> BrokerError:
    """Return the error where the extra is not installed."""
    return BrokerRefusedError(
        "MQTT needs the package paho-mqtt, which is not installed", hint("the package for brokers is not installed")
    )


def connection_error(address: BrokerAddress, error: OSError) -> BrokerError:
    """Return the error for an exception of the connection."""
    name = address.broker
    match error:
        case ssl.SSLCertVerificationError():
            return _certificate_error(name, error)
        case ssl.SSLError():
            reason = (error.reason or "").replace("_", " ").lower()
            return BrokerRefusedError(f"no TLS with {name}: {reason or 'the connection was closed'}", CONFIG_EDIT)
        case socket.gaierror():
            return BrokerError(f"{name} is not found: there is no address for this name", hint("a broker is not found"))
        case TimeoutError():
            return BrokerError(f"{name} does not answer")
        case ConnectionRefusedError():
            return BrokerError(f"{name} refuses connections: no broker is running there")
        case FileNotFoundError() | PermissionError() | IsADirectoryError():
            return BrokerRefusedError(f"the certificates in ca_file cannot be read: {_reason(error)}", CONFIG_EDIT)
    if error.errno in _NO_NETWORK:
        return BrokerError(f"{name} cannot be reached: {_reason(error)}")
    return BrokerError(f"{name} closed the connection: {_reason(error)}")


def refusal(address: BrokerAddress, code: int, action: str = "") -> BrokerError:
    """Return the error for a reason code. `action`: what was refused, as "to publish to openbalance/team"."""
    words = f"{address.broker} {_REASONS.get(code, f'refuses: code 0x{code:02x} of MQTT 5')}"
    if code == _NOT_AUTHORIZED:  # Mosquitto reports a wrong password so, too
        words = f"{address.broker} " + (f"does not permit this user {action}" if action else "refuses this user or password")
    if code in (_BAD_LOGIN, _NOT_AUTHORIZED):
        return BrokerRefusedError(words, f"{SETUP_BROKER} {address.broker}")
    return BrokerError(f"{words}, {action}" if action else words)


def oversized(address: BrokerAddress) -> BrokerError:
    """Return the error for a message that is larger than any may be."""
    return BrokerError(f"{address.broker} has sent a message that is too large: it was not read")


def unreadable(address: BrokerAddress) -> BrokerError:
    """Return the error for packets that are none of MQTT 5."""
    return BrokerError(f"{address.broker} sends what is no MQTT 5")


def too_large(address: BrokerAddress, topic: str, size: int, limit: int) -> BrokerError:
    """Return the error for a message of ours that the broker would not accept."""
    return BrokerError(f"{address.broker} accepts only packets of up to {limit} bytes, and {topic} needs {size}")


def lost_connection(address: BrokerAddress) -> BrokerError:
    """Return the error for a connection that has ended without a reason."""
    return BrokerError(f"{address.broker} has closed the connection")


def no_reply(address: BrokerAddress) -> BrokerError:
    """Return the error for a server that accepts the connection and answers nothing."""
    return BrokerError(f"{address.broker} does not answer as an MQTT broker")


def _certificate_error(name: str, error: ssl.SSLCertVerificationError) -> BrokerError:
    code = getattr(error, "verify_code", 0)
    if code == _EXPIRED:
        return BrokerRefusedError(f"the certificate of {name} has expired, or this machine's clock is wrong", clock_hint())
    if code == _NOT_YET_VALID:
        return BrokerRefusedError(f"the certificate of {name} is not valid yet: is this machine's clock right?", clock_hint())
    reason = getattr(error, "verify_message", "") or "not trusted"
    return BrokerRefusedError(f"the certificate of {name} is not trusted: {reason.rstrip('.').lower()}", CONFIG_EDIT)


def _reason(error: OSError) -> str:
    words = error.strerror or type(error).__name__
    return words[:1].lower() + words[1:]
