"""The Keychain of macOS beside the keyring library: the status of a failed call, and the removal of an entry.

An entry belongs to the programs that its access list names: the Python that stored it. Another Python, as after an upgrade, may
not replace it: the library removes the entry first, and SecItemDelete returns -25244 (jaraco/keyring issue 605). The system's
`security` may remove it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from openbalance_hid.desktop.process_hardening import without_key_variables

SECURITY = "/usr/bin/security"
CALL_LIMIT_S = 30.0

# <Security/SecBase.h>
CANCELED = -128  # errSecUserCanceled
NOT_FOUND, DUPLICATE = -25300, -25299  # errSecItemNotFound, errSecDuplicateItem
OWNED_BY_OTHER = -25244  # errSecInvalidOwnerEdit
REFUSED = frozenset({-25293, -67030})  # errSecAuthFailed, errSecCSInfoPlistFailed: the signature of the program has changed
NO_DIALOG = frozenset({-25308, -25315, -25320})  # errSecInteractionNotAllowed, errSecInteractionRequired, errSecInDarkWake
NO_KEYCHAIN = frozenset({-25291, -25294, -25307})  # errSecNotAvailable, errSecNoSuchKeychain, errSecNoDefaultKeychain


def keychain_status(error: BaseException) -> int | None:
    """Return the status of the Keychain, which the library keeps in the cause of its error; None for another error."""
    cause = error.__cause__
    status = cause.args[0] if cause is not None and cause.args else None
    return status if type(status) is int else None


def remove_entry(service: str, account: str, env: Mapping[str, str]) -> bool:
    """Remove an entry, also one of another program. Return whether that worked. Raises nothing."""
    try:
        ended = subprocess.run(  # noqa: S603 - a fixed program; the names are not secret
            [SECURITY, "delete-generic-password", "-s", service, "-a", account],
            env=without_key_variables(env),
            check=False,
            timeout=CALL_LIMIT_S,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return ended.returncode == 0
