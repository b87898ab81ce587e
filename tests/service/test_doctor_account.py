"""What the doctor says of keys and of OpenRouter: a real local one, real key files, a real keyring daemon; no key is shown."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyring.backends import fail

from openbalance_hid.desktop.credentials import KeyStore, key_sources, store_key
from openbalance_hid.secret import Secret
from openbalance_hid.service.doctor.check import Check, CheckStatus
from openbalance_hid.service.doctor.context import KEYRING_LIMIT_S
from openbalance_hid.service.doctor.judge import account as judge
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.desktop.keyrings import LockedKeyring, MemoryKeyring, SilentKeyring, installed
from tests.desktop.secret_service import LIMIT_S, gnome_keyring, lock, silent_prompter
from tests.private_bus import needs_dbus, private_bus
from tests.service.doctor_context import only, patient, told
from tests.waiting import until_no_thread

KEY = Secret("sk-or-v1-0123456789abcdef1a2b")
PROBES = ("keyring", "key", "key-kind", "openrouter")


@pytest.fixture
def sample() -> Iterator[SampleAccount]:
    with SampleAccount() as account:
        yield account


@pytest.fixture(autouse=True)
def no_keyring_of_the_developers() -> Iterator[None]:
    with installed(fail.Keyring()):
        yield


def without_secret(checks: tuple[Check, ...], secret: str) -> None:
    assert secret not in repr(checks)
    assert secret[9:-4] not in repr(checks)


def test_a_key_that_works_is_well_and_the_places_that_were_not_needed_are_told(tmp_path: Path, sample: SampleAccount):
    env = {"OPENROUTER_MANAGEMENT_KEY": sample.key, "OPENBALANCE_API_URL": sample.url}
    checks = told(patient(tmp_path, **env), *PROBES)
    assert {check.name: check.verdict for check in checks} == dict.fromkeys((*PROBES, "clock"), CheckStatus.OK)
    (key,) = (check for check in checks if check.name == "key")
    assert key.found == f"…{sample.key[-4:]} from environment variable OPENROUTER_MANAGEMENT_KEY"
    assert [detail.rpartition(": ")[2] for detail in key.details] == [
        "was not handed over",
        "does not exist",
        "no keyring service is running",
    ]
    without_secret(checks, sample.key)


def test_a_key_file_that_others_may_read_is_refused_and_not_passed_over(tmp_path: Path):
    one = patient(tmp_path)
    stored = store_key("default", KEY, KeyStore.FILE, one.places)
    Path(stored.place).chmod(0o644)
    refused = only(one, "key")
    assert (refused.verdict, refused.exit_code, refused.hint) == (CheckStatus.FAILURE, 77, f"chmod 600 {stored.place}")
    assert told(one, "key-kind") == ()


def test_without_any_key_every_place_is_named_with_its_reason(tmp_path: Path):
    checks = told(patient(tmp_path), *PROBES)
    (key,) = (check for check in checks if check.name == "key")
    assert (key.verdict, key.exit_code, key.hint) == (CheckStatus.FAILURE, 77, "openbalance-hid setup")
    assert len(key.details) == 4
    assert [check.name for check in checks] == ["keyring", "key", "openrouter"]


def test_every_account_of_the_configuration_is_looked_at(tmp_path: Path, sample: SampleAccount):
    one = patient(tmp_path, OPENROUTER_MANAGEMENT_KEY=sample.key, OPENBALANCE_API_URL=sample.url)
    one.places.config_file.write_text("[accounts.work]\n")
    ours, work = told(one, "key")
    assert (ours.about, ours.verdict, work.about, work.verdict) == ("default", CheckStatus.OK, "work", CheckStatus.FAILURE)
    assert work.hint == "openbalance-hid setup --account work"


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
def test_what_kind_of_key_it_is_says_openrouter(
    tmp_path: Path, sample: SampleAccount, scenario: str, kind: CheckStatus, code: int
):
    sample.set_scenario(scenario)
    checks = told(patient(tmp_path, OPENROUTER_MANAGEMENT_KEY=sample.key, OPENBALANCE_API_URL=sample.url), "key-kind")
    assert [(check.verdict, check.exit_code) for check in checks] == [(kind, code)]
    without_secret(checks, sample.key)


def test_an_openrouter_that_cannot_be_reached_is_the_failure_and_the_key_is_not(tmp_path: Path):
    kind, way = told(patient(tmp_path, OPENROUTER_MANAGEMENT_KEY=KEY.reveal()), "key-kind", "openrouter")
    assert (kind.verdict, way.verdict, way.exit_code) == (CheckStatus.WARNING, CheckStatus.FAILURE, 69)
    assert "the connection was refused" in way.found
    assert way.hint == "curl -sSI http://127.0.0.1:9"


def test_an_address_that_no_key_may_go_to_is_a_failure_of_the_configuration(tmp_path: Path):
    env = {"OPENROUTER_MANAGEMENT_KEY": KEY.reveal(), "OPENBALANCE_API_URL": "http://evil.example/api/v1"}
    way = only(patient(tmp_path, **env), "openrouter")
    assert (way.exit_code, way.hint) == (78, "unset OPENBALANCE_API_URL")


@pytest.mark.parametrize(
    ("skew_s", "verdict"),
    [(0, CheckStatus.OK), (-100, CheckStatus.OK), (180, CheckStatus.WARNING), (-7200, CheckStatus.WARNING)],
)
def test_a_clock_that_is_wrong_is_told_by_openrouters_own(
    tmp_path: Path, sample: SampleAccount, skew_s: float, verdict: CheckStatus
):
    sample.date_skew_s = skew_s
    _, clock = told(patient(tmp_path, OPENBALANCE_API_URL=sample.url), "openrouter")
    assert (clock.name, clock.verdict) == ("clock", verdict)
    assert sample.requests[-1].headers.get("authorization") is None, "asked as nobody"
    if verdict is CheckStatus.WARNING:
        assert ("behind" if skew_s > 0 else "ahead of") in clock.found
        assert clock.hint == "sudo timedatectl set-ntp true"


def test_a_key_that_only_the_service_was_handed_is_well(tmp_path: Path):
    sources = key_sources("default", {}, patient(tmp_path).places)
    alone = judge.key("default", sources, "openbalance-hid setup", theirs="1a2b")
    assert (alone.verdict, "…1a2b is the running daemon's alone" in alone.found, len(alone.details)) == (
        CheckStatus.OK,
        True,
        4,
    )
    assert judge.key("default", sources, "openbalance-hid setup").verdict is CheckStatus.FAILURE


def test_a_daemon_with_another_environment_and_another_key_is_noticed():
    assert judge.key_of_the_daemon("default", "1a2b", "1a2b") == judge.key_of_the_daemon("default", "1a2b", None) == []
    (check,) = judge.key_of_the_daemon("default", "1a2b", "ffff")
    assert (check.verdict, "…ffff" in check.found) == (CheckStatus.WARNING, True)


# --- keyrings ----------------------------------------------------------------------------------------------------------------


def test_a_keyring_that_has_the_key_is_the_place_it_comes_from(tmp_path: Path):
    backend = MemoryKeyring()
    with installed(backend):
        one = patient(tmp_path)
        store_key("default", KEY, KeyStore.KEYRING, one.places)
        ring, key = told(one, "keyring", "key")
    assert (ring.verdict, key.verdict, key.found) == (CheckStatus.OK, CheckStatus.OK, "…1a2b from the keyring")


def test_a_locked_keyring_is_the_reason_and_a_missing_one_is_none_where_the_key_is_elsewhere(tmp_path: Path):
    with installed(LockedKeyring()):
        locked = only(patient(tmp_path), "key")
    assert (locked.exit_code, locked.found) == (77, "the keyring is locked")
    ring = only(patient(tmp_path, OPENROUTER_MANAGEMENT_KEY=KEY.reveal()), "keyring")
    assert (ring.verdict, ring.found) == (CheckStatus.OK, "no keyring service is running, and none is needed")


def test_a_keyring_that_waits_for_somebody_is_asked_once_for_all_and_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("openbalance_hid.service.doctor.context.KEYRING_LIMIT_S", 0.2)
    monkeypatch.setattr("openbalance_hid.service.doctor.gather.account.KEYRING_LIMIT_S", 0.2)
    backend = SilentKeyring()
    with installed(backend):
        one = patient(tmp_path)
        one.places.config_file.write_text("[accounts.work]\n[accounts.lab]\n")
        checks = told(one, "keyring", "key", "key-kind")
        backend.answer.set()
    assert backend.asked == 1
    assert [check.verdict for check in checks] == [CheckStatus.WARNING, *[CheckStatus.FAILURE] * 3]
    assert all("it may be waiting for its password" in check.found for check in checks)


@needs_dbus
@pytest.mark.skipif(shutil.which("gnome-keyring-daemon") is None, reason="gnome-keyring is not installed")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # the library leaves it to the collector
def test_a_real_keyring_is_named_and_a_locked_one_opens_no_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("secretstorage", reason="the Secret Service is Linux's")
    from keyring.backends import SecretService

    monkeypatch.setattr("openbalance_hid.service.doctor.context.KEYRING_LIMIT_S", LIMIT_S)
    with private_bus(tmp_path) as address, gnome_keyring(address, tmp_path), installed(SecretService.Keyring()):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        one = patient(tmp_path)
        store_key("default", KEY, KeyStore.KEYRING, one.places, LIMIT_S)
        ring, key = told(one, "keyring", "key")
        assert (ring.found, key.found) == ("SecretService Keyring", "…1a2b from the keyring")
        with silent_prompter(address):
            lock()
            locked = only(patient(tmp_path), "key")
            until_no_thread("keyring")  # nothing waits in front of a window
        assert (locked.verdict, locked.exit_code, locked.found) == (CheckStatus.FAILURE, 77, "the keyring is locked")
    gc.collect()


def test_the_keyring_is_given_up_before_its_probes_are():
    from openbalance_hid.service.doctor.registry import PROBES as TABLE

    assert all(probe.limit_s > KEYRING_LIMIT_S for probe in TABLE if probe.name in ("keyring", "key", "key-kind"))
