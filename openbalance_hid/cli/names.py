"""Names that commands take as arguments, checked before anything is done with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from openbalance_hid.cli import completing
from openbalance_hid.config.names import ACCOUNT_NAME


class AccountName(click.ParamType[str]):
    """The account's name as typed; anything else ends the command with a usage error."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not ACCOUNT_NAME.fullmatch(str(value)):
            self.fail(f"{value!r} is not an account's name: 1 to 32 of a to z, 0 to 9 and hyphen", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return completing.accounts(ctx, param, incomplete)


def is_missing(file: Path) -> bool:
    """Whether there is none of that name. What may not be looked at is not missing: whoever reads it says why it cannot."""
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
