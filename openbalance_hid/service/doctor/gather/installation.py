"""Interpreter and packages, as they are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata

from openbalance_hid.service.doctor.check import Check
from openbalance_hid.service.doctor.context import DoctorContext
from openbalance_hid.service.doctor.facts import Package
from openbalance_hid.service.doctor.judge import installation as judge

DISTRIBUTION = "openbalance-hid"


def python(_: DoctorContext) -> list[Check]:
    """The interpreter that runs this."""
    return judge.python(sys.version_info[:3], sys.executable)


def packages(_: DoctorContext) -> list[Check]:
    """What this program asks for on this system, by its own metadata."""
    try:
        wanted = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        wanted = []
    return judge.packages(tuple(packages_of(wanted, _version)))


def packages_of(wanted: Sequence[str], version: Callable[[str], str | None]) -> Iterator[Package]:
    """Each requirement that goes for this system, beside the version that there is."""
    from packaging.requirements import Requirement

    for requirement in map(Requirement, wanted):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found = version(requirement.name)
            fits = found is not None and requirement.specifier.contains(found, prereleases=True)
            yield Package(requirement.name, str(requirement.specifier), found, fits)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
