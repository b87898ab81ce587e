"""Finds, stores and removes Management keys: environment, service manager, key file, keyring, in order of precedence.

Every function receives environment and paths as arguments. Nothing here calls OpenRouter. The names of an account's variable,
credential and file are in `key_locations`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from functools import partial

from msgspec import Struct

from openbalance_hid.desktop import keyring_backend, private_files
from openbalance_hid.desktop.key_locations import (
    check_name,
    credential_file,
    credential_name,
    key_file,
    known_names,
    names_in_keyring,
    variables,
    write_names_in_keyring,
)
from openbalance_hid.desktop.keyring_backend import NoKeyringError, NoKeyringYetError, ReadEntry, setup_command
from openbalance_hid.desktop.private_files import KeyPaths
from openbalance_hid.errors import CredentialError, NoKeyError, Retry
from openbalance_hid.hints import hint
from openbalance_hid.secret import Secret, checked_key

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0  # for a keyring that is unlocked; commands allow more time to type its password
UNLOCK_LIMIT_S = 60.0  # the user may have to find and type the keyring's password


class KeyStore(Enum):
    """Where `store_key` can put a key."""

    KEYRING = "keyring"
    FILE = "file"


class StoredKey(Struct, frozen=True):
    """A key and its source. `where`: environment, credential, file or keyring; `place`: the source in words."""

    secret: Secret
    where: str
    place: str


class AccountListing(Struct, frozen=True):
    """An account that has a key, or should have one. `trouble`: why the key cannot be read."""

    name: str
    where: str | None
    place: str | None
    last_four: str | None
    trouble: str | None = None


class KeySourceStatus(Enum):
    """Result of searching one place for a key."""

    USED = "used"
    EMPTY = "empty"  # has no key
    REFUSED = "refused"  # has a key that cannot be used, or does not answer: it must be fixed, and is never skipped
    OVERRULED = "overruled"  # has a key, but a place before it decides


class KeySource(Struct, frozen=True):
    """One place that may hold an account's key. `reason`: of its status, in words; `hint`: the command that fixes it."""

    where: str  # environment, credential, file or keyring
    place: str
    status: KeySourceStatus
    last_four: str | None = None
    reason: str = ""
    hint: str = ""


def read_key(
    account: str,
    env: Mapping[str, str],
    paths: KeyPaths,
    timeout_s: float = TIMEOUT_S,
    may_prompt: bool = True,
    read_entry: ReadEntry = keyring_backend.read_entry,
) -> StoredKey:
    """Return the account's key, from the first place that has one.

    NoKeyError without one. CredentialError when a place has a key that cannot be used, which is never skipped, or when the
    keyring does not answer within `timeout_s`. `may_prompt`: a locked keyring may show a password prompt. `read_entry`: see
    `keyring_backend.get_password`.
    """
    check_name(account)
    found = _in_environment(account, env) or _in_credential(account, env) or _in_file(account, paths)
    if found is not None:
        return found
    note, hint, retry = "", setup_command(account), Retry.USER
    try:
        found = _in_keyring(account, paths, timeout_s, may_prompt, read_entry)
    except NoKeyringError as error:
        note, hint, retry = f" ({error.message})", error.hint, error.retry
    if found is not None:
        return found
    missing = NoKeyError(f"no key is stored for account '{account}'{note}", hint)
    missing.retry = retry  # soon: a keyring may start after a daemon that starts with the desktop
    raise missing


def key_sources(
    account: str, env: Mapping[str, str], paths: KeyPaths, timeout_s: float = TIMEOUT_S, may_prompt: bool = True
) -> tuple[KeySource, ...]:
    """Return every place in order of precedence: which one is used, and why the others are not.

    Reads as `read_key` does, but all paths. CredentialError for an invalid account name only.
    """
    check_name(account)
    file = credential_file(account, env)
    locations = [
        _KeyLocation(
            "environment",
            f"environment variable {' or '.join(variables(account))}",
            "is not set",
            partial(_in_environment, account, env),
        ),
        _KeyLocation(
            "credential",
            f"systemd credential {file or credential_name(account)}",
            "does not exist",
            partial(_in_credential, account, env),
        ),
        _KeyLocation("file", f"key file {key_file(account, paths)}", "does not exist", partial(_in_file, account, paths)),
        _KeyLocation("keyring", "the keyring", "has no key", partial(_in_keyring, account, paths, timeout_s, may_prompt)),
    ]
    if sys.platform == "darwin":  # launchd passes none
        locations = [each for each in locations if each.where != "credential"]
    sources: list[KeySource] = []
    for location in locations:
        decided = next((each for each in sources if each.status is not KeySourceStatus.EMPTY), None)
        sources.append(_source(location, decided))
    return tuple(sources)


def overriding_source(account: str, env: Mapping[str, str]) -> str | None:
    """Return the environment variable or systemd credential, in words, that overrides a stored key; None without."""
    variable = next((name for name in variables(account) if env.get(name)), None)
    if variable is not None:
        return f"environment variable {variable}"
    credential = credential_file(account, env)
    return f"systemd credential {credential}" if credential is not None and os.access(credential, os.F_OK) else None


def stored_places(account: str, paths: KeyPaths) -> frozenset[str]:
    """Return where `store_key` has put keys of the account, in words: normally one place or none. Reads no key."""
    file = key_file(account, paths)
    places = {str(file)} if os.path.lexists(file) else set()
    return frozenset(places | ({"the keyring"} if account in names_in_keyring(paths) else set()))


def check_store(account: str, store: KeyStore, paths: KeyPaths, timeout_s: float) -> None:
    """Raise CredentialError if a key cannot be stored there. Called before the user types the key."""
    check_name(account)
    private_files.private_dir(paths, paths.state_dir)  # for the list of accounts in the keyring
    if store is KeyStore.KEYRING:
        with suppress(NoKeyringYetError):  # storing a key creates one
            keyring_backend.check_storing(account, timeout_s)
    else:
        private_files.private_dir(paths, paths.key_file_dir)


def store_key(account: str, secret: Secret, store: KeyStore, paths: KeyPaths, timeout_s: float = TIMEOUT_S) -> StoredKey:
    """Store the key, and remove it from the other store. CredentialError on failure; the old key is then unchanged."""
    check_name(account)
    if store is KeyStore.FILE:
        private_files.private_dir(paths, paths.key_file_dir)
        file = key_file(account, paths)
        private_files.write_private(file, secret.reveal() + "\n")
        stored = StoredKey(secret, "file", str(file))
    else:
        keyring_backend.set_password(account, secret.reveal(), timeout_s)
        stored = StoredKey(secret, "keyring", "the keyring")
    _delete_from_other_store(account, store, paths, timeout_s)
    return stored


def _delete_from_other_store(account: str, store: KeyStore, paths: KeyPaths, timeout_s: float) -> None:
    in_keyring = names_in_keyring(paths)
    if store is KeyStore.KEYRING:
        private_files.remove(key_file(account, paths))
        write_names_in_keyring(paths, in_keyring | {account})
    elif account in in_keyring:
        try:
            keyring_backend.delete_password(account, timeout_s)
        except CredentialError as error:  # the new key is used first; the old one can be removed by hand
            log.warning("an older key of account '%s' is still in the keyring: %s", account, error.message)
        else:
            write_names_in_keyring(paths, in_keyring - {account})


def delete_key(account: str, env: Mapping[str, str], paths: KeyPaths, timeout_s: float = TIMEOUT_S) -> tuple[str, ...]:
    """Remove the account's key from every store. Return the stores, in words; at least one.

    NoKeyError without a stored key. CredentialError when the key comes from the environment or a systemd credential, which this
    program does not change, or when the keyring fails.
    """
    check_name(account)
    file = key_file(account, paths)
    removed = [str(file)] if private_files.remove(file) else []
    in_keyring = names_in_keyring(paths)
    try:
        if keyring_backend.delete_password(account, timeout_s):
            removed.append("the keyring")
    except NoKeyringError:
        if account in in_keyring:
            raise
    if account in in_keyring:
        write_names_in_keyring(paths, in_keyring - {account})
    if removed:
        return tuple(removed)
    source = overriding_source(account, env)
    if source is not None:
        raise CredentialError(f"the key of account '{account}' comes from {source} and is not stored here")
    raise NoKeyError(f"no key is stored for account '{account}'", hint("no key is stored", "accounts forget"))


def list_accounts(env: Mapping[str, str], paths: KeyPaths, timeout_s: float = TIMEOUT_S) -> tuple[AccountListing, ...]:
    """Return every account with a key, "default" first, then by name; also those whose key cannot be read."""
    rows = []
    for name in known_names(env, paths):
        try:
            key = read_key(name, env, paths, timeout_s)
            rows.append(AccountListing(name, key.where, key.place, key.secret.last_four))
        except NoKeyError as error:
            if name in names_in_keyring(paths):
                rows.append(AccountListing(name, "keyring", "the keyring", None, error.message))
        except CredentialError as error:
            rows.append(AccountListing(name, None, None, None, error.message))
    return tuple(rows)


# --- the places --------------------------------------------------------------------------------------------------------


class _KeyLocation(Struct, frozen=True):
    where: str
    place: str
    when_empty: str
    read: Callable[[], StoredKey | None]


def _source(location: _KeyLocation, decided: KeySource | None) -> KeySource:
    try:
        found = location.read()
    except NoKeyringError as error:
        return KeySource(location.where, location.place, KeySourceStatus.EMPTY, reason=error.message, hint=error.hint)
    except CredentialError as error:
        status = KeySourceStatus.REFUSED if decided is None else KeySourceStatus.OVERRULED
        return KeySource(location.where, location.place, status, reason=error.message, hint=error.hint)
    if found is None:
        return KeySource(location.where, location.place, KeySourceStatus.EMPTY, reason=location.when_empty)
    place = found.place if found.where == "environment" else location.place  # one of two variables
    if decided is None:
        return KeySource(location.where, place, KeySourceStatus.USED, found.secret.last_four)
    reason = f"{decided.place} has precedence"
    return KeySource(location.where, place, KeySourceStatus.OVERRULED, found.secret.last_four, reason)


def _in_environment(account: str, env: Mapping[str, str]) -> StoredKey | None:
    for name in variables(account):
        if env.get(name):
            place = f"environment variable {name}"
            return StoredKey(checked_key(env[name], place, f"unset {name}"), "environment", place)
    return None


def _in_credential(account: str, env: Mapping[str, str]) -> StoredKey | None:
    file = credential_file(account, env)
    text = private_files.read_credential(file) if file is not None else None
    if text is None:
        return None
    unit = "systemctl --user cat openbalance-hid"  # shows where the credential comes from
    return StoredKey(checked_key(text, f"systemd credential {file}", unit), "credential", str(file))


def _in_file(account: str, paths: KeyPaths) -> StoredKey | None:
    file = key_file(account, paths)
    text = private_files.read_private(file)
    return None if text is None else StoredKey(checked_key(text, f"key file {file}", setup_command(account)), "file", str(file))


def _in_keyring(
    account: str, paths: KeyPaths, timeout_s: float, may_prompt: bool = True, read_entry: ReadEntry = keyring_backend.read_entry
) -> StoredKey | None:
    if sys.platform == "darwin" and not may_prompt and account not in names_in_keyring(paths):
        return None  # nothing was stored, which is known without a read
    text = keyring_backend.get_password(account, timeout_s, may_prompt, read_entry)
    if text is None:
        return None
    return StoredKey(checked_key(text, "the entry in the keyring", setup_command(account)), "keyring", "the keyring")
