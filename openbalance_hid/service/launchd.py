"""The service under the user's launchd on macOS. Every operation is idempotent.

launchctl returns before launchd has finished. After `bootout` the label stays loaded until the process has ended and launchd
has released it, about 5 s; meanwhile `bootout` returns 36, and `bootstrap` 5 or 37. After `bootstrap` the process may not have
started, and RunAtLoad does not always start it. So each step is followed until its result can be seen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openbalance_hid.errors import ServiceError
from openbalance_hid.file_safety import nearest_existing
from openbalance_hid.hints import hint
from openbalance_hid.service.manager import RUN_WITHOUT, UnitState, write_unit
from openbalance_hid.service.subprocesses import ProgramResult, run_program
from openbalance_hid.service.units import HOMEBREW_LABEL, LABEL, STOP_LIMIT_S, render_agent

# Exit codes of launchctl, which are errno values of macOS or launchd's own.
NO_PROCESS, NOT_FOUND = 3, 113  # the label is not loaded: by `bootout`, by the other commands
IN_PROGRESS, ALREADY = 36, 37  # `bootout`: the process is ending; `bootstrap`, `kickstart`: the label is loaded or starting
IO_ERROR = 5  # `bootstrap`: the label is not released yet; also a file that launchd does not accept
NO_DOMAIN = 125  # no session with a display: a login over ssh alone

DISABLED = "switched off in System Settings > General > Login Items, or by `launchctl disable`"
NOT_STARTED = "launchd cannot start the program or write the log"

POLL_S = 0.25
RELEASE_LIMIT_S = STOP_LIMIT_S + 10.0  # launchd kills the process after STOP_LIMIT_S; released 5 s later (measured: macOS 26)
ANSWER_LIMIT_S = 20.0  # a cold start reads Python's files from the disk
LOG_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class LaunchdService:
    """`own_dir`: ~/Library/LaunchAgents; `log_file`: receives what the daemon prints; `label`: of the agent.

    `answering_pid` returns the process that answers at the control socket, None without one. `clock`: monotonic seconds.
    """

    program: Sequence[str]
    env: Mapping[str, str]
    own_dir: Path
    log_file: Path
    answering_pid: Callable[[], int | None]
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    label: str = LABEL

    def install(self, restart: bool = False) -> list[str]:
        """Install, load and start the agent, and wait until the daemon answers. Return what was done."""
        self._require_log()
        changed = write_unit(self._file, render_agent(self.program, str(self.log_file), self.env))
        done = [f"wrote {self._file}" if changed else f"already installed: {self._file}", "it starts with your login"]
        log_bytes = self.log_file.stat().st_size if self.log_file.exists() else 0
        was_running = self._pid() is not None
        self._run("enable", self._target)
        if self._is_loaded() and not changed:
            if was_running and not restart:
                return [*done, "already running"]
            self._start("-k" if was_running else "")  # the unit is the same: only the program may have changed
        else:
            if self._is_loaded():
                self._unload()
            self._load()
            self._start()
        self._await_answer(log_bytes)
        return [*done, "restarted" if was_running else "started"]

    def uninstall(self) -> list[str]:
        """Stop and remove the agent, and wait until launchd has released it. Return what was done."""
        done = []
        if self._is_loaded():
            self._unload()
            done.append("stopped")
        if os.access(self._file, os.F_OK):
            self._file.unlink()
            done.append(f"removed {self._file}")
        return done or ["the service is not installed"]

    def state(self) -> UnitState:
        """Return the current state."""
        file = self._file if os.access(self._file, os.F_OK) else None
        result = self._run("print", self._target)
        if not result.ok and self.label == HOMEBREW_LABEL:  # through ssh: Homebrew's services/system.rb, domain_target
            result = self._run("print", f"user/{os.getuid()}/{self.label}")
        if result.code is None:
            raise ServiceError(f"launchd does not answer: {result.reason}", RUN_WITHOUT)
        if result.code == NO_DOMAIN:
            return UnitState(file, False, False, "not loaded: no user is logged in on the Mac's own screen")
        enabled = file is not None and not self._is_disabled()
        if not result.ok:
            words = "not loaded" if enabled or file is None else f"not loaded, {DISABLED}"
            return UnitState(file, enabled, False, words, stopped=enabled)
        facts = _facts(result.out)
        pid, exit_code = _pid(facts), facts.get("last exit code")
        summary, signal = facts.get("state", "loaded"), facts.get("last terminating signal")
        if pid is None and signal is not None:
            summary += f", ended by the signal {signal}"
        elif pid is None and exit_code is not None:
            summary += f", last exit code {exit_code}{f': {NOT_STARTED}' if _is_not_started(facts) else ''}"
        if not enabled and file is not None:
            summary += f", {DISABLED}"
        stopped = pid is None and signal is None and exit_code in (None, "0", "(never exited)")
        return UnitState(file, enabled, pid is not None, summary, pid, stopped)

    def logs_command(self, lines: int, follow: bool) -> list[str]:
        """Return the command line that shows the log."""
        return ["tail", "-n", str(lines), *(["-F"] if follow else []), str(self.log_file)]

    @property
    def _file(self) -> Path:
        return self.own_dir / f"{self.label}.plist"

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    @property
    def _target(self) -> str:
        return f"{self._domain}/{self.label}"

    def _is_disabled(self) -> bool:
        """Return whether launchd does not load the agent at a login, although its file exists.

        The lines are `"label" => disabled` from macOS 13 on, before that `=> true` (usnistgov/macos_security issue 167).
        """
        printed = self._run("print-disabled", self._domain).out
        return any(
            line.strip() in (f'"{self.label}" => {word}' for word in ("disabled", "true")) for line in printed.splitlines()
        )

    def _require_log(self) -> None:
        """Raise ServiceError if launchd could not write the log: it would not start the program either (78)."""
        try:
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            with self.log_file.open("ab"):
                pass
        except OSError as error:
            raise ServiceError(
                f"cannot write {self.log_file}: {(error.strerror or str(error)).lower()}",
                hint("a file cannot be written", path=nearest_existing(self.log_file)),
            ) from error

    def _unload(self) -> None:
        result = self._run("bootout", self._target)
        if result.code not in (0, NO_PROCESS, IN_PROGRESS, ALREADY, NOT_FOUND):
            raise ServiceError(f"launchd did not stop {self.label}: {result.reason}", hint("the service does not stop"))
        if not self._wait_until(lambda: not self._is_loaded(), RELEASE_LIMIT_S):
            raise ServiceError(
                f"launchd did not stop {self.label} within {RELEASE_LIMIT_S:g} s", hint("the service does not stop")
            )

    def _load(self) -> None:
        """Load the agent, again and again while launchd has not released its label."""
        result = self._run("bootstrap", self._domain, str(self._file))
        end_s = self.clock() + RELEASE_LIMIT_S
        has_domain = result.ok or result.code is None or self._run("print", self._domain).ok
        while has_domain and result.code in (IO_ERROR, ALREADY) and not self._is_loaded() and self.clock() < end_s:
            self.pause(POLL_S)
            result = self._run("bootstrap", self._domain, str(self._file))
        if result.code == NO_DOMAIN or not has_domain:
            words = "launchd starts the service only in a session with a display: log in on the Mac's own screen first"
            raise ServiceError(words, hint("no session has a display on macOS", "service install"))
        if not result.ok and not self._is_loaded():
            perhaps = f"; it may be {DISABLED}" if result.code == IO_ERROR else ""
            raise ServiceError(
                f"launchd did not load {self._file}: {result.reason}{perhaps}",
                hint("the service cannot be loaded", path=self._file),
            )

    def _start(self, *options: str) -> None:
        result = self._run("kickstart", *filter(None, options), self._target)
        if result.code not in (0, ALREADY):
            raise ServiceError(
                f"launchd did not start {self.label}: {result.reason}", hint("the service failed", "service install")
            )

    def _await_answer(self, log_bytes: int) -> None:
        """Wait until the service's process answers. `log_bytes`: size of the log before the start."""

        def answers() -> bool:
            pid = self._pid()
            return pid is not None and pid == self.answering_pid()

        if self._wait_until(lambda: answers() or self._has_ended(), ANSWER_LIMIT_S) and answers():
            return
        other = self.answering_pid()
        if other is not None and other != self._pid():
            words = f"another daemon is running as process {other}"
            raise ServiceError(words, hint("another daemon is running", "service install"))
        reason = self._last_log_line(log_bytes) or f"it does not answer after {ANSWER_LIMIT_S:g} s"
        if _is_not_started(self._printed()):
            reason = f"{NOT_STARTED} (exit code 78)"
        raise ServiceError(
            f"the service is installed but did not start: {reason}", hint("the service failed", "service install")
        )

    def _has_ended(self) -> bool:
        """Return whether it does not start: it ended with 0, as after an error that a restart does not fix, or cannot start."""
        facts = self._printed()
        return "pid" not in facts and (facts.get("last exit code") == "0" or _is_not_started(facts))

    def _last_log_line(self, after_bytes: int) -> str:
        """Return the last line that was written after that size of the log; empty without one."""
        try:
            size = self.log_file.stat().st_size
            with self.log_file.open("rb") as file:
                file.seek(max(after_bytes if after_bytes <= size else 0, size - LOG_TAIL_BYTES))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip() and not line.startswith("try: ")), "")

    def _wait_until(self, is_done: Callable[[], bool], limit_s: float) -> bool:
        end_s = self.clock() + limit_s
        while not is_done():
            if self.clock() >= end_s:
                return False
            self.pause(POLL_S)
        return True

    def _is_loaded(self) -> bool:
        return self._run("print", self._target).ok

    def _pid(self) -> int | None:
        return _pid(self._printed())

    def _printed(self) -> Mapping[str, str]:
        return _facts(self._run("print", self._target).out)

    def _run(self, *words: str) -> ProgramResult:
        return run_program(["launchctl", *words])


def _facts(printed: str) -> dict[str, str]:
    """Return the "name = value" lines of the first level of `launchctl print`."""
    lines = [line for line in printed.splitlines() if line.startswith("\t") and not line.startswith("\t\t")]
    return {name.strip(): value.strip() for name, eq, value in (line.partition(" = ") for line in lines) if eq}


def _pid(facts: Mapping[str, str]) -> int | None:
    text = facts.get("pid", "")
    return int(text) if text.isdecimal() else None


def _is_not_started(facts: Mapping[str, str]) -> bool:
    """Return whether launchd could not start the program: it reports 78, which `run --launchd` never returns."""
    return "pid" not in facts and facts.get("last exit code", "").partition(":")[0] == "78"
