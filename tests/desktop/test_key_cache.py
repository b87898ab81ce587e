"""The Keychain is read once. Each read of the stand-in opens a dialog, as for a Python that the user has not allowed always."""

from __future__ import annotations

import queue
import threading

import keyring.errors
import pytest

from openbalance_hid.desktop import keyring_backend
from openbalance_hid.desktop.credentials import StoredKey
from openbalance_hid.desktop.key_cache import KeyCache
from openbalance_hid.desktop.keyring_backend import DeniedKeyringError, KeyringError
from openbalance_hid.secret import Secret
from tests.desktop.keyrings import MemoryKeyring, installed
from tests.waiting import PATIENCE_S, until

KEY = StoredKey(Secret("sk-or-v1-0123456789"), "keyring", "the keyring")
DENIED = DeniedKeyringError("denied", "openbalance-hid refresh")


def in_keyring(key: StoredKey) -> bool:
    return key.where == "keyring"


class Dialogs:
    """Answers each read when the user does."""

    def __init__(self) -> None:
        self.opened = 0
        self.answers: queue.SimpleQueue[StoredKey | Exception] = queue.SimpleQueue()

    def read(self, account: str, timeout_s: float) -> StoredKey:
        self.opened += 1
        answer = self.answers.get(timeout=PATIENCE_S)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def dialogs() -> Dialogs:
    return Dialogs()


@pytest.fixture
def keys(dialogs: Dialogs) -> KeyCache[StoredKey]:
    return KeyCache(dialogs.read, in_keyring, PATIENCE_S, PATIENCE_S)


def test_a_key_is_read_once_and_again_after_it_is_forgotten(dialogs: Dialogs, keys: KeyCache) -> None:
    dialogs.answers.put(KEY)
    assert [keys.entry("default") for _ in range(4)] == [KEY] * 4
    assert dialogs.opened == 1
    keys.forget("default")
    dialogs.answers.put(KEY)
    assert keys.entry("default") == KEY
    assert dialogs.opened == 2


def test_a_denial_opens_no_other_dialog_until_the_user_acts(dialogs: Dialogs, keys: KeyCache) -> None:
    dialogs.answers.put(DENIED)
    for _ in range(4):
        with pytest.raises(DeniedKeyringError):
            keys.entry("default")
    assert dialogs.opened == 1
    keys.forget("default")
    dialogs.answers.put(KEY)
    assert keys.entry("default") == KEY


def test_a_late_answer_is_kept_and_meanwhile_no_other_dialog_opens(dialogs: Dialogs) -> None:
    keys = KeyCache(dialogs.read, in_keyring, first_limit_s=0.0, next_limit_s=0.0)
    for _ in range(3):
        with pytest.raises(KeyringError, match="Always Allow"):
            keys.entry("default")
        keys.forget("default")
    dialogs.answers.put(KEY)

    def is_kept() -> bool:
        try:
            return keys.entry("default") == KEY
        except KeyringError:
            return False

    until(is_kept)
    assert dialogs.opened == 1


def test_a_failure_that_may_end_by_itself_is_tried_again(dialogs: Dialogs, keys: KeyCache) -> None:
    dialogs.answers.put(KeyringError("not yet"))
    with pytest.raises(KeyringError):
        keys.entry("default")
    dialogs.answers.put(KEY)
    assert keys.entry("default") == KEY


def test_a_key_from_another_place_than_the_keyring_is_read_each_time(dialogs: Dialogs, keys: KeyCache) -> None:
    for _ in range(2):
        dialogs.answers.put(StoredKey(KEY.secret, "file", "a file"))
        keys.entry("default")
    assert dialogs.opened == 2


class Keychain(MemoryKeyring):
    """Fails as keyring.backends.macOS: its error has the error of the API, with the status, as its cause."""

    status = 0

    def get_password(self, service: str, username: str) -> str | None:
        cause = Exception(self.status, "Keychain Access Denied")
        raise keyring.errors.KeyringLocked(f"Can't get password from keychain: {cause}") from cause


@pytest.mark.parametrize(
    ("status", "words", "hint", "waits"),
    [
        (-128, "Always Allow", "openbalance-hid refresh", True),
        (-25293, "whose Python has changed", "openbalance-hid setup --account work", True),
        (-25308, "as over ssh", "security unlock-keychain", False),
    ],
)
def test_each_status_of_the_keychain_has_words_and_a_command(status: int, words: str, hint: str, waits: bool) -> None:
    backend = Keychain()
    backend.status = status
    with installed(backend), pytest.raises(KeyringError, match=words) as refusal:
        keyring_backend.get_password("work", 5)
    assert (refusal.value.hint, isinstance(refusal.value, DeniedKeyringError)) == (hint, waits)


def test_a_read_that_gets_no_thread_is_tried_at_the_next_call(dialogs: Dialogs, monkeypatch: pytest.MonkeyPatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    cache = KeyCache(dialogs.read, in_keyring)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            cache.entry("default")
    dialogs.answers.put(KEY)
    assert cache.entry("default") == KEY
