"""The table of all checks, in the order in which they are printed.

A module is loaded when its check runs, so that a missing package costs one row and not the whole report.
"""

from __future__ import annotations

from dataclasses import dataclass

from openbalance_hid.errors import CredentialError, OfflineError
from openbalance_hid.hints import hint

_CHECKS = "openbalance_hid.service.doctor"
_STORE_IN_FILE = hint("no keyring works")
_CURL = hint("OpenRouter cannot be reached", "doctor")
_CONFIG_CHECK = hint("the configuration has problems", "doctor")
_NO_KEY = CredentialError.exit_code
_UNAVAILABLE = OfflineError.exit_code


@dataclass(frozen=True, slots=True)
class Probe:
    """`function`: "module:name", from a DoctorContext to checks.

    `limit_s`: of waiting for other programs. `hint` and `exit_code`: of the failure when the limit is over.
    """

    name: str
    function: str
    limit_s: float = 5.0
    hint: str = ""
    exit_code: int = 1


PROBES = (
    Probe("python", f"{_CHECKS}.installation_checks:check_python"),
    Probe("packages", f"{_CHECKS}.installation_checks:check_packages"),
    Probe("configuration", f"{_CHECKS}.storage_checks:check_configuration"),
    Probe("tiles", f"{_CHECKS}.tile_checks:check_tiles", 10.0),  # imports the packages that the configuration names
    Probe("programs", f"{_CHECKS}.program_checks:check_programs"),
    Probe("directories", f"{_CHECKS}.storage_checks:check_directories"),
    Probe("history", f"{_CHECKS}.storage_checks:check_history", 10.0),  # a large file is read as a whole
    Probe("hidapi", f"{_CHECKS}.deck_checks:check_hidapi"),
    Probe("decks", f"{_CHECKS}.deck_checks:check_decks", 8.0),
    Probe("owners", f"{_CHECKS}.deck_checks:check_owners", 8.0),
    Probe("udev", f"{_CHECKS}.udev_checks:check_udev"),
    Probe("session", f"{_CHECKS}.session_checks:check_session"),
    Probe("pages", f"{_CHECKS}.desktop_checks:check_pages"),
    Probe("notifications", f"{_CHECKS}.desktop_checks:check_notifications"),
    Probe("keyring", f"{_CHECKS}.key_checks:check_keyring", 8.0, _STORE_IN_FILE, _NO_KEY),
    Probe("key", f"{_CHECKS}.key_checks:check_key", 8.0, _STORE_IN_FILE, _NO_KEY),
    # Waits for the keyring first.
    Probe("key-kind", f"{_CHECKS}.key_checks:check_key_kind", 16.0, _CURL, _UNAVAILABLE),
    # A resolver without an answer takes longer than any limit of ours.
    Probe("openrouter", f"{_CHECKS}.openrouter_checks:check_openrouter", 10.0, _CURL, _UNAVAILABLE),
    Probe("broker", f"{_CHECKS}.broker_checks:check_brokers", 20.0, _CONFIG_CHECK, _UNAVAILABLE),
    Probe("service", f"{_CHECKS}.daemon_checks:check_service", 10.0),
    Probe("daemon", f"{_CHECKS}.daemon_checks:check_daemon"),
)
