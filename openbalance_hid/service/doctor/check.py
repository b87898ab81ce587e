"""One thing that was checked, and how it stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class CheckStatus(Enum):
    """In the order of how much they matter."""

    OK = "ok"
    WARNING = "warning"  # it works, or works without: worth knowing
    FAILURE = "failure"  # something does not work until this is mended


@dataclass(frozen=True, slots=True)
class Check:
    """`name` is a promise, for programs; `about`: which deck, account or package. `hint`: the command that mends it."""

    name: str
    verdict: CheckStatus
    found: str
    hint: str = ""
    about: str | None = None
    exit_code: int = 0  # of a failure, by sysexits(3)
    details: tuple[str, ...] = ()


def ok(name: str, found: str, about: str | None = None) -> Check:
    """All is well."""
    return Check(name, CheckStatus.OK, found, about=about)


def warning(name: str, found: str, hint: str = "", about: str | None = None) -> Check:
    """Worth knowing."""
    return Check(name, CheckStatus.WARNING, found, hint, about)


def failure(name: str, found: str, hint: str, exit_code: int, about: str | None = None) -> Check:
    """Not working."""
    return Check(name, CheckStatus.FAILURE, found, hint, about, exit_code)


def overall(checks: Iterable[Check]) -> CheckStatus:
    """The worst of all."""
    order = list(CheckStatus)
    return max((check.verdict for check in checks), key=order.index, default=CheckStatus.OK)


def exit_code(checks: Iterable[Check]) -> int:
    """That of the first failure, 0 without any."""
    return next((check.exit_code for check in checks if check.verdict is CheckStatus.FAILURE), 0)


def as_json(checks: Iterable[Check], version: str) -> dict[str, Any]:
    """What `doctor --json` says."""
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
