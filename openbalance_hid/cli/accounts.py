"""`accounts`: the accounts with a key, and where each key is stored. Only the last four characters of a key are shown."""

from __future__ import annotations

import json
import os
import sys

import click

from openbalance_hid.cli import completion_values
from openbalance_hid.cli.params import AccountParam
from openbalance_hid.cli.table import TableCell, print_table
from openbalance_hid.cli.terminal import RED, is_terminal
from openbalance_hid.config.old_state import move_old_state
from openbalance_hid.config.paths import paths
from openbalance_hid.desktop import credentials
from openbalance_hid.desktop.credentials import UNLOCK_LIMIT_S, AccountListing
from openbalance_hid.desktop.process_hardening import guard_memory
from openbalance_hid.hints import hint
from openbalance_hid.text import escape_unprintable


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_context
def accounts(ctx: click.Context, as_json: bool) -> None:
    """List the accounts that have a key."""
    if ctx.invoked_subcommand is not None:
        return
    guard_memory()
    move_old_state(os.environ)
    rows = credentials.list_accounts(os.environ, paths(os.environ), UNLOCK_LIMIT_S)
    if as_json:
        click.echo(json.dumps([_as_json(row) for row in rows], indent=2))
    elif rows:
        if is_terminal(sys.stdout):
            print_table(("account", "key", "stored in"), [_cells(row) for row in rows])
            return
        width = max(len(row.name) for row in rows)
        for row in rows:
            line = escape_unprintable(f"{row.name:{width}}  {_description(row)}")
            click.echo(line)
    else:
        click.echo(f"no account has a key; to store one: {hint('no key is stored', 'accounts')}", err=True)


@accounts.command()
@click.argument("name", type=AccountParam(), shell_complete=completion_values.accounts_with_a_key)
def forget(name: str) -> None:
    """Remove the stored key of the account NAME."""
    move_old_state(os.environ)
    for place in credentials.delete_key(name, os.environ, paths(os.environ), UNLOCK_LIMIT_S):
        click.echo(f"removed from {place}")
    remaining = credentials.overriding_source(name, os.environ)
    if remaining is not None:
        click.echo(f"note: {remaining} still has a key")


def _cells(row: AccountListing) -> tuple[TableCell, TableCell, TableCell]:
    name = escape_unprintable(row.name)
    if row.trouble is not None:
        return name, ("!", RED), (escape_unprintable(row.trouble), RED)
    return name, f"…{row.last_four}", escape_unprintable(row.place or "")


def _description(row: AccountListing) -> str:
    if row.trouble is not None:
        return f"!      {row.trouble}"
    return f"…{row.last_four}  {row.place}"


def _as_json(row: AccountListing) -> dict[str, str | None]:
    return {"name": row.name, "where": row.where, "place": row.place, "last_four": row.last_four, "trouble": row.trouble}
