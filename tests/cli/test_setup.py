"""`setup` and `accounts` against the sample account on a real socket: what is printed and stored for each key."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.cli.command_line import KEY, here, machine, process
from tests.desktop.keyrings import LockedKeyring, MemoryKeyring, installed

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def account() -> Iterator[SampleAccount]:
    with SampleAccount("normal", clock=lambda: NOON) as account:
        yield account


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    with installed(backend):
        yield backend


def test_a_good_key_is_stored_and_shown_by_last_four_and_balance(tmp_path: Path, account: SampleAccount, memory: MemoryKeyring):
    result = here(tmp_path, "setup", "--stdin", stdin=f"  {account.key}\n", OPENBALANCE_API_URL=account.url)
    assert result.exit_code == 0
    assert result.stdout == (
        f"stored in the keyring as 'default': …{account.key[-4:]}, balance $74.25\n"
        "next: openbalance-hid service install; or, in the foreground: openbalance-hid run\n"
    )
    assert result.stderr == ""
    assert memory.kept == {("openbalance-hid", "default"): account.key}


def test_a_key_is_stored_in_a_file(tmp_path: Path, account: SampleAccount):
    env = machine(tmp_path, OPENBALANCE_API_URL=account.url)
    done = process(env, "setup", "--stdin", "--store", "file", "--account", "work", stdin=account.key)
    file = tmp_path / "state" / "keys" / "work.key"
    assert done.stdout.splitlines() == [
        f"stored in {file} as 'work': …{account.key[-4:]}, balance $74.25",
        'next: [accounts.work] in config.toml, and account = "work" on the tiles that show it',
    ]
    assert (done.returncode, done.stderr) == (0, "")
    assert (file.read_text(), file.stat().st_mode & 0o777) == (account.key + "\n", 0o600)
    listed = process(env, "accounts", "--json")
    assert json.loads(listed.stdout) == [
        {"name": "work", "where": "file", "place": str(file), "last_four": account.key[-4:], "trouble": None}
    ]
    assert account.key not in listed.stdout + done.stdout


@pytest.mark.parametrize(
    ("scenario", "code", "says", "hint"),
    [
        (
            "wrong-key",
            77,
            "this is an inference key, not a Management key",
            "create a Management key at https://openrouter.ai/",
        ),
        ("rejected", 77, "OpenRouter rejected this key: /key answered 401: User not found.", "create a Management key"),
        ("offline", 69, "the key could not be checked and was not stored: ", "openbalance-hid setup --no-check"),
        ("rate-limited", 69, "the key could not be checked and was not stored: ", "openbalance-hid setup --no-check"),
        ("server-error", 69, "the key could not be checked and was not stored: ", "openbalance-hid setup --no-check"),
    ],
)
def test_a_key_that_does_not_work_is_not_stored_and_the_reason_is_printed(
    tmp_path: Path, account: SampleAccount, memory: MemoryKeyring, scenario: str, code: int, says: str, hint: str
):
    account.set_scenario(scenario)
    result = here(tmp_path, "setup", "--stdin", stdin=account.key, OPENBALANCE_API_URL=account.url)
    first, second = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, memory.kept) == (code, "", {})
    assert first.startswith(f"error: {says}")
    assert second.startswith(f"try: {hint}")
    assert account.key not in result.stderr


def test_a_trouble_with_a_hint_of_its_own_keeps_it(tmp_path: Path, account: SampleAccount, memory: MemoryKeyring):
    (tmp_path / "config.toml").write_text(f"ca_file = '{tmp_path}/missing.pem'")
    result = here(tmp_path, "setup", "--stdin", stdin=account.key, OPENBALANCE_API_URL=account.url)
    assert result.exit_code == 69
    assert result.stderr.splitlines() == [
        "error: the key could not be checked and was not stored: "
        f"cannot use the ca_file {tmp_path}/missing.pem: no such file or directory",
        "try: openbalance-hid config edit",
    ]


def test_a_negative_balance_is_printed(tmp_path: Path, account: SampleAccount, memory: MemoryKeyring):
    account.set_scenario("negative")
    result = here(tmp_path, "setup", "--stdin", stdin=account.key, OPENBALANCE_API_URL=account.url)
    assert "balance -$2.40\n" in result.stdout


def test_with_no_check_a_key_is_stored_without_a_request(tmp_path: Path, account: SampleAccount, memory: MemoryKeyring):
    result = here(tmp_path, "setup", "--stdin", "--no-check", stdin=KEY, OPENBALANCE_API_URL=account.url)
    assert result.stdout.startswith("stored in the keyring as 'default': …1a2b, not checked\n")
    assert account.requests == []


@pytest.mark.parametrize("stdin", ["", "\n", "hunter2hunter2hunter2\n", f"{KEY} {KEY}\n", "schlüssel\n", "x" * 9000])
def test_text_that_is_no_key_is_refused_without_a_request(
    tmp_path: Path, account: SampleAccount, memory: MemoryKeyring, stdin: str
):
    result = here(tmp_path, "setup", "--stdin", stdin=stdin, OPENBALANCE_API_URL=account.url)
    assert result.exit_code == 77
    assert result.stderr.startswith("error: not an OpenRouter key: the line on standard input ")
    assert result.stderr.endswith("try: openbalance-hid setup --stdin\n")
    assert not stdin.strip() or stdin.strip() not in result.stderr
    assert (account.requests, memory.kept) == ([], {})


def test_a_foreign_address_is_refused_before_the_key_is_read(tmp_path: Path, memory: MemoryKeyring):
    result = here(tmp_path, "setup", OPENBALANCE_API_URL="http://openrouter.ai.example")
    assert result.exit_code == 78
    assert result.stderr.endswith("try: unset OPENBALANCE_API_URL\n")


def test_a_locked_keyring_is_reported_before_the_key_is_read(tmp_path: Path):
    with installed(LockedKeyring()):
        result = here(tmp_path, "setup", "--account", "work")
    assert result.exit_code == 77
    assert result.stderr == "error: the keyring is locked\ntry: openbalance-hid setup --account work --store file\n"


def test_without_a_terminal_the_hint_is_stdin(tmp_path: Path, memory: MemoryKeyring):
    result = here(tmp_path, "setup", "--store", "file")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: cannot ask for the key: standard input is not a terminal\ntry: openbalance-hid setup --store file --stdin\n"
    )


def test_a_key_in_the_environment_is_noted_as_used_first(tmp_path: Path, memory: MemoryKeyring):
    result = here(tmp_path, "setup", "--stdin", "--no-check", stdin=KEY, OPENROUTER_MANAGEMENT_KEY="sk-or-v1-another-key-0000")
    assert "note: environment variable OPENROUTER_MANAGEMENT_KEY is used before the stored key\n" in result.stdout


def test_under_sudo_setup_notes_that_the_key_is_roots(tmp_path: Path, memory: MemoryKeyring, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUDO_USER", "ada")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    result = here(tmp_path, "setup", "--stdin", "--no-check", stdin=KEY)
    assert "note: this is root's key, which the daemon of ada cannot read\n" in result.stdout


def test_accounts_are_listed_and_their_keys_removed(tmp_path: Path, memory: MemoryKeyring):
    assert here(tmp_path, "accounts").stderr == "no account has a key; to store one: openbalance-hid setup\n"
    here(tmp_path, "setup", "--stdin", "--no-check", stdin=KEY)
    here(tmp_path, "setup", "--stdin", "--no-check", "--account", "work", "--store", "file", stdin=KEY[:-4] + "ffff")
    file = tmp_path / "state" / "keys" / "work.key"
    assert here(tmp_path, "accounts").stdout == f"default  …1a2b  the keyring\nwork     …ffff  {file}\n"
    assert here(tmp_path, "accounts", "forget", "work").stdout == f"removed from {file}\n"
    assert here(tmp_path, "accounts", "forget", "default").stdout == "removed from the keyring\n"
    gone = here(tmp_path, "accounts", "forget", "work")
    assert (gone.exit_code, gone.stderr) == (
        77,
        "error: no key is stored for account 'work'\ntry: openbalance-hid accounts\n",
    )


def test_a_key_file_open_to_others_is_listed_with_the_problem(tmp_path: Path, memory: MemoryKeyring):
    here(tmp_path, "setup", "--stdin", "--no-check", "--store", "file", stdin=KEY)
    file = tmp_path / "state" / "keys" / "default.key"
    file.chmod(0o644)
    assert here(tmp_path, "accounts").stdout == f"default  !      {file} is open to others: mode 0644\n"
