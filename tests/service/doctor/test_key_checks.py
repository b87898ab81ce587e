"""The doctor's checks of keyring and keys: real key files, a real keyring daemon, a real local OpenRouter. No key is shown."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyring.backends import fail, null

from openbalance_hid.desktop.credentials import KeySource, KeySourceStatus, KeyStore, key_sources, store_key
from openbalance_hid.desktop.key_locations import write_names_in_keyring
from openbalance_hid.desktop.keyring_backend import UNREAD
from openbalance_hid.secret import Secret
from openbalance_hid.service.doctor.check import Check, CheckStatus
from openbalance_hid.service.doctor.context import KEYRING_LIMIT_S
from openbalance_hid.service.doctor.key_checks import assess_daemon_key, assess_key
from openbalance_hid.service.doctor.registry import PROBES
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.desktop.keyrings import LockedKeyring, MemoryKeyring, SilentKeyring, installed
from tests.desktop.secret_service import LIMIT_S, gnome_keyring, lock, silent_prompter
from tests.private_bus import needs_dbus, private_bus
from tests.service.doctor.doctor_context import doctor_context, results, single_result
from tests.waiting import until_no_thread

pytestmark = pytest.mark.usefixtures("on_linux")  # the tests of macOS set its name themselves

KEY = Secret("sk-or-v1-0123456789abcdef1a2b")
KEY_CHECKS = ("keyring", "key", "key-kind", "openrouter")


@pytest.fixture
def sample() -> Iterator[SampleAccount]:
    with SampleAccount() as account:
        yield account


@pytest.fixture(autouse=True)
def without_the_developers_keyring() -> Iterator[None]:
    with installed(fail.Keyring()):
        yield


def without_secret(checks: tuple[Check, ...], secret: str) -> None:
    assert secret not in repr(checks)
    assert secret[9:-4] not in repr(checks)


def test_a_working_key_is_ok_and_the_places_that_were_not_needed_are_listed(tmp_path: Path, sample: SampleAccount):
    env = {"OPENROUTER_MANAGEMENT_KEY": sample.key, "OPENBALANCE_API_URL": sample.url}
    checks = results(doctor_context(tmp_path, **env), *KEY_CHECKS)
    assert {check.name: check.verdict for check in checks} == dict.fromkeys((*KEY_CHECKS, "clock"), CheckStatus.OK)
    (key,) = (check for check in checks if check.name == "key")
    assert key.found == f"…{sample.key[-4:]} from environment variable OPENROUTER_MANAGEMENT_KEY"
    assert [detail.rpartition(": ")[2] for detail in key.details] == [
        "does not exist",
        "does not exist",
        "no keyring service is running",
    ]
    without_secret(checks, sample.key)


def test_a_key_file_that_others_may_read_is_refused_and_not_skipped(tmp_path: Path):
    context = doctor_context(tmp_path)
    stored = store_key("default", KEY, KeyStore.FILE, context.paths)
    Path(stored.place).chmod(0o644)
    refused = single_result(context, "key")
    assert (refused.verdict, refused.exit_code, refused.hint) == (CheckStatus.FAILURE, 77, f"chmod 600 {stored.place}")
    assert results(context, "key-kind") == ()


def test_without_any_key_every_place_is_named_with_its_reason(tmp_path: Path):
    checks = results(doctor_context(tmp_path), *KEY_CHECKS)
    (key,) = (check for check in checks if check.name == "key")
    assert (key.verdict, key.exit_code, key.hint) == (CheckStatus.FAILURE, 77, "openbalance-hid setup --store file")
    assert len(key.details) == 4
    assert [check.name for check in checks] == ["keyring", "key", "openrouter"]


def test_every_account_of_the_configuration_is_checked(tmp_path: Path, sample: SampleAccount):
    context = doctor_context(tmp_path, OPENROUTER_MANAGEMENT_KEY=sample.key, OPENBALANCE_API_URL=sample.url)
    context.paths.config_file.write_text("[accounts.work]\n")
    ours, work = results(context, "key")
    assert (ours.about, ours.verdict, work.about, work.verdict) == ("default", CheckStatus.OK, "work", CheckStatus.FAILURE)
    assert work.hint == "openbalance-hid setup --account work --store file"


@pytest.mark.parametrize(
    ("scenario", "kind", "code"),
    [
        ("normal", CheckStatus.OK, 0),
        ("wrong-key", CheckStatus.FAILURE, 77),
        ("rejected", CheckStatus.FAILURE, 77),
        ("server-error", CheckStatus.WARNING, 0),
        ("rate-limited", CheckStatus.WARNING, 0),
    ],
)
def test_the_kind_of_a_key_comes_from_openrouter(
    tmp_path: Path, sample: SampleAccount, scenario: str, kind: CheckStatus, code: int
):
    sample.set_scenario(scenario)
    checks = results(doctor_context(tmp_path, OPENROUTER_MANAGEMENT_KEY=sample.key, OPENBALANCE_API_URL=sample.url), "key-kind")
    assert [(check.verdict, check.exit_code) for check in checks] == [(kind, code)]
    without_secret(checks, sample.key)


def test_a_key_that_only_the_daemon_has_is_ok(tmp_path: Path):
    sources = key_sources("default", {}, doctor_context(tmp_path).paths)
    alone = assess_key("default", sources, "openbalance-hid setup", daemon_last_four="1a2b")
    assert (alone.verdict, "only the running daemon has …1a2b" in alone.found, len(alone.details)) == (
        CheckStatus.OK,
        True,
        len(sources),
    )
    assert assess_key("default", sources, "openbalance-hid setup").verdict is CheckStatus.FAILURE


def test_a_daemon_that_uses_another_key_is_a_warning():
    assert assess_daemon_key("default", "1a2b", "1a2b") == assess_daemon_key("default", "1a2b", None) == []
    (check,) = assess_daemon_key("default", "1a2b", "ffff")
    assert (check.verdict, "…ffff" in check.found) == (CheckStatus.WARNING, True)


# --- keyrings ----------------------------------------------------------------------------------------------------------------


def test_a_key_in_the_keyring_is_reported_as_from_the_keyring(tmp_path: Path):
    backend = MemoryKeyring()
    with installed(backend):
        context = doctor_context(tmp_path)
        store_key("default", KEY, KeyStore.KEYRING, context.paths)
        ring, key = results(context, "keyring", "key")
    assert (ring.verdict, key.verdict, key.found) == (CheckStatus.OK, CheckStatus.OK, "…1a2b from the keyring")


def test_a_locked_keyring_is_a_failure_and_a_missing_one_only_if_it_is_needed(tmp_path: Path):
    with installed(LockedKeyring()):
        locked = single_result(doctor_context(tmp_path), "key")
    assert (locked.exit_code, locked.found) == (77, "the keyring is locked")
    ring = single_result(doctor_context(tmp_path, OPENROUTER_MANAGEMENT_KEY=KEY.reveal()), "keyring")
    assert (ring.verdict, ring.found) == (CheckStatus.OK, "no keyring service is running, but none is needed")


def test_a_keyring_that_is_switched_off_is_a_warning_and_a_failure_of_its_key(tmp_path: Path):
    with installed(null.Keyring()):
        ring, key = results(doctor_context(tmp_path), "keyring", "key")
        needless = single_result(doctor_context(tmp_path, OPENROUTER_MANAGEMENT_KEY=KEY.reveal()), "keyring")
    assert (ring.verdict, ring.hint) == (CheckStatus.WARNING, "openbalance-hid setup --store file")
    assert ring.found == "the keyring is switched off: its back end is keyring.backends.null"
    assert (key.verdict, key.details[-1]) == (CheckStatus.FAILURE, f"the keyring: {ring.found}")
    assert (needless.verdict, needless.found) == (CheckStatus.OK, f"{ring.found}, but none is needed")


def test_a_silent_keyring_is_tried_once_for_all_checks_and_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("openbalance_hid.service.doctor.context.KEYRING_LIMIT_S", 0.2)
    monkeypatch.setattr("openbalance_hid.service.doctor.key_checks.KEYRING_LIMIT_S", 0.2)
    backend = SilentKeyring()
    with installed(backend):
        context = doctor_context(tmp_path)
        context.paths.config_file.write_text("[accounts.work]\n[accounts.lab]\n")
        checks = results(context, "keyring", "key", "key-kind")
        backend.answer.set()
    assert backend.calls == 1
    assert [check.verdict for check in checks] == [CheckStatus.WARNING, *[CheckStatus.FAILURE] * 3]
    assert all("it may be waiting for its password" in check.found for check in checks)


@needs_dbus
@pytest.mark.skipif(shutil.which("gnome-keyring-daemon") is None, reason="gnome-keyring is not installed")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the library leaves it to the collector
def test_a_real_keyring_is_named_and_a_locked_one_opens_no_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("secretstorage", reason="the Secret Service is Linux's")
    from keyring.backends import SecretService

    monkeypatch.setattr("openbalance_hid.service.doctor.context.KEYRING_LIMIT_S", LIMIT_S)
    with private_bus(tmp_path) as address, gnome_keyring(address, tmp_path), installed(SecretService.Keyring()):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        context = doctor_context(tmp_path)
        store_key("default", KEY, KeyStore.KEYRING, context.paths, LIMIT_S)
        ring, key = results(context, "keyring", "key")
        assert (ring.found, key.found) == ("SecretService Keyring", "…1a2b from the keyring")
        with silent_prompter(address):
            lock()
            locked = single_result(doctor_context(tmp_path), "key")
            until_no_thread("keyring")  # no thread waits for a prompt
        assert (locked.verdict, locked.exit_code, locked.found) == (CheckStatus.FAILURE, 77, "the keyring is locked")
    gc.collect()


def test_the_limit_of_the_keyring_is_shorter_than_the_limits_of_its_checks():
    assert all(probe.limit_s > KEYRING_LIMIT_S for probe in PROBES if probe.name in ("keyring", "key", "key-kind"))


class Dialog(MemoryKeyring):
    """The Keychain: a read opens a dialog, which the doctor must not do (keyring.backends.macOS)."""

    opened = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.opened += 1
        return super().get_password(service, username)


def test_on_macos_the_doctor_opens_no_dialog_of_the_keychain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.platform", "darwin")
    backend, context = Dialog(), doctor_context(tmp_path)
    write_names_in_keyring(context.paths, frozenset({"default"}))
    with installed(backend):
        checks = results(context, "keyring", "key", "key-kind")
    assert backend.opened == 0
    (key,) = (check for check in checks if check.name == "key")
    assert (key.verdict, key.hint) == (CheckStatus.WARNING, "openbalance-hid run")
    assert "may open a dialog" in key.found


def test_on_macos_a_key_that_was_never_stored_is_reported_with_setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.platform", "darwin")
    backend = Dialog()
    with installed(backend):
        key = single_result(doctor_context(tmp_path), "key")
    assert backend.opened == 0
    assert (key.verdict, key.found, key.hint) == (CheckStatus.FAILURE, "no key is stored", "openbalance-hid setup")


def test_on_macos_the_key_of_the_running_daemon_is_enough_for_the_doctor():
    unread = KeySource("keyring", "the keyring", KeySourceStatus.EMPTY, reason=UNREAD)
    check = assess_key("default", [unread], "openbalance-hid setup", "abcd")
    assert (check.verdict, check.found.startswith("…abcd")) == (CheckStatus.OK, True)
