"""User and password of a broker: where they are found, stored and removed; never in a text."""

import pickle
from pathlib import Path

import pytest

from openbalance_hid.config.paths import Paths
from openbalance_hid.desktop.broker_logins import BrokerLogins, delete_login, read_login, store_login
from openbalance_hid.desktop.credentials import KeyStore
from openbalance_hid.errors import CredentialError
from openbalance_hid.secret import BrokerLogin
from tests.desktop.keyrings import LockedKeyring, MemoryKeyring, installed

BROKER = "broker.example:8883"
LOGIN = BrokerLogin("desk", "correct:horse battery")


def test_a_login_in_the_keyring_is_read_again_and_removed(places: Paths, memory: MemoryKeyring):
    assert store_login(BROKER, LOGIN, KeyStore.KEYRING, places) == "the keyring"
    assert list(memory.kept) == [("openbalance-hid", f"broker {BROKER}")]
    found = read_login(BROKER, {}, places)
    assert found is not None
    assert (found.login, found.login.reveal(), found.place) == (LOGIN, "correct:horse battery", "the keyring")
    assert read_login("other.example:8883", {}, places) is None
    assert delete_login(BROKER, places) == ("the keyring",)
    assert read_login(BROKER, {}, places) is None
    assert delete_login(BROKER, places) == ()


def test_a_login_in_a_file_is_private_and_replaces_the_one_in_the_keyring(places: Paths, memory: MemoryKeyring):
    place = Path(store_login(BROKER, LOGIN, KeyStore.FILE, places))
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    found = read_login(BROKER, {}, places)
    assert found is not None
    assert found.login == LOGIN
    place.chmod(0o644)
    with pytest.raises(CredentialError, match="is open to others"):
        read_login(BROKER, {}, places)
    place.chmod(0o600)
    store_login(BROKER, BrokerLogin("desk", "new"), KeyStore.KEYRING, places)
    assert not place.exists()


@pytest.mark.parametrize("separator", ["\n", ":", "\r\n"])
def test_the_credential_of_a_service_comes_first(places: Paths, tmp_path: Path, separator: str):
    store_login(BROKER, BrokerLogin("other", "x"), KeyStore.FILE, places)
    (tmp_path / "openbalance-broker").write_text(f"desk{separator}correct:horse battery\n")
    found = read_login(BROKER, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, places)
    assert found is not None
    assert (found.login.user, found.login.reveal()) == ("desk", "correct:horse battery")


@pytest.mark.parametrize("text", ["", "desk", "desk\npassword\nmore", "\n\n", "desk\n"])
def test_what_is_no_login_is_refused_without_its_text(places: Paths, tmp_path: Path, text: str):
    (tmp_path / "openbalance-broker").write_text(text)
    with pytest.raises(CredentialError) as error:
        read_login(BROKER, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, places)
    assert error.value.hint.startswith("openbalance-hid setup --broker")
    assert "password\n" not in error.value.message


def test_a_machine_without_a_keyring_has_no_login_and_stores_one_in_a_file(places: Paths):
    assert BrokerLogins({}, places).read(BROKER) is None
    with pytest.raises(CredentialError) as error:
        store_login(BROKER, LOGIN, KeyStore.KEYRING, places)
    assert error.value.hint == f"openbalance-hid setup --broker mqtts://{BROKER} --store file"


def test_a_locked_keyring_is_an_error_and_not_a_broker_without_a_user(places: Paths, memory: MemoryKeyring):
    store_login(BROKER, LOGIN, KeyStore.KEYRING, places)
    with installed(LockedKeyring()), pytest.raises(CredentialError, match="locked"):
        BrokerLogins({}, places).read(BROKER)


def test_no_text_of_a_login_shows_the_password():
    assert "horse" not in f"{LOGIN!r} {LOGIN} {[LOGIN]}"
    with pytest.raises(TypeError):
        pickle.dumps(LOGIN)
    with pytest.raises(CredentialError) as error:
        BrokerLogin("desk", "secret\0")
    assert "secret" not in error.value.message
