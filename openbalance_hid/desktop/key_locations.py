"""What an account is called in each place that may have its key, and which accounts are called so anywhere.

The way there (variable, credential, file) and the way back stand side by side. No key is read here; what is in the places, and
which of them decides, is in `credentials`.
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
from openbalance_hid.errors import CredentialError

log = logging.getLogger(__name__)

VARIABLE = "OPENROUTER_MANAGEMENT_KEY"
CREDENTIAL = "openrouter-management-key"

_NAME = re.compile(r"[a-z0-9-]{1,32}")


def check_name(account: str) -> None:
    """Nothing; CredentialError for what is no account's name."""
    if not _NAME.fullmatch(account):
        raise CredentialError(
            "not an account's name: 1 to 32 letters a to z, digits and hyphens are", "openbalance-hid accounts"
        )


def variables(account: str) -> tuple[str, ...]:
    """The environment variables that may hold the account's key, the first one first."""
    own = f"{VARIABLE}_{account.upper().replace('-', '_')}"
    return (VARIABLE, own) if account == DEFAULT_ACCOUNT else (own,)


def credential_name(account: str) -> str:
    """What the account's systemd credential is called."""
    return CREDENTIAL if account == DEFAULT_ACCOUNT else f"{CREDENTIAL}-{account}"


def credential_file(account: str, env: Mapping[str, str]) -> Path | None:
    """Where the service manager has put the account's credential, if it has; None when it hands nothing over."""
    directory = env.get("CREDENTIALS_DIRECTORY", "")
    return Path(directory) / credential_name(account) if directory else None


def key_file(account: str, places: KeyPaths) -> Path:
    """The account's key file, whether it is there or not."""
    return places.key_file_dir / f"{account}.key"


def known_names(env: Mapping[str, str], places: KeyPaths) -> tuple[str, ...]:
    """The accounts that may have a key, "default" first, then by name. No keyring is asked."""
    names = {*_named_in(env), *names_in_keyring(places)}
    if os.access(places.key_file_dir, os.R_OK | os.X_OK):
        names |= set(_names(file.stem for file in places.key_file_dir.iterdir() if file.suffix == ".key"))
    return (DEFAULT_ACCOUNT, *sorted(names - {DEFAULT_ACCOUNT}))


def _named_in(env: Mapping[str, str]) -> Iterator[str]:
    for name in env:
        if name.startswith(f"{VARIABLE}_"):
            yield from _names([name.removeprefix(f"{VARIABLE}_").lower().replace("_", "-")])
    directory = env.get("CREDENTIALS_DIRECTORY", "")
    if directory and Path(directory).is_dir():
        yield from _names(file.name.removeprefix(f"{CREDENTIAL}-") for file in Path(directory).glob(f"{CREDENTIAL}-*"))


def _names(texts: Iterable[str]) -> Iterator[str]:
    yield from (text for text in texts if _NAME.fullmatch(text))


# --- a keyring cannot be asked for a list: the names that we have put there are kept in a file --------------------------


def names_in_keyring(places: KeyPaths) -> frozenset[str]:
    """The accounts whose key we have put into the keyring; none where the list cannot be read."""
    try:
        found = json.loads(private_files.read_private(places.state_dir / "accounts.json") or "{}")
        return frozenset(_names(name for name in found.get("keyring", ()) if isinstance(name, str)))
    except (CredentialError, ValueError, AttributeError, TypeError, RecursionError) as error:
        log.debug("the list of accounts cannot be read: %s", error)
        return frozenset()


def write_names_in_keyring(places: KeyPaths, names: frozenset[str]) -> None:
    """Those from now on. CredentialError when the list cannot be written."""
    file = private_files.private_dir(places, places.state_dir) / "accounts.json"
    private_files.write_private(file, json.dumps({"keyring": sorted(names)}) + "\n")
