"""Colours on a terminal; plain text in a pipe, with NO_COLOR and on a terminal without colours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_line import KEY, machine, process
from tests.cli.terminal_user import TerminalUser

COMMANDS = [["accounts"], ["doctor"], ["config", "check"]]


def env_of(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user whose key file is open to others, and whose configuration has a problem."""
    file = home / "state" / "keys" / "default.key"
    file.parent.mkdir(parents=True)
    file.write_text(KEY)
    file.chmod(0o644)
    (home / "config.toml").write_text("theme = dark\n")
    return machine(home, OPENBALANCE_API_URL="http://127.0.0.1:9", **more)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_problem_is_red_on_a_terminal(tmp_path: Path, words: list[str]):
    with TerminalUser(env_of(tmp_path), *words) as user:
        user.ends()
        assert "\x1b[31m" in user.raw


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_with_no_color_and_in_a_pipe_there_are_no_colours(tmp_path: Path, words: list[str]):
    env = env_of(tmp_path, NO_COLOR="1")
    with TerminalUser(env, *words) as user:
        user.ends()
        assert "\x1b[" not in user.raw
    del env["NO_COLOR"]
    piped = process(env, *words)
    assert "\x1b[" not in piped.stdout + piped.stderr


def test_the_doctor_begins_with_what_to_do_first_and_fits_the_terminal(tmp_path: Path):
    with TerminalUser(env_of(tmp_path, COLUMNS="80"), "doctor") as user:
        user.ends()
        lines = user.screen.partition("checking…\n")[2].splitlines()
    assert lines[0].startswith("do first: ")
    assert lines[1].startswith("because   ")
    wrapped = [line for line in lines[3:] if "try: " not in line and " " in line[24:].strip()]
    assert max(map(len, wrapped)) <= 80
