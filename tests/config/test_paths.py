"""The paths of configuration, state and sockets."""

import os
import sys
from pathlib import Path

import pytest

from openbalance_hid.config.paths import paths


def test_the_variables_replace_the_platforms_paths(tmp_path: Path):
    places = paths(
        {
            "OPENBALANCE_CONFIG": str(tmp_path / "c.toml"),
            "OPENBALANCE_STATE_DIR": str(tmp_path / "state"),
            "OPENBALANCE_RUNTIME_DIR": str(tmp_path / "run"),
        }
    )
    assert places.config_file == tmp_path / "c.toml"
    assert places.history_file == tmp_path / "state" / "history.sqlite3"
    assert places.socket_file == tmp_path / "run" / "control.sock"
    assert places.key_file_dir == tmp_path / "state" / "keys"
    assert list(tmp_path.iterdir()) == []


def test_without_variables_the_paths_are_the_platforms_and_absolute():
    places = paths({"OPENBALANCE_CONFIG": ""})
    assert places.config_file.name == "config.toml"
    assert "openbalance-hid" in places.config_file.parts
    assert all(place.is_absolute() for place in (places.config_file, places.state_dir, places.runtime_dir))


def test_a_relative_path_is_made_absolute():
    assert paths({"OPENBALANCE_STATE_DIR": "here"}).state_dir == Path.cwd() / "here"


@pytest.mark.skipif(sys.platform != "linux", reason="XDG's directories")
@pytest.mark.parametrize("given", [None, "", "relative"])
def test_without_a_session_sockets_are_in_the_state_directory_and_never_in_tmp(tmp_path: Path, given: str | None):
    env = {"OPENBALANCE_STATE_DIR": str(tmp_path)} | ({} if given is None else {"XDG_RUNTIME_DIR": given})
    runtime = paths(env).runtime_dir
    own = Path(f"/run/user/{os.getuid()}/openbalance-hid")
    assert runtime == (own if own.parent.is_dir() else tmp_path / "run")


@pytest.mark.skipif(sys.platform != "linux", reason="XDG's directories")
def test_the_runtime_directory_of_the_session_is_used(tmp_path: Path):
    assert paths({"XDG_RUNTIME_DIR": str(tmp_path)}).runtime_dir == tmp_path / "openbalance-hid"
