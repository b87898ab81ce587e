"""Hints help: none leads in a circle, and all hints of a trouble end in the same command."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from openbalance_hid import errors
from openbalance_hid.cli import main
from openbalance_hid.hints import HINTS, PROGRAM, WAIT, health_hint, hint
from tools.docs import EXAMPLES, hints_table

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


def options_of(words: list[str]) -> set[str]:
    """Return the options of a command; fail if it does not exist."""
    found: click.Command | None = main
    for word in words:
        if isinstance(found, click.Command) and not isinstance(found, click.Group):
            assert any(isinstance(parameter, click.Argument) for parameter in found.params), words
            break
        assert isinstance(found, click.Group), words
        found = found.get_command(click.Context(found), word)
    assert found is not None, words
    return {"--help"} | {each for parameter in found.params for each in parameter.opts}


@pytest.mark.parametrize("trouble", HINTS)
def test_every_hint_names_a_command_and_options_that_exist(trouble: str):
    for command in HINTS[trouble].values():
        ours = re.search(rf"(?:^|\S+=\S+ |sudo ){PROGRAM} ((?:[a-z]+ ?)*)(.*)", command)
        if ours is not None and "{command}" not in command:
            assert set(re.findall(r"--[a-z-]+", ours[2])) <= options_of(ours[1].split())


@pytest.mark.parametrize("trouble", HINTS)
def test_every_place_of_the_table_is_a_command_or_on_the_glass(trouble: str):
    for place in set(HINTS[trouble]) - {"the key", "the notification"}:
        words = place.split()
        options = {word for word in words if word.startswith("--")}
        assert options <= options_of([word for word in words if not word.startswith("--")])


def test_a_hint_quotes_paths_and_refuses_a_place_that_it_does_not_know():
    assert hint("a directory is open to others", path=Path("/a b")) == "chmod 700 '/a b'"
    with pytest.raises(KeyError):
        hint("no key is stored")  # it depends on the place
    with pytest.raises(KeyError):
        hint("no key is stored", "bar")


CREATES_HINT = {"warning": 2, "failure": 2, "Probe": 3}  # the position of the hint; of an error it is 1


def hints_in(file: Path) -> list[str]:
    """Return the source of each hint in a file that is a text of its own: of the errors, checks and probes there."""
    found = []
    for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        kind = getattr(errors, name, None)
        is_error = isinstance(kind, type) and issubclass(kind, errors.OpenBalanceError)
        position = 1 if is_error else CREATES_HINT.get(name, len(call.args))
        values = [*call.args[position : position + 1], *(word.value for word in call.keywords if word.arg == "hint")]
        values = [value.values[0] if isinstance(value, ast.JoinedStr) else value for value in values]  # {command} --option
        found += [
            ast.unparse(value) for value in values if isinstance(value, ast.Constant | ast.JoinedStr) and ast.unparse(value)
        ]
    return [text for text in found if text not in ("''", "None")]


def test_no_other_module_has_a_hint_of_its_own():
    for file in PACKAGE.rglob("*.py"):
        own = hints_in(file)
        assert own == [], f"{file}: put {own} into the table of hints.py"


def test_no_other_module_names_a_command_of_this_program_as_a_text():
    """A text that is nothing but a command is a hint, wherever it is used."""
    commands = "|".join(main.list_commands(click.Context(main)))
    for file in set(PACKAGE.rglob("*.py")) - {PACKAGE / "hints.py"}:
        found = re.findall(
            rf'"{PROGRAM} (?:{commands})\b[^"]*"(?!"")', re.sub(r'""".*?"""', "", file.read_text(), flags=re.DOTALL)
        )
        assert found == [], f"{file}: put {found} into the table of hints.py"


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
        assert all(command.format(**EXAMPLES) in table for command in places.values())
