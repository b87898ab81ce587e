"""The table of everything that is looked at, in the order in which it is told.

A probe is loaded when it is asked, so that a package that is missing costs one row and not the whole answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from openbalance_hid.errors import CredentialError, OfflineError

_GATHER = "openbalance_hid.service.doctor.gather"
_TO_FILE = "openbalance-hid setup --store file"
_NO_KEY = CredentialError.exit_code
_UNAVAILABLE = OfflineError.exit_code


@dataclass(frozen=True, slots=True)
class Probe:
    """`asks`: the function as "module:name", from a Patient to checks.

    `limit_s`: of waiting for others. `hint` and `exit_code`: when it is over.
    """

    name: str
    asks: str
    limit_s: float = 5.0
    hint: str = ""
    exit_code: int = 1


PROBES = (
    Probe("python", f"{_GATHER}.installation:python"),
    Probe("packages", f"{_GATHER}.installation:packages"),
    Probe("configuration", f"{_GATHER}.house:configuration"),
    Probe("directories", f"{_GATHER}.house:directories"),
    Probe("history", f"{_GATHER}.house:history", 10.0),  # a large one is read as a whole
    Probe("hidapi", f"{_GATHER}.decks:hidapi"),
    Probe("decks", f"{_GATHER}.decks:decks", 8.0),
    Probe("owners", f"{_GATHER}.decks:owners", 8.0),
    Probe("udev", f"{_GATHER}.decks:udev"),
    Probe("session", f"{_GATHER}.desktop:session"),
    Probe("pages", f"{_GATHER}.desktop:pages"),
    Probe("notifications", f"{_GATHER}.desktop:notifications"),
    Probe("keyring", f"{_GATHER}.account:keyring", 8.0, _TO_FILE, _NO_KEY),
    Probe("key", f"{_GATHER}.account:key", 8.0, _TO_FILE, _NO_KEY),
    Probe("key-kind", f"{_GATHER}.account:key_kind", 16.0, "openbalance-hid doctor", _UNAVAILABLE),  # after the keyring
    # A resolver that nobody answers takes longer than any limit of ours.
    Probe("openrouter", f"{_GATHER}.account:openrouter", 10.0, "curl -sSI https://openrouter.ai", _UNAVAILABLE),
    Probe("service", f"{_GATHER}.house:service", 10.0),
    Probe("daemon", f"{_GATHER}.house:daemon"),
)
