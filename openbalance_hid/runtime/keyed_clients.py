"""A client of OpenRouter for each account, with the key that is stored now: read anew for each poll, once on macOS."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from openbalance_hid.config.paths import Paths
from openbalance_hid.desktop.credentials import TIMEOUT_S, StoredKey, read_key
from openbalance_hid.desktop.key_cache import KeyCache
from openbalance_hid.desktop.keyring_backend import LockedKeyringError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.runtime.children import Children
from openbalance_hid.secret import Secret, mask_body


class KeyedClients:
    """`ca_file`: returns further root certificates. Thread-safe."""

    def __init__(
        self,
        env: Mapping[str, str],
        paths: Paths,
        base_url: str,
        ca_file: Callable[[], str | None],
        children: Children,
    ) -> None:
        self._env = env
        self._paths = paths
        self._base_url = base_url
        self._ca_file = ca_file
        self._children = children
        self._locked: set[str] = set()  # accounts with a keyring that stayed locked: the user is prompted once
        self._keys = KeyCache(self._read, lambda key: key.where == "keyring")
        self._secrets: dict[str, Secret] = {}  # by account, as last read

    def client(self, account: str) -> Client:
        """Return a client with the account's key. CredentialError without a key."""
        try:
            key = self._keys.entry(account) if sys.platform == "darwin" else self._read(account)
        except LockedKeyringError:
            self._locked.add(account)
            raise
        self._locked.discard(account)
        self._secrets[account] = key.secret
        return Client(key.secret, self._base_url, ca_file=self._ca_file(), new_session=self._children.http.session)

    def mask(self, text: bytes) -> bytes:
        """Return `text` with every part of a known key masked: what a program prints may contain one."""
        for secret in list(self._secrets.values()):
            text = mask_body(text, secret)
        return text

    def forget(self, account: str) -> None:
        """Read the key anew at the next poll, also on macOS."""
        self._keys.forget(account)

    def _read(self, account: str, timeout_s: float = TIMEOUT_S) -> StoredKey:
        may_prompt = sys.platform == "darwin" or account not in self._locked
        return read_key(account, self._env, self._paths, timeout_s, may_prompt, self._children.keyring.read_entry)
