"""Where configuration, state and sockets are, and directories that only the owner may enter.

Asking for a place creates nothing; `private_dir` does, when something is about to be put there.
"""

from __future__ import annotations

import os
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


class Paths(NamedTuple):
    """All places, absolute; none need exist. A tuple: every command begins with it, and it needs no library."""

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
        """`private_dir`, as a method for rooms that are handed these paths and do not know this one."""
        return private_dir(path)


def paths(env: Mapping[str, str]) -> Paths:
    """The platform's places, each replaced by its `OPENBALANCE_…` variable where `env` has one that is not empty.

    The platform's own variables (`XDG_CONFIG_HOME` and so on) are read by platformdirs from the process's environment.
    ConfigError where a place would be in the home of a user who has none.
    """
    with _home_known():
        found = Paths(
            config_file=_place(env, "OPENBALANCE_CONFIG")
            or platformdirs.user_config_path(APP, appauthor=False) / "config.toml",
            state_dir=_place(env, "OPENBALANCE_STATE_DIR") or platformdirs.user_state_path(APP, appauthor=False),
            runtime_dir=_place(env, "OPENBALANCE_RUNTIME_DIR") or _platform_runtime_dir(),
        )
        if not all(place.is_absolute() for place in found):
            raise RuntimeError("a place below ~")  # which older platformdirs leave as it is
        return found


def home_dir() -> Path:
    """This user's home; ConfigError where none is known."""
    with _home_known():
        return Path.home()


def absolute(place: str) -> Path:
    """A place as somebody has written it, from the root on; ConfigError for the `~` of a user who has no home."""
    with _home_known():
        return Path(place).expanduser().absolute()


def private_dir(path: Path) -> Path:
    """The directory at `path`, created with mode 0700 if need be, and known to be ours alone.

    ConfigError when it is a link, belongs to another user, lets others in, or stands where another user could replace it; and
    when the system refuses to create it.
    """
    try:
        for place in (*reversed(path.parents), path):
            if not place.is_dir():  # by itself, for `parents=True` would leave those above to the umask
                place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot use the directory {path}: {_reason(error)}", _look(_nearest(path))) from error
    check_private(path)
    return path


def check_private(path: Path) -> None:
    """Nothing for a directory that is ours alone; ConfigError as `private_dir`, also where there is none."""
    try:
        here, theirs = path.lstat(), _replaceable(path)
    except OSError as error:
        raise ConfigError(f"cannot use the directory {path}: {_reason(error)}", _look(_nearest(path))) from error
    us = os.geteuid()
    mode = stat.S_IMODE(here.st_mode)
    if not stat.S_ISDIR(here.st_mode):
        raise ConfigError(f"{path} is not a directory of its own but a link", _look(path))
    if here.st_uid != us:
        raise ConfigError(f"the directory {path} belongs to user {here.st_uid}, not to {us}", _look(path))
    if mode & 0o077:
        raise ConfigError(f"the directory {path} is open to others: mode {mode:04o}", f"chmod 700 {shlex.quote(str(path))}")
    if theirs is not None:
        raise ConfigError(f"another user could replace {path}: {theirs} is theirs to change", _look(theirs))


def _replaceable(path: Path) -> Path | None:
    """The nearest thing on the way to `path` in whose place another user could put something else; None where there is none.

    Theirs are directories and links that belong to neither root nor us, and directories that all may write to and that do not
    keep what is in them for its owners (sticky, as /tmp). Links are followed: what they lead through counts as well.
    """
    ours = (0, os.geteuid())
    for place in dict.fromkeys((*path.parents, path.parent.resolve(), *path.parent.resolve().parents)):
        link, found = place.lstat(), place.stat()
        open_to_all = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
        if link.st_uid not in ours or found.st_uid not in ours or open_to_all:
            return place
    return None


def _place(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name, "")
    return absolute(text) if text else None


@contextmanager
def _home_known() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # platformdirs' and pathlib's, for whom neither HOME nor the system's list of users knows one
        raise ConfigError(f"no home directory is known for user {os.getuid()}", "export HOME=/where/it/is") from error


def _platform_runtime_dir() -> Path:
    with warnings.catch_warnings():
        # Without a login session platformdirs falls back to a temporary directory and warns; `private_dir` keeps that one safe.
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_path(APP, appauthor=False)


def _nearest(path: Path) -> Path:
    """What there is on the way to `path`, as near to it as can be seen."""
    return next((place for place in (path, *path.parents) if os.path.lexists(place)), Path("/"))


def _look(path: Path) -> str:
    return f"ls -ld {shlex.quote(str(path))}"


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
