"""The types of arguments and options: choices, numbers, account names; and checks of file arguments."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from openbalance_hid.cli import completion_values
from openbalance_hid.config.paths import ACCOUNT_NAME
from openbalance_hid.errors import ConfigError, UsageError
from openbalance_hid.hints import CONFIG_CHECK, hint
from openbalance_hid.text import did_you_mean

_Command = TypeVar("_Command", bound=Callable[..., Any])


class ChoiceParam(click.Choice[str]):
    """One of a few names; the error for a mistyped one suggests the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            self.fail(not_one_of(str(value), self.choices), param, ctx)
        return super().convert(value, param, ctx)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        return f"Choose from {', '.join(self.choices)}"  # on one line; click prints one line for each


def config_file_option(description: str) -> Callable[[_Command], _Command]:
    """Return the option `--config FILE` of a command. `description`: what it is used for."""
    return click.option("--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help=description)


LOG_LEVELS = ("debug", "info", "warning", "error")
log_level_option = click.option(
    "--log-level", type=ChoiceParam(LOG_LEVELS), default="info", show_default=True, help="Least severe level to log."
)


class NumberParam(click.IntRange):
    """A whole number within a range."""

    name = "number"  # in error messages

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        return "N"


class AccountParam(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """The name of an account. Other text is a usage error."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not ACCOUNT_NAME.fullmatch(str(value)):
            self.fail(f"{value!r} is not an account name: use 1 to 32 of a to z, 0 to 9 and hyphen", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return completion_values.accounts(ctx, param, incomplete)


class DayParam(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """A day as 2026-11-01."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day, as 2026-11-01", param, ctx)


def not_one_of(value: str, known: Sequence[str]) -> str:
    """Return the message for a value that is not in `known`, with the nearest name."""
    return f"{value[:40]!r} is not one of {', '.join(known)}{did_you_mean(value, known)}"


def init_command(file: Path) -> str:
    """Return the command that writes the commented default to `file`."""
    return hint("the configuration file does not exist", path=file)


def check_present(file: Path | None) -> None:
    """Raise UsageError if the file, an option of the command, does not exist."""
    if file is not None and is_missing(file):
        raise UsageError(f"no such file: {file}", init_command(file))


@contextmanager
def hint_for(file: Path | None) -> Iterator[None]:
    """Name `file`, an option of the command, in the hint of an error in the configuration; None: the usual file is used."""
    try:
        yield
    except ConfigError as error:
        if file is None or error.hint != CONFIG_CHECK:
            raise
        raise ConfigError(error.message, f"{CONFIG_CHECK} {shlex.quote(str(file))}") from error


def is_missing(file: Path) -> bool:
    """Return whether `file` does not exist. False if that cannot be seen: reading it then raises the error with the reason."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
