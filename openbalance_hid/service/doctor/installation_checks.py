"""Checks of the interpreter and of the installed packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata

from openbalance_hid.service.doctor.check import Check, failure, ok
from openbalance_hid.service.doctor.context import DoctorContext

DISTRIBUTION = "openbalance-hid"
OLDEST_PYTHON = (3, 11)
REINSTALL = "pipx reinstall openbalance-hid"
_BROKEN = 1  # exit code


@dataclass(frozen=True, slots=True)
class RequiredPackage:
    """A package that this program requires. `found`: its version, None when not installed; `fits`: the version is accepted."""

    name: str
    wanted: str
    found: str | None
    fits: bool


def check_python(_: DoctorContext) -> list[Check]:
    """Check the version of the running interpreter."""
    return assess_python(sys.version_info[:3], sys.executable)


def assess_python(version: tuple[int, int, int], executable: str) -> list[Check]:
    """Return a failure for an interpreter that is too old."""
    found = f"{'.'.join(map(str, version))} at {executable}"
    if version[:2] < OLDEST_PYTHON:
        hint = "pipx reinstall --python python3.11 openbalance-hid"
        return [failure("python", f"{found}, but 3.11 or newer is required", hint, _BROKEN)]
    return [ok("python", found)]


def check_packages(_: DoctorContext) -> list[Check]:
    """Check the packages that this program's own metadata requires on this system."""
    try:
        wanted = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        wanted = []
    return assess_packages(tuple(required_packages(wanted, _version)))


def required_packages(wanted: Sequence[str], version: Callable[[str], str | None]) -> Iterator[RequiredPackage]:
    """Return each requirement that applies to this system, with the installed version."""
    from packaging.requirements import Requirement

    for requirement in map(Requirement, wanted):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found = version(requirement.name)
            fits = found is not None and requirement.specifier.contains(found, prereleases=True)
            yield RequiredPackage(requirement.name, str(requirement.specifier), found, fits)


def assess_packages(found: Sequence[RequiredPackage]) -> list[Check]:
    """Return one check for all packages that fit, and one for each that does not."""
    if not found:
        return [failure("packages", "openbalance-hid is not installed as a Python package", REINSTALL, _BROKEN)]
    checks = [ok("packages", ", ".join(f"{package.name} {package.found}" for package in found if package.fits))]
    for package in found:
        if not package.fits:
            installed = f"{package.found} is installed" if package.found else "not installed"
            words = f"{installed}, {package.wanted or 'any version'} is required"
            checks.append(failure("packages", words, REINSTALL, _BROKEN, package.name))
    return checks


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
