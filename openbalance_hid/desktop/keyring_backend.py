"""The only module that uses the OS keyring: with a time limit, and with a clear error for each kind of failure.

A keyring may be missing, locked, or waiting for a password in a prompt that the user does not see. Each call runs on its own
thread, which is left behind after the time limit; no other call starts while one is stuck.
"""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from openbalance_hid.desktop.deadline import Deadline
from openbalance_hid.desktop.keychain import (
    CANCELED,
    DUPLICATE,
    NO_DIALOG,
    NO_KEYCHAIN,
    NOT_FOUND,
    OWNED_BY_OTHER,
    REFUSED,
    keychain_status,
    remove_entry,
)
from openbalance_hid.errors import CredentialError, Retry
from openbalance_hid.hints import SETUP, hint

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "openbalance-hid"
DEFAULT_ACCOUNT = "default"

_PROBE = "test of setup"  # an entry that is removed at once
_THREAD = "keyring"
ReadEntry = Callable[[str, bool], str | None]  # see `read_entry`


class KeyringError(CredentialError):
    """The keyring cannot be read now. It may be later: when its service has started, or the user has unlocked it."""

    retry = Retry.SOON


class NoKeyringError(KeyringError):
    """There is no keyring on this machine, or no service that opens it."""


class NoKeyringYetError(NoKeyringError):
    """The service is running but has no keyring yet, or none is open. Storing a key creates one."""


class NullKeyringError(NoKeyringError):
    """The keyring is switched off: the user has configured the library's null back end, which keeps nothing."""

    retry = Retry.USER

    def __init__(self, account: str = DEFAULT_ACCOUNT) -> None:
        super().__init__("the keyring is switched off: its back end is keyring.backends.null", file_setup_command(account))


class LockedKeyringError(KeyringError):
    """The keyring is locked."""


UNREAD = "the Keychain is not read here, because that may open a dialog"


class UnreadKeychainError(NoKeyringError):
    """The Keychain was not read, because no dialog may open."""


class DeniedKeyringError(KeyringError):
    """The user or the keyring has refused. It is not read again until the user acts, because that opens a dialog again."""

    retry = Retry.USER


_ERRORS = (NoKeyringError, NoKeyringYetError, NullKeyringError, LockedKeyringError, DeniedKeyringError)


def read_entry(account: str, may_prompt: bool) -> str | None:
    """Return the account's entry in the keyring, None without one. Raises what the library raises.

    `may_prompt`: a locked keyring may show a password prompt, until it is answered.
    """
    keyring = _keyring()
    if _is_locked(keyring, account) and not may_prompt:
        raise LockedKeyringError("the keyring is locked", file_setup_command(account))
    found = keyring.get_password(SERVICE, account)
    return None if found is None else str(found)


def get_password(account: str, timeout_s: float, may_prompt: bool = True, read: ReadEntry = read_entry) -> str | None:
    """Return the account's entry in the keyring, None without one. KeyringError after `timeout_s` or on failure.

    `may_prompt`: see `read_entry`; `read`: it, or `KeyringProcess.read_entry`.
    """
    if sys.platform == "darwin" and not may_prompt:  # no call shows whether a read of the Keychain opens a dialog
        raise UnreadKeychainError(UNREAD, setup_command(account))
    found: str | None = _call(account, timeout_s, lambda: read(account, may_prompt))
    return found


def check_storing(account: str, timeout_s: float) -> None:
    """Check that the keyring can store an entry. KeyringError if not.

    In the Keychain of macOS an entry is stored and removed: a read shows nothing of that, and the entry of the account may open
    a dialog.
    """

    def store() -> object:
        keyring = _keyring()
        if not _is_keychain(keyring):
            return _is_locked(keyring, account), keyring.get_password(SERVICE, account)
        _replace(keyring, _PROBE, "test")
        return _remove(keyring, _PROBE)

    _store(account, timeout_s, store)


def set_password(account: str, password: str, timeout_s: float) -> None:
    """Store the password, and read it back: some back ends accept everything and keep nothing. KeyringError on failure."""

    def store() -> bool:
        keyring = _keyring()
        _replace(keyring, account, password)
        return keyring.get_password(SERVICE, account) == password

    if not _store(account, timeout_s, store):
        raise CredentialError("the keyring did not keep the key", file_setup_command(account))


def _store(account: str, timeout_s: float, store: Callable[[], object]) -> Any:
    try:
        return _call(account, timeout_s, store)
    except DeniedKeyringError as error:
        if keychain_status(error.__cause__ or error) == CANCELED:
            error.hint = file_setup_command(account)  # not a refresh: no daemon has to read it
        raise


def _replace(keyring: KeyringBackend, entry: str, password: str) -> None:
    """Store an entry, also in the place of one of another program in the Keychain."""
    try:
        keyring.set_password(SERVICE, entry, password)
    except Exception as error:
        if keychain_status(error) not in (OWNED_BY_OTHER, DUPLICATE):
            raise
        remove_entry(SERVICE, entry, os.environ)
        keyring.set_password(SERVICE, entry, password)


def _remove(keyring: KeyringBackend, entry: str) -> bool:
    """Remove an entry. Return whether there was one."""
    if not _is_keychain(keyring) and keyring.get_password(SERVICE, entry) is None:  # there a read may open a dialog
        return False
    try:
        keyring.delete_password(SERVICE, entry)
    except Exception as error:
        if (status := keychain_status(error)) == NOT_FOUND:
            return False
        if status != OWNED_BY_OTHER or not remove_entry(SERVICE, entry, os.environ):
            raise
    return True


def delete_password(account: str, timeout_s: float) -> bool:
    """Remove the account's entry. Return whether there was one."""

    def remove() -> bool:
        keyring = _keyring()
        _is_locked(keyring, account)  # raises without a keyring
        return _remove(keyring, account)

    return bool(_call(account, timeout_s, remove))


def setup_command(account: str) -> str:
    """Return the command that stores a key for the account."""
    return SETUP if account == DEFAULT_ACCOUNT else f"{SETUP} --account {account}"


def file_setup_command(account: str) -> str:
    """Return the command that stores a key for the account without a keyring."""
    return f"{setup_command(account)} --store file"


def backend_name(timeout_s: float) -> str:
    """Return the library's name of the keyring in use. CredentialError without one, or when it does not answer."""
    name = str(_call(DEFAULT_ACCOUNT, timeout_s, lambda: _keyring().name))
    if name.startswith("fail "):
        raise NoKeyringError("no keyring service is running", file_setup_command(DEFAULT_ACCOUNT))
    return name


def _keyring() -> KeyringBackend:
    """Return the machine's current keyring.

    The library searches once in a process, but a user's service may start before the session's keyring: when none was found and
    the user has not configured one, search again.
    """
    if sys.platform != "darwin":  # elsewhere the library's module for macOS starts a linker and a compiler
        sys.modules.setdefault("keyring.backends.macOS.api", None)  # type: ignore[arg-type]  # None: import fails (import system)
    import keyring  # only when needed: finding a back end takes 0.1 s
    from keyring.backend import KeyringBackend
    from keyring.backends import fail, null
    from keyring.core import load_config, load_env

    found = keyring.get_keyring()
    if isinstance(found, fail.Keyring) and load_env() is None and load_config() is None:
        ranked: list[tuple[float, type[KeyringBackend]]] = [(fail.Keyring.priority, fail.Keyring)]
        for kind in KeyringBackend.get_viable_backends():
            with suppress(RuntimeError):  # the library's chainer back end, when one of its parts has ended
                ranked.append((kind.priority, kind))
        best = max(ranked, key=lambda pair: pair[0])[1]
        if best is not fail.Keyring:
            keyring.set_keyring(best())
            found = keyring.get_keyring()
    if isinstance(found, null.Keyring):
        raise NullKeyringError
    return found


def _is_keychain(keyring: KeyringBackend) -> bool:
    return type(keyring).__module__ == "keyring.backends.macOS"


def _is_locked(keyring: KeyringBackend, account: str) -> bool:
    """Return whether reading would show a password prompt. False for other back ends than a Secret Service.

    NoKeyringYetError without a keyring: reading would make the library create one, which shows a prompt as well.
    """
    if not type(keyring).__module__.endswith(".SecretService"):
        return False
    import secretstorage
    from secretstorage.collection import Collection
    from secretstorage.exceptions import ItemNotFoundException, SecretServiceNotAvailableException

    try:
        with closing(secretstorage.dbus_init()) as connection:
            return bool(Collection(connection).is_locked())
    except ItemNotFoundException as error:
        raise NoKeyringYetError("there is no keyring yet", setup_command(account)) from error
    except SecretServiceNotAvailableException:
        return False  # the read that follows raises the library's own error


def _call(account: str, timeout_s: float, call: Callable[[], object]) -> Any:
    deadline = Deadline(timeout_s)
    if not all(deadline.wait_for(thread) for thread in threading.enumerate() if thread.name == _THREAD):
        raise _no_answer(account, timeout_s)
    results: SimpleQueue[tuple[object, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised again on the caller's thread; a panic in Rust is no Exception
            results.put((None, error))

    threading.Thread(target=run, name=_THREAD, daemon=True).start()
    try:
        result, error = deadline.get(results)
    except Empty:
        raise _no_answer(account, timeout_s) from None
    if error is not None:
        raise error_of(account, error) from error
    return result


def _no_answer(account: str, timeout_s: float) -> KeyringError:
    limit_s = round(timeout_s, 2 if timeout_s < 1 else 0)
    return KeyringError(
        f"the keyring did not answer within {limit_s:g} s: it may be waiting for its password",
        file_setup_command(account),
    )


def error_of(account: str, error: BaseException) -> KeyringError:
    """Return the error for one of the library."""
    if isinstance(error, NullKeyringError):
        return NullKeyringError(account)
    if isinstance(error, KeyringError):
        return error
    if isinstance(error, ImportError):
        return NoKeyringError(f"the Python package {error.name or 'keyring'} is not installed", file_setup_command(account))
    denial = _of_keychain(account, error)
    if denial is not None:
        return denial
    import keyring.errors

    match error:
        case keyring.errors.NoKeyringError():
            return NoKeyringError("no keyring service is running", file_setup_command(account))
        case keyring.errors.KeyringLocked():
            return LockedKeyringError("the keyring is locked", file_setup_command(account))
        case keyring.errors.InitError():
            return NoKeyringError("the keyring cannot be opened", file_setup_command(account))
        case _:
            # Only the class: the text may contain the key.
            return KeyringError(f"the keyring failed: {type(error).__name__}", file_setup_command(account))


def _of_keychain(account: str, error: BaseException) -> KeyringError | None:
    """Return the error for a status of the Keychain of macOS; None for another error."""
    status = keychain_status(error)
    if status == CANCELED:
        words = 'access to the Keychain was denied: choose "Always Allow" in its dialog'
        return DeniedKeyringError(words, hint("the Keychain was denied"))
    if status in REFUSED:
        words = "the Keychain does not accept this program, whose Python has changed: store the key again"
        return DeniedKeyringError(words, setup_command(account))
    if status in (OWNED_BY_OTHER, DUPLICATE):
        words = "the Keychain has an entry of another program, which this one may not replace"
        return DeniedKeyringError(words, hint("the Keychain has an entry of another program", account=shlex.quote(account)))
    if status in NO_DIALOG:
        return KeyringError("the Keychain is locked and cannot show its dialog, as over ssh", hint("the Keychain is locked"))
    if status in NO_KEYCHAIN:
        return NoKeyringError("there is no keychain", file_setup_command(account))
    return None


def error_named(name: str, message: str, hint_: str) -> KeyringError:
    """Return an error of this module by the name of its class, as another process has raised it."""
    kind = next((kind for kind in _ERRORS if kind.__name__ == name), KeyringError)
    error = kind.__new__(kind)
    CredentialError.__init__(error, message, hint_)
    return error
