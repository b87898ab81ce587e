"""The doctor's checks of interpreter and packages."""

from __future__ import annotations

from pathlib import Path

from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.installation_checks import (
    RequiredPackage,
    assess_packages,
    assess_python,
    required_packages,
)
from tests.service.doctor.doctor_context import doctor_context, results, worst


def test_this_installation_is_ok(tmp_path: Path):
    python, packages = results(doctor_context(tmp_path), "python", "packages")
    assert (python.verdict, packages.verdict) == (CheckStatus.OK, CheckStatus.OK)
    assert "streamdeck 0.10" in packages.found
    assert "pytest" not in packages.found


def test_missing_and_old_packages_are_named_but_not_those_of_other_systems():
    there = {"click": "8.2.1", "Pillow": "9.4.0"}
    wanted = ["click>=8.2", "Pillow>=10.1", "keyring>=25", "winreg; sys_platform == 'win32'", "ruff; extra == 'dev'"]
    found = tuple(required_packages(wanted, there.get))
    assert [(each.name, each.found, each.fits) for each in found] == [
        ("click", "8.2.1", True),
        ("Pillow", "9.4.0", False),
        ("keyring", None, False),
    ]
    checks = assess_packages(found)
    assert [(check.about, check.verdict) for check in checks] == [
        (None, CheckStatus.OK),
        ("Pillow", CheckStatus.FAILURE),
        ("keyring", CheckStatus.FAILURE),
    ]
    assert checks[1].found == "9.4.0 is installed, >=10.1 is required"
    assert worst(assess_packages([])) is CheckStatus.FAILURE
    assert worst(assess_packages([RequiredPackage("a", "", "1", True)])) is CheckStatus.OK


def test_a_python_that_is_too_old_is_a_failure():
    assert worst(assess_python((3, 10, 12), "/usr/bin/python3")) is CheckStatus.FAILURE
    assert worst(assess_python((3, 11, 0), "/usr/bin/python3")) is CheckStatus.OK
