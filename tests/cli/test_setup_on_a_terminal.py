"""`setup` as a user sees it: a real terminal, a local OpenRouter, and no service manager or udev of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openbalance_hid.config.load import load_config
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.cli.command_line import machine
from tests.cli.terminal_user import TerminalUser
from tests.desktop.secret_service import gnome_keyring
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HIDDEN = "Management key (not shown): "


@pytest.fixture
def account() -> Iterator[SampleAccount]:
    with SampleAccount("normal", clock=lambda: NOON) as account:
        yield account


def env_of(home: Path, account: SampleAccount, **more: str) -> dict[str, str]:
    """Return the environment of a user without keyring, browser, udev and service manager."""
    programs = home / "bin"
    programs.mkdir(exist_ok=True)
    return machine(
        home, OPENBALANCE_API_URL=account.url, PATH=str(programs), HOME=str(home), XDG_RUNTIME_DIR=str(home / "none"), **more
    )


def key_file(home: Path) -> Path:
    return home / "state" / "keys" / "default.key"


def test_setup_leads_from_nothing_to_a_stored_key_and_a_configuration(tmp_path: Path, account: SampleAccount):
    with TerminalUser(env_of(tmp_path, account), "setup") as user:
        explained = user.waits_for("Open this page in the browser? [Y/n]: ")
        assert "it can create and delete keys" in explained
        assert "https://openrouter.ai/settings/management-keys" in explained
        user.types("n")
        user.answers("Store it in a file that only you can read instead (mode 0600)? [Y/n]: ", "")
        user.answers(HIDDEN, f'export OPENROUTER_MANAGEMENT_KEY="{account.key}"')
        stored = user.waits_for("balance $74.25")
        assert "checking the key with OpenRouter…\n" in stored
        assert f"stored in {key_file(tmp_path)} as 'default': …{account.key[-4:]}" in stored
        user.answers("Write it? [Y/n]: ", "")
        assert user.ends() == 0
        assert "next: openbalance-hid service install; or, in the foreground: openbalance-hid run" in user.screen
        assert account.key not in user.screen
    assert key_file(tmp_path).read_text() == account.key + "\n"
    assert key_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert load_config(tmp_path / "config.toml").decks[0].rest == "default"


def test_text_that_is_no_key_and_an_inference_key_lead_back_to_the_question(tmp_path: Path, account: SampleAccount):
    with TerminalUser(env_of(tmp_path, account), "setup", "--store", "file") as user:
        user.answers("browser? [Y/n]: ", "n")
        user.answers(HIDDEN, "hunter2")
        assert "Not an OpenRouter key: the entered text does not begin with sk-or-v1-. Enter another" in user.waits_for(
            "Ctrl-C."
        )
        account.set_scenario("wrong-key")
        user.answers(HIDDEN, account.key)
        assert "This is an inference key, not a Management key. Enter another one" in user.waits_for("Ctrl-C.")
        account.set_scenario("normal")
        user.answers(HIDDEN, account.key)
        user.answers("Write it? [Y/n]: ", "n")
        assert "later: openbalance-hid config init" in user.waits_for("init")
        assert user.ends() == 0
    assert not (tmp_path / "config.toml").exists()


def test_an_unreachable_openrouter_can_be_tried_again_or_left_out(tmp_path: Path, account: SampleAccount):
    account.set_scenario("server-error")
    with TerminalUser(env_of(tmp_path, account), "setup", "--store", "file") as user:
        user.answers("browser? [Y/n]: ", "n")
        user.answers(HIDDEN, account.key)
        assert "The key could not be checked and was not stored" in user.waits_for("Try again? [Y/n]: ")
        user.types("y")
        user.answers("Try again? [Y/n]: ", "n")
        user.answers("Store the key without a check? [y/N]: ", "y")
        user.waits_for("not checked")
        user.answers("Write it? [Y/n]: ", "n")
        assert user.ends() == 0
    assert key_file(tmp_path).exists()


def test_without_a_check_and_without_storing_setup_ends_with_69(tmp_path: Path, account: SampleAccount):
    account.set_scenario("offline")
    with TerminalUser(env_of(tmp_path, account), "setup", "--store", "file") as user:
        user.answers("browser? [Y/n]: ", "n")
        user.answers(HIDDEN, account.key)
        user.answers("Try again? [Y/n]: ", "n")
        user.answers("Store the key without a check? [y/N]: ", "")
        assert user.ends() == 69
        assert "try: openbalance-hid setup --store file --no-check" in user.screen
    assert not key_file(tmp_path).exists()


@pytest.mark.parametrize("question", ["browser? [Y/n]: ", HIDDEN, "Write it? [Y/n]: "])
def test_ctrl_c_at_any_question_leaves_a_working_state_and_says_how_to_go_on(
    tmp_path: Path, account: SampleAccount, question: str
):
    with TerminalUser(env_of(tmp_path, account), "setup", "--store", "file") as user:
        for shown, answer in (("browser? [Y/n]: ", "n"), (HIDDEN, account.key), ("Write it? [Y/n]: ", "")):
            user.waits_for(shown)
            if shown == question:
                user.presses_ctrl_c()
                break
            user.types(answer)
        assert user.ends() == 130
        assert "\nStopped. " in user.screen
        assert user.screen.endswith("To go on: openbalance-hid setup --store file\n")
        stored = question == "Write it? [Y/n]: "
        assert ("The key is stored in" if stored else "No key was stored, and nothing was changed.") in user.screen
        assert "Traceback" not in user.screen
    assert key_file(tmp_path).exists() is stored


def test_a_second_run_keeps_the_key_and_offers_what_is_missing(tmp_path: Path, account: SampleAccount):
    env = env_of(tmp_path, account)
    key_file(tmp_path).parent.mkdir(parents=True, mode=0o700)
    (tmp_path / "state").chmod(0o700)
    key_file(tmp_path).touch(0o600)
    key_file(tmp_path).write_text(account.key)
    with TerminalUser(env, "setup") as user:
        assert f"Account 'default' has the key …{account.key[-4:]}, from {key_file(tmp_path)}." in user.waits_for("[y/N]: ")
        user.types("")
        user.answers("Write it? [Y/n]: ", "")
        assert user.ends() == 0
    assert account.requests == []


def test_yes_asks_nothing_but_the_key(tmp_path: Path, account: SampleAccount):
    with TerminalUser(env_of(tmp_path, account), "setup", "--yes") as user:
        user.answers(HIDDEN, account.key)
        assert user.ends() == 0
        assert "[Y/n]" not in user.screen
    assert (tmp_path / "config.toml").exists()
    assert key_file(tmp_path).exists()


def test_the_rest_of_a_paste_answers_no_question(tmp_path: Path, account: SampleAccount):
    with TerminalUser(env_of(tmp_path, account), "setup", "--store", "file") as user:
        user.answers("browser? [Y/n]: ", "n")
        user.answers(HIDDEN, f"{account.key}\nn\nn")
        user.answers("Write it? [Y/n]: ", "")
        assert user.ends() == 0
    assert (tmp_path / "config.toml").exists()


@pytest.mark.parametrize("question", ["browser? [Y/n]: ", "(mode 0600)? [Y/n]: ", "Write it? [Y/n]: "])
@pytest.mark.parametrize("before", ["", "y", "no"])
def test_a_key_that_is_pasted_at_another_question_is_not_shown(
    tmp_path: Path, account: SampleAccount, question: str, before: str
):
    with TerminalUser(env_of(tmp_path, account), "setup") as user:
        for shown, answer in (("browser? [Y/n]: ", "n"), ("(mode 0600)? [Y/n]: ", "y"), (HIDDEN, account.key)):
            if shown == question:
                break
            user.answers(shown, answer)
        user.answers(question, f"{before}{account.key}")
        user.waits_for("Please answer y or n.")
        user.waits_for(question)
        user.presses_ctrl_c()
        assert user.ends() == 130
        assert account.key[:12] not in user.screen
        assert account.key[-12:] not in user.screen


def test_a_key_that_is_pasted_while_setup_works_is_not_shown(tmp_path: Path, account: SampleAccount):
    account.set_scenario("offline")
    with TerminalUser(env_of(tmp_path, account), "setup", "--store", "file") as user:
        user.answers("browser? [Y/n]: ", "n")
        user.waits_for(HIDDEN)
        for _ in range(3):
            user.types(account.key)
        user.waits_for("Try again? [Y/n]: ")
        user.presses_ctrl_c()
        assert user.ends() == 130
        assert account.key[:12] not in user.screen


def test_what_is_typed_as_an_answer_is_shown_and_can_be_erased(tmp_path: Path, account: SampleAccount):
    with TerminalUser(env_of(tmp_path, account), "setup", "--store", "file") as user:
        user.answers("browser? [Y/n]: ", "y\x7fNo")
        assert user.waits_for(HIDDEN) == f"y\b \bN\b \bNo\n{HIDDEN}"
        user.presses_ctrl_c()
        assert user.ends() == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP])
def test_a_signal_at_a_question_ends_setup_and_restores_the_terminal(
    tmp_path: Path, account: SampleAccount, number: signal.Signals
):
    with TerminalUser(env_of(tmp_path, account), "setup", "--store", "file") as user:
        user.waits_for("browser? [Y/n]: ")
        assert not user.sees_what_is_typed
        user.process.send_signal(number)
        assert user.process.wait(PATIENCE_S) == 128 + number
        assert user.sees_what_is_typed


@pytest.mark.skipif(sys.platform != "linux", reason="udev is Linux's")
@pytest.mark.skipif(os.geteuid() != 0, reason="as another user, sudo would be asked for")
def test_the_udev_rule_is_installed_when_the_user_agrees(tmp_path: Path, account: SampleAccount):
    """With a tee and a udevadm that write into the test's directory: the machine's own rules stay as they are."""
    env = env_of(tmp_path, account)
    for name in ("tee", "udevadm"):
        program = tmp_path / "bin" / name
        keep = f"exec /usr/bin/cat > {tmp_path}/rules" if name == "tee" else "exit 0"
        program.write_text(f'#!/bin/sh\necho "$0 $@" >> {tmp_path}/started\n{keep}\n')
        program.chmod(0o755)
    with TerminalUser(env, "setup", "--store", "file", "--no-check") as user:
        user.answers("browser? [Y/n]: ", "n")
        user.answers(HIDDEN, account.key)
        user.answers("Write it? [Y/n]: ", "n")
        assert "/etc/udev/rules.d/70-openbalance-hid.rules" in user.waits_for("Run it now? [Y/n]: ")
        user.types("y")
        assert user.ends() == 0
    started = [line.split("/")[-1] for line in (tmp_path / "started").read_text().splitlines()]
    assert started == ["70-openbalance-hid.rules", "udevadm control --reload", "udevadm trigger --subsystem-match=hidraw"]
    assert "uaccess" in (tmp_path / "rules").read_text()


# For the modules about udev only: the files of a test that root runs are root's.
NOT_ROOT = """
import os, sys
real = os.geteuid
os.geteuid = lambda: 1000 if sys._getframe(1).f_code.co_filename.endswith(("cli/udev.py", "cli/setup_steps.py")) else real()
"""


def udev_machine(home: Path, account: SampleAccount, sudo: str) -> dict[str, str]:
    """Return the environment of a user who is not root, with stand-ins for sudo, tee and udevadm; `sudo`: what it does."""
    env = env_of(home, account, PYTHONPATH=f"{home}/site:{os.environ.get('PYTHONPATH', '')}")
    (home / "site").mkdir()
    (home / "site/sitecustomize.py").write_text(NOT_ROOT)
    for name, rest in {"sudo": sudo, "tee": f"exec /usr/bin/cat > {home}/rules", "udevadm": "exit 0"}.items():
        program = home / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $@" >> {home}/started\n{rest}\n')
        program.chmod(0o755)
    return env


@pytest.mark.skipif(sys.platform != "linux", reason="udev is Linux's")
@pytest.mark.parametrize("agrees", [True, False])
def test_the_udev_rule_is_installed_by_sudo_and_only_when_the_user_agrees(tmp_path: Path, account: SampleAccount, agrees: bool):
    env = udev_machine(tmp_path, account, 'exec "$@"')
    with TerminalUser(env, "setup", "--store", "file", "--no-check") as user:
        user.answers("browser? [Y/n]: ", "n")
        user.answers(HIDDEN, account.key)
        user.answers("Write it? [Y/n]: ", "n")
        offered = user.waits_for("Run it now? [Y/n]: ")
        assert "sudo tee /etc/udev/rules.d/70-openbalance-hid.rules" in offered, "the command that sudo would run"
        user.types("y" if agrees else "n")
        assert user.ends() == 0
        assert ("later: openbalance-hid udev install" in user.screen) is not agrees
    if not agrees:
        assert not (tmp_path / "started").exists()
        return
    by_root = [line for line in (tmp_path / "started").read_text().splitlines() if line.startswith("sudo ")]
    assert by_root == [
        "sudo tee /etc/udev/rules.d/70-openbalance-hid.rules",
        "sudo udevadm control --reload",
        "sudo udevadm trigger --subsystem-match=hidraw",
    ]
    assert "uaccess" in (tmp_path / "rules").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="udev is Linux's")
def test_a_refused_password_of_sudo_leaves_the_rest_of_setup_done(tmp_path: Path, account: SampleAccount):
    env = udev_machine(tmp_path, account, 'echo "sudo: 3 incorrect password attempts" >&2; exit 1')
    with TerminalUser(env, "setup", "--store", "file", "--no-check") as user:
        user.answers("browser? [Y/n]: ", "n")
        user.answers(HIDDEN, account.key)
        user.answers("Write it? [Y/n]: ", "")
        user.answers("Run it now? [Y/n]: ", "y")
        user.ends()
        assert "Traceback" not in user.screen
        assert "openbalance-hid udev install" in user.screen
    assert key_file(tmp_path).exists()
    assert (tmp_path / "config.toml").exists()
    assert not (tmp_path / "rules").exists()


@needs_dbus
@pytest.mark.skipif(shutil.which("gnome-keyring-daemon") is None, reason="gnome-keyring is not installed")
def test_a_key_goes_into_a_real_keyring_and_its_move_to_a_file_is_reported(tmp_path: Path, account: SampleAccount):
    pytest.importorskip("secretstorage", reason="the Secret Service is Linux's")
    with private_bus(tmp_path) as address, gnome_keyring(address, tmp_path):
        env = env_of(
            tmp_path, account, DBUS_SESSION_BUS_ADDRESS=address, PYTHON_KEYRING_BACKEND="keyring.backends.SecretService.Keyring"
        )
        with TerminalUser(env, "setup") as user:
            user.answers("browser? [Y/n]: ", "n")
            user.answers(HIDDEN, account.key)
            user.waits_for(f"stored in the keyring as 'default': …{account.key[-4:]}, balance $74.25")
            user.answers("Write it? [Y/n]: ", "n")
            assert user.ends() == 0
        assert not key_file(tmp_path).exists()
        with TerminalUser(env, "setup", "--store", "file") as user:
            assert "from the keyring." in user.waits_for("Enter another one? [y/N]: ")
            user.types("y")
            user.answers("browser? [Y/n]: ", "n")
            user.answers(HIDDEN, account.key)
            user.waits_for("moved: the keyring no longer has a key of 'default'")
            user.answers("Write it? [Y/n]: ", "n")
            assert user.ends() == 0
    assert key_file(tmp_path).exists()
