"""The commands for screen lockers in docs/decks.md, run by a shell beside a daemon. Only the locker is a stand-in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.main_job.daemon_process import DaemonProcess, environment, started
from tests.waiting import PATIENCE_S, until

PAGE = Path(__file__).parents[2] / "docs/decks.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the documentation is in the repository only")


def _recipes() -> dict[str, str]:
    """Return the command of each locker, by its name."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    commands = [*re.findall(r"^\| \w+lock \| `(.+)` \|$", text, re.MULTILINE), *re.findall(r"lock_cmd = (.+)", text)]
    return {re.findall(r"\w+lock\b", command)[-1]: command for command in commands}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    home = tmp_path_factory.mktemp("home")
    _program(home / "openbalance-hid", f'exec {sys.executable} -m openbalance_hid "$@"')
    env = environment(home, PATH=f"{home}:/usr/bin:/bin")
    with started(env, "demo", "--no-browser", "--port", "0") as running:
        running.until_deck()
        yield running


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o700)


def _lit(status: str) -> str:
    return str(json.loads(status)["decks"][0]["light"])


def test_the_page_has_a_command_for_each_locker():
    assert sorted(_recipes()) == ["hyprlock", "i3lock", "swaylock"]


@pytest.mark.parametrize("locker", _recipes())
def test_the_deck_is_dark_while_the_locker_of_the_page_runs(daemon: DaemonProcess, tmp_path: Path, locker: str):
    home = Path(daemon.env["PATH"].partition(":")[0])
    _program(home / "pidof", "exit 1")  # no locker runs yet
    _program(home / locker, f"openbalance-hid status --json > {tmp_path}/while_locked")
    subprocess.run(["sh", "-c", _recipes()[locker]], env=daemon.env, check=True, timeout=PATIENCE_S)
    assert _lit((tmp_path / "while_locked").read_text()) == "off"
    until(lambda: _lit(daemon.ask("status", "--json").stdout) == "awake")
