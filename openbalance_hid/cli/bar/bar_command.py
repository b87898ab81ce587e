"""`bar`: the line for a status bar, from the running daemon. It sends no request to OpenRouter."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from openbalance_hid.cli.bar.formats import BEFORE_EACH, FORMATS
from openbalance_hid.cli.bar.line import DISPLAYS, PERIODS, absent, line_of
from openbalance_hid.cli.bar.quick import program
from openbalance_hid.cli.params import AccountParam, ChoiceParam
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import NoDaemonError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request, subscribe


@click.command("bar", short_help="Print a line for a status bar: balance and usage.")
@click.option("--format", "kind", type=ChoiceParam(list(FORMATS)), default="plain", show_default=True, help="Output format.")
@click.option("--show", type=ChoiceParam(DISPLAYS), default="both", show_default=True, help="Amounts to show.")
@click.option("--period", type=ChoiceParam(list(PERIODS)), default="today", show_default=True, help="Period of the usage.")
@click.option("--account", type=AccountParam(), default="default", show_default=True, help="Account to use.")
@click.option("--watch", is_flag=True, help="Keep running, and print a line at each change.")
def bar(kind: str, show: str, period: str, account: str, watch: bool) -> None:
    """Print a line for a status bar: balance and usage, from the running daemon."""
    before = BEFORE_EACH.get(kind, "") if watch else ""
    printed = ""
    try:
        for accounts in _account_states(watch):
            if account not in accounts:
                raise UsageError(f"no such account: '{account}'", hint("the account does not exist"))
            text = FORMATS[kind](line_of(accounts[account], account, show, period, datetime.now(UTC)), program())
            if text != printed:
                printed = text
                click.echo(before + text)
                sys.stdout.flush()
    except NoDaemonError:
        click.echo(before + FORMATS[kind](absent(account), program()))
        raise


def _account_states(watch: bool) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """Yield the state of each account: once, or with `watch` after each change, until NoDaemonError."""
    socket_file = paths(os.environ).socket_file
    if not watch:
        yield request(socket_file, "accounts")
        return
    yield from subscribe(socket_file, "watch", output=sys.stdout.fileno() if sys.stdout is not None else None)
    raise NoDaemonError("the daemon has ended", hint("no daemon is running"))
