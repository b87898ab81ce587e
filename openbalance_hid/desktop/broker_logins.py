"""Finds, stores and removes the user and password of an MQTT broker: service manager, private file, keyring, in this order.

They are never in the configuration. An entry of a store belongs to one broker, by its host and port; the credential of a
service belongs to every broker of that service. A broker without an entry is used without a user.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from openbalance_hid.desktop import keyring_backend, private_files
from openbalance_hid.desktop.credentials import TIMEOUT_S, KeyStore
from openbalance_hid.desktop.key_cache import KeyCache
from openbalance_hid.desktop.key_locations import read_names, write_names
from openbalance_hid.desktop.keyring_backend import KeyringError, LockedKeyringError, NoKeyringError
from openbalance_hid.desktop.private_files import KeyPaths
from openbalance_hid.desktop.process_hardening import CREDENTIALS_VARIABLE
from openbalance_hid.errors import CredentialError
from openbalance_hid.hints import SETUP, hint
from openbalance_hid.secret import BrokerLogin

CREDENTIAL = "openbalance-broker"
_KEYRING = "the keyring"  # a place, in words
NAMES_FILE = "brokers.json"  # of the brokers with an entry in the keyring


class StoredLogin(Struct, frozen=True):
    """A login and its source in words."""

    login: BrokerLogin
    place: str


class BrokerLogins:
    """Reads the login of a broker at each connection, so that a new one is found. Thread-safe. `broker`: as "host:port".

    On macOS one of the Keychain is read once, and again after `forget`.
    """

    def __init__(
        self, env: Mapping[str, str], paths: KeyPaths, read_entry: keyring_backend.ReadEntry = keyring_backend.read_entry
    ) -> None:
        """`read_entry`: see `keyring_backend.get_password`."""
        self._env = env
        self._paths = paths
        self._read_entry = read_entry
        self._lock = threading.Lock()
        self._locked = False  # the user is prompted once for the keyring's password
        self._kept = KeyCache(
            lambda broker, timeout_s: read_login(broker, env, paths, timeout_s),
            lambda found: found is not None and found.place == _KEYRING,
        )

    def read(self, broker: str) -> BrokerLogin | None:
        """Return the login; None without one. CredentialError for one that cannot be read."""
        if sys.platform == "darwin":
            kept = self._kept.entry(broker)
            return None if kept is None else kept.login
        with self._lock:
            try:
                found = read_login(broker, self._env, self._paths, TIMEOUT_S, not self._locked, self._read_entry)
            except LockedKeyringError:
                self._locked = True
                raise
            self._locked = False
            return None if found is None else found.login

    def forget(self) -> None:
        """Read each login anew at its next connection, also on macOS."""
        self._kept.forget()


def read_login(
    broker: str,
    env: Mapping[str, str],
    paths: KeyPaths,
    timeout_s: float = TIMEOUT_S,
    may_prompt: bool = True,
    read_entry: keyring_backend.ReadEntry = keyring_backend.read_entry,
) -> StoredLogin | None:
    """Return the login of a broker and where it is; None without one. CredentialError for one that cannot be read."""
    directory = env.get(CREDENTIALS_VARIABLE, "")
    credential = Path(directory) / CREDENTIAL if directory else None
    text = private_files.read_credential(credential) if credential is not None else None
    if text is not None:
        return StoredLogin(_parsed(text, f"systemd credential {credential}", broker), f"systemd credential {credential}")
    file = _file(broker, paths)
    text = private_files.read_private(file)
    if text is not None:
        return StoredLogin(_parsed(text, str(file), broker), str(file))
    if broker not in read_names(paths, NAMES_FILE):
        return None
    try:
        text = keyring_backend.get_password(_entry(broker), timeout_s, may_prompt, read_entry)
    except KeyringError as error:
        error.hint = setup_broker_command(broker)  # not the one for a key
        raise
    return None if text is None else StoredLogin(_parsed(text, _KEYRING, broker), _KEYRING)


def store_login(broker: str, login: BrokerLogin, store: KeyStore, paths: KeyPaths, timeout_s: float = TIMEOUT_S) -> str:
    """Store the login, and remove it from the other store. Return where it is, in words. CredentialError on failure."""
    text = f"{login.user}\n{login.reveal()}\n"
    if store is KeyStore.FILE:
        private_files.private_dir(paths, _file(broker, paths).parent)
        private_files.write_private(_file(broker, paths), text)
        return str(_file(broker, paths))
    try:
        keyring_backend.set_password(_entry(broker), text, timeout_s)
    except NoKeyringError as error:
        raise CredentialError(error.message, f"{setup_broker_command(broker)} --store file") from error
    except KeyringError as error:
        if error.hint.startswith(SETUP):  # of a key
            error.hint = f"{setup_broker_command(broker)} --store file"
        raise
    write_names(paths, NAMES_FILE, read_names(paths, NAMES_FILE) | {broker})
    private_files.remove(_file(broker, paths))
    return _KEYRING


def delete_login(broker: str, paths: KeyPaths, timeout_s: float = TIMEOUT_S) -> tuple[str, ...]:
    """Remove the login from every store. Return the stores, in words; none without a login."""
    file = _file(broker, paths)
    removed = [str(file)] if private_files.remove(file) else []
    names = read_names(paths, NAMES_FILE)
    if broker in names:
        if keyring_backend.delete_password(_entry(broker), timeout_s):
            removed.append("the keyring")
        write_names(paths, NAMES_FILE, names - {broker})
    return tuple(removed)


def setup_broker_command(broker: str) -> str:
    """Return the command that stores a login of this broker."""
    return hint("the login of a broker is missing or refused", address=f"mqtts://{broker}")


def _parsed(text: str, place: str, broker: str) -> BrokerLogin:
    """Return the login of two lines, or of `user:password`."""
    lines = text.strip("\r\n").splitlines()
    user, separator, password = (
        lines[0].partition(":") if len(lines) == 1 else (lines[0], "\n", lines[1]) if lines else ("",) * 3
    )
    if not separator or len(lines) > 2:
        raise CredentialError(f"{place} is no login: a line with the user, and one with the password",
                              setup_broker_command(broker))  # fmt: skip
    return BrokerLogin(user.strip(), password.strip("\r\n"))


def _entry(broker: str) -> str:
    return f"broker {broker}"


def _file(broker: str, paths: KeyPaths) -> Path:
    name = "".join(char if char.isalnum() or char in ".-" else "_" for char in broker)
    return paths.state_dir / "brokers" / f"{name}.login"
