"""`accounts`: which accounts have a key, and where. Never more of a key than its last four characters."""

from __future__ import annotations

import json
import os

import click

from openbalance_hid.cli import completion_values as completing
from openbalance_hid.cli.params import AccountParam
from openbalance_hid.config.paths import paths
from openbalance_hid.desktop import credentials
from openbalance_hid.desktop.credentials import AccountListing
from openbalance_hid.desktop.process_hardening import guard_memory
from openbalance_hid.text import escape_unprintable

UNLOCKING_S = 60.0  # a person may have to find and type the keyring's password


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def accounts(ctx: click.Context, as_json: bool) -> None:
    """List the accounts that have a key."""
    if ctx.invoked_subcommand is not None:
        return
    guard_memory()
    rows = credentials.list_accounts(os.environ, paths(os.environ), UNLOCKING_S)
    if as_json:
        click.echo(json.dumps([_as_json(row) for row in rows], indent=2))
    elif rows:
        width = max(len(row.name) for row in rows)
        for row in rows:
            click.echo(escape_unprintable(f"{row.name:{width}}  {_in_words(row)}"))
    else:
        click.echo("no account has a key; next: openbalance-hid setup", err=True)


@accounts.command()
@click.argument("name", type=AccountParam(), shell_complete=completing.accounts_with_a_key)
def forget(name: str) -> None:
    """Remove the key of the account NAME from where it is stored."""
    places = paths(os.environ)
    for place in credentials.delete_key(name, os.environ, places, UNLOCKING_S):
        click.echo(f"removed from {place}")
    left = credentials.overriding_source(name, os.environ)
    if left is not None:
        click.echo(f"note: {left} still has a key")


def _in_words(row: AccountListing) -> str:
    if row.trouble is not None:
        return f"!      {row.trouble}"
    return f"…{row.last_four}  {row.place}"


def _as_json(row: AccountListing) -> dict[str, str | None]:
    return {"name": row.name, "where": row.where, "place": row.place, "last_four": row.last_four, "trouble": row.trouble}
