"""`status`, `refresh`, `press`, `hold`, `page`, `identify`, `stop`: words to the running daemon."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from typing import Any

import click

from openbalance_hid.cli import completion_values as completing
from openbalance_hid.cli.params import AccountParam, NumberParam
from openbalance_hid.config.paths import paths
from openbalance_hid.desktop.keyring_backend import setup_command
from openbalance_hid.ipc.control_client import request
from openbalance_hid.text import escape_unprintable, escaped_json
from openbalance_hid.tiles.formatting import age, cents

STOP_LIMIT_S = 5.0
WIDTH = 10


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
def status(as_json: bool) -> None:
    """What the running daemon knows and does."""
    told = _ask("status")
    click.echo(escaped_json(told, indent=1) if as_json else escape_unprintable("\n".join(_lines(told))))


@click.command("refresh")
@click.option("--account", type=AccountParam(), help="Only this one.")
def refresh(account: str | None) -> None:
    """Poll now."""
    for name, begun in _ask("refresh", account=account).items():
        click.echo(f"{name}: {'polling' if begun else 'polled a moment ago'}")


@click.command("press", short_help="Tap a key of the first deck.")
@click.argument("key", metavar="KEY", type=NumberParam(0, 255), shell_complete=completing.keys)
def press(key: int) -> None:
    """Tap a key of the first deck: KEY counts row by row from the top left, from 0."""
    click.echo(f"tapped {_ask('press', key=key)['tile']}")


@click.command("hold", short_help="Hold a key of the first deck.")
@click.argument("key", metavar="KEY", type=NumberParam(0, 255), shell_complete=completing.keys)
def hold(key: int) -> None:
    """Hold a key of the first deck: KEY counts row by row from the top left, from 0."""
    click.echo(f"held {_ask('hold', key=key)['tile']}")


@click.command("reload")
def reload() -> None:
    """Read the configuration again; a bad one changes nothing."""
    click.echo(f"configuration: {_ask('reload')}")


@click.command("page")
@click.argument("name", shell_complete=completing.pages)
def page(name: str) -> None:
    """Turn to a page on every deck that has it."""
    for deck in _ask("page", name=name):
        click.echo(f"{deck['serial']} shows {deck['page']}")


@click.command("identify")
def identify() -> None:
    """Show each key's number on the deck for 10 s."""
    for deck in _ask("identify"):
        click.echo(f"{deck['serial']} ({deck['model']}) shows the numbers of its keys for 10 s")


@click.command("stop")
def stop() -> None:
    """End the running daemon."""
    _ask("stop")
    end_s = time.monotonic() + STOP_LIMIT_S
    while paths(os.environ).socket_file.exists() and time.monotonic() < end_s:
        time.sleep(0.02)
    click.echo("stopped")


def _ask(command: str, **arguments: object) -> Any:
    return request(paths(os.environ).socket_file, command, arguments)


def _lines(told: dict[str, Any]) -> list[str]:
    """The short form, for people."""
    lines = [f"openbalance-hid {told['version']}, process {told['pid']}, up {age(told['uptime_s'])}"]
    if told["config"]["error"]:
        lines += [f"{'config':{WIDTH}}{line}" for line in told["config"]["error"].splitlines()]
    for name, account in told["accounts"].items():
        balance, today = _money(account["balance_usd"]), _money(account["spend_usd"]["today"])
        message = f" ({account['message']})" if account["message"] else ""
        lines.append(f"{name:{WIDTH}}{account['health'].replace('_', ' ')}{message}, balance {balance}, today {today} (UTC)")
        lines.append(f"{'':{WIDTH}}measured {account['measured_at'] or 'never'}, next poll {account['next_poll_at'] or '—'}")
        lines += [f"{'':{WIDTH}}try: {hint}" for hint in _hints(name, account["health"])]
    for deck in told["decks"]:
        lines.append(f"{deck['serial'] or '—'}  {deck['model']}: {deck['trouble'] or 'connected'}")
        lines += [f"  try: {deck['hint']}"] if deck["hint"] else []
        lines += [f"{'':{WIDTH}}{key['key']:2d}  {key['text']}" for key in deck["keys"] if key["tile"] != "blank"]
    if not told["decks"]:
        lines.append("no deck is connected")
    return lines


def _hints(name: str, health: str) -> list[str]:
    """The command that helps; none where waiting does."""
    if health in ("no_key", "not_management_key", "key_rejected"):
        return [setup_command(name)]
    return ["openbalance-hid doctor"] if health == "offline" else []


def _money(usd: str | None) -> str:
    return cents(None if usd is None else Decimal(usd))
