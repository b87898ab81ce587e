"""The result of one check, and the report of all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class CheckStatus(Enum):
    """Verdict of a check, in ascending order of severity."""

    OK = "ok"
    WARNING = "warning"  # it works, with a limit worth knowing
    FAILURE = "failure"  # something does not work until this is fixed


@dataclass(frozen=True, slots=True)
class Check:
    """`name`: stable, for programs; `about`: the deck, account or package. `hint`: the command that fixes it."""

    name: str
    verdict: CheckStatus
    found: str
    hint: str = ""
    about: str | None = None
    exit_code: int = 0  # of a failure, by sysexits(3)
    details: tuple[str, ...] = ()


def ok(name: str, found: str, about: str | None = None) -> Check:
    """Return a check without a problem."""
    return Check(name, CheckStatus.OK, found, about=about)


def warning(name: str, found: str, hint: str = "", about: str | None = None) -> Check:
    """Return a check with a limit worth knowing."""
    return Check(name, CheckStatus.WARNING, found, hint, about)


def failure(name: str, found: str, hint: str, exit_code: int, about: str | None = None) -> Check:
    """Return a check of something that does not work."""
    return Check(name, CheckStatus.FAILURE, found, hint, about, exit_code)


def overall(checks: Iterable[Check]) -> CheckStatus:
    """Return the most severe verdict."""
    order = list(CheckStatus)
    return max((check.verdict for check in checks), key=order.index, default=CheckStatus.OK)


def exit_code(checks: Iterable[Check]) -> int:
    """Return the exit code of the first failure, 0 without one."""
    return next((check.exit_code for check in checks if check.verdict is CheckStatus.FAILURE), 0)


def as_json(checks: Iterable[Check], version: str) -> dict[str, Any]:
    """Return what `doctor --json` prints."""
    listed = tuple(checks)
    return {
        "version": version,
        "verdict": overall(listed).value,
        "checks": [
            {
                "name": check.name,
                "about": check.about,
                "verdict": check.verdict.value,
                "found": check.found,
                "hint": check.hint or None,
                "details": list(check.details),
            }
            for check in listed
        ],
    }
