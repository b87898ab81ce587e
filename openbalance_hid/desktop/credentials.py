"""Where Management keys are kept, found and removed: environment, service manager, key file, keyring, asked in this order.

Every function takes the environment and the places as arguments. Nothing here talks to OpenRouter.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from openbalance_hid.desktop import keyring_door, private_files
from openbalance_hid.desktop.keyring_door import DEFAULT_ACCOUNT, NoKeyringError, setup_command, to_file
from openbalance_hid.desktop.secret import Secret, checked_key
from openbalance_hid.errors import CredentialError, NoKeyError, OpenBalanceError, Retry

log = logging.getLogger(__name__)

VARIABLE = "OPENROUTER_MANAGEMENT_KEY"
CREDENTIAL = "openrouter-management-key"
TIMEOUT_S = 5.0  # for a keyring that needs no one; a person who must type its password gets longer

_NAME = re.compile(r"[a-z0-9-]{1,32}")


class Places(Protocol):
    """Where files go; `private_dir` creates a directory that is the owner's alone, or raises OpenBalanceError."""

    @property
    def state_dir(self) -> Path: ...
    @property
    def key_file_dir(self) -> Path: ...
    def private_dir(self, path: Path) -> Path: ...


class Store(Enum):
    """Where `store_key` can put a key."""

    KEYRING = "keyring"
    FILE = "file"


class StoredKey(Struct, frozen=True):
    """A key and where it was found. `where`: environment, credential, file or keyring; `place`: which one, in words."""

    secret: Secret
    where: str
    place: str


class Listed(Struct, frozen=True):
    """One account that has a key somewhere, or should. `trouble` says why the key cannot be read."""

    name: str
    where: str | None
    place: str | None
    last_four: str | None
    trouble: str | None = None


class Standing(Enum):
    """How one place stands when a key is looked for."""

    USED = "used"
    EMPTY = "empty"  # asked, and has none
    REFUSED = "refused"  # has one that cannot be used, or does not say: it is mended first, not passed over
    OVERRULED = "overruled"  # has one, but a place before it decides


class KeySource(Struct, frozen=True):
    """One place that is asked for an account's key. `why` it stands so, in words; `hint`: the command that mends it."""

    where: str  # environment, credential, file or keyring
    place: str
    standing: Standing
    last_four: str | None = None
    why: str = ""
    hint: str = ""


def read_key(
    account: str, env: Mapping[str, str], places: Places, timeout_s: float = TIMEOUT_S, ask_owner: bool = True
) -> StoredKey:
    """The account's key, from the first place that has one.

    NoKeyError when none has. CredentialError when a place has one that cannot be used, which is never passed over for the next,
    or when the keyring does not answer within `timeout_s`. `ask_owner`: a locked keyring may ask for its password.
    """
    _check_name(account)
    found = _in_environment(account, env) or _in_credential(account, env) or _in_file(account, places)
    if found is not None:
        return found
    aside = ""
    try:
        found = _in_keyring(account, timeout_s, ask_owner)
    except NoKeyringError as error:
        aside = f" ({error.message})"
    if found is not None:
        return found
    none = NoKeyError(f"no key is stored for account '{account}'{aside}", to_file(account) if aside else setup_command(account))
    none.retry = Retry.SOON if aside else Retry.OWNER  # a keyring may come after a daemon that starts with the desktop
    raise none


def key_sources(
    account: str, env: Mapping[str, str], places: Places, timeout_s: float = TIMEOUT_S, ask_owner: bool = True
) -> tuple[KeySource, ...]:
    """Every place, in the order in which they are asked: which one is used, and why the others are not.

    Asks as `read_key` does, but all of them; the keyring answers within `timeout_s` or is said to be silent. Raises nothing but
    CredentialError for what is no account's name.
    """
    _check_name(account)
    file = _credential_file(account, env)
    asked = (
        _Place(
            "environment",
            f"environment variable {' or '.join(_variables(account))}",
            "is not set",
            partial(_in_environment, account, env),
        ),
        _Place(
            "credential",
            f"systemd credential {file or _credential_name(account)}",
            "was not handed over",
            partial(_in_credential, account, env),
        ),
        _Place("file", f"key file {_file(account, places)}", "does not exist", partial(_in_file, account, places)),
        _Place("keyring", "the keyring", "has none", partial(_in_keyring, account, timeout_s, ask_owner)),
    )
    sources: list[KeySource] = []
    for place in asked:
        decided = next((each for each in sources if each.standing is not Standing.EMPTY), None)
        sources.append(_source(place, decided))
    return tuple(sources)


def shadow(account: str, env: Mapping[str, str]) -> str | None:
    """The place, in words, whose key is used before any stored one; None where there is none."""
    variable = next((name for name in _variables(account) if env.get(name)), None)
    if variable is not None:
        return f"environment variable {variable}"
    credential = _credential_file(account, env)
    return f"systemd credential {credential}" if credential is not None and os.access(credential, os.F_OK) else None


def check_store(account: str, store: Store, places: Places, timeout_s: float) -> None:
    """Nothing, when a key could be stored there; CredentialError otherwise. Asked before a person is made to type."""
    _check_name(account)
    if store is Store.KEYRING:
        keyring_door.get_password(account, timeout_s)
    else:
        _private(places, places.key_file_dir)


def store_key(account: str, secret: Secret, store: Store, places: Places, timeout_s: float = TIMEOUT_S) -> StoredKey:
    """Where the key is now, and in no other store. CredentialError when it could not be stored: the old one then stands."""
    _check_name(account)
    if store is Store.FILE:
        file = _private(places, places.key_file_dir) / f"{account}.key"
        private_files.write_private(file, secret.reveal() + "\n")
        stored = StoredKey(secret, "file", str(file))
    else:
        keyring_door.set_password(account, secret.reveal(), timeout_s)
        stored = StoredKey(secret, "keyring", "the keyring")
    _forget_other(account, store, places, timeout_s)
    return stored


def forget_key(account: str, env: Mapping[str, str], places: Places, timeout_s: float = TIMEOUT_S) -> tuple[str, ...]:
    """The places, in words, that the account's key was removed from; at least one.

    NoKeyError when no store has one; CredentialError when it is only in the environment or a systemd credential, which are not
    ours to change, or when the keyring fails.
    """
    _check_name(account)
    file = _file(account, places)
    removed = [str(file)] if private_files.remove(file) else []
    remembered = _remembered(places)
    try:
        if keyring_door.delete_password(account, timeout_s):
            removed.append("the keyring")
    except NoKeyringError:
        if account in remembered:
            raise
    if account in remembered:
        _remember(places, remembered - {account})
    if removed:
        return tuple(removed)
    before = shadow(account, env)
    if before is not None:
        raise CredentialError(f"the key of account '{account}' comes from {before}: it is not stored here")
    raise NoKeyError(f"no key is stored for account '{account}'", "openbalance-hid accounts")


def known_names(env: Mapping[str, str], places: Places) -> tuple[str, ...]:
    """The accounts that may have a key, "default" first, then by name. No keyring is asked."""
    names = {*_named_in(env), *_remembered(places)}
    if os.access(places.key_file_dir, os.R_OK | os.X_OK):
        names |= set(_names(file.stem for file in places.key_file_dir.iterdir() if file.suffix == ".key"))
    return (DEFAULT_ACCOUNT, *sorted(names - {DEFAULT_ACCOUNT}))


def list_accounts(env: Mapping[str, str], places: Places, timeout_s: float = TIMEOUT_S) -> tuple[Listed, ...]:
    """Every account that has a key somewhere, "default" first, then by name. A key that cannot be read has its trouble said."""
    rows = []
    for name in known_names(env, places):
        try:
            key = read_key(name, env, places, timeout_s)
            rows.append(Listed(name, key.where, key.place, key.secret.last_four))
        except NoKeyError as error:
            if name in _remembered(places):
                rows.append(Listed(name, "keyring", "the keyring", None, error.message))
        except CredentialError as error:
            rows.append(Listed(name, None, None, None, error.message))
    return tuple(rows)


# --- the places --------------------------------------------------------------------------------------------------------


class _Place(Struct, frozen=True):
    where: str
    place: str
    when_empty: str
    ask: Callable[[], StoredKey | None]


def _source(asked: _Place, decided: KeySource | None) -> KeySource:
    try:
        found = asked.ask()
    except NoKeyringError as error:
        return KeySource(asked.where, asked.place, Standing.EMPTY, why=error.message, hint=error.hint)
    except CredentialError as error:
        standing = Standing.REFUSED if decided is None else Standing.OVERRULED
        return KeySource(asked.where, asked.place, standing, why=error.message, hint=error.hint)
    if found is None:
        return KeySource(asked.where, asked.place, Standing.EMPTY, why=asked.when_empty)
    place = found.place if found.where == "environment" else asked.place  # one of two variables
    if decided is None:
        return KeySource(asked.where, place, Standing.USED, found.secret.last_four)
    return KeySource(asked.where, place, Standing.OVERRULED, found.secret.last_four, f"{decided.place} is asked first")


def _in_environment(account: str, env: Mapping[str, str]) -> StoredKey | None:
    for name in _variables(account):
        if env.get(name):
            place = f"environment variable {name}"
            return StoredKey(checked_key(env[name], place), "environment", place)
    return None


def _in_credential(account: str, env: Mapping[str, str]) -> StoredKey | None:
    file = _credential_file(account, env)
    text = private_files.read_handed_over(file) if file is not None else None
    return None if text is None else StoredKey(checked_key(text, f"systemd credential {file}"), "credential", str(file))


def _in_file(account: str, places: Places) -> StoredKey | None:
    file = _file(account, places)
    text = private_files.read_private(file)
    return None if text is None else StoredKey(checked_key(text, f"key file {file}", setup_command(account)), "file", str(file))


def _in_keyring(account: str, timeout_s: float, ask_owner: bool = True) -> StoredKey | None:
    text = keyring_door.get_password(account, timeout_s, ask_owner)
    if text is None:
        return None
    return StoredKey(checked_key(text, "what the keyring holds", setup_command(account)), "keyring", "the keyring")


def _variables(account: str) -> tuple[str, ...]:
    own = f"{VARIABLE}_{account.upper().replace('-', '_')}"
    return (VARIABLE, own) if account == DEFAULT_ACCOUNT else (own,)


def _credential_file(account: str, env: Mapping[str, str]) -> Path | None:
    directory = env.get("CREDENTIALS_DIRECTORY", "")
    return Path(directory) / _credential_name(account) if directory else None


def _credential_name(account: str) -> str:
    return CREDENTIAL if account == DEFAULT_ACCOUNT else f"{CREDENTIAL}-{account}"


def _file(account: str, places: Places) -> Path:
    return places.key_file_dir / f"{account}.key"


def _named_in(env: Mapping[str, str]) -> Iterator[str]:
    for name in env:
        if name.startswith(f"{VARIABLE}_"):
            yield from _names([name.removeprefix(f"{VARIABLE}_").lower().replace("_", "-")])
    directory = env.get("CREDENTIALS_DIRECTORY", "")
    if directory and Path(directory).is_dir():
        yield from _names(file.name.removeprefix(f"{CREDENTIAL}-") for file in Path(directory).glob(f"{CREDENTIAL}-*"))


def _names(texts: Iterable[str]) -> Iterator[str]:
    yield from (text for text in texts if _NAME.fullmatch(text))


# --- which accounts are in the keyring, for it cannot be asked for a list ---------------------------------------------------


def _remembered(places: Places) -> frozenset[str]:
    try:
        found = json.loads(private_files.read_private(places.state_dir / "accounts.json") or "{}")
        return frozenset(_names(name for name in found.get("keyring", ()) if isinstance(name, str)))
    except (CredentialError, ValueError, AttributeError, TypeError, RecursionError) as error:
        log.debug("the list of accounts cannot be read: %s", error)
        return frozenset()


def _remember(places: Places, names: frozenset[str] | set[str]) -> None:
    file = _private(places, places.state_dir) / "accounts.json"
    private_files.write_private(file, json.dumps({"keyring": sorted(names)}) + "\n")


def _forget_other(account: str, store: Store, places: Places, timeout_s: float) -> None:
    remembered = _remembered(places)
    if store is Store.KEYRING:
        private_files.remove(_file(account, places))
        _remember(places, remembered | {account})
    elif account in remembered:
        try:
            keyring_door.delete_password(account, timeout_s)
        except CredentialError as error:  # the new key stands and is used first; what is left can be removed by hand
            log.warning("an older key of account '%s' is still in the keyring: %s", account, error.message)
        else:
            _remember(places, remembered - {account})


def _private(places: Places, path: Path) -> Path:
    try:
        places.private_dir(places.state_dir)
        return places.private_dir(path)
    except CredentialError:
        raise
    except OpenBalanceError as error:
        raise CredentialError(error.message, error.hint) from error


def _check_name(account: str) -> None:
    if not _NAME.fullmatch(account):
        raise CredentialError(
            "not an account's name: 1 to 32 letters a to z, digits and hyphens are", "openbalance-hid accounts"
        )
