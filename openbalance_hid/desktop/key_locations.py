"""The variable, credential and file that may hold an account's key, and the accounts that are found by their names.

No key is read here: `credentials` reads the locations and decides between them.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from openbalance_hid.desktop import private_files
from openbalance_hid.desktop.keyring_backend import DEFAULT_ACCOUNT
from openbalance_hid.desktop.private_files import KeyPaths
from openbalance_hid.desktop.process_hardening import CREDENTIALS_VARIABLE, VARIABLE
from openbalance_hid.errors import CredentialError
from openbalance_hid.hints import hint

log = logging.getLogger(__name__)

CREDENTIAL = "openrouter-management-key"
NAMES_FILE = "accounts.json"  # of the accounts with an entry in the keyring

ACCOUNT_NAME = re.compile(r"[a-z0-9-]{1,32}")


def check_name(account: str) -> None:
    """Raise CredentialError for an invalid account name."""
    if not ACCOUNT_NAME.fullmatch(account):
        raise CredentialError(
            "not an account's name: use 1 to 32 letters a to z, digits and hyphens", hint("the name of an account is not valid")
        )


def variables(account: str) -> tuple[str, ...]:
    """Return the environment variables that may hold the account's key, in order of precedence."""
    own = f"{VARIABLE}_{account.upper().replace('-', '_')}"
    return (VARIABLE, own) if account == DEFAULT_ACCOUNT else (own,)


def credential_name(account: str) -> str:
    """Return the name of the account's systemd credential."""
    return CREDENTIAL if account == DEFAULT_ACCOUNT else f"{CREDENTIAL}-{account}"


def credential_file(account: str, env: Mapping[str, str]) -> Path | None:
    """Return the path of the account's systemd credential; None when the service manager passes no credentials."""
    directory = env.get(CREDENTIALS_VARIABLE, "")
    return Path(directory) / credential_name(account) if directory else None


def key_file(account: str, paths: KeyPaths) -> Path:
    """Return the path of the account's key file, whether it exists or not."""
    return paths.key_file_dir / f"{account}.key"


def known_names(env: Mapping[str, str], paths: KeyPaths) -> tuple[str, ...]:
    """Return the accounts that may have a key, "default" first, then by name. Does not use the keyring."""
    names = {*_names_in_environment(env), *names_in_keyring(paths)}
    if os.access(paths.key_file_dir, os.R_OK | os.X_OK):
        names |= set(_names(file.stem for file in paths.key_file_dir.iterdir() if file.suffix == ".key"))
    return (DEFAULT_ACCOUNT, *sorted(names - {DEFAULT_ACCOUNT}))


def _names_in_environment(env: Mapping[str, str]) -> Iterator[str]:
    for name in env:
        if name.startswith(f"{VARIABLE}_"):
            yield from _names([name.removeprefix(f"{VARIABLE}_").lower().replace("_", "-")])
    directory = env.get(CREDENTIALS_VARIABLE, "")
    if directory and os.access(directory, os.R_OK | os.X_OK):
        yield from _names(file.name.removeprefix(f"{CREDENTIAL}-") for file in Path(directory).glob(f"{CREDENTIAL}-*"))


def _names(texts: Iterable[str]) -> Iterator[str]:
    yield from (text for text in texts if ACCOUNT_NAME.fullmatch(text))


def names_in_keyring(paths: KeyPaths) -> frozenset[str]:
    """Return the accounts with a key in the keyring; none if the list cannot be read."""
    return frozenset(_names(read_names(paths, NAMES_FILE)))


def write_names_in_keyring(paths: KeyPaths, names: frozenset[str]) -> None:
    """Replace the list of accounts with a key in the keyring. CredentialError on failure."""
    write_names(paths, NAMES_FILE, names)


# --- a keyring has no list of its entries, and a look into it may show a prompt: names with an entry are kept in a file -----


def read_names(paths: KeyPaths, file_name: str) -> frozenset[str]:
    """Return the names in a list; none if it cannot be read."""
    try:
        found = json.loads(private_files.read_private(paths.state_dir / file_name) or "{}")
        return frozenset(name for name in found.get("keyring", ()) if isinstance(name, str))
    except (CredentialError, ValueError, AttributeError, TypeError, RecursionError) as error:
        log.debug("cannot read %s, the list of entries in the keyring: %s", file_name, error)
        return frozenset()


def write_names(paths: KeyPaths, file_name: str, names: frozenset[str]) -> None:
    """Replace the names in a list. CredentialError on failure."""
    file = private_files.private_dir(paths, paths.state_dir) / file_name
    private_files.write_private(file, json.dumps({"keyring": sorted(names)}) + "\n")
