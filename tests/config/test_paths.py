"""Paths, and private directories. Our code compares modes and owners, so the tests hold for root as well."""

import os
import stat
from pathlib import Path

import pytest

from openbalance_hid.config.paths import paths, private_dir
from openbalance_hid.errors import ConfigError
from tests.other_user import OTHER_UID, give_to_other_user, needs_other_user


def refused(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as refusal:
        private_dir(path)
    return refusal.value


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


def test_a_private_directory_has_mode_0700_whatever_the_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        made = private_dir(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(place.stat().st_mode) for place in (made, *made.parents[:2])} == {0o700}
    assert private_dir(made) == made


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_directory_open_to_others_is_refused_with_the_command_that_fixes_it(tmp_path: Path, mode: int):
    loose = tmp_path / "it's loose"
    loose.mkdir()
    loose.chmod(mode)
    error = refused(loose)
    assert error.message == f"the directory {loose} is open to others: mode {mode:04o}"
    assert error.hint == f"chmod 700 '{tmp_path}/it'\"'\"'s loose'"


def test_a_link_to_a_directory_is_refused(tmp_path: Path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert "a link" in refused(tmp_path / "link").message


def test_a_directory_that_any_user_could_replace_is_refused(tmp_path: Path):
    tmp_path.chmod(0o777)
    assert "another user could replace" in refused(tmp_path / "state").message
    tmp_path.chmod(0o1777)
    assert private_dir(tmp_path / "state").is_dir()


@needs_other_user
def test_the_directory_of_another_user_is_refused(tmp_path: Path):
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    give_to_other_user(theirs)
    assert f"belongs to user {OTHER_UID}" in refused(theirs).message
    ours = tmp_path / "ours"
    (ours / "inside").mkdir(mode=0o700, parents=True)
    give_to_other_user(ours)
    assert "another user could replace" in refused(ours / "inside").message


def test_a_link_on_the_path_is_followed_and_its_target_is_checked_too(tmp_path: Path):
    (tmp_path / "loose" / "real").mkdir(parents=True)
    (tmp_path / "way").symlink_to(tmp_path / "loose" / "real")
    assert private_dir(tmp_path / "way" / "state").is_dir()
    (tmp_path / "loose").chmod(0o777)
    assert f"{tmp_path / 'loose'} can be changed by others" in refused(tmp_path / "way" / "state").message


def test_a_file_instead_of_the_directory_is_reported(tmp_path: Path):
    (tmp_path / "state").write_text("")
    for place in (tmp_path / "state", tmp_path / "state" / "keys"):
        assert "cannot use the directory" in refused(place).message
        assert refused(place).hint == f"ls -ld {tmp_path / 'state'}"
