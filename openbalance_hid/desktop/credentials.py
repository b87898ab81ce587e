"""Where Management keys are kept, found and removed: environment, service manager, key file, keyring, asked in this order.

Every function takes the environment and the places as arguments. Nothing here talks to OpenRouter. What an account is called in
each place, and which accounts there are, is in `account_names`.
"""

from __future__ import annotations

import logging
import os
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
from openbalance_hid.desktop.keyring_backend import NoKeyringError, NoKeyringYetError, setup_command
from openbalance_hid.desktop.private_files import KeyPaths
from openbalance_hid.errors import CredentialError, NoKeyError, Retry
from openbalance_hid.secret import Secret, checked_key

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0  # for a keyring that needs no one; a person who must type its password gets longer


class KeyStore(Enum):
    """Where `store_key` can put a key."""

    KEYRING = "keyring"
    FILE = "file"


class StoredKey(Struct, frozen=True):
    """A key and where it was found. `where`: environment, credential, file or keyring; `place`: which one, in words."""

    secret: Secret
    where: str
    place: str


class AccountListing(Struct, frozen=True):
    """One account that has a key somewhere, or should. `trouble` says why the key cannot be read."""

    name: str
    where: str | None
    place: str | None
    last_four: str | None
    trouble: str | None = None


class KeySourceStatus(Enum):
    """How one place stands when a key is looked for."""

    USED = "used"
    EMPTY = "empty"  # asked, and has none
    REFUSED = "refused"  # has one that cannot be used, or does not say: it is mended first, not passed over
    OVERRULED = "overruled"  # has one, but a place before it decides


class KeySource(Struct, frozen=True):
    """One place that is asked for an account's key. `reason` it stands so, in words; `hint`: the command that mends it."""

    where: str  # environment, credential, file or keyring
    place: str
    status: KeySourceStatus
    last_four: str | None = None
    reason: str = ""
    hint: str = ""


def read_key(
    account: str, env: Mapping[str, str], places: KeyPaths, timeout_s: float = TIMEOUT_S, may_prompt: bool = True
) -> StoredKey:
    """The account's key, from the first place that has one.

    NoKeyError when none has. CredentialError when a place has one that cannot be used, which is never passed over for the next,
    or when the keyring does not answer within `timeout_s`. `may_prompt`: a locked keyring may ask for its password.
    """
    check_name(account)
    found = _in_environment(account, env) or _in_credential(account, env) or _in_file(account, places)
    if found is not None:
        return found
    aside, hint = "", setup_command(account)
    try:
        found = _in_keyring(account, timeout_s, may_prompt)
    except NoKeyringError as error:
        aside, hint = f" ({error.message})", error.hint
    if found is not None:
        return found
    none = NoKeyError(f"no key is stored for account '{account}'{aside}", hint)
    none.retry = Retry.SOON if aside else Retry.USER  # a keyring may come after a daemon that starts with the desktop
    raise none


def key_sources(
    account: str, env: Mapping[str, str], places: KeyPaths, timeout_s: float = TIMEOUT_S, may_prompt: bool = True
) -> tuple[KeySource, ...]:
    """Every place, in the order in which they are asked: which one is used, and why the others are not.

    Asks as `read_key` does, but all of them; the keyring answers within `timeout_s` or is said to be silent. Raises nothing but
    CredentialError for what is no account's name.
    """
    check_name(account)
    file = credential_file(account, env)
    asked = (
        _KeyPlace(
            "environment",
            f"environment variable {' or '.join(variables(account))}",
            "is not set",
            partial(_in_environment, account, env),
        ),
        _KeyPlace(
            "credential",
            f"systemd credential {file or credential_name(account)}",
            "was not handed over",
            partial(_in_credential, account, env),
        ),
        _KeyPlace("file", f"key file {key_file(account, places)}", "does not exist", partial(_in_file, account, places)),
        _KeyPlace("keyring", "the keyring", "has none", partial(_in_keyring, account, timeout_s, may_prompt)),
    )
    sources: list[KeySource] = []
    for place in asked:
        decided = next((each for each in sources if each.status is not KeySourceStatus.EMPTY), None)
        sources.append(_source(place, decided))
    return tuple(sources)


def overriding_source(account: str, env: Mapping[str, str]) -> str | None:
    """The place, in words, whose key is used before any stored one; None where there is none."""
    variable = next((name for name in variables(account) if env.get(name)), None)
    if variable is not None:
        return f"environment variable {variable}"
    credential = credential_file(account, env)
    return f"systemd credential {credential}" if credential is not None and os.access(credential, os.F_OK) else None


def check_store(account: str, store: KeyStore, places: KeyPaths, timeout_s: float) -> None:
    """Nothing, when a key could be stored there; CredentialError otherwise. Asked before a person is made to type."""
    check_name(account)
    if store is KeyStore.KEYRING:
        with suppress(NoKeyringYetError):  # storing it makes one
            keyring_backend.get_password(account, timeout_s)
    else:
        private_files.private_dir(places, places.key_file_dir)


def store_key(account: str, secret: Secret, store: KeyStore, places: KeyPaths, timeout_s: float = TIMEOUT_S) -> StoredKey:
    """Where the key is now, and in no other store. CredentialError when it could not be stored: the old one then stands."""
    check_name(account)
    if store is KeyStore.FILE:
        private_files.private_dir(places, places.key_file_dir)
        file = key_file(account, places)
        private_files.write_private(file, secret.reveal() + "\n")
        stored = StoredKey(secret, "file", str(file))
    else:
        keyring_backend.set_password(account, secret.reveal(), timeout_s)
        stored = StoredKey(secret, "keyring", "the keyring")
    _forget_other(account, store, places, timeout_s)
    return stored


def _forget_other(account: str, store: KeyStore, places: KeyPaths, timeout_s: float) -> None:
    remembered = names_in_keyring(places)
    if store is KeyStore.KEYRING:
        private_files.remove(key_file(account, places))
        write_names_in_keyring(places, remembered | {account})
    elif account in remembered:
        try:
            keyring_backend.delete_password(account, timeout_s)
        except CredentialError as error:  # the new key stands and is used first; what is left can be removed by hand
            log.warning("an older key of account '%s' is still in the keyring: %s", account, error.message)
        else:
            write_names_in_keyring(places, remembered - {account})


def delete_key(account: str, env: Mapping[str, str], places: KeyPaths, timeout_s: float = TIMEOUT_S) -> tuple[str, ...]:
    """The places, in words, that the account's key was removed from; at least one.

    NoKeyError when no store has one; CredentialError when it is only in the environment or a systemd credential, which are not
    ours to change, or when the keyring fails.
    """
    check_name(account)
    file = key_file(account, places)
    removed = [str(file)] if private_files.remove(file) else []
    remembered = names_in_keyring(places)
    try:
        if keyring_backend.delete_password(account, timeout_s):
            removed.append("the keyring")
    except NoKeyringError:
        if account in remembered:
            raise
    if account in remembered:
        write_names_in_keyring(places, remembered - {account})
    if removed:
        return tuple(removed)
    before = overriding_source(account, env)
    if before is not None:
        raise CredentialError(f"the key of account '{account}' comes from {before}: it is not stored here")
    raise NoKeyError(f"no key is stored for account '{account}'", "openbalance-hid accounts")


def list_accounts(env: Mapping[str, str], places: KeyPaths, timeout_s: float = TIMEOUT_S) -> tuple[AccountListing, ...]:
    """Every account that has a key somewhere, "default" first, then by name. A key that cannot be read has its trouble said."""
    rows = []
    for name in known_names(env, places):
        try:
            key = read_key(name, env, places, timeout_s)
            rows.append(AccountListing(name, key.where, key.place, key.secret.last_four))
        except NoKeyError as error:
            if name in names_in_keyring(places):
                rows.append(AccountListing(name, "keyring", "the keyring", None, error.message))
        except CredentialError as error:
            rows.append(AccountListing(name, None, None, None, error.message))
    return tuple(rows)


# --- the places --------------------------------------------------------------------------------------------------------


class _KeyPlace(Struct, frozen=True):
    where: str
    place: str
    when_empty: str
    ask: Callable[[], StoredKey | None]


def _source(asked: _KeyPlace, decided: KeySource | None) -> KeySource:
    try:
        found = asked.ask()
    except NoKeyringError as error:
        return KeySource(asked.where, asked.place, KeySourceStatus.EMPTY, reason=error.message, hint=error.hint)
    except CredentialError as error:
        status = KeySourceStatus.REFUSED if decided is None else KeySourceStatus.OVERRULED
        return KeySource(asked.where, asked.place, status, reason=error.message, hint=error.hint)
    if found is None:
        return KeySource(asked.where, asked.place, KeySourceStatus.EMPTY, reason=asked.when_empty)
    place = found.place if found.where == "environment" else asked.place  # one of two variables
    if decided is None:
        return KeySource(asked.where, place, KeySourceStatus.USED, found.secret.last_four)
    return KeySource(asked.where, place, KeySourceStatus.OVERRULED, found.secret.last_four, f"{decided.place} is asked first")


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
    unit = "systemctl --user cat openbalance-hid"  # which says where it is taken from
    return StoredKey(checked_key(text, f"systemd credential {file}", unit), "credential", str(file))


def _in_file(account: str, places: KeyPaths) -> StoredKey | None:
    file = key_file(account, places)
    text = private_files.read_private(file)
    return None if text is None else StoredKey(checked_key(text, f"key file {file}", setup_command(account)), "file", str(file))


def _in_keyring(account: str, timeout_s: float, may_prompt: bool = True) -> StoredKey | None:
    text = keyring_backend.get_password(account, timeout_s, may_prompt)
    if text is None:
        return None
    return StoredKey(checked_key(text, "what the keyring holds", setup_command(account)), "keyring", "the keyring")
