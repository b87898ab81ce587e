"""Directories that only this user may enter, and that no other user can replace."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from pathlib import Path

from openbalance_hid.config.directory_access import can_be_changed_by_others
from openbalance_hid.errors import ConfigError
from openbalance_hid.hints import hint

_TROUBLES = {
    errno.EROFS: "a directory is read-only",
    errno.ENOSPC: "a directory is full",
    errno.EDQUOT: "a directory is full",
}


def private_dir(path: Path) -> Path:
    """Return the directory at `path`, created with mode 0700 if needed, and checked to be private.

    ConfigError if it is a link, belongs to another user, is open to others, could be replaced by another user, or cannot be
    created.
    """
    try:
        for place in (*reversed(path.parents), path):
            if not place.is_dir():  # one by one: `parents=True` would leave the mode of the parents to the umask
                place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error
    check_private(path)
    return path


def check_private(path: Path) -> None:
    """Check that the directory is private. ConfigError as for `private_dir`, also if there is none."""
    try:
        here, exposed = path.lstat(), _replaceable_part(path)
    except OSError as error:
        raise _unusable(path, error) from error
    us = os.geteuid()
    mode = stat.S_IMODE(here.st_mode)
    if not stat.S_ISDIR(here.st_mode):
        raise ConfigError(f"{path} is not a directory, or is a link to one", _ls_command(path))
    if here.st_uid != us:
        raise ConfigError(f"the directory {path} belongs to user {here.st_uid}, not to {us}", _ls_command(path))
    if mode & 0o077:
        raise ConfigError(
            f"the directory {path} is open to others: mode {mode:04o}", hint("a directory is open to others", path=path)
        )
    if exposed is not None:
        raise ConfigError(f"another user could replace {path}: {exposed} can be changed by others", _ls_command(exposed))


def _replaceable_part(path: Path) -> Path | None:
    """Return the nearest part of `path` that another user could replace; None: there is none.

    Links are followed: each directory on the path of their targets counts.
    """
    around = dict.fromkeys((*path.parents, path.parent.resolve(), *path.parent.resolve().parents))
    return next((place for place in around if can_be_changed_by_others(place)), None)


def _unusable(path: Path, error: OSError) -> ConfigError:
    nearest = _nearest_existing(path)
    reason = (error.strerror or type(error).__name__).lower()
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason = f"{nearest if nearest != path else 'it'} is not a directory"
    trouble = _TROUBLES.get(error.errno or 0, "a directory is not safe")
    return ConfigError(f"cannot use the directory {path}: {reason}", hint(trouble, path=nearest))


def _nearest_existing(path: Path) -> Path:
    """Return the last part of `path` that exists."""
    return next((place for place in (path, *path.parents) if os.path.lexists(place)), Path("/"))


def _ls_command(path: Path) -> str:
    return f"ls -ld {shlex.quote(str(path))}"
