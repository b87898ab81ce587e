"""The directory of the state where the platform has one for state and configuration, as macOS, and the move of older state."""

from __future__ import annotations

import fcntl
import stat
from pathlib import Path

import platformdirs
import pytest
from platformdirs.macos import MacOS

from openbalance_hid.config.old_state import move_old_state
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import ConfigError
from tests.cli.command_line import KEY, here


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """~/Library/Application Support/openbalance-hid: platformdirs' own answers for macOS."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(platformdirs, "PlatformDirs", MacOS)
    return tmp_path / "Library/Application Support/openbalance-hid"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def older_installation(shared: Path) -> None:
    """Write what a version before had in its one directory."""
    (shared / "keys").mkdir(parents=True, mode=0o700)
    shared.chmod(0o755)
    texts = {"config.toml": "", "keys/default.key": KEY, "accounts.json": "{}", "daemon.lock": "1", "notes.txt": "of the user"}
    texts |= {name: name for name in ("history.sqlite3", "history.sqlite3-wal", "history.sqlite3-shm")}
    for name, text in texts.items():
        (shared / name).write_text(text)


def test_the_state_has_a_directory_of_its_own(shared: Path) -> None:
    places = paths({})
    assert (places.config_file, places.state_dir) == (shared / "config.toml", shared / "state")


def test_setup_stores_the_key_privately_after_config_init_made_the_directory(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBALANCE_RUNTIME_DIR", str(tmp_path / "run"))
    unset = {"OPENBALANCE_CONFIG": "", "OPENBALANCE_STATE_DIR": ""}
    shared.mkdir(parents=True)
    shared.chmod(0o755)
    assert here(tmp_path, "config", "init", **unset).exit_code == 0
    stored = here(tmp_path, "setup", "--stdin", "--store", "file", "--no-check", stdin=f"{KEY}\n", **unset)
    assert (stored.exit_code, stored.stderr) == (0, "")
    assert (shared / "state/keys/default.key").read_text().strip() == KEY
    assert [mode(shared / name) for name in ("state", "state/keys", "state/keys/default.key")] == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("store", ["file", "keyring"])
def test_a_directory_open_to_others_is_reported_before_the_key_is_read(shared: Path, tmp_path: Path, store: str) -> None:
    (shared / "state").mkdir(parents=True)
    (shared / "state").chmod(0o755)
    unset = {"OPENBALANCE_CONFIG": "", "OPENBALANCE_STATE_DIR": ""}
    refused = here(tmp_path, "setup", "--store", store, "--no-check", stdin="not a key\n", **unset)
    assert "is open to others: mode 0755" in refused.stderr
    assert f"chmod 700 '{shared}/state'" in refused.stderr


def test_the_state_of_an_older_version_is_moved_once(shared: Path) -> None:
    older_installation(shared)
    assert "keys" in move_old_state({})
    assert move_old_state({}) == ()
    assert sorted(file.name for file in shared.iterdir()) == ["config.toml", "notes.txt", "state"]
    assert mode(shared / "state") == 0o700
    assert (shared / "state/keys/default.key").read_text() == KEY
    assert (shared / "state/history.sqlite3-wal").read_text() == "history.sqlite3-wal"


def test_an_interrupted_move_is_completed_and_replaces_nothing(shared: Path) -> None:
    older_installation(shared)
    (shared / "state").mkdir(mode=0o700)
    (shared / "accounts.json").rename(shared / "state/accounts.json")
    (shared / "state/history.sqlite3").write_text("newer")
    assert "accounts.json" not in move_old_state({})
    assert (shared / "state/history.sqlite3").read_text() == "newer"
    assert (shared / "history.sqlite3").exists()
    assert not (shared / "state/history.sqlite3-wal").exists(), "a journal belongs to its own database"


def test_nothing_is_moved_while_a_daemon_of_the_older_version_runs(shared: Path) -> None:
    older_installation(shared)
    with (shared / "daemon.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert move_old_state({}) == ()
        assert (shared / "keys/default.key").exists()
    assert "history.sqlite3" in move_old_state({})


def test_a_chosen_state_directory_is_left_alone(shared: Path, tmp_path: Path) -> None:
    older_installation(shared)
    assert move_old_state({"OPENBALANCE_STATE_DIR": str(tmp_path / "elsewhere")}) == ()
    assert (shared / "keys").exists()


def test_a_new_directory_that_is_not_private_moves_nothing(shared: Path) -> None:
    older_installation(shared)
    (shared / "state").mkdir()
    (shared / "state").chmod(0o755)
    with pytest.raises(ConfigError, match="open to others"):
        move_old_state({})
    assert (shared / "keys/default.key").exists()
