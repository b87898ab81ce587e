"""The paths of configuration, state and sockets, and directories that only this user may enter.

Only `private_dir` creates anything.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import platformdirs

from openbalance_hid.errors import ConfigError

APP = "openbalance-hid"
ACCOUNT_NAME = re.compile(r"[a-z0-9-]{1,32}")  # names a key file and, in capitals, an environment variable


class Paths(NamedTuple):
    """All paths, absolute; none needs to exist. A tuple, which imports no library: every command starts with it."""

    config_file: Path
    state_dir: Path
    runtime_dir: Path

    @property
    def history_file(self) -> Path:
        return self.state_dir / "history.sqlite3"

    @property
    def socket_file(self) -> Path:
        return self.runtime_dir / "control.sock"

    @property
    def key_file_dir(self) -> Path:
        return self.state_dir / "keys"

    def private_dir(self, path: Path) -> Path:
        """Call `private_dir`: for packages that get these paths passed in and may not import this module."""
        return private_dir(path)


def paths(env: Mapping[str, str]) -> Paths:
    """Return the platform's paths, each replaced by its `OPENBALANCE_…` variable if `env` has it and it is not empty.

    The platform's own variables (`XDG_CONFIG_HOME` and so on) are read by platformdirs from the process's environment.
    ConfigError if a path would be in the home of a user without one.
    """
    with _needs_home():
        found = Paths(
            config_file=_from_env(env, "OPENBALANCE_CONFIG")
            or platformdirs.user_config_path(APP, appauthor=False) / "config.toml",
            state_dir=_from_env(env, "OPENBALANCE_STATE_DIR") or platformdirs.user_state_path(APP, appauthor=False),
            runtime_dir=_from_env(env, "OPENBALANCE_RUNTIME_DIR") or _platform_runtime_dir(),
        )
        if not all(path.is_absolute() for path in found):
            raise RuntimeError("a path below ~")  # which older platformdirs do not expand
        return found


def home_dir() -> Path:
    """Return this user's home; ConfigError if there is none."""
    with _needs_home():
        return Path.home()


def absolute(path: str) -> Path:
    """Return a path that a user wrote, absolute, `~` expanded; ConfigError for the `~` of a user without a home."""
    with _needs_home():
        return Path(path).expanduser().absolute()


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
        raise ConfigError(f"cannot use the directory {path}: {_reason(error)}", _ls_command(_nearest_existing(path))) from error
    check_private(path)
    return path


def check_private(path: Path) -> None:
    """Check that the directory is private. ConfigError as for `private_dir`, also if there is none."""
    try:
        here, exposed = path.lstat(), _replaceable_part(path)
    except OSError as error:
        raise ConfigError(f"cannot use the directory {path}: {_reason(error)}", _ls_command(_nearest_existing(path))) from error
    us = os.geteuid()
    mode = stat.S_IMODE(here.st_mode)
    if not stat.S_ISDIR(here.st_mode):
        raise ConfigError(f"{path} is not a directory, or is a link to one", _ls_command(path))
    if here.st_uid != us:
        raise ConfigError(f"the directory {path} belongs to user {here.st_uid}, not to {us}", _ls_command(path))
    if mode & 0o077:
        raise ConfigError(f"the directory {path} is open to others: mode {mode:04o}", f"chmod 700 {shlex.quote(str(path))}")
    if exposed is not None:
        raise ConfigError(f"another user could replace {path}: {exposed} can be changed by others", _ls_command(exposed))


def _replaceable_part(path: Path) -> Path | None:
    """Return the nearest part of `path` that another user could replace; None: there is none.

    Another user can replace what is in a directory that belongs to neither root nor this user, and what is in a directory that
    all may write to, unless it is sticky (as /tmp). Links are followed: each directory on the path of their targets counts.
    """
    trusted = (0, os.geteuid())
    for place in dict.fromkeys((*path.parents, path.parent.resolve(), *path.parent.resolve().parents)):
        link, found = place.lstat(), place.stat()
        open_to_all = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
        if link.st_uid not in trusted or found.st_uid not in trusted or open_to_all:
            return place
    return None


def _from_env(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name, "")
    return absolute(text) if text else None


@contextmanager
def _needs_home() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # from platformdirs and pathlib: neither HOME nor the user database has a home
        raise ConfigError(f"no home directory is known for user {os.getuid()}", "export HOME=/where/it/is") from error


def _platform_runtime_dir() -> Path:
    with warnings.catch_warnings():
        # Without a login session platformdirs falls back to a temporary directory and warns; `private_dir` checks that one.
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_path(APP, appauthor=False)


def _nearest_existing(path: Path) -> Path:
    """Return the last part of `path` that exists."""
    return next((place for place in (path, *path.parents) if os.path.lexists(place)), Path("/"))


def _ls_command(path: Path) -> str:
    return f"ls -ld {shlex.quote(str(path))}"


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
