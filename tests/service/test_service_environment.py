"""The shell and the service find the same files: the service receives what leads platformdirs to other places."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from openbalance_hid.config.paths import paths
from openbalance_hid.service.install import service_environment

NAMES = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CACHE_HOME")
OURS = ("OPENBALANCE_CONFIG", "OPENBALANCE_STATE_DIR", "OPENBALANCE_RUNTIME_DIR")


@pytest.fixture
def user_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home on macOS, with platformdirs' own directories for it and no variable set."""
    for name in (*NAMES, *OURS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(platformdirs, "PlatformDirs", MacOS)
    return tmp_path


@pytest.mark.parametrize("name", [*NAMES, *OURS])
@pytest.mark.parametrize("text", ["{home}/.config", "{home}/.local/state", "{home}/elsewhere", "~/.config", "relative", ""])
def test_the_agent_finds_the_files_of_the_shell(user_home: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(name, text.format(home=user_home))
    in_the_shell, passed = paths(os.environ), service_environment(os.environ)
    monkeypatch.delenv(name)
    for each, value in passed.items():
        monkeypatch.setenv(each, value)
    monkeypatch.chdir("/")  # where launchd starts an agent
    assert paths(os.environ) == in_the_shell


@pytest.mark.parametrize("name", ["XDG_CONFIG_HOME", "XDG_STATE_HOME", *OURS])
@pytest.mark.parametrize("text", ["{home}/.config", "{home}/.local/state", "{home}/elsewhere", "~/elsewhere", "relative", "."])
def test_a_unit_of_systemd_leads_to_the_files_of_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    for each in (*NAMES, *OURS):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(platformdirs, "PlatformDirs", Unix)
    monkeypatch.setenv(name, text.format(home=tmp_path))
    in_the_shell, passed = paths(os.environ), service_environment(os.environ)
    monkeypatch.delenv(name)
    for each, value in passed.items():
        monkeypatch.setenv(each, value)
    monkeypatch.chdir("/")
    assert paths(os.environ) == in_the_shell


def test_without_a_variable_the_agent_receives_none(user_home: Path) -> None:
    assert service_environment(os.environ) == {}


def test_platformdirs_follows_the_variables_on_macos(user_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(user_home / ".config"))
    assert paths(os.environ).config_file == user_home / ".config/openbalance-hid/config.toml"


def test_a_runtime_directory_that_is_not_private_is_left_out_without_a_warning(
    user_home: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    shared = user_home / "shared"
    shared.mkdir(mode=0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(shared))
    assert paths(os.environ).runtime_dir == user_home / "Library/Caches/TemporaryItems/openbalance-hid"
    assert [str(each.message) for each in recwarn] == []
