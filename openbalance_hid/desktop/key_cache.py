"""Reads each entry once, for the Keychain of macOS: each read may open a dialog there.

After a change of Python, macOS prompts again until the user chooses "Always Allow". So an entry is kept for the life of the
process, so is a late answer, and a denial waits for the user. What comes from another place than the keyring is read each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from openbalance_hid.desktop.keyring_backend import KeyringError
from openbalance_hid.errors import CredentialError, Retry
from openbalance_hid.hints import hint

FIRST_LIMIT_S = 120.0  # the user has to find the dialog, and to type a password
NEXT_LIMIT_S = 5.0  # the dialog is still open: the poll is tried again later
READ_LIMIT_S = 24 * 3600.0  # of the read itself: a late answer is kept


_Entry = TypeVar("_Entry")


class KeyCache(Generic[_Entry]):
    """`read(name, timeout_s)` returns a key or a login, or raises CredentialError. Thread-safe.

    `is_from_keyring`: whether what was read is kept.
    """

    def __init__(
        self,
        read: Callable[[str, float], _Entry],
        is_from_keyring: Callable[[_Entry], bool],
        first_limit_s: float = FIRST_LIMIT_S,
        next_limit_s: float = NEXT_LIMIT_S,
    ) -> None:
        self._read = read
        self._is_from_keyring = is_from_keyring
        self._first_limit_s = first_limit_s
        self._next_limit_s = next_limit_s
        self._lock = threading.Lock()
        self._reads: dict[str, _Read[_Entry]] = {}

    def entry(self, name: str) -> _Entry:
        """Return what `name` has. CredentialError without an entry that is required, or while the read has no answer."""
        with self._lock:
            known = self._reads.get(name)
            read = self._reads[name] = known or _Read()
        if known is None:
            try:
                threading.Thread(target=self._fill, args=(name, read), name="key-read", daemon=True).start()
            except RuntimeError:  # no resources for another thread
                self._drop(name, read)
                raise
        if not read.done.wait(self._first_limit_s if known is None else self._next_limit_s):
            raise KeyringError(
                'the Keychain waits for you: choose "Always Allow" in its dialog', hint("the Keychain waits for its dialog")
            )
        if read.error is not None:
            if read.error.retry is not Retry.USER:
                self._drop(name, read)
            raise read.error
        (entry,) = read.found
        if not self._is_from_keyring(entry):
            self._drop(name, read)
        return entry

    def forget(self, name: str | None = None) -> None:
        """Read the entry again at the next call, without a name every one, unless a read is waiting for its answer."""
        with self._lock:
            for each in tuple(self._reads) if name is None else (name,):
                if each in self._reads and self._reads[each].done.is_set():
                    del self._reads[each]

    def _drop(self, name: str, read: _Read[_Entry]) -> None:
        with self._lock:
            if self._reads.get(name) is read:
                del self._reads[name]

    def _fill(self, name: str, read: _Read[_Entry]) -> None:
        try:
            read.found = (self._read(name, READ_LIMIT_S),)
            read.error = None
        except CredentialError as error:
            read.error = error
        finally:
            read.done.set()


class _Read(Generic[_Entry]):
    """One read: what it has found, or its error."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.found: tuple[_Entry, ...] = ()
        self.error: CredentialError | None = KeyringError("the key could not be read")
