"""`keys`: the API keys of an account; `keys disable` and `keys enable` switch one, through the running daemon."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click

from openbalance_hid.cli.bar.line import age_s
from openbalance_hid.cli.params import AccountParam
from openbalance_hid.cli.table import TableCell, print_table
from openbalance_hid.cli.terminal import RED, YELLOW, is_terminal
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import ApiError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request
from openbalance_hid.text import escape_unprintable, escaped_json, single_line
from openbalance_hid.tiles.formatting import cents, duration

SWITCH_LIMIT_S = 170.0
FAILURES = {
    "not sent": "nothing was written: {message}",
    "failed": "it is still {state}: {message}",
    "gone": "there is no such key any more",
    "unknown": "it was sent, and whether it took effect is not known yet: {message}",
    "forbidden": "{message}",
}

HEADINGS = ("account", "key", "state", "today", "this month", "limit", "left", "last used", "workspace")
_account = click.option("--account", type=AccountParam(), default="default", show_default=True, help="Account to use.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@click.group("keys", invoke_without_command=True, short_help="List the API keys of an account; disable or enable one.")
@click.option("--account", type=AccountParam(), help="Account to list; without it, all.")
@_json
@click.pass_context
def keys(ctx: click.Context, account: str | None, as_json: bool) -> None:
    """List the API keys of an account: spend, limit, state, last use."""
    if ctx.invoked_subcommand is not None:
        return
    reply = request(paths(os.environ).socket_file, "keys", {"account": account})
    now = datetime.now(UTC)
    if as_json or not reply or not is_terminal(sys.stdout):
        click.echo(escaped_json(reply, indent=1) if as_json else escape_unprintable("\n".join(key_lines(reply, now))))
        return
    for name, found in reply.items():
        if found["keys"]:
            rows = [_cells(key, found, now) for key in found["keys"]]
            print_table(HEADINGS, [(name if len(reply) > 1 else "", *row) for row in rows])
        click.echo(escape_unprintable("\n".join(_notes(found, now))))


@keys.command("disable")
@click.argument("name")
@_account
@_json
def disable(name: str, account: str, as_json: bool) -> None:
    """Disable the key NAME: programs that use it are refused. Needs allow_key_switch = true."""
    _switch(name, account, True, as_json)


@keys.command("enable")
@click.argument("name")
@_account
@_json
def enable(name: str, account: str, as_json: bool) -> None:
    """Enable the key NAME again. Needs allow_key_switch = true."""
    _switch(name, account, False, as_json)


def _switch(name: str, account: str, disables: bool, as_json: bool) -> None:
    arguments = {"name": name, "account": account, "disables": disables}
    reply = request(paths(os.environ).socket_file, "switch-key", arguments, timeout_s=SWITCH_LIMIT_S)
    done = reply["result"] == "done" and reply["disabled"] is disables
    if as_json:
        click.echo(escaped_json(reply, indent=1))
    elif done:
        click.echo(escape_unprintable(f"{single_line(reply['name'])} is {reply['requested']}"))
    if done:
        return
    if as_json:
        sys.exit(ApiError.exit_code)
    state = "disabled" if reply["disabled"] else "enabled"
    reason = FAILURES[reply["result"]].format(message=reply["message"], state=state)
    raise ApiError(f"{single_line(reply['name'])} was not {reply['requested']}: {reason}", hint("a key was not switched"))


def key_lines(reply: dict[str, Any], now: datetime) -> list[str]:
    """Return the keys as text, one a line, with the age of the list."""
    lines = [] if reply else ["no account has its key on this machine: they are published by another one"]
    for name, account in reply.items():
        lines += [f"account {name}:"] if len(reply) > 1 else []
        found = account["keys"] or ()
        width = max((len(single_line(key["name"])) for key in found), default=0)
        lines += [_line(key, width, account, now) for key in found]
        lines += _notes(account, now)
    return lines


def _notes(account: dict[str, Any], now: datetime) -> list[str]:
    """Return the lines below the keys of an account."""
    if account["keys"] is None:
        message = single_line(account["message"] or "")
        return [f"the keys are not known yet: {account['health'].replace('_', ' ')}" + (f" ({message})" if message else "")]
    lines = [] if account["keys"] else ["no keys"]
    state = "incomplete" if account["health"] == "ok" else account["health"].replace("_", " ")
    lines += [f"{state}: {account['message']}"] if account["message"] else []
    lines.append(f"read {_ago(account['measured_at'], account, now)}; amounts of days and months are UTC")
    lines += [] if account["may_switch"] else ["view only: allow_key_switch = true permits to disable and enable keys"]
    return lines


def _cells(key: dict[str, Any], account: dict[str, Any], now: datetime) -> tuple[TableCell, ...]:
    """Return the cells of a key in a table. A key that is off, or has nothing left of its limit, is coloured."""
    left = None if key["limit_left_usd"] is None else Decimal(key["limit_left_usd"])
    limit = "" if key["limit_usd"] is None else _usd(key["limit_usd"])
    rest = "" if key["limit_usd"] is None else _usd(key["limit_left_usd"])
    return (
        escape_unprintable(single_line(key["name"])),
        key["state"] if key["state"] == "enabled" else (key["state"], YELLOW),
        _usd(key["today_usd"]),
        _usd(key["month_usd"]),
        limit,
        (rest, RED) if left is not None and left <= 0 else rest,
        _ago(key["last_used_at"], account, now),
        escape_unprintable(single_line(key["workspace"] or "")),
    )


def _line(key: dict[str, Any], width: int, account: dict[str, Any], now: datetime) -> str:
    limit = f", limit {_usd(key['limit_usd'])} ({_usd(key['limit_left_usd'])} left)" if key["limit_usd"] is not None else ""
    used = f"used {_ago(key['last_used_at'], account, now)}" if key["last_used_at"] else "no use known"
    workspace = f", {single_line(key['workspace'])}" if key["workspace"] else ""
    spend = f"{_usd(key['today_usd'])} today, {_usd(key['month_usd'])} this month"
    return f"{single_line(key['name']):{width}}  {key['state']:8}  {spend}{limit}, {used}{workspace}"


def _usd(text: str | None) -> str:
    return cents(None if text is None else Decimal(text))


def _ago(instant: str | None, account: dict[str, Any], now: datetime) -> str:
    return "never" if instant is None else f"{duration(age_s(account, instant, now))} ago"
