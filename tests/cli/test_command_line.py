"""The table of commands: version, help, imports on demand."""

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from openbalance_hid import __version__
from openbalance_hid.cli import COMMANDS, main
from tests.cli.command_line import here, machine, process, python


def test_the_version_is_one_line(tmp_path: Path):
    done = process(machine(tmp_path), "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"openbalance-hid {__version__}\n", "")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_command(tmp_path: Path, option: str):
    result = here(tmp_path, option)
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in result.output] == []


@pytest.mark.parametrize("group", [[], ["config"], ["service"], ["udev"], ["accounts"]], ids=str)
def test_every_command_summary_fits_80_columns(tmp_path: Path, group: list[str]):
    assert "..." not in here(tmp_path, *group, "--help").output.partition("Commands:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_row_of_the_table_is_a_command_of_that_name(name: str):
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


def test_a_command_is_imported_only_when_it_is_called(tmp_path: Path):
    heavy = ("PIL", "requests", "keyring", "websockets", "StreamDeck", "openbalance_hid.render", "openbalance_hid.cli.run")
    code = f"import sys, openbalance_hid.cli; print([name for name in {heavy!r} if name in sys.modules])"
    assert python(machine(tmp_path), code).stdout == "[]\n"


@pytest.mark.parametrize("module", ["control", "deck_control", "alert_list", "keys", "guard"])
def test_a_client_of_the_daemon_imports_none_of_its_parts(module: str, tmp_path: Path):
    heavy = ("msgspec", "StreamDeck", "openbalance_hid.app", "openbalance_hid.deck", "openbalance_hid.tiles.view")
    code = f"import sys, openbalance_hid.cli.{module}; print([name for name in {heavy!r} if name in sys.modules])"
    assert python(machine(tmp_path), code).stdout == "[]\n"


def test_a_daemon_imports_nothing_for_what_is_not_configured(tmp_path: Path):
    parts = (
        "importlib.metadata",
        "requests",
        "paho",
        "openbalance_hid.mqtt.broker_link",
        "prometheus_client",
        "openbalance_hid.report",
    )
    code = "import sys, openbalance_hid.cli.run, openbalance_hid.runtime.main; "
    code += f"print([name for name in {parts!r} if name in sys.modules])"
    assert python(machine(tmp_path), code).stdout == "[]\n"


def test_the_module_runs_the_same_command_as_the_console_script(tmp_path: Path):
    (script,) = entry_points(group="console_scripts", name="openbalance-hid")
    assert script.load() is import_module("openbalance_hid.__main__").main
    help_of_the_module, help_of_the_table = process(machine(tmp_path), "--help").stdout, here(tmp_path, "--help").output
    assert help_of_the_module == help_of_the_table
