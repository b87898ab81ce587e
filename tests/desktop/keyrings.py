"""Small true keyring back ends, registered with the keyring library as any other: one that works and three that do not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Keeps passwords in memory."""

    @properties.classproperty
    def priority(self) -> float:
        raise RuntimeError("only where a test installs it: the library must not choose it by itself")

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")


class LockedKeyring(MemoryKeyring):
    """The user dismissed the password prompt."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")


class SilentKeyring(MemoryKeyring):
    """Waits for a password prompt that the user does not see, until `answer` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = threading.Event()
        self.calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.calls += 1
        self.answer.wait()
        return super().get_password(service, username)


class BrokenKeyring(MemoryKeyring):
    """Fails, and repeats the password in its error."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("bus error")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot store {password}")


class ForgetfulKeyring(MemoryKeyring):
    """Accepts everything and keeps nothing, as keyring's own null back end does."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


@contextmanager
def installed(backend: KeyringBackend) -> Iterator[None]:
    """Use `backend` as the machine's keyring during the block."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)
