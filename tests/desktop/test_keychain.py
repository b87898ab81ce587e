"""Keys in the Keychain of macOS, by the keyring library's own back end for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from openbalance_hid.config.paths import Paths
from openbalance_hid.desktop.broker_logins import BrokerLogins, delete_login, store_login
from openbalance_hid.desktop.credentials import KeyStore, check_store, delete_key, read_key, store_key
from openbalance_hid.desktop.keyring_backend import DeniedKeyringError, KeyringError
from openbalance_hid.errors import NoKeyError
from openbalance_hid.secret import BrokerLogin, Secret
from tests.desktop.standin_keychain import Keychain, install_keychain
from tests.waiting import PATIENCE_S

OLD, NEW = Secret("sk-or-v1-0123456789aaaa"), Secret("sk-or-v1-0123456789bbbb")


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keychain:
    return install_keychain(tmp_path, monkeypatch)


@pytest.fixture
def places(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config.toml", tmp_path / "state", tmp_path / "run")


def store(places: Paths, secret: Secret) -> None:
    check_store("default", KeyStore.KEYRING, places, PATIENCE_S)
    store_key("default", secret, KeyStore.KEYRING, places, PATIENCE_S)


def test_a_key_is_stored_and_read_without_a_dialog_and_the_test_leaves_nothing(mac: Keychain, places: Paths):
    store(places, OLD)
    assert read_key("default", {}, places, PATIENCE_S).secret == OLD
    assert (list(mac.entries), mac.dialogs) == (["openbalance-hid/default"], 0)


@pytest.mark.parametrize("refuses", [False, True], ids=["asks", "refuses"])
def test_after_an_upgrade_of_python_setup_replaces_the_key_without_a_dialog(mac: Keychain, places: Paths, refuses: bool):
    store(places, OLD)
    mac.program, mac.refuses = "python3.14", refuses
    store(places, NEW)
    assert read_key("default", {}, places, PATIENCE_S).secret == NEW
    assert mac.dialogs == 0


def test_an_upgrade_of_python_between_the_test_and_the_next_one_is_harmless(mac: Keychain, places: Paths):
    mac.set_generic_password(None, "openbalance-hid", "test of setup", "left by an interrupted setup")
    mac.program = "python3.14"
    check_store("default", KeyStore.KEYRING, places, PATIENCE_S)
    assert mac.entries == {}


def test_a_python_that_the_keychain_refuses_is_led_to_setup_which_works(mac: Keychain, places: Paths):
    store(places, OLD)
    mac.program, mac.refuses = "python3.14", True
    with pytest.raises(DeniedKeyringError, match="whose Python has changed") as refusal:
        read_key("default", {}, places, PATIENCE_S)
    assert refusal.value.hint == "openbalance-hid setup"
    store(places, NEW)
    assert read_key("default", {}, places, PATIENCE_S).secret == NEW


def test_an_entry_that_cannot_be_removed_is_named_with_the_command_that_does(
    mac: Keychain, places: Paths, monkeypatch: pytest.MonkeyPatch
):
    store(places, OLD)
    mac.program = "python3.14"
    monkeypatch.setattr("openbalance_hid.desktop.keychain.SECURITY", "/nowhere/security")
    with pytest.raises(DeniedKeyringError, match="an entry of another program") as refusal:
        store_key("default", NEW, KeyStore.KEYRING, places, PATIENCE_S)
    assert refusal.value.hint == "security delete-generic-password -s openbalance-hid -a default"


@pytest.mark.parametrize("program", ["python3.13", "python3.14"])
def test_a_key_is_forgotten_without_a_dialog_also_by_another_python(mac: Keychain, places: Paths, program: str):
    store(places, OLD)
    mac.program = program
    assert delete_key("default", {}, places, PATIENCE_S) == ("the keyring",)
    assert (mac.entries, mac.dialogs) == ({}, 0)
    with pytest.raises(NoKeyError):
        delete_key("default", {}, places, PATIENCE_S)


def test_over_ssh_a_locked_keychain_is_reported_before_the_key_is_entered(mac: Keychain, places: Paths):
    mac.lock()
    mac.has_display = False
    with pytest.raises(KeyringError, match="as over ssh") as refusal:
        check_store("default", KeyStore.KEYRING, places, PATIENCE_S)
    assert refusal.value.hint == "security unlock-keychain"


def test_a_cancelled_unlock_leads_to_the_file_and_not_to_a_refresh(mac: Keychain, places: Paths):
    mac.lock()
    mac.answers = ["deny"]
    with pytest.raises(DeniedKeyringError) as refusal:
        check_store("default", KeyStore.KEYRING, places, PATIENCE_S)
    assert refusal.value.hint == "openbalance-hid setup --store file"
    mac.answers = ["allow"]
    check_store("default", KeyStore.KEYRING, places, PATIENCE_S)
    assert mac.dialogs == 2


@pytest.mark.parametrize(("answer", "dialogs"), [("allow", 2), ("always", 1)])
def test_always_allow_ends_the_dialogs_and_allow_does_not(mac: Keychain, places: Paths, answer: str, dialogs: int):
    store(places, OLD)
    mac.program, mac.answers = "python3.14", [answer, answer]
    for _ in range(2):
        assert read_key("default", {}, places, PATIENCE_S).secret == OLD
    assert mac.dialogs == dialogs


@pytest.mark.parametrize("change", ["a cancelled unlock", "another Python"])
def test_the_login_of_a_broker_has_a_hint_of_its_own(mac: Keychain, places: Paths, change: str):
    login = BrokerLogin("desk", "secret")
    if change == "a cancelled unlock":
        mac.lock()
        mac.answers = ["deny"]
        with pytest.raises(KeyringError) as refusal:
            store_login("broker.example:8883", login, KeyStore.KEYRING, places, PATIENCE_S)
        assert refusal.value.hint == "openbalance-hid setup --broker mqtts://broker.example:8883 --store file"
    else:
        store_login("broker.example:8883", login, KeyStore.KEYRING, places, PATIENCE_S)
        mac.program = "python3.14"
        assert delete_login("broker.example:8883", places, PATIENCE_S) == ("the keyring",)
        assert mac.entries == {}


def test_a_denied_login_of_a_broker_opens_no_other_dialog_until_a_refresh(mac: Keychain, places: Paths):
    login = BrokerLogin("desk", "secret")
    store_login("broker.example:8883", login, KeyStore.KEYRING, places, PATIENCE_S)
    logins = BrokerLogins({}, places)
    mac.program, mac.answers = "python3.14", ["deny", "allow"]
    for _ in range(4):  # at each attempt to connect
        with pytest.raises(DeniedKeyringError):
            logins.read("broker.example:8883")
    assert mac.dialogs == 1
    logins.forget()
    assert [logins.read("broker.example:8883") for _ in range(3)] == [login] * 3
    assert mac.dialogs == 2
