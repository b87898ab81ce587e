"""The only place that touches the OS keyring: with a time limit, and with its many failures in words.

A keyring may be missing, locked, or waiting for a password in a window that nobody sees. Each call runs in a thread of its own
which is left behind when it does not come back; as long as one is stuck, no other is begun.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from openbalance_hid.desktop.deadline import Deadline
from openbalance_hid.errors import CredentialError, Retry

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "openbalance-hid"
DEFAULT_ACCOUNT = "default"

_THREAD = "keyring"


class KeyringError(CredentialError):
    """The keyring does not say what it has. It may in a moment: when its service has started, or its owner has opened it."""

    retry = Retry.SOON


class NoKeyringError(KeyringError):
    """There is no keyring on this machine, or no service that would open it."""


class NoKeyringYetError(NoKeyringError):
    """Its service runs, and nobody has made a keyring in it, or opened the file that is one. Storing a key makes one."""


class LockedKeyringError(KeyringError):
    """Its owner has not opened it."""


def get_password(account: str, timeout_s: float, may_prompt: bool = True) -> str | None:
    """What the keyring holds for the account, None where it holds nothing. KeyringError after `timeout_s` or on failure.

    `may_prompt`: a locked one may open a window that asks for its password.
    """

    def ask() -> str | None:
        keyring = _keyring()
        if _is_locked(keyring, account) and not may_prompt:
            raise LockedKeyringError("the keyring is locked", file_setup_command(account))
        return keyring.get_password(SERVICE, account)

    found = _within(account, timeout_s, ask)
    return None if found is None else str(found)


def set_password(account: str, password: str, timeout_s: float) -> None:
    """Stores it, and reads it back: some back ends take everything and keep nothing."""

    def store() -> bool:
        keyring = _keyring()
        keyring.set_password(SERVICE, account, password)
        return keyring.get_password(SERVICE, account) == password

    if not _within(account, timeout_s, store):
        raise CredentialError("the keyring did not keep the key", file_setup_command(account))


def delete_password(account: str, timeout_s: float) -> bool:
    """Removes it; whether there was one."""

    def remove() -> bool:
        keyring = _keyring()
        _is_locked(keyring, account)  # raises where there is none
        if keyring.get_password(SERVICE, account) is None:
            return False
        keyring.delete_password(SERVICE, account)
        return True

    return bool(_within(account, timeout_s, remove))


def setup_command(account: str) -> str:
    """The command that stores a key for the account."""
    return "openbalance-hid setup" if account == DEFAULT_ACCOUNT else f"openbalance-hid setup --account {account}"


def file_setup_command(account: str) -> str:
    """The command that stores a key for the account without any keyring."""
    return f"{setup_command(account)} --store file"


def backend_name(timeout_s: float) -> str:
    """The name of what keeps the passwords, as keyring calls it. CredentialError where nothing does, or does not answer."""
    name = str(_within(DEFAULT_ACCOUNT, timeout_s, lambda: _keyring().name))
    if name.startswith("fail "):
        raise NoKeyringError("no keyring service is running", file_setup_command(DEFAULT_ACCOUNT))
    return name


def _keyring() -> KeyringBackend:
    """The machine's keyring as it is now.

    The library looks for one once in a process, and a service of the user may well be older than the session's keyring: where
    nothing was found and the owner has not named one, it is looked for again.
    """
    if sys.platform != "darwin":  # where the library's part for macOS starts linker and compiler to look for Apple's libraries
        sys.modules.setdefault("keyring.backends.macOS.api", None)  # type: ignore[arg-type]  # "is not there" (import system)
    import keyring  # not before it is needed: finding a back end takes a tenth of a second
    from keyring.backend import KeyringBackend
    from keyring.backends import fail
    from keyring.core import load_config, load_env

    found = keyring.get_keyring()
    if isinstance(found, fail.Keyring) and load_env() is None and load_config() is None:
        ranked: list[tuple[float, type[KeyringBackend]]] = [(fail.Keyring.priority, fail.Keyring)]
        for kind in KeyringBackend.get_viable_backends():
            with suppress(RuntimeError):  # the library's chain of all that it once found, of which one is there no longer
                ranked.append((kind.priority, kind))
        best = max(ranked, key=lambda pair: pair[0])[1]
        if best is not fail.Keyring:
            keyring.set_keyring(best())
    return keyring.get_keyring()


def _is_locked(keyring: KeyringBackend, account: str) -> bool:
    """Whether a question would open a window that asks for a password. Of others than a Secret Service nobody can say: no.

    NoKeyringYetError where there is none: the library would have one made for any question, which opens a window as well.
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
        return False  # the question itself says it in the library's own words


def _within(account: str, timeout_s: float, call: Callable[[], object]) -> Any:
    deadline = Deadline(timeout_s)
    if not all(deadline.wait_for(thread) for thread in threading.enumerate() if thread.name == _THREAD):
        raise _silent(account, timeout_s)
    answers: SimpleQueue[tuple[object, Exception | None]] = SimpleQueue()

    def turn() -> None:
        try:
            answers.put((call(), None))
        except Exception as error:  # noqa: BLE001 - the turn of a thread: whatever it was, the caller hears of it
            answers.put((None, error))

    threading.Thread(target=turn, name=_THREAD, daemon=True).start()
    try:
        answer, error = deadline.get(answers)
    except Empty:
        raise _silent(account, timeout_s) from None
    if error is not None:
        raise _in_words(account, error) from error
    return answer


def _silent(account: str, timeout_s: float) -> KeyringError:
    return KeyringError(
        f"the keyring did not answer within {round(timeout_s, 2):g} s: it may be waiting for its password",
        file_setup_command(account),
    )


def _in_words(account: str, error: Exception) -> KeyringError:
    if isinstance(error, KeyringError):
        return error
    if isinstance(error, ImportError):
        return NoKeyringError(f"the Python package {error.name or 'keyring'} is not installed", file_setup_command(account))
    import keyring.errors

    match error:
        case keyring.errors.NoKeyringError():
            return NoKeyringError("no keyring service is running", file_setup_command(account))
        case keyring.errors.KeyringLocked():
            return LockedKeyringError("the keyring is locked", file_setup_command(account))
        case keyring.errors.InitError():
            return NoKeyringError("the keyring cannot be opened", file_setup_command(account))
        case _:
            # The class only: a back end may repeat in its text what it was handed.
            return KeyringError(f"the keyring failed: {type(error).__name__}", file_setup_command(account))
