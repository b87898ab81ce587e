"""`config`: write the commented default, check a file, print the effective configuration, print its path."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from openbalance_hid.cli.params import init_command, is_missing
from openbalance_hid.config.dump import render_effective
from openbalance_hid.config.load import load_config
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import ConfigError, UsageError


def _config_file() -> Path:
    return paths(os.environ).config_file


@click.group()
def config() -> None:
    """Write, check and show the configuration."""


@config.command()
@click.option("--force", is_flag=True, help="Replace an existing file; the old one is kept as config.toml.bak.")
def init(force: bool) -> None:
    """Write the commented default configuration."""
    file = _config_file()
    if os.path.lexists(file) and not force:
        raise ConfigError(f"{file} exists", "openbalance-hid config init --force")
    text = files("openbalance_hid.config").joinpath("default.toml").read_text(encoding="utf-8")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(file):
            backup = file.with_name(file.name + ".bak")
            file.replace(backup)
            click.echo(f"kept the old file as {backup}")
        with file.open("x", encoding="utf-8") as out:  # "x": a file that was created meanwhile is not replaced either
            out.write(text)
    except OSError as error:
        raise ConfigError(
            f"cannot write {file}: {(error.strerror or type(error).__name__).lower()}", "openbalance-hid config path"
        ) from error
    click.echo(f"wrote {file}")


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check(file: Path | None) -> None:
    """Check the configuration, or FILE, and list every problem."""
    checked = file or _config_file()
    if file is not None and is_missing(file):
        raise UsageError(f"no such file: {file}", init_command(file))
    try:
        load_config(checked)
    except ConfigError as error:
        hint = "" if error.hint == "openbalance-hid config check" else error.hint  # this command
        raise ConfigError(error.message, hint) from error
    click.echo(f"{checked}: ok" if checked.exists() else f"{checked}: no such file; the defaults are used")


@config.command(short_help="Print the effective configuration.")
def show() -> None:
    """Print the effective configuration, with every default filled in."""
    click.echo(render_effective(load_config(_config_file())), nl=False)


@config.command()
def path() -> None:
    """Print the path of the configuration file."""
    click.echo(_config_file())
