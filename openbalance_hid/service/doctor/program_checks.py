"""Checks of the programs that the configuration names: of command tiles and alerts. None of them is run."""

from __future__ import annotations

from collections.abc import Iterable

from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.file_safety import command_risk
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
        risk = command_risk(command)
        if risk is None:
            programs[command[0]] = None
            continue
        if risk.writable is None:
            fix = hint("a program cannot be run")
        else:
            fix = hint("others may change a program", path=risk.writable)
        checks.append(warning("programs", risk.words, fix, command[0]))
    if programs:
        checks.append(ok("programs", f"can be run: {', '.join(programs)}"))
    return list(dict.fromkeys(checks)) or [ok("programs", "the configuration names none")]
