"""`setup`: read a Management key, check it with OpenRouter, store it, and offer what else is missing.

On a terminal it is a conversation; with `--stdin` or in a pipe it asks nothing. How keys are stored is in
`desktop.credentials`, the steps after the key are in `setup_steps`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

import click

from openbalance_hid.account.snapshot import Credits
from openbalance_hid.cli.params import AccountParam, ChoiceParam
from openbalance_hid.cli.questions import confirm, discard_typed, hidden_typing
from openbalance_hid.cli.setup_broker import set_up_broker
from openbalance_hid.cli.setup_steps import missing_steps, offer, refresh_daemon
from openbalance_hid.cli.terminal import is_interactive, sentence
from openbalance_hid.config.old_state import move_old_state
from openbalance_hid.config.paths import Paths, paths
from openbalance_hid.desktop import credentials
from openbalance_hid.desktop.credentials import UNLOCK_LIMIT_S, KeyStore, StoredKey
from openbalance_hid.desktop.keyring_backend import DEFAULT_ACCOUNT, KeyringError, setup_command
from openbalance_hid.desktop.process_hardening import guard_memory
from openbalance_hid.errors import (
    ApiError,
    ConfigError,
    CredentialError,
    ForbiddenError,
    KeyRejectedError,
    NotManagementKeyError,
    OfflineError,
    RateLimitedError,
    ServerError,
    UsageError,
)
from openbalance_hid.hints import RUN, SERVICE_INSTALL, STATUS, hint
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, checked_base_url
from openbalance_hid.secret import Secret, checked_key
from openbalance_hid.tiles.formatting import cents

CREATE_AT = "https://openrouter.ai/settings/management-keys"
INTERRUPTED = 130  # 128 + SIGINT, as in a shell


@click.command(short_help="Store a Management key, and set up the rest.")
@click.option(
    "--account",
    type=AccountParam(),
    default=DEFAULT_ACCOUNT,
    show_default=True,
    help="Account that the key belongs to.",
)
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the key as one line from standard input; ask nothing.")
@click.option(
    "--store",
    type=ChoiceParam([store.value for store in KeyStore]),
    default="keyring",
    show_default=True,
    help="Where to store the key.",
)
@click.option("--no-check", is_flag=True, help="Store the key without checking it with OpenRouter.")
@click.option(
    "--yes", is_flag=True, help="Answer every question with yes, also those about configuration, udev rule and service."
)
@click.option("--broker", metavar="ADDRESS", help="Store user and password of this MQTT broker instead, as mqtts://HOST:PORT.")
@click.option("--forget", is_flag=True, help="With --broker: remove its stored user and password.")
def setup(account: str, from_stdin: bool, store: str, no_check: bool, yes: bool, broker: str | None, forget: bool) -> int:
    """Enter a Management key, check it with OpenRouter, store it, and set up what else is missing.

    On a terminal it explains each step and asks before it does anything.
    """
    guard_memory()
    move_old_state(os.environ)
    places = paths(os.environ)
    if broker is not None:
        return set_up_broker(broker, KeyStore(store), places, from_stdin, no_check, forget)
    if forget:
        raise UsageError(
            "--forget is for a broker; a key is removed by another command", hint("a key is removed by another command")
        )
    base_url = checked_base_url(os.environ.get("OPENBALANCE_API_URL") or OPENROUTER_URL)
    job = _Setup(account, KeyStore(store), places, base_url, no_check, yes)
    if from_stdin or not is_interactive():
        job.run_without_questions(from_stdin)
        return 0
    try:
        with hidden_typing():  # a key that is pasted too early, while nothing reads it, is not shown either
            job.run()
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"\nStopped. {job.state}\nTo go on: {job.again}")
        return INTERRUPTED
    return 0


class _Setup:
    """One run. `state`: what is stored so far, for a user who stops."""

    def __init__(self, account: str, store: KeyStore, places: Paths, base_url: str, no_check: bool, yes: bool) -> None:
        self._account = account
        self._store = store
        self._places = places
        self._base_url = base_url
        self._no_check = no_check
        self._yes = yes
        self.state = "No key was stored, and nothing was changed."

    @property
    def again(self) -> str:
        """The command that repeats this one."""
        return setup_command(self._account) + (f" --store {self._store.value}" if self._store is not KeyStore.KEYRING else "")

    def run_without_questions(self, from_stdin: bool) -> None:
        """Read one line, check it and store it. The first failure is raised."""
        # First: a store that does not work is reported before the user enters a key.
        credentials.check_store(self._account, self._store, self._places, UNLOCK_LIMIT_S)
        if not from_stdin:
            raise UsageError("cannot ask for the key: standard input is not a terminal", f"{self.again} --stdin")
        secret = _from_stdin(self.again)
        checked = None if self._no_check else check_key(secret, self._base_url, self.again, _ca_file(self._places))
        self._store_key(secret, checked)
        steps = missing_steps(self._places) if self._yes else ()
        done = [step.command for step in steps if offer(step, lambda _: True, has_terminal=False)]
        for line in _next_steps(self._account, os.environ, running=refresh_daemon(self._account, self._places), done=done):
            click.echo(line)

    def run(self) -> None:
        """Ask for a key until one is stored, then offer what is missing, one question each."""
        if self._wants_key():
            self._explain()
            self._choose_store()
            self._ask_for_key()
        refreshed = refresh_daemon(self._account, self._places)
        done = [step.command for step in missing_steps(self._places) if offer(step, self._confirm)]
        for line in _next_steps(self._account, os.environ, running=refreshed, done=done):
            click.echo(line)

    def _confirm(self, question: str, default: bool = True) -> bool:
        if self._yes:
            click.echo(f"{question} yes")
            return True
        return confirm(question, default)

    def _wants_key(self) -> bool:
        """Return whether a key has to be entered: without a stored one always, else if the user wants another one."""
        try:
            stored = credentials.read_key(self._account, os.environ, self._places, UNLOCK_LIMIT_S)
        except CredentialError:
            return True
        click.echo(f"Account '{self._account}' has the key {stored.secret}, from {stored.place}.")
        self.state = "The key is stored; nothing else was changed."
        return not self._yes and confirm("Enter another one?", default=False)

    def _explain(self) -> None:
        click.echo(
            "This program reads your balance and spend with a Management key. That is not a key that your programs use:\n"
            "it can create and delete keys. It stays on this machine, and is sent to https://openrouter.ai only.\n"
            f"Create one at {CREATE_AT}"
        )
        if self._confirm("Open this page in the browser?"):
            from openbalance_hid.desktop.open_url import open_url

            open_url(CREATE_AT, lambda: click.echo("\n(the page cannot be opened here: open the address yourself)"))

    def _choose_store(self) -> None:
        """Check the store before the key is entered; offer the private file where no keyring works."""
        try:
            credentials.check_store(self._account, self._store, self._places, UNLOCK_LIMIT_S)
        except KeyringError as error:
            click.echo(f"The keyring cannot store the key: {error.message}.")
            if not self._confirm("Store it in a file that only you can read instead (mode 0600)?"):
                raise
            self._store = KeyStore.FILE
            credentials.check_store(self._account, self._store, self._places, UNLOCK_LIMIT_S)

    def _ask_for_key(self) -> None:
        while True:
            discard_typed()
            entered = click.prompt("Management key (not shown)", hide_input=True)
            try:
                secret = checked_key(entered, "the entered text", self.again)
                checked = self._checked(secret)
            except (CredentialError, KeyRejectedError, ForbiddenError, NotManagementKeyError) as error:
                click.echo(f"{sentence(error)} Enter another one, or stop with Ctrl-C.")
            else:
                self._store_key(secret, checked)
                return

    def _checked(self, secret: Secret) -> Credits | None:
        """Return the account's credits; None if the user stores a key that could not be checked."""
        while not self._no_check:
            click.echo("checking the key with OpenRouter…")
            try:
                return check_key(secret, self._base_url, self.again, _ca_file(self._places))
            except (OfflineError, RateLimitedError, ServerError) as error:
                click.echo(sentence(error))
                if not confirm("Try again?"):
                    if not confirm("Store the key without a check?", default=False):
                        raise
                    break
        return None

    def _store_key(self, secret: Secret, checked: Credits | None) -> None:
        before = credentials.stored_places(self._account, self._places)
        stored = credentials.store_key(self._account, secret, self._store, self._places, UNLOCK_LIMIT_S)
        after = credentials.stored_places(self._account, self._places)
        self.state = f"The key is stored in {stored.place}, which works without the rest."
        click.echo(_report(self._account, stored, checked))
        for place in sorted(before - after):
            click.echo(f"moved: {place} no longer has a key of '{self._account}'")
        for place in sorted(after - {stored.place}):
            click.echo(f"note: an older key of '{self._account}' is still in {place}")


def _ca_file(places: Paths) -> str | None:
    from openbalance_hid.config.load import load_config

    try:
        return load_config(places.config_file).ca_file
    except ConfigError:  # `config check` lists its problems; they do not concern the key
        return None


def check_key(secret: Secret, base_url: str, again: str, ca_file: str | None = None) -> Credits:
    """Return the account's credits if this is a working Management key; else raise the error that names the problem.

    `again`: the command for another attempt.
    """
    from openbalance_hid.openrouter.client import Client

    another = f"create a Management key at {CREATE_AT}, then: {again}"
    try:
        with Client(secret, base_url, ca_file=ca_file) as client:
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
    return type(error)(f"the key could not be checked and was not stored: {error.message}", error.hint or f"{again} --no-check")


def _from_stdin(again: str) -> Secret:
    # Bytes: input that is not UTF-8 must give the same error.
    line = b""
    while sys.stdin is not None and (read := sys.stdin.buffer.readline(4096)):  # None: closed by the caller
        line = read
        if line.strip():
            break
    return checked_key(line.decode("utf-8", "replace"), "the line on standard input", f"{again} --stdin")


def _report(account: str, stored: StoredKey, checked: Credits | None) -> str:
    place = "the keyring" if stored.where == KeyStore.KEYRING.value else stored.place
    balance = "not checked" if checked is None else f"balance {cents(checked.balance_usd)}"
    return f"stored in {place} as '{account}': {stored.secret}, {balance}"


def _next_steps(account: str, env: Mapping[str, str], running: bool, done: Sequence[str] = ()) -> list[str]:
    """Return notes, and what the user does next. `running`: a daemon uses the key; `done`: commands that setup has run."""
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
    elif SERVICE_INSTALL in done:
        steps.append(f"done: the tiles are on your Stream Deck as soon as it is plugged in; to see what runs: {STATUS}")
    else:
        steps.append(f"next: {SERVICE_INSTALL}; or, in the foreground: {RUN}")
    return steps
