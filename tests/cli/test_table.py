"""Tables on a terminal, plain lines in a pipe."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from openbalance_hid.cli.table import table_lines
from openbalance_hid.cli.terminal import RED
from tests.cli.command_line import KEY, machine, process
from tests.cli.terminal_user import TerminalUser


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


ROWS = [("default", "…1a2b", ""), ("日本", ("!", RED), "")]
COLOURS = {"TERM": "xterm"}


def test_columns_are_as_wide_as_their_longest_cell_and_empty_ones_are_left_out():
    lines = table_lines(("account", "key", "workspace"), ROWS, None, COLOURS)
    assert lines == ["account  key", "default  …1a2b", "日本     !"]


def test_colours_are_on_a_terminal_only_and_change_no_column():
    lines = table_lines(("account", "key", "workspace"), ROWS, Terminal(), COLOURS)
    assert lines == ["\x1b[1maccount  key\x1b[0m", "default  …1a2b", "日本     \x1b[31m!\x1b[0m"]
    assert "\x1b" not in "".join(table_lines(("a", "b", "c"), ROWS, Terminal(), {**COLOURS, "NO_COLOR": "1"}))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    file = tmp_path / "state" / "keys" / "default.key"
    file.parent.mkdir(parents=True, mode=0o700)
    (tmp_path / "state").chmod(0o700)
    file.touch(0o600)
    file.write_text(KEY)
    return tmp_path


def test_accounts_is_a_table_on_a_terminal_and_one_line_an_account_in_a_pipe(home: Path):
    with TerminalUser(machine(home), "accounts") as user:
        user.ends()
        assert user.screen.splitlines() == ["account  key    stored in", f"default  …1a2b  {home}/state/keys/default.key"]
    assert process(machine(home), "accounts").stdout == f"default  …1a2b  {home}/state/keys/default.key\n"
