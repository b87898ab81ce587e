"""The service under the user's systemd. Nothing here becomes root, and every operation is idempotent."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openbalance_hid.config.paths import home_dir
from openbalance_hid.errors import ServiceError
from openbalance_hid.hints import hint
from openbalance_hid.service.manager import RUN_WITHOUT, UnitState, write_unit
from openbalance_hid.service.subprocesses import ProgramResult, run_program
from openbalance_hid.service.units import UNIT, render_user_unit

START_LIMIT_S = 100.0  # systemd gives up after 90

# Where a package puts a unit that is for every user; the user's own directory has precedence (systemd.unit(5)).
PACKAGED_DIRS = tuple(Path(prefix, "systemd/user") for prefix in ("/etc", "/usr/local/lib", "/usr/lib", "/lib"))

_STATE_PROPERTIES = "--property=ActiveState,SubState,MainPID,Result,UnitFileState,FragmentPath,NRestarts"

# Exit code of a daemon that did not start -> the reason, and the command that helps.
_START_FAILURES = {
    "75": ("another daemon is running", hint("another daemon is running")),
    "78": ("the configuration or a directory cannot be used", hint("the control socket cannot be made")),
}


@dataclass(frozen=True, slots=True)
class SystemdService:
    """`own_dir`: directory of the user's units; `packaged_dirs`: where a package may have put the unit.

    `manager_env`: variables that lead to the manager, beside those of this process.
    """

    program: Sequence[str]
    env: Mapping[str, str]
    own_dir: Path
    packaged_dirs: Sequence[Path] = PACKAGED_DIRS
    manager_env: Mapping[str, str] = field(default_factory=dict)

    def install(self, restart: bool = False) -> list[str]:
        """Install, enable and start the unit. Return what was done."""
        self._require_manager()
        done = self._place_unit()
        if done:
            self._must("daemon-reload")
        if not self._run("is-enabled", "--quiet", UNIT).ok:
            self._must("enable", UNIT)
        # Without systemd's graphical session (plain window managers, consoles, ssh) the login itself has to start it.
        graphical = self._run("is-active", "--quiet", "graphical-session.target").ok
        if not graphical:
            self._must("add-wants", "default.target", UNIT)
        done.append(f"it starts with {'the desktop session' if graphical else 'your login'}")
        running = self._run("is-active", "--quiet", UNIT).ok
        if running and len(done) == 1 and not restart:
            return [f"already installed: {self._unit_file()}", *done, "already running"]
        started = self._run("restart", UNIT, limit_s=START_LIMIT_S)
        if not started.ok:
            reason, hint = self._start_failure(started)
            raise ServiceError(f"the service is installed but did not start: {reason}", hint)
        return [*done, "restarted" if running else "started"]

    def uninstall(self) -> list[str]:
        """Stop, disable and remove the unit. Return what was done. A unit from a package is only disabled."""
        self._require_manager()
        own, done = self._manager_dir() / UNIT, []
        if self._run("is-active", "--quiet", UNIT).ok:
            self._must("stop", UNIT)
            done.append("stopped")
        links = [link for link in own.parent.glob(f"*.wants/{UNIT}") if link.is_symlink()]
        if self._unit_file() is not None:
            self._must("disable", UNIT)
        for link in links:
            link.unlink(missing_ok=True)  # of a unit that does not exist any more, which systemd ignores
        if links:
            done.append("disabled")
        if os.access(own, os.F_OK):
            own.unlink()
            done.append(f"removed {own}")
        if done:
            self._must("daemon-reload")
            self._run("reset-failed", UNIT)
        return done or ["the service is not installed"]

    def state(self) -> UnitState:
        """Return the current state."""
        self._require_manager()
        printed = self._run("show", UNIT, _STATE_PROPERTIES).out
        facts = dict(line.partition("=")[::2] for line in printed.splitlines())
        file, pid = facts.get("FragmentPath", ""), facts.get("MainPID", "0")
        summary = [f"{facts.get('ActiveState', 'unknown')} ({facts.get('SubState', '?')})"]
        if facts.get("Result", "success") != "success":
            summary.append(f"last result: {facts['Result']}")
        if facts.get("NRestarts", "0") != "0":
            summary.append(f"restarted {facts['NRestarts']} times")
        return UnitState(
            file=Path(file) if file else None,
            enabled=facts.get("UnitFileState") == "enabled",
            active=facts.get("ActiveState") == "active",
            summary=", ".join(summary),
            pid=int(pid) if pid.isdecimal() and pid != "0" else None,
            stopped=facts.get("ActiveState") == "inactive",
        )

    def logs_command(self, lines: int, follow: bool) -> list[str]:
        """Return the command line that shows the log."""
        return ["journalctl", "--user", f"--unit={UNIT}", f"--lines={lines}", *(["--follow"] if follow else ["--no-pager"])]

    def _place_unit(self) -> list[str]:
        """Put the unit where systemd finds it. Return what was done."""
        text, own = render_user_unit(self.program, self.env), self._manager_dir() / UNIT
        packaged = next((file for folder in self.packaged_dirs if os.access(file := folder / UNIT, os.F_OK)), None)
        if packaged is not None and packaged.read_text(encoding="utf-8", errors="replace") == text:
            if not os.access(own, os.F_OK):
                return []
            own.unlink()  # an older one of ours, which would hide the package's
            return [f"removed {own}: {packaged} takes its place"]
        return [f"wrote {own}"] if write_unit(own, text) else []

    def _unit_file(self) -> Path | None:
        folders = (self._manager_dir(), *self.packaged_dirs)
        return next((file for folder in folders if os.access(file := folder / UNIT, os.F_OK)), None)

    def _manager_dir(self) -> Path:
        """Return where the manager looks for the user's units: its environment may differ from this shell's."""
        searched = self._run("show", "--property=UnitPath", "--value").out.split()
        if str(self.own_dir) in searched:
            return self.own_dir
        home = home_dir()
        in_home = (Path(each) for each in searched if each.endswith("systemd/user") and Path(each).is_relative_to(home))
        return next(in_home, self.own_dir)

    def _start_failure(self, result: ProgramResult) -> tuple[str, str]:
        exit_code = self._run("show", UNIT, "--property=ExecMainStatus", "--value").out.strip()
        return _START_FAILURES.get(exit_code, (result.reason, hint("the service failed", "service install")))

    def _require_manager(self) -> None:
        result = self._run("show", "--property=Version")
        if not result.ok:
            raise ServiceError(f"your systemd does not answer: {result.reason}", RUN_WITHOUT)

    def _must(self, *words: str) -> None:
        result = self._run(*words)
        if not result.ok:
            raise ServiceError(f"systemctl --user {' '.join(words)}: {result.reason}", hint("the service does not stop"))

    def _run(self, *words: str, limit_s: float = 10.0) -> ProgramResult:
        return run_program(["systemctl", "--user", "--no-pager", *words], limit_s, self.manager_env)
