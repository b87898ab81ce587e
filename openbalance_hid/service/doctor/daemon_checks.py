"""Checks of the service and of the running daemon."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from openbalance_hid import __version__
from openbalance_hid.errors import NoDaemonError, OpenBalanceError, UnreachableDaemonError
from openbalance_hid.hints import DOCTOR, SETUP, health_hint, hint
from openbalance_hid.ipc.control_client import endpoint_problems
from openbalance_hid.service.doctor.check import Check, failure, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.install import (
    BREW_START,
    INSTALL_PERMANENTLY,
    homebrew_service,
    installed_service,
    is_temporary,
    system_service_is_active,
)
from openbalance_hid.service.units import HOMEBREW_LABEL, agent_program, is_current_agent, is_current_unit, unit_program
from openbalance_hid.tiles.formatting import duration

INSTALL = hint("the service does not run", "doctor")
LOGS = hint("the service failed", "doctor")
BREW_REINSTALL = hint("the program of Homebrew's service is gone")
# As pip (with " or nothing) and uv (with ') write it: '''exec' "/Users/you/Library/Application Support/…/bin/python" "$0" "$@"
_SHELL_START = re.compile(rb"""'''exec' (['"]?)([^'"\n]+)\1 "\$0\"""")


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """The service of this user, or of the system. `error`: the service manager does not answer.

    `missing_program`: the program that the unit starts, if it does not exist; `outdated`: the unit is from another version.
    `temporary_program`: the program that the unit starts or would start, if it is in a cache that may be emptied.
    `stopped`: it is not running, and nothing went wrong. `by_homebrew`: `brew services` has installed it; `twice`: and this
    program has installed one, too.
    """

    installed: bool = False
    enabled: bool = False
    active: bool = False
    summary: str = ""
    file: str | None = None
    missing_program: str | None = None
    temporary_program: str | None = None
    outdated: bool = False
    stopped: bool = False
    system_active: bool = False
    daemon_runs: bool = False
    by_homebrew: bool = False
    twice: bool = False
    error: OpenBalanceError | None = None


def check_service(context: DoctorContext) -> list[Check]:
    """Check the state that the service manager reports, and the unit file."""
    try:
        state = installed_service(context.program, context.env).state()
    except OpenBalanceError as error:
        return assess_service(ServiceFacts(error=error, system_active=system_service_is_active()))
    by_homebrew = state.file is not None and state.file.stem == HOMEBREW_LABEL
    unit = state.file if state.file is not None and state.file.suffix == ".service" else None
    text = unit.read_text(encoding="utf-8", errors="replace") if unit is not None else None
    program, outdated = (unit_program(text), not is_current_unit(text)) if text is not None else (None, False)
    if state.file is not None and state.file.suffix == ".plist":
        agent = state.file.read_bytes()
        program, outdated = agent_program(agent), not by_homebrew and not is_current_agent(agent)
    started = program or PurePath(context.program[0])
    return assess_service(
        ServiceFacts(
            installed=state.file is not None,
            enabled=state.enabled,
            active=state.active,
            summary=state.summary,
            file=str(state.file) if state.file is not None else None,
            missing_program=_missing(Path(program)) if program is not None else None,
            temporary_program=str(started) if is_temporary(started) else None,
            outdated=outdated,
            stopped=state.stopped,
            system_active=state.file is None and system_service_is_active(),
            daemon_runs=_daemon_runs(context),
            by_homebrew=by_homebrew,
            twice=not by_homebrew and homebrew_service() is not None,
        )
    )


def _missing(program: Path) -> str | None:
    """Return the file that is gone: the program, or the Python in its first line, as after an upgrade by Homebrew."""
    try:
        with program.open("rb") as file:
            first, second = file.readline(512), file.readline(2048)
    except FileNotFoundError:
        return str(program)
    except OSError:
        return None
    words = first[2:].split() if first.startswith(b"#!") else []
    python = _SHELL_START.match(second)
    if words[:1] == [b"/bin/sh"] and python is not None:  # a path that is too long for the first line, or has a blank
        words = [python[2]]
    return os.fsdecode(words[0]) if words and not os.path.exists(words[0]) else None  # noqa: PTH110 - bytes


def assess_service(seen: ServiceFacts) -> list[Check]:
    """Return whether the daemon runs as a service and starts at login."""
    if seen.system_active:
        return [ok("service", "the system service is running")]
    if seen.error is not None:
        return [warning("service", seen.error.message, seen.error.hint)]
    if seen.temporary_program is not None and not seen.installed:
        words = f"not installed, and not possible with {seen.temporary_program}, which is in a cache"
        return [warning("service", words, INSTALL_PERMANENTLY)]
    if not seen.installed:
        words = "not installed: the running daemon stops with the program that started it"
        return [warning("service", words if seen.daemon_runs else "not installed", INSTALL)]
    install = BREW_START if seen.by_homebrew else INSTALL
    if seen.twice:
        words = "installed by this program and by Homebrew: the second one that starts ends at once"
        return [warning("service", words, hint("the service is installed twice"))]
    if seen.missing_program is not None:
        install = BREW_REINSTALL if seen.by_homebrew else INSTALL
        words = f"{seen.file} starts {seen.missing_program}, which does not exist"
        return [failure("service", words, install, NoDaemonError.exit_code)]
    if seen.temporary_program is not None:
        words = f"{seen.file} starts {seen.temporary_program}, which is in a cache and may be removed"
        return [warning("service", words, INSTALL_PERMANENTLY)]
    if not seen.active and not seen.enabled:  # a package brought the unit, and the user has not enabled it yet
        return [warning("service", "installed, but not enabled", install)]
    if not seen.active:
        command = install if seen.stopped else LOGS
        return [failure("service", f"not running: {seen.summary}", command, NoDaemonError.exit_code)]
    if not seen.enabled:
        return [warning("service", f"{seen.summary}, but does not start at login", install)]
    if seen.outdated:
        return [warning("service", f"{seen.summary}, with the unit of another version: {seen.file}", install)]
    return [ok("service", f"{seen.summary}, by `brew services`" if seen.by_homebrew else seen.summary)]


def check_daemon(context: DoctorContext) -> list[Check]:
    """Check the status that the running daemon reports."""
    try:
        status = context.daemon()
    except OpenBalanceError as error:
        return assess_daemon(None, error, __version__)
    return assess_daemon(status, None, __version__)


def assess_daemon(status: Mapping[str, Any] | None, error: OpenBalanceError | None, version: str) -> list[Check]:
    """Return the problems that the daemon reports. `status`: None when no daemon is running."""
    if error is not None:
        command = error.hint if isinstance(error, UnreachableDaemonError) else LOGS
        return [failure("daemon", error.message, command, error.exit_code)]
    if status is None:
        return [warning("daemon", "not running", hint("no daemon is running", "doctor"))]
    if status["version"] != version:
        words = f"version {status['version']} is running as process {status['pid']}, but {version} is installed"
        return [warning("daemon", words, INSTALL)]
    watch = status["config"].get("watch")
    changes = f"; changes of the configuration are {watch}" if watch else ""
    checks = [ok("daemon", f"running as process {status['pid']} for {duration(status['uptime_s'])}{changes}")]
    if status["config"]["error"]:
        words = "still uses the configuration from before the last change"
        checks.append(warning("daemon", words, hint("the configuration has problems", "doctor")))
    metrics = status.get("metrics") or {}
    if metrics.get("problem"):
        checks.append(warning("daemon", f"metrics are not served: {metrics['problem']}", metrics["hint"] or ""))
    for name, account in status["accounts"].items():
        if account["health"] not in ("ok", "preparing"):
            words = f"{account['health'].replace('_', ' ')}: {account['message'] or 'no message'}"
            command = health_hint(account["health"], "doctor", name, has_key=not account.get("source"))
            checks.append(warning("daemon", words, command if command.startswith(SETUP) else "", name))  # else: `openrouter`
        checks += [warning("daemon", problem, "", name) for problem in endpoint_problems(account)]
    published = (status.get("publish") or {}).get("accounts", {})
    checks += [warning("daemon", each["note"], "", f"publish {name}") for name, each in published.items() if each["note"]]
    problems = [deck for deck in status["decks"] if deck["trouble"]]
    for deck in problems:  # `owners` names the other program of a busy deck
        command = deck.get("hint", "")
        checks.append(warning("daemon", deck["trouble"], "" if command == DOCTOR else command, deck["path"]))
    return checks


def _daemon_runs(context: DoctorContext) -> bool:
    try:
        return context.daemon() is not None
    except OpenBalanceError:  # a daemon that does not answer
        return True
