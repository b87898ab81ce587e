"""Whether another user can change what is in a directory: by its owner, its mode, its group and its access list."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

# In a user namespace without root (bubblewrap, NixOS' FHS environments) root's directories belong to the overflow user, and so
# do those of every other user. Only root can create these, so there they are root's.
_SYSTEM_DIRS = frozenset(
    map(Path, ("/", "/home", "/root", "/run", "/run/user", "/tmp", "/var", "/var/home", "/var/tmp"))  # noqa: S108 - compared
)
_OVERFLOW_USER = 65534  # /proc/sys/kernel/overflowuid, if it cannot be read

# The access list of a directory as the kernel returns it (linux/posix_acl_xattr.h): a version, then entries of tag,
# permissions and id, little-endian.
_ACCESS_LIST = "system.posix_acl_access"
_ENTRY = struct.Struct("<HHI")
_NAMED_USER, _OWNING_GROUP, _NAMED_GROUP, _MASK = 0x02, 0x04, 0x08, 0x10
_WRITE = 2


def can_be_changed_by_others(directory: Path) -> bool:
    """Return whether a user other than root and this one can replace what is in `directory`. OSError if it does not exist.

    Each user can in a directory of their own, or one that they may write to, unless it is sticky (as /tmp).
    """
    link, found = directory.lstat(), directory.stat()
    if not (_is_trusted(link.st_uid, directory) and _is_trusted(found.st_uid, directory)):
        return True
    if found.st_mode & stat.S_ISVTX:
        return False
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and _others_may_write(directory, found.st_gid)


def _is_trusted(uid: int, directory: Path) -> bool:
    return uid in (0, os.geteuid()) or (directory in _SYSTEM_DIRS and uid == _overflow_user() and not _root_is_mapped())


def _others_may_write(directory: Path, gid: int) -> bool:
    """Return whether a group or an entry of the access list lets another user write. With a list, the mode shows its mask."""
    entries = tuple(_access_list(directory)) or ((_OWNING_GROUP, _WRITE, 0),)
    mask = next((permissions for tag, permissions, _ in entries if tag == _MASK), _WRITE)
    for tag, permissions, number in entries:
        if not permissions & mask & _WRITE:
            continue
        if tag == _NAMED_USER and number not in (0, os.geteuid()):
            return True
        if tag in (_OWNING_GROUP, _NAMED_GROUP) and _has_other_members(gid if tag == _OWNING_GROUP else number):
            return True
    return False


def _access_list(directory: Path) -> Iterator[tuple[int, int, int]]:
    if not hasattr(os, "getxattr"):  # macOS
        return
    try:
        raw = os.getxattr(directory, _ACCESS_LIST)
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.ENOTSUP):  # no list, or a file system without lists
            return
        raise
    yield from _ENTRY.iter_unpack(raw[4:])


def _has_other_members(gid: int) -> bool:
    """Return whether a user other than root and this one is in the group; a group that is not known counts as one that has."""
    import grp
    import pwd

    try:
        names = grp.getgrgid(gid).gr_mem
    except KeyError:
        return gid not in (0, os.getegid())
    users = pwd.getpwall()
    in_group = {user.pw_uid for user in users if user.pw_gid == gid or user.pw_name in names}
    unknown = set(names) - {user.pw_name for user in users}  # of a directory service, which lists no users
    return bool(in_group - {0, os.geteuid()} or unknown)


def _overflow_user() -> int:
    try:
        return int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return _OVERFLOW_USER


def _root_is_mapped() -> bool:
    """Return whether this user namespace has a root (user_namespaces(7)); true where that cannot be read."""
    try:
        rows = [line.split() for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()]
        return any(int(first) == 0 and int(count) > 0 for first, _, count in rows)
    except (OSError, ValueError):
        return True
