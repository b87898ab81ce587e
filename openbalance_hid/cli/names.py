"""Names that commands take as arguments, checked before anything is done with them."""

from __future__ import annotations

import click

from openbalance_hid.config.schema import ACCOUNT_NAME


def checked_account(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """The account's name as typed; as a callback of click's it ends the command with a usage error for anything else."""
    if not ACCOUNT_NAME.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not an account's name: 1 to 32 of a to z, 0 to 9 and hyphen", ctx, param)
    return value
