"""The paths of configuration, state and sockets. Nothing is created here."""

from __future__ import annotations

import os
import re
import stat
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from openbalance_hid.config.private_directory import private_dir
from openbalance_hid.errors import ConfigError
from openbalance_hid.hints import hint

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
    def lock_files(self) -> tuple[Path, Path]:
        """The files that a daemon locks. The first one lasts: programs that clean up do so in runtime directories."""
        return self.state_dir / "daemon.lock", self.runtime_dir / "control.lock"

    @property
    def key_file_dir(self) -> Path:
        return self.state_dir / "keys"

    def private_dir(self, path: Path) -> Path:
        """Call `private_dir`: for packages that get these paths passed in and may not import this module."""
        return private_dir(path)


def control_socket(env: Mapping[str, str]) -> Path:
    """Return `paths(env).socket_file`, without the other paths where they are not needed for it."""
    runtime_dir = _from_env(env, "OPENBALANCE_RUNTIME_DIR") or (None if sys.platform == "darwin" else _session_dir(env))
    return runtime_dir / "control.sock" if runtime_dir is not None else paths(env).socket_file


def paths(env: Mapping[str, str]) -> Paths:
    """Return the platform's paths, each replaced by its `OPENBALANCE_…` variable if `env` has it and it is not empty.

    The platform's own variables (`XDG_CONFIG_HOME` and so on) are read by platformdirs from the process's environment.
    ConfigError if a path would be in the home of a user without one.
    """
    import platformdirs  # here: a status bar with a session's directory needs none of it

    with _needs_home():
        state_dir = _from_env(env, "OPENBALANCE_STATE_DIR") or _platform_state_dir()
        found = Paths(
            config_file=_from_env(env, "OPENBALANCE_CONFIG")
            or platformdirs.user_config_path(APP, appauthor=False) / "config.toml",
            state_dir=state_dir,
            runtime_dir=_from_env(env, "OPENBALANCE_RUNTIME_DIR") or _platform_runtime_dir(env, state_dir),
        )
        if not all(path.is_absolute() for path in found):
            raise RuntimeError("a path below ~")  # which older platformdirs do not expand
        return found


def shared_state_dir(env: Mapping[str, str]) -> Path | None:
    """Return the directory in which an older version kept state beside the configuration; None where they did not."""
    if env.get("OPENBALANCE_STATE_DIR"):
        return None
    import platformdirs

    with _needs_home():
        shared = platformdirs.user_state_path(APP, appauthor=False)
        return shared if shared == platformdirs.user_config_path(APP, appauthor=False) else None


def home_dir() -> Path:
    """Return this user's home; ConfigError if there is none."""
    with _needs_home():
        return Path.home()


def absolute(path: str) -> Path:
    """Return a path that a user wrote, absolute, `~` expanded.

    ConfigError for the `~` of a user without a home, and for a relative path in a directory that was removed.
    """
    name = path.partition("/")[0]
    try:
        with _needs_home():
            return Path(path).expanduser().absolute()
    except ConfigError as error:
        if name == "~":
            raise
        raise ConfigError(f"no user is named {name.removeprefix('~')!r}: {path}") from error
    except OSError as error:
        words = f"the path {path!r} is relative to the current directory, which was removed"
        raise ConfigError(words, hint("the current directory was removed")) from error


def _from_env(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name, "")
    return absolute(text) if text else None


@contextmanager
def _needs_home() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # from platformdirs and pathlib: neither HOME nor the user database has a home
        raise ConfigError(f"no home directory is known for user {os.getuid()}", hint("no home directory is known")) from error


def _platform_state_dir() -> Path:
    """Return the directory for state: private, so not the one for the configuration, which is the same on macOS."""
    import platformdirs

    state_dir = platformdirs.user_state_path(APP, appauthor=False)
    return state_dir / "state" if state_dir == platformdirs.user_config_path(APP, appauthor=False) else state_dir


def _platform_runtime_dir(env: Mapping[str, str], state_dir: Path) -> Path:
    """Return the directory for sockets. Without a session's, one in the state directory: in /tmp others could take the name.

    Not platformdirs on Linux: it raises PermissionError where another user has created its directory in /tmp.
    """
    if sys.platform == "darwin":
        import platformdirs

        with warnings.catch_warnings():  # it warns of an XDG_RUNTIME_DIR that is not private, which it ignores
            warnings.simplefilter("ignore")
            return platformdirs.user_runtime_path(APP, appauthor=False)
    of_session = _session_dir(env)
    if of_session is not None:
        return of_session
    of_user = Path(f"/run/user/{os.getuid()}")
    return of_user / APP if _is_own_directory(of_user) else state_dir / "run"


def _session_dir(env: Mapping[str, str]) -> Path | None:
    from_session = env.get("XDG_RUNTIME_DIR", "")
    # a relative one is to be ignored (XDG Base Directory Specification)
    return Path(from_session, APP) if Path(from_session).is_absolute() else None


def _is_own_directory(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and os.access(path, os.W_OK | os.X_OK)
