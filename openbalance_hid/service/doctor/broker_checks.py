"""Checks of the MQTT brokers that the configuration names: library, login, certificate, and the snapshot at each topic."""

from __future__ import annotations

from datetime import UTC, datetime

from openbalance_hid.desktop.broker_logins import StoredLogin, read_login
from openbalance_hid.errors import BrokerError, CredentialError, OpenBalanceError
from openbalance_hid.hints import SETUP_BROKER
from openbalance_hid.mqtt.broker_address import BrokerAddress
from openbalance_hid.mqtt.broker_probe import BrokerAnswer, probe_broker
from openbalance_hid.mqtt.snapshot_decoder import RefusedMessage
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.context import KEYRING_LIMIT_S, DoctorContext
from openbalance_hid.tiles.formatting import duration

CONNECT_LIMIT_S = 6.0
OLD_S = 3600.0


def check_brokers(context: DoctorContext) -> list[Check]:
    """Check the broker of `[publish]` and of each account with a source; nothing where none is configured."""
    try:
        config = context.config()
    except OpenBalanceError:  # `configuration` reports it
        return []
    checks = []
    if config.publish is not None:
        checks += _check(context, "publish", config.publish.address, config.publish.ca_file)
    for name, account in config.accounts.items():
        if account.source is not None:
            checks += _check(context, name, account.source.address, account.source.ca_file)
    return checks


def _check(context: DoctorContext, about: str, address: BrokerAddress, ca_file: str | None) -> list[Check]:
    try:
        stored = read_login(address.place, context.env, context.paths, KEYRING_LIMIT_S, may_prompt=False)
        answer = probe_broker(address, stored.login if stored is not None else None, ca_file, CONNECT_LIMIT_S)
    except (CredentialError, BrokerError) as error:
        return [failure("broker", error.message, error.hint, error.exit_code, about)]
    return assess_broker(about, address, stored, answer, datetime.now(UTC))


def assess_broker(
    about: str, address: BrokerAddress, stored: StoredLogin | None, answer: BrokerAnswer, now: datetime
) -> list[Check]:
    """Return whether the broker can be used, and for a source whether its topic has a snapshot that is not old."""
    who = f"as '{stored.login.user}', from {stored.place}" if stored is not None else "without a user"
    reached = f"{address.broker} answers in {answer.took_s:.1f} s {who}"
    if not address.topic:
        return [ok("broker", reached, about)]
    message = answer.message
    if message is None:
        words = f"{reached}, but has no snapshot at {address.topic}: nothing is published there, or this user may not read it"
        return [warning("broker", words, f"{SETUP_BROKER} {address.broker}", about)]
    if isinstance(message, RefusedMessage):
        return [warning("broker", f"{address.topic}: {message.words}", "", about)]
    seconds = max(0.0, (now - message.sent_at).total_seconds())
    found = f"{reached}; the snapshot at {address.topic} is {duration(seconds)} old"
    is_old = seconds > max(OLD_S, 4 * message.interval_s)
    return [warning("broker", f"{found}: is the publisher running?", "", about) if is_old else ok("broker", found, about)]
