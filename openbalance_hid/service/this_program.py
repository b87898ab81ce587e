"""The service manager of this system, and what the doctor asks of it beside its words."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from openbalance_hid.config.paths import home_dir
from openbalance_hid.errors import UsageError
from openbalance_hid.service.install import Launchd, Systemd, UserService, carried
from openbalance_hid.service.subprocesses import ask_program
from openbalance_hid.service.units import LABEL, UNIT, program_of, render_user_unit

SYSTEM_FILE = Path("/etc/systemd/system", UNIT)


def user_service(program: Sequence[str], env: Mapping[str, str]) -> UserService:
    """The user's service, for the words that start `program`. UsageError where there is neither systemd nor launchd."""
    if sys.platform == "darwin":
        return Launchd(program, carried(env), home_dir() / "Library/LaunchAgents", log_file())
    if sys.platform == "linux":
        config_home = Path(env.get("XDG_CONFIG_HOME") or home_dir() / ".config")
        return Systemd(program, carried(env), config_home / "systemd/user", way=_way(env))
    raise UsageError(f"services are for systemd and launchd, and {sys.platform} has neither", "openbalance-hid run")


def log_file() -> Path:
    """Where launchd puts what the daemon says."""
    return home_dir() / "Library/Logs" / f"{LABEL}.log"


def system_service_is_active() -> bool:
    """Whether the service without a seat runs, which is root's and not this user's."""
    return sys.platform == "linux" and ask_program(["systemctl", "is-active", "--quiet", UNIT], 5.0).ok


def is_current(unit: Path) -> bool:
    """Whether a unit of systemd is this version's, whatever program it starts and in which surroundings."""
    return _rules(unit.read_text(encoding="utf-8", errors="replace")) == _rules(render_user_unit(("/x",)))


def _rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("ExecStart=", "Environment="))]


def unit_starts(unit: Path) -> Path | None:
    """The program that a unit of systemd starts; None where it cannot be told."""
    program = program_of(unit.read_text(encoding="utf-8", errors="replace"))
    return Path(program) if program is not None else None


def _way(env: Mapping[str, str]) -> dict[str, str]:
    """What `systemctl --user` needs to find the manager where no login has said it, as after `su -`."""
    place = Path(f"/run/user/{os.getuid()}")
    said = env.get("XDG_RUNTIME_DIR") or env.get("DBUS_SESSION_BUS_ADDRESS")
    return {} if said or not place.is_dir() else {"XDG_RUNTIME_DIR": str(place)}
