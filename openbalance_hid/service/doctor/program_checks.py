"""Checks of the programs that the configuration names: of command tiles and alerts. None of them is run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.file_safety import file_risk, unsafe_command_reason
from openbalance_hid.hints import hint
from openbalance_hid.service.doctor.check import Check, ok, warning
from openbalance_hid.service.doctor.context import DoctorContext

Command = tuple[str, ...]


def check_programs(context: DoctorContext) -> list[Check]:
    """Check whether each program exists, and whether another user could change it."""
    try:
        return assess_programs(context.config().programs)
    except OpenBalanceError:  # `configuration` reports it
        return [ok("programs", "not known: the configuration has problems")]


def assess_programs(commands: Iterable[Command]) -> list[Check]:
    """Return a row for each program that cannot be run, and one for all others. Arguments are left out: they may be secret."""
    checks: list[Check] = []
    programs: dict[str, None] = {}
    for command in commands:
        reason = unsafe_command_reason(command)
        if reason is None:
            programs[command[0]] = None
            continue
        risk = file_risk(Path(command[0]))
        writable = risk.writable if risk is not None else None
        fix = hint("a program cannot be run") if writable is None else hint("others may change a program", path=writable)
        checks.append(warning("programs", reason.partition("; to change that")[0], fix, command[0]))
    if programs:
        checks.append(ok("programs", f"can be run: {', '.join(programs)}"))
    return list(dict.fromkeys(checks)) or [ok("programs", "the configuration names none")]
