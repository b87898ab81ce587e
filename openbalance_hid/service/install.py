"""The user's service: put into place, taken away, asked how it is. One class a service manager, both with the same words.

Nothing here becomes root. Everything may be done twice: what is as it should be is left alone, and said to be so.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from openbalance_hid.config.paths import absolute, home_dir
from openbalance_hid.errors import ServiceError
from openbalance_hid.service.subprocesses import Ended, ask_program
from openbalance_hid.service.units import LABEL, UNIT, render_agent, render_user_unit

START_LIMIT_S = 100.0  # systemd gives up after 90
NO_MANAGER = "openbalance-hid run"

# Where a package puts a unit that is for every user; the user's own place comes before all of them (systemd.unit(5)).
PACKAGED_DIRS = tuple(Path(place, "systemd/user") for place in ("/etc", "/usr/local/lib", "/usr/lib", "/lib"))

# What leads commands to other places than the usual ones must lead the service there as well. Never a key.
CARRIED = ("OPENBALANCE_API_URL", "OPENBALANCE_CONFIG", "OPENBALANCE_RUNTIME_DIR", "OPENBALANCE_STATE_DIR")
CARRIED_UNLESS = {"XDG_CONFIG_HOME": "~/.config", "XDG_STATE_HOME": "~/.local/state"}  # the usual places by their other name

# Exit code of a daemon that left again -> why, and the command that helps.
_LEFT = {
    "75": ("another daemon is running", "openbalance-hid stop"),
    "78": ("the configuration or a directory cannot be used", "openbalance-hid doctor"),
}


@dataclass(frozen=True, slots=True)
class UnitState:
    """How the service is. `file`: its unit, or None; `enabled`: starts by itself; `words`: all of it, short.

    `rests`: it does not run, and nothing went wrong.
    """

    file: Path | None
    enabled: bool
    active: bool
    words: str
    pid: int | None = None
    rests: bool = False


class UserService(Protocol):
    """A user's service manager, with our service in it or not. Every method raises ServiceError when it does not answer.

    `anew`: what runs is another version's, and is started again.
    """

    def install(self, anew: bool = False) -> list[str]: ...
    def uninstall(self) -> list[str]: ...
    def state(self) -> UnitState: ...
    def logs_command(self, lines: int, follow: bool) -> list[str]: ...


def carried(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that the service is to have, made absolute where they are places."""
    found = {name: env[name] for name in (*CARRIED, *CARRIED_UNLESS) if env.get(name)}
    found = {name: text for name, text in found.items() if absolute(text) != absolute(CARRIED_UNLESS.get(name, "/dev/null"))}
    return {name: text if name.endswith("_URL") else str(absolute(text)) for name, text in found.items()}


@dataclass(frozen=True, slots=True)
class Systemd:
    """The user's systemd. `own_dir`: where the user's units are; `packaged_dirs`: where a package may have put ours.

    `way`: variables that lead to the manager, beside those of this process.
    """

    program: Sequence[str]
    env: Mapping[str, str]
    own_dir: Path
    packaged_dirs: Sequence[Path] = PACKAGED_DIRS
    way: Mapping[str, str] = field(default_factory=dict)

    def install(self, anew: bool = False) -> list[str]:
        """What was done, in words: the unit is there, enabled, and runs as it is now."""
        self._reach()
        done = self._place()
        if done:
            self._must("daemon-reload")
        if not self._ask("is-enabled", "--quiet", UNIT).ok:
            self._must("enable", UNIT)
        # Without systemd's graphical session (plain window managers, consoles, ssh) the login itself has to start it.
        graphical = self._ask("is-active", "--quiet", "graphical-session.target").ok
        if not graphical:
            self._must("add-wants", "default.target", UNIT)
        done.append(f"it starts with {'the desktop session' if graphical else 'your login'}")
        running = self._ask("is-active", "--quiet", UNIT).ok
        if running and len(done) == 1 and not anew:
            return [f"already installed: {self._file()}", *done, "already running"]
        started = self._ask("restart", UNIT, limit_s=START_LIMIT_S)
        if not started.ok:
            why, hint = self._why_not(started)
            raise ServiceError(f"the service is installed but did not start: {why}", hint)
        return [*done, "restarted" if running else "started"]

    def uninstall(self) -> list[str]:
        """What was undone, in words. A unit that a package brought stays, disabled."""
        self._reach()
        own, done = self._own_dir() / UNIT, []
        if self._ask("is-active", "--quiet", UNIT).ok:
            self._must("stop", UNIT)
            done.append("stopped")
        links = [link for link in own.parent.glob(f"*.wants/{UNIT}") if link.is_symlink()]
        if self._file() is not None:
            self._must("disable", UNIT)
        for link in links:
            link.unlink(missing_ok=True)  # of a unit that is gone already, which systemd does not look for
        if links:
            done.append("disabled")
        if own.exists():
            own.unlink()
            done.append(f"removed {own}")
        if done:
            self._must("daemon-reload")
            self._ask("reset-failed", UNIT)
        return done or ["the service is not installed"]

    def state(self) -> UnitState:
        """How it is now."""
        self._reach()
        told = self._ask("show", UNIT, "--property=ActiveState,SubState,MainPID,Result,UnitFileState,FragmentPath,NRestarts")
        facts = dict(line.partition("=")[::2] for line in told.out.splitlines())
        file = facts.get("FragmentPath", "")
        wanted = facts.get("UnitFileState") == "enabled"
        active = facts.get("ActiveState") == "active"
        pid = int(facts["MainPID"]) if facts.get("MainPID", "0").isdecimal() and facts.get("MainPID", "0") != "0" else None
        words = [f"{facts.get('ActiveState', 'unknown')} ({facts.get('SubState', '?')})"]
        if facts.get("Result", "success") != "success":
            words.append(f"last result: {facts['Result']}")
        if facts.get("NRestarts", "0") != "0":
            words.append(f"restarted {facts['NRestarts']} times")
        return UnitState(
            Path(file) if file else None, wanted, active, ", ".join(words), pid, facts.get("ActiveState") == "inactive"
        )

    def logs_command(self, lines: int, follow: bool) -> list[str]:
        """The words that show the log."""
        return ["journalctl", "--user", f"--unit={UNIT}", f"--lines={lines}", *(["--follow"] if follow else ["--no-pager"])]

    def _place(self) -> list[str]:
        """The unit is where systemd finds it; what that took, in words."""
        text, own = render_user_unit(self.program, self.env), self._own_dir() / UNIT
        packaged = next((file for place in self.packaged_dirs if (file := place / UNIT).is_file()), None)
        if packaged is not None and packaged.read_text(encoding="utf-8", errors="replace") == text:
            if not own.is_file():
                return []
            own.unlink()  # an older one of ours, which would hide the package's
            return [f"removed {own}: {packaged} takes its place"]
        return [f"wrote {own}"] if _write(own, text) else []

    def _file(self) -> Path | None:
        return next((file for place in (self._own_dir(), *self.packaged_dirs) if (file := place / UNIT).is_file()), None)

    def _own_dir(self) -> Path:
        """Where the manager looks for the user's units: a shell may have been told another place than the manager was."""
        read = self._ask("show", "--property=UnitPath", "--value").out.split()
        if str(self.own_dir) in read:
            return self.own_dir
        home = home_dir()
        return next(
            (Path(each) for each in read if each.endswith("systemd/user") and Path(each).is_relative_to(home)), self.own_dir
        )

    def _why_not(self, ended: Ended) -> tuple[str, str]:
        told = self._ask("show", UNIT, "--property=ExecMainStatus", "--value").out.strip()
        return _LEFT.get(told, (ended.reason, "openbalance-hid service logs"))

    def _reach(self) -> None:
        ended = self._ask("show", "--property=Version")
        if not ended.ok:
            raise ServiceError(f"your systemd does not answer: {ended.reason}", NO_MANAGER)

    def _must(self, *words: str) -> None:
        ended = self._ask(*words)
        if not ended.ok:
            raise ServiceError(f"systemctl --user {' '.join(words)}: {ended.reason}", "openbalance-hid service status")

    def _ask(self, *words: str, limit_s: float = 10.0) -> Ended:
        return ask_program(["systemctl", "--user", "--no-pager", *words], limit_s, self.way)


@dataclass(frozen=True, slots=True)
class Launchd:
    """The user's launchd on macOS. `own_dir`: ~/Library/LaunchAgents; `log_file`: where the daemon's words go."""

    program: Sequence[str]
    env: Mapping[str, str]
    own_dir: Path
    log_file: Path

    def install(self, anew: bool = False) -> list[str]:
        """What was done, in words: the agent is there, loaded, and runs as it is now."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        changed, loaded = _write(self._file, render_agent(self.program, str(self.log_file), self.env)), self._loaded()
        self._ask("enable", f"{self._domain}/{LABEL}")
        if loaded and not changed and not anew:
            return [
                f"already installed: {self._file}",
                "it starts with your login",
                "already running" if self._pid() else "loaded",
            ]
        if loaded:
            self._ask("bootout", f"{self._domain}/{LABEL}")
        ended = self._ask("bootstrap", self._domain, str(self._file))
        if not ended.ok:
            raise ServiceError(f"launchd did not take {self._file}: {ended.reason}", f"plutil -lint {self._file}")
        return [
            *([f"wrote {self._file}"] if changed else []),
            "it starts with your login",
            "restarted" if loaded else "started",
        ]

    def uninstall(self) -> list[str]:
        """What was undone, in words."""
        done = []
        if self._loaded():
            ended = self._ask("bootout", f"{self._domain}/{LABEL}")
            if not ended.ok and self._loaded():
                raise ServiceError(f"launchd did not let go of {LABEL}: {ended.reason}", "openbalance-hid service status")
            done.append("stopped")
        if self._file.exists():
            self._file.unlink()
            done.append(f"removed {self._file}")
        return done or ["the service is not installed"]

    def state(self) -> UnitState:
        """How it is now."""
        file = self._file if self._file.exists() else None
        told = self._ask("print", f"{self._domain}/{LABEL}")
        if told.code is None:
            raise ServiceError(f"launchd does not answer: {told.reason}", NO_MANAGER)
        if not told.ok:
            return UnitState(file, False, False, "not loaded")
        facts = _facts(told.out)
        pid = self._pid()
        words, left_with = facts.get("state", "loaded"), facts.get("last exit code")
        if pid is None and left_with is not None:
            words += f", last exit code {left_with}"
        return UnitState(file, True, pid is not None, words, pid, pid is None and left_with in (None, "0", "(never exited)"))

    def logs_command(self, lines: int, follow: bool) -> list[str]:
        """The words that show the log."""
        return ["tail", "-n", str(lines), *(["-F"] if follow else []), str(self.log_file)]

    @property
    def _file(self) -> Path:
        return self.own_dir / f"{LABEL}.plist"

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    def _loaded(self) -> bool:
        return self._ask("print", f"{self._domain}/{LABEL}").ok

    def _pid(self) -> int | None:
        text = _facts(self._ask("print", f"{self._domain}/{LABEL}").out).get("pid", "")
        return int(text) if text.isdecimal() else None

    def _ask(self, *words: str) -> Ended:
        return ask_program(["launchctl", *words])


def _facts(printed: str) -> dict[str, str]:
    """`launchctl print` as its "name = value" lines of the first level."""
    lines = [line for line in printed.splitlines() if line.startswith("\t") and not line.startswith("\t\t")]
    return {name.strip(): value.strip() for name, eq, value in (line.partition(" = ") for line in lines) if eq}


def _write(file: Path, text: str) -> bool:
    """Whether the file was not like that before; written whole or not at all."""
    if file.is_file() and file.read_text(encoding="utf-8", errors="replace") == text:
        return False
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise ServiceError(f"cannot write {file}: {(error.strerror or str(error)).lower()}", f"ls -ld {file.parent}") from error
    return True
