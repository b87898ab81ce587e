"""The service manager of this system, and the environment that the service receives from the one that installs it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from openbalance_hid.config.paths import absolute, home_dir, paths
from openbalance_hid.errors import OpenBalanceError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request
from openbalance_hid.service.launchd import LaunchdService
from openbalance_hid.service.manager import RUN_WITHOUT, UserService
from openbalance_hid.service.subprocesses import run_program
from openbalance_hid.service.systemd import SystemdService
from openbalance_hid.service.units import HOMEBREW_LABEL, LABEL, UNIT, agent_log

SYSTEM_FILE = Path("/etc/systemd/system", UNIT)

BREW_START = hint("the service was installed by Homebrew")
INSTALL_PERMANENTLY = hint("the program is in a cache")
# https://github.com/theQuert/cc-reaper/issues/21; the last one is iCloud Drive
_PROTECTED_FOLDERS = ("Desktop", "Documents", "Downloads", "Library/Mobile Documents")
# ~/.cache/uv/archive-v0/…/bin/openbalance-hid, https://github.com/astral-sh/uv/issues/6325; also with another cache directory
_UV_CACHE_BUCKET = re.compile(r"(archive|builds|environments)-v\d+")
# ~/.cache/pipx/HASH/bin/openbalance-hid; older pipx: ~/.local/pipx/.cache/HASH/bin/openbalance-hid
_PIPX_RUN_FOLDER = re.compile(r"[0-9a-f]{15}")

# Variables that lead commands to other places than the usual ones lead the service there as well. Never a key.
# Not OPENBALANCE_API_URL: an address for one test would stay in the unit, and the key would go there.
_PASSED = ("OPENBALANCE_CONFIG", "OPENBALANCE_RUNTIME_DIR", "OPENBALANCE_STATE_DIR")
_PASSED_UNLESS = {"XDG_CONFIG_HOME": "~/.config", "XDG_STATE_HOME": "~/.local/state"}  # the usual places by another name
# platformdirs follows them on macOS from 4.14 on. There none of them names a usual place, and launchd sets none of them.
_PASSED_ON_MACOS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")


def user_service(program: Sequence[str], env: Mapping[str, str]) -> UserService:
    """Return the user's service. `program`: the command line that starts it. UsageError without systemd and launchd."""
    if sys.platform == "darwin":
        agents, socket_file = home_dir() / "Library/LaunchAgents", paths(env).socket_file
        return LaunchdService(
            program, service_environment(env), agents, launchd_log_file(), lambda: _answering_pid(socket_file)
        )
    if sys.platform == "linux":
        given = Path(env.get("XDG_CONFIG_HOME", ""))
        config_home = given if given.is_absolute() else home_dir() / ".config"
        own_dir = config_home / "systemd/user"
        return SystemdService(program, service_environment(env), own_dir, manager_env=_manager_env(env))
    raise UsageError(f"a service requires systemd or launchd, and {sys.platform} has neither", RUN_WITHOUT)


def homebrew_service() -> LaunchdService | None:
    """Return the service that `brew services` has installed; None without one, and on other systems than macOS."""
    agents = home_dir() / "Library/LaunchAgents"
    file = agents / f"{HOMEBREW_LABEL}.plist"
    if sys.platform != "darwin" or not file.is_file():
        return None
    log_file = agent_log(file.read_bytes()) or launchd_log_file()
    return LaunchdService((), {}, agents, log_file, lambda: None, label=HOMEBREW_LABEL)


def installed_service(program: Sequence[str], env: Mapping[str, str]) -> UserService:
    """Return the service of this user: the one of `brew services` where that is the only one."""
    own, homebrew = user_service(program, env), homebrew_service()
    return homebrew if homebrew is not None and own.state().file is None else own


def require_no_homebrew_service() -> None:
    """Raise UsageError where Homebrew has installed the service: a second one would end at once."""
    if homebrew_service() is not None:
        raise UsageError("Homebrew has installed the service", BREW_START)


def service_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the service receives, with absolute paths."""
    if sys.platform == "darwin":
        ours = {name: str(absolute(env[name])) for name in _PASSED if env.get(name)}
        return ours | {name: env[name] for name in _PASSED_ON_MACOS if env.get(name)}  # a relative one is ignored there, too
    found = {name: env[name] for name in _PASSED if env.get(name)}
    # a relative one is ignored by platformdirs, too (XDG Base Directory Specification)
    found |= {name: env[name] for name in _PASSED_UNLESS if Path(env.get(name, "")).is_absolute()}
    found = {name: text for name, text in found.items() if absolute(text) != absolute(_PASSED_UNLESS.get(name, "/dev/null"))}
    return {name: str(absolute(text)) for name, text in found.items()}


def is_temporary(program: PurePath) -> bool:
    """Return whether the program is in a cache of uv (`uvx`, `uv run --with`) or pipx (`pipx run`), which may be emptied."""
    *folders, _ = program.parts
    in_pipx_cache = folders[-3:-2] in ([".cache"], ["pipx"]) and _PIPX_RUN_FOLDER.fullmatch(folders[-2]) is not None
    return in_pipx_cache or any(_UV_CACHE_BUCKET.fullmatch(folder) for folder in folders)


def require_permanent_program(program: Sequence[str]) -> None:
    """Raise UsageError when a service cannot start the program for long. `program`: its command line."""
    if is_temporary(PurePath(program[0])):
        raise UsageError(f"{program[0]} is in a cache, from which it may be removed", INSTALL_PERMANENTLY)


def unreadable_by_agent(files: Iterable[Path]) -> list[Path]:
    """Return the folders of these files that macOS lets no agent read without a permission, although a terminal may."""
    if sys.platform != "darwin":
        return []
    folders = [home_dir().resolve() / name for name in _PROTECTED_FOLDERS]
    targets = [file.resolve() for file in files]
    return [folder for folder in folders if any(target.is_relative_to(folder) for target in targets)]


def launchd_log_file() -> Path:
    """Return the file into which launchd writes what the daemon prints."""
    return home_dir() / "Library/Logs" / f"{LABEL}.log"


def open_log_file() -> Path:
    """Return the file into which launchd writes what this process prints: Homebrew has one of its own."""
    homebrew = homebrew_service()
    with suppress(OSError):
        if homebrew is not None and os.path.samestat(os.fstat(sys.stderr.fileno()), homebrew.log_file.stat()):
            return homebrew.log_file
    return launchd_log_file()


def system_service_is_active() -> bool:
    """Return whether the system service, of a machine without a seat, is running."""
    return sys.platform == "linux" and run_program(["systemctl", "is-active", "--quiet", UNIT], 5.0).ok


def _answering_pid(socket_file: Path) -> int | None:
    """Return the process of the daemon that answers at the control socket; None without an answer."""
    try:
        return int(request(socket_file, "status", timeout_s=2.0)["pid"])
    except OpenBalanceError:
        return None


def _manager_env(env: Mapping[str, str]) -> dict[str, str]:
    """Return what `systemctl --user` needs to find the manager where no login has set it, as after `su -`."""
    folder = Path(f"/run/user/{os.getuid()}")
    is_set = env.get("XDG_RUNTIME_DIR") or env.get("DBUS_SESSION_BUS_ADDRESS")
    return {} if is_set or not folder.is_dir() else {"XDG_RUNTIME_DIR": str(folder)}
