"""The service manager of this system, and the environment that the service receives from the one that installs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from openbalance_hid.config.paths import absolute, home_dir
from openbalance_hid.errors import UsageError
from openbalance_hid.service.launchd import LaunchdService
from openbalance_hid.service.manager import RUN_WITHOUT, UserService
from openbalance_hid.service.subprocesses import run_program
from openbalance_hid.service.systemd import SystemdService
from openbalance_hid.service.units import LABEL, UNIT

SYSTEM_FILE = Path("/etc/systemd/system", UNIT)

# Variables that lead commands to other places than the usual ones lead the service there as well. Never a key.
_PASSED = ("OPENBALANCE_API_URL", "OPENBALANCE_CONFIG", "OPENBALANCE_RUNTIME_DIR", "OPENBALANCE_STATE_DIR")
_PASSED_UNLESS = {"XDG_CONFIG_HOME": "~/.config", "XDG_STATE_HOME": "~/.local/state"}  # the usual places by another name


def user_service(program: Sequence[str], env: Mapping[str, str]) -> UserService:
    """Return the user's service. `program`: the command line that starts it. UsageError without systemd and launchd."""
    if sys.platform == "darwin":
        return LaunchdService(program, service_environment(env), home_dir() / "Library/LaunchAgents", launchd_log_file())
    if sys.platform == "linux":
        config_home = Path(env.get("XDG_CONFIG_HOME") or home_dir() / ".config")
        own_dir = config_home / "systemd/user"
        return SystemdService(program, service_environment(env), own_dir, manager_env=_manager_env(env))
    raise UsageError(f"a service requires systemd or launchd, and {sys.platform} has neither", RUN_WITHOUT)


def service_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the service receives, with absolute paths."""
    found = {name: env[name] for name in (*_PASSED, *_PASSED_UNLESS) if env.get(name)}
    found = {name: text for name, text in found.items() if absolute(text) != absolute(_PASSED_UNLESS.get(name, "/dev/null"))}
    return {name: text if name.endswith("_URL") else str(absolute(text)) for name, text in found.items()}


def launchd_log_file() -> Path:
    """Return the file into which launchd writes what the daemon prints."""
    return home_dir() / "Library/Logs" / f"{LABEL}.log"


def system_service_is_active() -> bool:
    """Return whether the system service, of a machine without a seat, is running."""
    return sys.platform == "linux" and run_program(["systemctl", "is-active", "--quiet", UNIT], 5.0).ok


def _manager_env(env: Mapping[str, str]) -> dict[str, str]:
    """Return what `systemctl --user` needs to find the manager where no login has set it, as after `su -`."""
    folder = Path(f"/run/user/{os.getuid()}")
    is_set = env.get("XDG_RUNTIME_DIR") or env.get("DBUS_SESSION_BUS_ADDRESS")
    return {} if is_set or not folder.is_dir() else {"XDG_RUNTIME_DIR": str(folder)}
