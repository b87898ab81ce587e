"""Keyrings that are missing, locked, silent or broken: each call ends in time with a clear error."""

import sys
import threading
from pathlib import Path

import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring

from openbalance_hid.desktop import keyring_backend
from openbalance_hid.errors import CredentialError
from tests.cli.command_line import machine, python
from tests.desktop.keyrings import BrokenKeyring, ForgetfulKeyring, LockedKeyring, MemoryKeyring, SilentKeyring, installed

TO_FILE = "openbalance-hid setup --account work --store file"


def waiting() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "keyring"]


def test_what_is_stored_is_found_and_removed_once(memory: MemoryKeyring):
    assert keyring_backend.get_password("work", 5) is None
    keyring_backend.set_password("work", "sk-or-v1-x", 5)
    assert memory.kept == {("openbalance-hid", "work"): "sk-or-v1-x"}
    assert keyring_backend.get_password("work", 5) == "sk-or-v1-x"
    assert keyring_backend.delete_password("work", 5) is True
    assert keyring_backend.delete_password("work", 5) is False


class PanicError(BaseException):
    """As a panic in Rust, of which `cryptography` is made: no Exception."""


class PanickingKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise PanicError


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has the Keychain")
def test_looking_for_a_keyring_starts_no_other_program(tmp_path: Path):
    code = (
        "import sys\n"
        "sys.addaudithook(lambda name, args: print(args) if name in ('subprocess.Popen', 'os.posix_spawn') else None)\n"
        "from openbalance_hid.desktop.keyring_backend import get_password\n"
        "try: get_password('default', 30)\n"
        "except Exception as error: print(error)\n"
    )
    removed = ("DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND")
    env = {name: text for name, text in machine(tmp_path).items() if name not in removed}
    assert python(env, code).stdout == "no keyring service is running\n"


def test_a_silent_keyring_is_given_up_and_not_called_again_while_it_is_stuck():
    backend = SilentKeyring()
    with installed(backend):
        try:
            for _ in range(3):
                with pytest.raises(CredentialError) as refusal:
                    keyring_backend.get_password("work", 0.01)
            assert (backend.calls, len(waiting())) == (1, 1)
        finally:
            backend.answer.set()
        assert keyring_backend.get_password("work", 5) is None
    assert refusal.value.message == "the keyring did not answer within 0.01 s: it may be waiting for its password"
    assert refusal.value.hint == TO_FILE


def test_the_time_of_a_keyring_without_an_answer_is_in_whole_seconds(memory: MemoryKeyring):
    lock = threading.Event()
    busy = threading.Thread(target=lock.wait, name="keyring", daemon=True)  # an earlier call that does not end
    busy.start()
    try:
        with pytest.raises(CredentialError, match="within 1 s"):
            keyring_backend.get_password("work", 1.01)
    finally:
        lock.set()
        busy.join()


def test_simultaneous_callers_are_all_served(memory: MemoryKeyring):
    memory.set_password("openbalance-hid", "work", "sk-or-v1-x")
    found = []
    callers = [threading.Thread(target=lambda: found.append(keyring_backend.get_password("work", 5))) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert found == ["sk-or-v1-x"] * 8


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (NoKeyring(), "no keyring service is running"),
        (NullKeyring(), "the keyring is switched off: its back end is keyring.backends.null"),
        (LockedKeyring(), "the keyring is locked"),
        (BrokenKeyring(), "the keyring failed: RuntimeError"),
        (PanickingKeyring(), "the keyring failed: PanicError"),
    ],
    ids=["none", "null", "locked", "broken", "panicking"],
)
def test_a_keyring_that_cannot_be_read_raises_a_clear_error(backend, message: str):
    with installed(backend), pytest.raises(CredentialError) as refusal:
        keyring_backend.get_password("work", 5)
    assert (refusal.value.message, refusal.value.hint) == (message, TO_FILE)


def test_the_text_of_a_back_end_error_is_not_repeated():
    with installed(BrokenKeyring()), pytest.raises(CredentialError) as refusal:
        keyring_backend.set_password("work", "sk-or-v1-x", 5)
    assert "sk-or" not in str(refusal.value)


def test_a_keyring_that_keeps_nothing_is_detected():
    with installed(ForgetfulKeyring()), pytest.raises(CredentialError, match="did not keep the key"):
        keyring_backend.set_password("work", "sk-or-v1-x", 5)
