"""A user's machine with a small fake systemctl."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

STAND_IN = Path(__file__).with_name("stand_in_systemctl.py")


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installed program that runs the commands, outside of the user's home."""
    file = tmp_path_factory.mktemp("opt") / "openbalance-hid"
    file.touch()
    monkeypatch.setattr("sys.argv", [str(file)])
    return file


@pytest.fixture
def home(tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's machine with a systemd of its own; `home/systemd` has its state."""
    tools, state = tmp_path / "tools", tmp_path / "systemd"
    tools.mkdir()
    state.mkdir()
    for name, command in {"systemctl": f'exec {sys.executable} {STAND_IN} "$@"', "journalctl": 'echo "journal: $*"'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{command}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(state))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SUDO_USER", raising=False)
    return tmp_path
