"""Hints help: none leads in a circle, and all hints of a trouble end in the same command."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from openbalance_hid.cli import main
from openbalance_hid.hints import HINTS, PROGRAM, WAIT, health_hint
from tools.docs import hints_table

PACKAGE = Path(__file__).parents[1] / "openbalance_hid"


def place_of(command: str) -> str:
    """Return the command without its program and options: `config check`."""
    return re.split(r" --", command.removeprefix(f"{PROGRAM} "))[0]


def end_of(trouble: str, place: str) -> str:
    """Follow the hints from `place`; return the command that the last one names."""
    seen = [place]
    while True:
        command = HINTS[trouble][seen[-1]]
        target = place_of(command)
        if target == seen[-1] or target not in HINTS[trouble] or command == WAIT:
            return command  # it does not report the trouble: it fixes it, or lets the user try again
        assert target not in seen, f"{trouble}: {' → '.join([*seen, target])}"
        seen.append(target)


@pytest.mark.parametrize("trouble", HINTS)
def test_hints_of_a_trouble_lead_to_one_command_and_not_in_a_circle(trouble: str):
    assert len({end_of(trouble, place) for place in HINTS[trouble]}) == 1


@pytest.mark.parametrize("trouble", HINTS)
def test_every_hint_names_a_command_that_exists(trouble: str):
    for command in HINTS[trouble].values():
        if command.startswith(PROGRAM):
            words = place_of(command).split()
            found: click.Command | None = main
            for word in words:
                assert isinstance(found, click.Group)
                found = found.get_command(click.Context(found), word)
            assert found is not None


@pytest.mark.parametrize("health", ["no_key", "not_management_key", "key_rejected"])
def test_the_hint_about_a_key_names_the_account(health: str):
    assert health_hint(health, "status", "work") == "openbalance-hid setup --account work"


def test_no_check_of_the_doctor_leads_to_the_doctor():
    for file in (PACKAGE / "service" / "doctor").glob("*_checks.py"):
        for line in file.read_text().splitlines():
            assert not re.search(rf'(warning|failure)\(.*"{PROGRAM} (doctor|status)"', line), f"{file.name}: {line}"


def test_the_documentation_has_every_row_of_the_table():
    table = hints_table()
    for trouble, places in HINTS.items():
        assert trouble in table
        assert all(command in table for command in places.values())
