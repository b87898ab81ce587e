"""Private directories. Our code compares modes and owners, so the tests hold for root as well."""

import os
import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from openbalance_hid.config.private_directory import private_dir
from openbalance_hid.errors import ConfigError
from tests.other_user import OTHER_UID, give_to_other_user, needs_other_user


def refused(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as refusal:
        private_dir(path)
    return refusal.value


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
        in_the_way = "it" if place.name == "state" else tmp_path / "state"
        assert refused(place).message == f"cannot use the directory {place}: {in_the_way} is not a directory"
        assert refused(place).hint == f"ls -ld {tmp_path / 'state'}"


OTHER_GROUP = 60_001  # of no user database: its members are not known
OWN_GROUP_ENTRY, USER_ENTRY, NAMED_USER, NAMED_GROUP, MASK, OTHERS = 0x04, 0x01, 0x02, 0x08, 0x10, 0x20
NOBODY_IN_PARTICULAR = 0xFFFFFFFF


def set_access_list(directory: Path, *entries: tuple[int, int, int]) -> None:
    raw = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in sorted(entries))
    try:
        os.setxattr(directory, "system.posix_acl_access", raw)
    except OSError as error:
        pytest.skip(f"needs a file system with access lists: {error}")


def test_a_parent_that_only_the_users_own_group_may_write_to_is_accepted(tmp_path: Path):
    parent = tmp_path / "parent"
    parent.mkdir()
    parent.chmod(0o775)
    os.chown(parent, -1, os.getegid())
    assert private_dir(parent / "state").is_dir()


@needs_other_user
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a directory to any group")
@pytest.mark.parametrize("group", [OTHER_UID, OTHER_GROUP], ids=["of another user", "of unknown users"])
def test_a_parent_that_another_users_group_may_write_to_is_refused(tmp_path: Path, group: int):
    parent = tmp_path / "parent"
    parent.mkdir()
    os.chown(parent, -1, group)
    parent.chmod(0o775)
    assert f"{parent} can be changed by others" in refused(parent / "state").message
    parent.chmod(0o1775)
    assert private_dir(parent / "state").is_dir(), "in a sticky directory each user removes only their own files"


@pytest.mark.skipif(sys.platform != "linux", reason="POSIX access lists")
def test_a_parent_whose_access_list_lets_another_user_write_is_refused(tmp_path: Path):
    parent = tmp_path / "parent"
    parent.mkdir(mode=0o755)
    base = (
        (USER_ENTRY, 7, NOBODY_IN_PARTICULAR),
        (OWN_GROUP_ENTRY, 5, NOBODY_IN_PARTICULAR),
        (OTHERS, 5, NOBODY_IN_PARTICULAR),
    )
    set_access_list(parent, *base, (NAMED_USER, 7, OTHER_UID), (MASK, 7, NOBODY_IN_PARTICULAR))
    assert f"{parent} can be changed by others" in refused(parent / "state").message
    set_access_list(parent, *base, (NAMED_GROUP, 7, OTHER_GROUP), (MASK, 7, NOBODY_IN_PARTICULAR))
    assert f"{parent} can be changed by others" in refused(parent / "state").message
    set_access_list(parent, *base, (NAMED_USER, 5, OTHER_UID), (MASK, 7, NOBODY_IN_PARTICULAR))
    assert private_dir(parent / "state").is_dir(), "an entry that only reads, whatever the mask"


IN_NAMESPACE = """
import sys
from pathlib import Path
from openbalance_hid.config.private_directory import private_dir
print(private_dir(Path(sys.argv[1])))
"""


def in_a_namespace_without_root(path: Path) -> "subprocess.CompletedProcess[str]":
    words = ["unshare", "--user", "--map-user=1234", "--map-group=1234", sys.executable, "-c", IN_NAMESPACE, str(path)]
    try:
        tried = subprocess.run([*words[:4], "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if tried.returncode:
        pytest.skip("user namespaces are not permitted here")
    return subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)


def test_in_a_user_namespace_without_root_the_systems_directories_are_trusted(tmp_path: Path):
    done = in_a_namespace_without_root(tmp_path / "state")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'state'}\n"), done.stderr


@needs_other_user
def test_in_a_user_namespace_without_root_another_users_directory_is_refused(tmp_path: Path):
    theirs = tmp_path / "theirs"
    (theirs / "ours").mkdir(mode=0o700, parents=True)
    theirs.chmod(0o755)
    give_to_other_user(theirs)
    done = in_a_namespace_without_root(theirs / "ours")
    assert done.returncode == 1
    assert "theirs can be changed by others" in done.stderr
