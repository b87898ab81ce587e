"""`setup`: read a Management key, check it with OpenRouter, store it. How keys are stored is in `desktop.credentials`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from openbalance_hid.account.snapshot import Credits
from openbalance_hid.cli.params import AccountParam, ChoiceParam
from openbalance_hid.config.paths import Paths, paths
from openbalance_hid.desktop import credentials
from openbalance_hid.desktop.credentials import KeyStore, StoredKey
from openbalance_hid.desktop.keyring_backend import DEFAULT_ACCOUNT, setup_command
from openbalance_hid.desktop.process_hardening import guard_memory
from openbalance_hid.errors import (
    ApiError,
    ForbiddenError,
    KeyRejectedError,
    NotManagementKeyError,
    OfflineError,
    OpenBalanceError,
    RateLimitedError,
    ServerError,
    UsageError,
)
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, checked_base_url
from openbalance_hid.secret import Secret, checked_key
from openbalance_hid.tiles.formatting import cents

CREATE_AT = "https://openrouter.ai/settings/management-keys"
UNLOCK_LIMIT_S = 60.0  # the user may have to find and type the keyring's password


@click.command(short_help="Store a Management key.")
@click.option(
    "--account",
    type=AccountParam(),
    default=DEFAULT_ACCOUNT,
    show_default=True,
    help="Account that the key belongs to.",
)
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the key as one line from standard input.")
@click.option(
    "--store",
    type=ChoiceParam([store.value for store in KeyStore]),
    default="keyring",
    show_default=True,
    help="Where to store the key.",
)
@click.option("--no-check", is_flag=True, help="Store the key without checking it with OpenRouter.")
def setup(account: str, from_stdin: bool, store: str, no_check: bool) -> None:
    """Enter a Management key, check it with OpenRouter, and store it."""
    guard_memory()
    places = paths(os.environ)
    base_url = checked_base_url(os.environ.get("OPENBALANCE_API_URL") or OPENROUTER_URL)
    again = setup_command(account) + (f" --store {store}" if store != KeyStore.KEYRING.value else "")
    # First: a store that does not work is reported before the user enters a key.
    credentials.check_store(account, KeyStore(store), places, UNLOCK_LIMIT_S)
    secret = _from_stdin(again) if from_stdin else _typed(again)
    checked = None if no_check else check_key(secret, base_url, again)
    stored = credentials.store_key(account, secret, KeyStore(store), places, UNLOCK_LIMIT_S)
    click.echo(_report(account, stored, checked))
    for line in _next_steps(account, os.environ, running=_refresh_daemon(account, places)):
        click.echo(line)


def check_key(secret: Secret, base_url: str, again: str) -> Credits:
    """Return the account's credits if this is a working Management key; else raise the error that names the problem.

    `again`: the command for another attempt.
    """
    from openbalance_hid.openrouter.client import Client

    another = f"create a Management key at {CREATE_AT}, then: {again}"
    try:
        with Client(secret, base_url) as client:
            if client.key_info().is_management_key is False:
                raise NotManagementKeyError("this is an inference key, not a Management key", another)
            return client.credits()
    except KeyRejectedError as error:
        raise KeyRejectedError(f"OpenRouter rejected this key: {error.message}", another) from error
    except ForbiddenError as error:
        raise ForbiddenError(f"OpenRouter does not allow this key to read the balance: {error.message}", another) from error
    except (OfflineError, RateLimitedError, ServerError) as error:
        raise _unchecked(error, again) from error


def _unchecked(error: ApiError, again: str) -> ApiError:
    return type(error)(f"the key could not be checked and was not stored: {error.message}", f"{again} --no-check")


def _from_stdin(again: str) -> Secret:
    # Bytes: a key is ASCII, and any other input must give the same error.
    line = sys.stdin.buffer.readline(4096) if sys.stdin is not None else b""  # None: closed by the caller
    return checked_key(line.decode("ascii", "replace"), "the line on standard input", f"{again} --stdin")


def _typed(again: str) -> Secret:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("cannot ask for the key: standard input is not a terminal", f"{again} --stdin")
    click.echo(f"Create a Management key at {CREATE_AT}", err=True)
    return checked_key(click.prompt("Management key (not shown)", hide_input=True, err=True), "the entered text", again)


def _report(account: str, stored: StoredKey, checked: Credits | None) -> str:
    place = "the keyring" if stored.where == KeyStore.KEYRING.value else stored.place
    balance = "not checked" if checked is None else f"balance {cents(checked.balance_usd)}"
    return f"stored in {place} as '{account}': {stored.secret}, {balance}"


def _refresh_daemon(account: str, places: Paths) -> bool:
    """Make a running daemon poll with the new key now, not at its next poll; return whether one did."""
    from openbalance_hid.ipc.control_client import request

    try:
        request(places.socket_file, "refresh", {"account": account}, timeout_s=2.0)
    except OpenBalanceError:  # no daemon, or it does not show this account
        return False
    return True


def _next_steps(account: str, env: Mapping[str, str], running: bool) -> list[str]:
    steps = []
    before = credentials.overriding_source(account, env)
    if before is not None:
        steps.append(f"note: {before} is used before the stored key")
    if os.geteuid() == 0 and env.get("SUDO_USER"):
        steps.append(f"note: this is root's key, which the daemon of {env['SUDO_USER']} cannot read")
    if running:
        steps.append("the running daemon uses the key now")
    elif account != DEFAULT_ACCOUNT:
        steps.append(f'next: [accounts.{account}] in config.toml, and account = "{account}" on the tiles that show it')
    else:
        steps.append("next: openbalance-hid service install; or, in the foreground: openbalance-hid run")
    return steps
