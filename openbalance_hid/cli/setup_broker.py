"""`setup --broker`: enter user and password of an MQTT broker, try them, store them. The configuration has only the address."""

from __future__ import annotations

import sys

import click

from openbalance_hid.cli.questions import confirm, discard_typed
from openbalance_hid.cli.setup_steps import refresh_daemon
from openbalance_hid.cli.terminal import is_interactive, sentence
from openbalance_hid.config.paths import Paths
from openbalance_hid.desktop.broker_logins import delete_login, setup_broker_command, store_login
from openbalance_hid.desktop.credentials import UNLOCK_LIMIT_S, KeyStore
from openbalance_hid.desktop.keyring_backend import KeyringError
from openbalance_hid.errors import BrokerError, BrokerRefusedError, ConfigError, CredentialError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.mqtt.broker_address import BrokerAddress, parse_broker_address
from openbalance_hid.secret import BrokerLogin

CONNECT_LIMIT_S = 12.0
LONGEST_LINE = 4096


def set_up_broker(text: str, store: KeyStore, places: Paths, from_stdin: bool, no_check: bool, forget: bool) -> int:
    """Store or remove the login of the broker at this address; return the exit code."""
    parsed = parse_broker_address(text)
    if isinstance(parsed, str):
        raise UsageError(f"--broker has {parsed}", hint("the address of a broker is malformed"))
    address = BrokerAddress(parsed.host, parsed.port, parsed.tls)
    if forget:
        removed = delete_login(address.place, places, UNLOCK_LIMIT_S)
        click.echo(f"removed from {' and '.join(removed)}" if removed else f"nothing is stored for {address.broker}")
        return 0
    if from_stdin:
        login = _from_stdin(address)
        _check(address, login, places, no_check)
    elif is_interactive():
        login = _ask(address, places, no_check)
    else:
        raise UsageError(
            "cannot ask for user and password: standard input is not a terminal",
            f"{setup_broker_command(address.place)} --stdin",
        )
    place = _store(address, login, store, places, may_ask=not from_stdin)
    click.echo(f"stored in {place} for {address.broker}: user '{login.user}'{', not checked' if no_check else ''}")
    if refresh_daemon(None, places):
        click.echo("the running daemon connects with it now")
    return 0


def _ask(address: BrokerAddress, places: Paths, no_check: bool) -> BrokerLogin:
    click.echo(f"User and password of {address.broker}. A desk needs a user that may read, not the one that publishes.")
    while True:
        discard_typed()
        user = click.prompt("User")
        password = click.prompt("Password (not shown)", hide_input=True)
        try:
            login = BrokerLogin(user.strip(), password)
            _check(address, login, places, no_check)
        except (CredentialError, BrokerRefusedError) as error:
            click.echo(f"{sentence(error)} Enter others, or stop with Ctrl-C.")
        except BrokerError as error:
            click.echo(sentence(error))
            if confirm("Store them without a check?", default=False):
                return login
            raise
        else:
            return login


def _check(address: BrokerAddress, login: BrokerLogin, places: Paths, no_check: bool) -> None:
    from openbalance_hid.mqtt.broker_probe import probe_broker

    if no_check:
        return
    try:
        probe_broker(address, login, _ca_file(address, places), CONNECT_LIMIT_S)
    except BrokerRefusedError:
        raise
    except BrokerError as error:
        command = error.hint or f"{setup_broker_command(address.place)} --no-check"
        raise BrokerError(f"{error.message}; nothing was stored", command) from error


def _store(address: BrokerAddress, login: BrokerLogin, store: KeyStore, places: Paths, may_ask: bool) -> str:
    try:
        return store_login(address.place, login, store, places, UNLOCK_LIMIT_S)
    except CredentialError as error:
        if store is KeyStore.FILE or not may_ask:
            raise
        what = "keyring" if isinstance(error, KeyringError) else "store"
        click.echo(f"The {what} cannot be used: {error.message}.")
        if not confirm("Store them in a file that only you can read instead (mode 0600)?"):
            raise
        return store_login(address.place, login, KeyStore.FILE, places, UNLOCK_LIMIT_S)


def _from_stdin(address: BrokerAddress) -> BrokerLogin:
    stream = sys.stdin.buffer if sys.stdin is not None else None
    lines = [stream.readline(LONGEST_LINE).decode("utf-8", "replace").rstrip("\r\n") for _ in range(2)] if stream else ["", ""]
    if not all(lines):
        raise UsageError(
            "standard input needs two lines: the user, and the password", f"{setup_broker_command(address.place)} --stdin"
        )
    return BrokerLogin(lines[0].strip(), lines[1])


def _ca_file(address: BrokerAddress, places: Paths) -> str | None:
    """Return the certificates that the configuration has for this broker."""
    from openbalance_hid.config.load import load_config

    try:
        config = load_config(places.config_file)
    except ConfigError:  # `config check` lists its problems; they do not concern the login
        return None
    brokers = [config.publish, *(account.source for account in config.accounts.values())]
    return next((each.ca_file for each in brokers if each is not None and each.address.place == address.place), None)
