"""A real gnome-keyring on a bus of its own: open, locked, waiting for a password, absent, and late."""

from __future__ import annotations

import gc
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import SecretService, fail

from openbalance_hid.config.paths import Paths
from openbalance_hid.desktop import keyring_backend
from openbalance_hid.desktop.credentials import (
    KeySourceStatus,
    KeyStore,
    check_store,
    delete_key,
    key_sources,
    list_accounts,
    read_key,
    store_key,
)
from openbalance_hid.errors import CredentialError, NoKeyError, Retry
from openbalance_hid.secret import Secret
from tests.desktop.keyrings import installed
from tests.desktop.secret_service import LIMIT_S, gnome_keyring, lock, silent_prompter
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import until_no_thread

pytest.importorskip("jeepney", reason="D-Bus is Linux's")
pytest.importorskip("secretstorage", reason="the Secret Service is Linux's")

pytestmark = [
    needs_dbus,
    pytest.mark.skipif(shutil.which("gnome-keyring-daemon") is None, reason="gnome-keyring is not installed"),
    # the library leaves its connection to the garbage collector when there is no collection
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

KEY = Secret("sk-or-v1-one-0123456789aaaa")


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The session bus of this test, with nothing on it."""
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
    until_no_thread("keyring")  # a thread that waits for a prompt ends with the bus
    gc.collect()


def test_a_key_is_kept_found_listed_and_removed(bus: str, places: Paths, tmp_path: Path):
    with gnome_keyring(bus, tmp_path), installed(SecretService.Keyring()):
        store_key("work", KEY, KeyStore.KEYRING, places, LIMIT_S)
        assert read_key("work", {}, places, LIMIT_S).secret == KEY
        assert [(row.name, row.where) for row in list_accounts({}, places, LIMIT_S)] == [("work", "keyring")]
        assert key_sources("work", {}, places, LIMIT_S)[3].status is KeySourceStatus.USED
        assert keyring_backend.backend_name(LIMIT_S) == "SecretService Keyring"
        assert keyring_backend.delete_password("work", LIMIT_S)
        with pytest.raises(NoKeyError):
            read_key("work", {}, places, LIMIT_S)


def test_a_key_outlives_the_keyrings_own_restart(bus: str, places: Paths, tmp_path: Path):
    with installed(SecretService.Keyring()):
        with gnome_keyring(bus, tmp_path):
            store_key("work", KEY, KeyStore.KEYRING, places, LIMIT_S)
        with gnome_keyring(bus, tmp_path):
            assert read_key("work", {}, places, LIMIT_S).secret == KEY


def test_a_locked_keyring_without_a_prompt_is_reported_as_locked(bus: str, places: Paths, tmp_path: Path):
    with gnome_keyring(bus, tmp_path), installed(SecretService.Keyring()):
        store_key("work", KEY, KeyStore.KEYRING, places, LIMIT_S)
        lock()
        with pytest.raises(CredentialError, match="the keyring is locked") as refusal:
            read_key("work", {}, places, LIMIT_S)
        assert refusal.value.hint == "openbalance-hid setup --account work --store file"
        assert key_sources("work", {}, places, LIMIT_S)[3].status is KeySourceStatus.REFUSED


def test_a_locked_keyring_shows_no_prompt_where_none_is_allowed(bus: str, places: Paths, tmp_path: Path):
    with installed(SecretService.Keyring()), gnome_keyring(bus, tmp_path), silent_prompter(bus):
        store_key("work", KEY, KeyStore.KEYRING, places, LIMIT_S)
        assert read_key("work", {}, places, LIMIT_S, may_prompt=False).secret == KEY
        lock()
        with pytest.raises(CredentialError, match="the keyring is locked") as refusal:
            read_key("work", {}, places, LIMIT_S, may_prompt=False)
        assert refusal.value.retry is Retry.SOON
        until_no_thread("keyring")  # no thread waits for a prompt


def test_a_keyring_that_does_not_exist_yet_shows_no_prompt(bus: str, places: Paths, tmp_path: Path):
    with installed(SecretService.Keyring()), gnome_keyring(bus, tmp_path, has_keyring=False), silent_prompter(bus):
        with pytest.raises(NoKeyError, match="no key is stored for account 'work' \\(there is no keyring yet\\)") as none:
            read_key("work", {}, places, LIMIT_S)
        assert none.value.hint == "openbalance-hid setup --account work", "which creates one"
        assert none.value.retry is Retry.SOON, "a program that keeps keyrings in files may open one later"
        with pytest.raises(NoKeyError):
            delete_key("work", {}, places, LIMIT_S)
        check_store("work", KeyStore.KEYRING, places, LIMIT_S)
        with pytest.raises(CredentialError, match="it may be waiting for its password"):
            store_key("work", KEY, KeyStore.KEYRING, places, 0.3)  # creates one, which requires a password


def test_a_keyring_that_waits_for_its_password_blocks_no_caller(bus: str, places: Paths, tmp_path: Path):
    with installed(SecretService.Keyring()), gnome_keyring(bus, tmp_path), silent_prompter(bus):
        store_key("work", KEY, KeyStore.KEYRING, places, LIMIT_S)
        lock()
        for limit_s in (0.3, 0.1):
            with pytest.raises(CredentialError, match="it may be waiting for its password"):
                read_key("work", {}, places, limit_s)
        stuck = [thread for thread in threading.enumerate() if thread.name == "keyring"]
        assert len(stuck) == 1, "no second call starts while one is stuck"


def test_a_session_without_a_keyring_is_reported(bus: str, places: Paths):
    with installed(SecretService.Keyring()):
        assert key_sources("work", {}, places, LIMIT_S)[3].status is KeySourceStatus.EMPTY
        with pytest.raises(NoKeyError, match="no key is stored for account 'work' \\(the keyring cannot be opened\\)"):
            read_key("work", {}, places, LIMIT_S)


def test_a_keyring_that_starts_after_the_daemon_is_found(
    bus: str, places: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # no keyringrc.cfg of the developer's
    with installed(fail.Keyring()):  # what the library uses without a keyring
        with pytest.raises(CredentialError, match="no keyring service is running"):
            keyring_backend.backend_name(LIMIT_S)
        with gnome_keyring(bus, tmp_path):
            store_key("work", KEY, KeyStore.KEYRING, places, LIMIT_S)
            assert read_key("work", {}, places, LIMIT_S).secret == KEY


def test_a_configured_keyring_is_not_replaced(bus: str, places: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with installed(fail.Keyring()), gnome_keyring(bus, tmp_path):
        with pytest.raises(CredentialError, match="no keyring service is running"):
            keyring_backend.get_password("work", LIMIT_S)
        assert isinstance(keyring.get_keyring(), fail.Keyring)
