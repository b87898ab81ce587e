"""Names that commands take as arguments, checked before anything is done with them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from openbalance_hid.cli import completion_values as completing
from openbalance_hid.config.schema import ACCOUNT_NAME
from openbalance_hid.text import did_you_mean


class ChoiceParam(click.Choice[str]):
    """One of a few names; a mistyped one is told the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            self.fail(unknown(str(value), self.choices), param, ctx)
        return super().convert(value, param, ctx)

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        return f"Choose from {', '.join(self.choices)}"  # on one line, where click takes one for each


class NumberParam(click.IntRange):
    """A whole number within a range."""

    name = "number"  # as errors call it

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        return "N"


class AccountParam(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """The account's name as typed; anything else ends the command with a usage error."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not ACCOUNT_NAME.fullmatch(str(value)):
            self.fail(f"{value!r} is not an account's name: 1 to 32 of a to z, 0 to 9 and hyphen", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return completing.accounts(ctx, param, incomplete)


def unknown(value: str, known: Sequence[str]) -> str:
    """What is wrong with a name that is none of `known`, with the nearest one of them."""
    return f"{value[:40]!r} is none of {', '.join(known)}{did_you_mean(value, known)}"


def init_command(file: Path) -> str:
    """The command that writes the commented default to `file`."""
    return f"OPENBALANCE_CONFIG={shlex.quote(str(file))} openbalance-hid config init"


def is_missing(file: Path) -> bool:
    """Whether there is none of that name. What may not be looked at is not missing: whoever reads it says why it cannot."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
