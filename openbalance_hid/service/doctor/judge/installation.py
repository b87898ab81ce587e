"""Interpreter and packages, judged."""

from __future__ import annotations

from collections.abc import Sequence

from openbalance_hid.service.doctor.check import Check, failure, ok
from openbalance_hid.service.doctor.facts import Package

OLDEST = (3, 11)
REINSTALL = "pipx reinstall openbalance-hid"
_BROKEN = 1


def python(version: tuple[int, int, int], executable: str) -> list[Check]:
    """The interpreter."""
    found = f"{'.'.join(map(str, version))} at {executable}"
    if version[:2] < OLDEST:
        return [
            failure(
                "python", f"{found}, but 3.11 or newer is needed", "pipx reinstall --python python3.11 openbalance-hid", _BROKEN
            )
        ]
    return [ok("python", found)]


def packages(found: Sequence[Package]) -> list[Check]:
    """One check for all that are well, one for each that is not."""
    if not found:
        return [failure("packages", "this program is not installed as a package", REINSTALL, _BROKEN)]
    checks = [ok("packages", ", ".join(f"{each.name} {each.found}" for each in found if each.fits))]
    for each in found:
        if not each.fits:
            words = f"{each.found} is installed" if each.found else "is not installed"
            checks.append(
                failure("packages", f"{words}, {each.wanted or 'any version'} is needed", REINSTALL, _BROKEN, each.name)
            )
    return checks
