"""The service under the user's launchd on macOS. Every operation is idempotent."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openbalance_hid.errors import ServiceError
from openbalance_hid.service.manager import RUN_WITHOUT, UnitState, write_unit
from openbalance_hid.service.subprocesses import ProgramResult, run_program
from openbalance_hid.service.units import LABEL, render_agent


@dataclass(frozen=True, slots=True)
class LaunchdService:
    """`own_dir`: ~/Library/LaunchAgents; `log_file`: receives what the daemon prints."""

    program: Sequence[str]
    env: Mapping[str, str]
    own_dir: Path
    log_file: Path

    def install(self, restart: bool = False) -> list[str]:
        """Install, load and start the agent. Return what was done."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        changed = write_unit(self._file, render_agent(self.program, str(self.log_file), self.env))
        loaded = self._is_loaded()
        self._run("enable", f"{self._domain}/{LABEL}")
        if loaded and not changed and not restart:
            running = "already running" if self._pid() else "loaded"
            return [f"already installed: {self._file}", "it starts with your login", running]
        if loaded:
            self._run("bootout", f"{self._domain}/{LABEL}")
        result = self._run("bootstrap", self._domain, str(self._file))
        if not result.ok:
            raise ServiceError(f"launchd did not load {self._file}: {result.reason}", f"plutil -lint {self._file}")
        wrote = [f"wrote {self._file}"] if changed else []
        return [*wrote, "it starts with your login", "restarted" if loaded else "started"]

    def uninstall(self) -> list[str]:
        """Stop and remove the agent. Return what was done."""
        done = []
        if self._is_loaded():
            result = self._run("bootout", f"{self._domain}/{LABEL}")
            if not result.ok and self._is_loaded():
                raise ServiceError(f"launchd did not stop {LABEL}: {result.reason}", "openbalance-hid service status")
            done.append("stopped")
        if self._file.exists():
            self._file.unlink()
            done.append(f"removed {self._file}")
        return done or ["the service is not installed"]

    def state(self) -> UnitState:
        """Return the current state."""
        file = self._file if self._file.exists() else None
        result = self._run("print", f"{self._domain}/{LABEL}")
        if result.code is None:
            raise ServiceError(f"launchd does not answer: {result.reason}", RUN_WITHOUT)
        if not result.ok:
            return UnitState(file, False, False, "not loaded")
        facts = _facts(result.out)
        pid = self._pid()
        summary, exit_code = facts.get("state", "loaded"), facts.get("last exit code")
        if pid is None and exit_code is not None:
            summary += f", last exit code {exit_code}"
        stopped = pid is None and exit_code in (None, "0", "(never exited)")
        return UnitState(file, True, pid is not None, summary, pid, stopped)

    def logs_command(self, lines: int, follow: bool) -> list[str]:
        """Return the command line that shows the log."""
        return ["tail", "-n", str(lines), *(["-F"] if follow else []), str(self.log_file)]

    @property
    def _file(self) -> Path:
        return self.own_dir / f"{LABEL}.plist"

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    def _is_loaded(self) -> bool:
        return self._run("print", f"{self._domain}/{LABEL}").ok

    def _pid(self) -> int | None:
        text = _facts(self._run("print", f"{self._domain}/{LABEL}").out).get("pid", "")
        return int(text) if text.isdecimal() else None

    def _run(self, *words: str) -> ProgramResult:
        return run_program(["launchctl", *words])


def _facts(printed: str) -> dict[str, str]:
    """Return the "name = value" lines of the first level of `launchctl print`."""
    lines = [line for line in printed.splitlines() if line.startswith("\t") and not line.startswith("\t\t")]
    return {name.strip(): value.strip() for name, eq, value in (line.partition(" = ") for line in lines) if eq}
