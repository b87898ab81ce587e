"""Where keys are found and which are refused. Files are real; this program compares modes, so that root is refused too."""

import os
import stat
import sys
from pathlib import Path

import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring

from openbalance_hid.config import paths, schema
from openbalance_hid.config.paths import Paths
from openbalance_hid.desktop import key_locations, keyring_backend
from openbalance_hid.desktop.credentials import (
    AccountListing,
    KeySourceStatus,
    KeyStore,
    check_store,
    delete_key,
    key_sources,
    list_accounts,
    overriding_source,
    read_key,
    store_key,
)
from openbalance_hid.errors import CredentialError, NoKeyError, Retry
from openbalance_hid.secret import Secret
from tests.desktop.keyrings import LockedKeyring, MemoryKeyring, SilentKeyring, installed
from tests.other_user import OTHER_UID, give_to_other_user, needs_other_user

ONE = Secret("sk-or-v1-one-0123456789aaaa")
TWO = Secret("sk-or-v1-two-0123456789bbbb")
SERVICE = "openbalance-hid"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def key_file(places: Paths, text: str, account: str = "default") -> Path:
    places.private_dir(places.state_dir)
    file = places.private_dir(places.key_file_dir) / f"{account}.key"
    file.write_text(text)
    file.chmod(0o600)
    return file


# --- finding -------------------------------------------------------------------------------------------------------------


def test_the_places_are_read_in_order_of_precedence(places: Paths, memory: MemoryKeyring, tmp_path: Path):
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / "openrouter-management-key").write_text("sk-or-v1-credential\n")
    memory.set_password(SERVICE, "default", "sk-or-v1-keyring-entry")
    file = key_file(places, "sk-or-v1-key-file-0\n")
    env = {"OPENROUTER_MANAGEMENT_KEY": " sk-or-v1-variable ", "CREDENTIALS_DIRECTORY": str(handed)}
    found = []
    for step in (
        lambda: env.pop("OPENROUTER_MANAGEMENT_KEY"),
        lambda: env.pop("CREDENTIALS_DIRECTORY"),
        file.unlink,
        memory.kept.clear,
    ):
        key = read_key("default", env, places)
        found.append((key.where, key.secret.reveal()))
        step()
    assert found == [
        ("environment", "sk-or-v1-variable"),
        ("credential", "sk-or-v1-credential"),
        ("file", "sk-or-v1-key-file-0"),
        ("keyring", "sk-or-v1-keyring-entry"),
    ]
    with pytest.raises(NoKeyError) as refusal:
        read_key("default", env, places)
    assert (refusal.value.message, refusal.value.hint) == ("no key is stored for account 'default'", "openbalance-hid setup")


def test_an_account_has_its_own_variable_and_credential(places: Paths, memory: MemoryKeyring, tmp_path: Path):
    (tmp_path / "openrouter-management-key-my-team").write_text("sk-or-v1-credential")
    env = {
        "OPENROUTER_MANAGEMENT_KEY": ONE.reveal(),
        "OPENROUTER_MANAGEMENT_KEY_WORK_2": TWO.reveal(),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    assert read_key("work-2", env, places).secret == TWO
    assert read_key("my-team", env, places).where == "credential"
    with pytest.raises(NoKeyError) as refusal:  # the key without a name is the default account's alone
        read_key("other", env, places)
    assert refusal.value.hint == "openbalance-hid setup --account other"


@pytest.mark.parametrize("name", ["", "Work", "a/b", "..", "a" * 33, "work\n", "ä"])
def test_an_invalid_account_name_reaches_no_file(places: Paths, memory: MemoryKeyring, name: str):
    for ask in (
        lambda: read_key(name, {}, places),
        lambda: store_key(name, ONE, KeyStore.FILE, places),
        lambda: delete_key(name, {}, places),
    ):
        with pytest.raises(CredentialError, match="not an account's name"):
            ask()
    assert not places.state_dir.exists()


def test_configuration_and_stores_agree_on_account_names():
    assert key_locations.ACCOUNT_NAME.pattern == paths.ACCOUNT_NAME.pattern
    assert keyring_backend.DEFAULT_ACCOUNT == schema.DEFAULT_ACCOUNT


def test_an_invalid_key_is_never_skipped_for_the_next_place(places: Paths, memory: MemoryKeyring):
    memory.set_password(SERVICE, "default", ONE.reveal())
    with pytest.raises(CredentialError) as refusal:
        read_key("default", {"OPENROUTER_MANAGEMENT_KEY": "hunter2-hunter2-hunter2"}, places)
    assert "environment variable OPENROUTER_MANAGEMENT_KEY does not begin with sk-or-v1-" in refusal.value.message
    assert "hunter2" not in refusal.value.message
    assert refusal.value.hint == "unset OPENROUTER_MANAGEMENT_KEY", "setup would change nothing"


def test_without_a_keyring_service_the_hint_stores_the_key_in_a_file(places: Paths):
    with installed(NoKeyring()), pytest.raises(NoKeyError) as refusal:
        read_key("default", {}, places)
    assert refusal.value.message == "no key is stored for account 'default' (no keyring service is running)"
    assert refusal.value.hint == "openbalance-hid setup --store file"


def test_a_keyring_that_is_switched_off_is_named_and_refuses_a_new_key(places: Paths):
    with installed(NullKeyring()):
        with pytest.raises(NoKeyError, match="the keyring is switched off") as refusal:
            read_key("work", {}, places)
        assert (refusal.value.retry, refusal.value.hint) == (Retry.USER, "openbalance-hid setup --account work --store file")
        for refused in (
            lambda: check_store("work", KeyStore.KEYRING, places, 5),
            lambda: store_key("work", ONE, KeyStore.KEYRING, places),
        ):
            with pytest.raises(CredentialError, match="the keyring is switched off") as error:
                refused()
            assert error.value.hint == "openbalance-hid setup --account work --store file"
        check_store("work", KeyStore.FILE, places, 5)


# --- files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loose", [0o640, 0o604, 0o660, 0o777])
def test_a_key_file_that_others_may_read_is_refused_with_the_command_that_fixes_it(places: Paths, loose: int):
    file = key_file(places, ONE.reveal())
    file.chmod(loose)
    with pytest.raises(CredentialError) as refusal:
        read_key("default", {}, places)
    assert refusal.value.message == f"{file} is open to others: mode {loose:04o}"
    assert refusal.value.hint == f"chmod 600 {file}"


def test_a_link_in_the_place_of_a_key_file_is_refused(places: Paths, tmp_path: Path):
    file = key_file(places, ONE.reveal())
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CredentialError, match="is a link, not a file"):
        read_key("default", {}, places)


def test_a_pipe_or_directory_in_the_place_of_a_key_file_is_refused_and_never_blocks(places: Paths):
    file = key_file(places, "")
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(CredentialError, match="is not a file"):
        read_key("default", {}, places)
    file.unlink()
    file.mkdir(0o700)
    with pytest.raises(CredentialError, match="is not a file"):
        read_key("default", {}, places)


@needs_other_user
def test_a_key_file_of_another_user_is_refused(places: Paths):
    give_to_other_user(key_file(places, ONE.reveal()))
    with pytest.raises(CredentialError, match=f"belongs to user {OTHER_UID}|permission denied"):  # root alone may even open it
        read_key("default", {}, places)


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"x" * 70_000], ids=["no text", "too large"])
def test_a_key_file_with_something_else_in_it_is_refused_without_repeating_it(places: Paths, raw: bytes):
    key_file(places, "").write_bytes(raw)
    with pytest.raises(CredentialError) as refusal:
        read_key("default", {}, places)
    assert "xxx" not in refusal.value.message
    assert refusal.value.__cause__ is None


# --- storing -------------------------------------------------------------------------------------------------------------


def test_a_key_file_is_private_whatever_the_umask(places: Paths, memory: MemoryKeyring):
    before = os.umask(0)
    try:
        stored = store_key("work", ONE, KeyStore.FILE, places)
    finally:
        os.umask(before)
    file = places.key_file_dir / "work.key"
    assert (stored.where, stored.place) == ("file", str(file))
    assert [mode(path) for path in (places.state_dir, places.key_file_dir, file)] == [0o700, 0o700, 0o600]
    assert read_key("work", {}, places) == stored
    assert [path.name for path in places.key_file_dir.iterdir()] == ["work.key"]


def test_a_link_in_the_place_of_a_new_key_file_is_replaced_and_its_target_unchanged(
    places: Paths, memory: MemoryKeyring, tmp_path: Path
):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    key_file(places, "").unlink()
    (places.key_file_dir / "default.key").symlink_to(victim)
    store_key("default", ONE, KeyStore.FILE, places)
    assert victim.read_text() == "precious"
    assert read_key("default", {}, places).secret == ONE


def test_no_key_is_written_to_a_directory_that_others_may_enter(places: Paths, memory: MemoryKeyring):
    key_file(places, "").unlink()
    places.key_file_dir.chmod(0o755)
    with pytest.raises(CredentialError) as refusal:
        store_key("default", ONE, KeyStore.FILE, places)
    assert refusal.value.hint == f"chmod 700 {places.key_file_dir}"
    assert list(places.key_file_dir.iterdir()) == []


def test_a_new_key_replaces_the_old_one_in_whichever_store(places: Paths, memory: MemoryKeyring):
    store_key("default", ONE, KeyStore.FILE, places)
    store_key("default", TWO, KeyStore.KEYRING, places)
    assert (read_key("default", {}, places).secret, read_key("default", {}, places).where) == (TWO, "keyring")
    store_key("default", ONE, KeyStore.FILE, places)
    assert (read_key("default", {}, places).secret, memory.kept) == (ONE, {})


def test_the_list_of_names_holds_no_secret_and_is_private(places: Paths, memory: MemoryKeyring):
    store_key("work", ONE, KeyStore.KEYRING, places)
    file = places.state_dir / "accounts.json"
    assert file.read_text() == '{"keyring": ["work"]}\n'
    assert mode(file) == 0o600


# --- listing and deleting -----------------------------------------------------------------------------------------------


def test_accounts_are_listed_from_everywhere_with_their_last_four(places: Paths, memory: MemoryKeyring, tmp_path: Path):
    (tmp_path / "openrouter-management-key-nas").write_text(ONE.reveal())
    env = {"OPENROUTER_MANAGEMENT_KEY_CI": TWO.reveal(), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    store_key("default", ONE, KeyStore.KEYRING, places)
    store_key("work", TWO, KeyStore.FILE, places)
    bad = key_file(places, TWO.reveal(), "loose")
    bad.chmod(0o644)
    assert list_accounts(env, places) == (
        AccountListing("default", "keyring", "the keyring", "aaaa"),
        AccountListing("ci", "environment", "environment variable OPENROUTER_MANAGEMENT_KEY_CI", "bbbb"),
        AccountListing("loose", None, None, None, f"{bad} is open to others: mode 0644"),
        AccountListing("nas", "credential", str(tmp_path / "openrouter-management-key-nas"), "aaaa"),
        AccountListing("work", "file", str(places.key_file_dir / "work.key"), "bbbb"),
    )


def test_an_account_in_a_locked_keyring_is_listed_with_the_reason(places: Paths, memory: MemoryKeyring):
    store_key("work", ONE, KeyStore.KEYRING, places)
    with installed(LockedKeyring()):
        assert AccountListing("work", None, None, None, "the keyring is locked") in list_accounts({}, places)


@pytest.mark.parametrize("text", ["", "[", "[]", '{"keyring": 1}', '{"keyring": ["../x", 3, "Ok"]}', "null", "[" * 100_000])
def test_a_damaged_list_of_names_is_an_empty_one(places: Paths, memory: MemoryKeyring, text: str):
    places.private_dir(places.state_dir)
    file = places.state_dir / "accounts.json"
    file.write_text(text)
    file.chmod(0o600)
    assert list_accounts({}, places) == ()


def test_a_deleted_key_is_in_no_store(places: Paths, memory: MemoryKeyring):
    store_key("work", ONE, KeyStore.KEYRING, places)
    file = key_file(places, TWO.reveal(), "work")
    assert delete_key("work", {}, places) == (str(file), "the keyring")
    assert (memory.kept, list_accounts({}, places)) == ({}, ())
    with pytest.raises(NoKeyError):
        delete_key("work", {}, places)


def test_a_key_file_is_deleted_without_a_keyring(places: Paths):
    with installed(NoKeyring()):
        file = key_file(places, ONE.reveal())
        assert delete_key("default", {}, places) == (str(file),)


def test_a_key_in_the_environment_cannot_be_deleted(places: Paths, memory: MemoryKeyring):
    env = {"OPENROUTER_MANAGEMENT_KEY": ONE.reveal()}
    with pytest.raises(CredentialError, match="comes from environment variable OPENROUTER_MANAGEMENT_KEY"):
        delete_key("default", env, places)
    assert overriding_source("default", env) == "environment variable OPENROUTER_MANAGEMENT_KEY"
    assert overriding_source("default", {}) is None


# --- which place is used, and why the others are not ------------------------------------------------------------------------


def statuses(account: str, env: dict[str, str], places: Paths, timeout_s: float = 5) -> dict[str, KeySourceStatus]:
    return {source.where: source.status for source in key_sources(account, env, places, timeout_s)}


def test_the_first_place_that_has_a_key_is_used_and_the_later_ones_are_overruled(places: Paths, memory: MemoryKeyring):
    key_file(places, ONE.reveal())
    memory.set_password(SERVICE, "default", TWO.reveal())
    sources = key_sources("default", {}, places)
    assert [(source.where, source.status, source.last_four) for source in sources] == [
        ("environment", KeySourceStatus.EMPTY, None),
        *([("credential", KeySourceStatus.EMPTY, None)] if sys.platform != "darwin" else []),
        ("file", KeySourceStatus.USED, "aaaa"),
        ("keyring", KeySourceStatus.OVERRULED, "bbbb"),
    ]
    assert sources[0].reason == "is not set"
    assert sources[-1].reason == f"key file {places.key_file_dir / 'default.key'} has precedence"
    assert ONE.reveal() not in repr(sources)


def test_on_macos_no_place_of_systemd_is_listed(places: Paths, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.platform", "darwin")
    sources = key_sources("default", {}, places, may_prompt=False)
    assert [source.where for source in sources] == ["environment", "file", "keyring"]
    assert not any("systemd" in source.place for source in sources)


def test_a_place_with_an_unusable_key_decides_as_it_does_for_the_daemon(places: Paths, memory: MemoryKeyring):
    key_file(places, ONE.reveal()).chmod(0o644)
    memory.set_password(SERVICE, "default", TWO.reveal())
    file, keyring = key_sources("default", {}, places)[-2:]
    assert (file.status, keyring.status) == (KeySourceStatus.REFUSED, KeySourceStatus.OVERRULED)
    assert "open to others: mode 0644" in file.reason
    assert file.hint.startswith("chmod 600 ")
    with pytest.raises(CredentialError, match="open to others"):
        read_key("default", {}, places)


def test_a_silent_keyring_is_reported_in_time_even_if_it_is_not_needed(places: Paths):
    backend = SilentKeyring()
    with installed(backend):
        try:
            assert statuses("default", {}, places, 0.01)["keyring"] is KeySourceStatus.REFUSED
            found = key_sources("default", {"OPENROUTER_MANAGEMENT_KEY": ONE.reveal()}, places, 0.01)
            assert (found[0].status, found[-1].status) == (KeySourceStatus.USED, KeySourceStatus.OVERRULED)
            assert "did not answer within" in found[-1].reason
        finally:
            backend.answer.set()


def test_a_machine_without_a_keyring_has_an_empty_place(places: Paths):
    with installed(NoKeyring()):
        assert key_sources("work", {}, places)[-1].reason == "no keyring service is running"
        assert set(statuses("work", {}, places).values()) == {KeySourceStatus.EMPTY}
