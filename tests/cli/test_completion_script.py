"""Completion in real shells: the line after Tab."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid.cli.completion_script import SHELLS
from openbalance_hid.config.paths import paths
from openbalance_hid.desktop.credentials import KeyStore, store_key
from openbalance_hid.ipc.control_server import ControlServer
from openbalance_hid.secret import Secret
from tests.cli.command_line import KEY, here, machine, process
from tests.cli.shells import completed

CONFIG = """
[accounts.work]
[[decks]]
[[decks.keys]]
key = 0
tile = "balance"
[[decks.pages]]
name = "keys"
"""
TYPED = {
    "compl": "completion",
    "bar --format way": "bar --format waybar",
    "demo --model=ne": "demo --model=neo",
    "demo --scenario low": "demo --scenario low-balance",
    "run --deck virtual:ne": "run --deck virtual:neo",
    "preview --scenario work=crit": "preview --scenario work=critical",
    "status --account=wo": "status --account=wo",  # status has no such option
    "refresh --account=wo": "refresh --account=work",
    "page k": "page keys",
    "config sh": "config show",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_commands_options_and_values(tmp_path: Path, shell: str) -> None:
    env = machine(tmp_path, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    (tmp_path / "config.toml").write_text(CONFIG)
    script = process(env, "completion", shell)
    assert (script.returncode, script.stderr) == (0, "")
    lines = completed(shell, script.stdout, [f"openbalance-hid {typed}" for typed in TYPED], tmp_path, env)
    assert lines == [f"openbalance-hid {whole}" for whole in TYPED.values()]


def completions(env: Mapping[str, str], *words: str) -> list[str]:
    """Return the completions of the last word for fish: a value and, after a tab, its description."""
    request = {"_OPENBALANCE_HID_COMPLETE": "fish_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": words[-1]}
    done = process({**env, **request})
    assert (done.returncode, done.stderr) == (0, "")
    return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]


def test_a_key_is_completed_with_its_text(tmp_path: Path) -> None:
    env = machine(tmp_path)
    keys = [{"key": 0, "text": "Balance $74.25"}, {"key": 10, "text": "Spike\nalert"}]

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        return {"decks": [{"keys": keys}]} if request["command"] == "status" else {}

    server = ControlServer(paths(env).socket_file, answer)
    server.start()
    try:
        assert completions(env, "openbalance-hid", "press", "") == ["0\tBalance $74.25", "10\tSpike alert"]
        assert completions(env, "openbalance-hid", "hold", "1") == ["10\tSpike alert"]
    finally:
        server.stop()


def test_without_a_daemon_no_key_is_completed_and_nothing_is_printed(tmp_path: Path) -> None:
    assert completions(machine(tmp_path), "openbalance-hid", "press", "") == []


def test_accounts_forget_completes_the_accounts_with_a_key(tmp_path: Path) -> None:
    env = machine(tmp_path, OPENROUTER_MANAGEMENT_KEY_LAB=KEY)
    store_key("work", Secret(KEY), KeyStore.FILE, paths(env))
    assert completions(env, "openbalance-hid", "accounts", "forget", "") == ["default", "lab", "work"]


def test_with_a_broken_configuration_only_the_default_account_is_completed(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("accounts = ")
    assert completions(machine(tmp_path), "openbalance-hid", "refresh", "--account", "") == ["default"]


def test_files_are_left_to_the_shell(tmp_path: Path) -> None:
    request = {"_OPENBALANCE_HID_COMPLETE": "bash_complete", "COMP_WORDS": "openbalance-hid\npreview\n-o\n", "COMP_CWORD": "3"}
    assert process({**machine(tmp_path), **request}).stdout == "file,\n"


def test_an_unknown_shell_is_a_usage_error(tmp_path: Path) -> None:
    result = here(tmp_path, "completion", "tcsh")
    assert result.exit_code == 2
    assert "'tcsh' is not one of bash, zsh, fish" in result.stderr
