"""`config`: write the default, edit and check a file, print the effective configuration, print its path."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from openbalance_hid.cli.params import check_present
from openbalance_hid.cli.questions import confirm
from openbalance_hid.cli.terminal import is_interactive
from openbalance_hid.config.default_layout import check_against_deck
from openbalance_hid.config.dump import render_effective
from openbalance_hid.config.load import load_config, parse
from openbalance_hid.config.paths import paths
from openbalance_hid.config.schema import Config, used_plugins
from openbalance_hid.errors import ConfigError, OfflineError, OpenBalanceError, UsageError
from openbalance_hid.file_safety import nearest_existing
from openbalance_hid.hints import CONFIG_CHECK, hint
from openbalance_hid.secret import mask_keys
from openbalance_hid.service.subprocesses import run_in_terminal


def _config_file() -> Path:
    return paths(os.environ).config_file


@click.group()
def config() -> None:
    """Write, edit, check and show the configuration."""


@config.command(short_help="Write the default configuration.")
@click.option("--force", is_flag=True, help="Replace an existing file; the old one is kept as config.toml.bak.")
def init(force: bool) -> None:
    """Write the default configuration: every line of the layout in force, ready to be changed."""
    file = _config_file()
    if os.path.lexists(file) and not force:
        raise ConfigError(f"{file} exists", hint("the configuration file exists"))
    for line in write_default(file):
        click.echo(line)


def write_default(file: Path) -> list[str]:
    """Write the default configuration; an existing file is kept as a backup. Return a line about each file. ConfigError."""
    lines = []
    text = files("openbalance_hid.config").joinpath("default.toml").read_text(encoding="utf-8")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(file):
            backup = file.with_name(file.name + ".bak")
            file.replace(backup)
            lines.append(f"kept the old file as {backup}")
        with file.open("x", encoding="utf-8") as out:  # "x": a file that was created meanwhile is not replaced either
            out.write(text)
    except OSError as error:
        raise ConfigError(
            f"cannot write {file}: {(error.strerror or type(error).__name__).lower()}",
            hint("the configuration cannot be written", "config init", path=nearest_existing(file)),
        ) from error
    return [*lines, f"wrote {file}"]


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(file: Path | None) -> None:
    """Check the configuration, or FILE, and list every problem."""
    checked = file or _config_file()
    check_present(file)
    try:
        found = load_config(checked)
    except ConfigError as error:
        edit_command = hint("the configuration has problems", "config check")
        if file is not None:
            edit_command = f"OPENBALANCE_CONFIG={shlex.quote(str(file))} {edit_command}"
        raise ConfigError(error.message, edit_command if error.hint == CONFIG_CHECK else error.hint) from error
    _print_notes(found, checked)
    click.echo(f"{checked}: ok" if checked.exists() else f"{checked}: no such file; the defaults are used")


def _print_notes(config: Config, file: Path) -> None:
    """Print what works, but not as the user may expect."""
    for problem in (*_certificate_problems(config), *plugin_problems(config), *deck_problems(config, file)):
        click.echo(f"note: {mask_keys(problem)}", err=True)


def _certificate_problems(config: Config) -> Iterator[str]:
    if config.ca_file is not None:
        from openbalance_hid.openrouter.deadline_adapter import tls_context

        try:
            tls_context(Path(config.ca_file))
        except OfflineError as error:
            yield error.message


def plugin_problems(config: Config) -> list[str]:
    """Return why tiles of other packages cannot be used: those keys show it, the others work."""
    return [plugin.warning for plugin in used_plugins(config) if plugin.problem]


def deck_problems(config: Config, file: Path) -> list[str]:
    """Return what the connected decks cannot show: keys, dials and strip tiles that they do not have. Opens no deck.

    A virtual deck is connected while the daemon runs that uses this file.
    """
    from openbalance_hid.deck.products import find_decks
    from openbalance_hid.deck.transport import HidTransport

    try:
        decks = find_decks(HidTransport())
    except OpenBalanceError:
        return []
    return [
        *config.misfits({found.serial for found in decks} | _decks_of_daemon(file)),
        *(
            f"{problem} ({found.title})"
            for found in decks
            for problem in check_against_deck(config.deck_for(found.serial), found.deck.key_count())
        ),
    ]


@config.command(short_help="Open the configuration in your editor, and check it.")
def edit() -> None:
    """Open the configuration in your editor ($VISUAL, else $EDITOR), and check it when the editor ends.

    A running daemon applies the file as soon as it is saved. If it has problems, you can go back into the editor.
    """
    file = _config_file()
    if not os.path.lexists(file):
        for line in write_default(file):
            click.echo(line)
    before = _text(file)
    command = _editor(os.environ)
    while True:
        result = run_in_terminal([*command, str(file)])
        if not result.ok:
            raise UsageError(f"the editor failed: {result.reason}", hint("the editor failed"))
        try:
            found = load_config(file)
        except ConfigError as error:
            _offer_to_go_back(file, before, error)
            continue
        _print_notes(found, file)
        click.echo(f"{file}: ok{'' if _text(file) != before else ', not changed'}{_applied(file)}")
        return


_EDIT = hint("the configuration has problems", "config edit")
_EDITORS = ("sensible-editor", "nano", "vim", "vi")  # where no variable names one


def _editor(env: Mapping[str, str]) -> list[str]:
    """Return the command line of the user's editor. UsageError without one."""
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(env.get(name, ""))
        except ValueError as error:
            raise UsageError(
                f"{name} cannot be read: {str(error).lower()}", hint("a variable cannot be read", name=name)
            ) from error
        if words:
            return words
    found = next((path for path in map(shutil.which, _EDITORS) if path is not None), None)
    if found is None:
        raise UsageError("no editor is installed, and EDITOR names none", hint("no editor is installed"))
    return [found]


def _offer_to_go_back(file: Path, before: str, error: ConfigError) -> None:
    """Return if the user goes back into the editor. Otherwise raise the error; nothing that was typed is lost."""
    if not is_interactive():
        raise ConfigError(error.message, _EDIT) from error
    click.echo(f"{error.message}\n", err=True)
    if confirm("Edit again?"):
        return
    if _is_valid(before) and confirm("Put the previous version back? Yours is kept beside it.", default=False):
        kept = file.with_name(file.name + ".rejected")
        kept.write_text(_text(file), encoding="utf-8")
        file.write_text(before, encoding="utf-8")  # not replaced: it may be a link
        click.echo(f"your version: {kept}")
        raise click.exceptions.Exit(ConfigError.exit_code)
    raise ConfigError("the file has problems: a running daemon keeps the previous configuration", _EDIT) from error


def _is_valid(text: str) -> bool:
    try:
        parse(text, "before")
    except ConfigError:
        return False
    return True


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _applied(file: Path) -> str:
    """Return whether a running daemon uses this file, as the end of a sentence. The daemon watches the file."""
    return "; the running daemon uses it" if _status_of_daemon(file) is not None else ""


def _decks_of_daemon(file: Path) -> set[str]:
    """Return the serial numbers of the decks of a running daemon that uses this file."""
    status = _status_of_daemon(file)
    return {deck["serial"] for deck in status["decks"]} if status is not None else set()


def _status_of_daemon(file: Path) -> Mapping[str, Any] | None:
    """Return the status of a running daemon that uses this file."""
    from openbalance_hid.ipc.control_client import request

    try:
        status: Mapping[str, Any] = request(paths(os.environ).socket_file, "status", timeout_s=2.0)
    except OpenBalanceError:
        return None
    return status if status["config"]["path"] == str(file) else None


@config.command(short_help="Print the effective configuration.")
def show() -> None:
    """Print the effective configuration, with every default filled in."""
    click.echo(render_effective(load_config(_config_file())), nl=False)


@config.command()
def path() -> None:
    """Print the path of the configuration file."""
    click.echo(_config_file())
