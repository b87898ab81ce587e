"""Reads the key of an account once, for the Keychain of macOS: each read may open a dialog there.

After a change of Python, macOS prompts again until the user chooses "Always Allow". So a key is kept for the life of the
process, so is a late answer, and a denial waits for the user. A key from another place than the keyring is read each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from openbalance_hid.desktop.credentials import StoredKey
from openbalance_hid.desktop.keyring_backend import KeyringError
from openbalance_hid.errors import CredentialError, Retry
from openbalance_hid.hints import hint

FIRST_LIMIT_S = 120.0  # the user has to find the dialog, and to type a password
NEXT_LIMIT_S = 5.0  # the dialog is still open: the poll is tried again later
READ_LIMIT_S = 24 * 3600.0  # of the read itself: a late answer is kept


class KeyCache:
    """`read(account, timeout_s)` returns the key or raises CredentialError. Thread-safe."""

    def __init__(
        self,
        read: Callable[[str, float], StoredKey],
        first_limit_s: float = FIRST_LIMIT_S,
        next_limit_s: float = NEXT_LIMIT_S,
    ) -> None:
        self._read = read
        self._first_limit_s = first_limit_s
        self._next_limit_s = next_limit_s
        self._lock = threading.Lock()
        self._reads: dict[str, _Read] = {}

    def key(self, account: str) -> StoredKey:
        """Return the key of the account. CredentialError without one, or while the read has no answer."""
        with self._lock:
            known = self._reads.get(account)
            read = self._reads[account] = known or _Read()
        if known is None:
            try:
                threading.Thread(target=self._fill, args=(account, read), name="key-read", daemon=True).start()
            except RuntimeError:  # no resources for another thread
                self._drop(account, read)
                raise
        if not read.done.wait(self._first_limit_s if known is None else self._next_limit_s):
            raise KeyringError(
                'the Keychain waits for you: choose "Always Allow" in its dialog', hint("the Keychain waits for its dialog")
            )
        if read.key is None:
            if read.error.retry is not Retry.USER:
                self._drop(account, read)
            raise read.error
        if read.key.where != "keyring":
            self._drop(account, read)
        return read.key

    def forget(self, account: str) -> None:
        """Read the key again at the next call, unless a read is waiting for its answer."""
        with self._lock:
            read = self._reads.get(account)
            if read is not None and read.done.is_set():
                del self._reads[account]

    def _drop(self, account: str, read: _Read) -> None:
        with self._lock:
            if self._reads.get(account) is read:
                del self._reads[account]

    def _fill(self, account: str, read: _Read) -> None:
        try:
            read.key = self._read(account, READ_LIMIT_S)
        except CredentialError as error:
            read.error = error
        finally:
            read.done.set()


class _Read:
    """One read: its key, or its error."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.key: StoredKey | None = None
        self.error: CredentialError = KeyringError("the key could not be read")
