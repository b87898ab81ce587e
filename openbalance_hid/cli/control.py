"""The commands that control the running daemon: `status`, `refresh`, `press`, `hold`, `reload`, `page`, `identify`, `stop`."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

import click

from openbalance_hid.cli import completion_values
from openbalance_hid.cli.bar.line import age_s, byok, spent
from openbalance_hid.cli.params import AccountParam, NumberParam
from openbalance_hid.cli.terminal import GREEN, YELLOW, in_colour
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import NoDaemonError, UsageError
from openbalance_hid.hints import RUN, health_hint, hint
from openbalance_hid.ipc.control_client import endpoint_problems, request, subscribe
from openbalance_hid.text import escape_unprintable, escaped_json
from openbalance_hid.tiles.formatting import cents, duration

STOP_LIMIT_S = 5.0
WIDTH = 10
POLLED = {True: "polling", False: "polled a moment ago", None: "not polled: its broker or publisher is away"}


@click.command("status", short_help="Show the state of the running daemon.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, for programs.")
@click.option("--watch", is_flag=True, help="With --json: keep running, and print a line at each change.")
def status(as_json: bool, watch: bool) -> None:
    """Show the state of the running daemon: accounts, decks, configuration."""
    if watch:
        _watch_status(as_json)
    reply = _request("status")
    click.echo(escaped_json(reply, indent=1) if as_json else "\n".join(status_lines(_printable(reply))), color=True)


@click.command("refresh")
@click.option("--account", type=AccountParam(), help="Account to poll; without it, all.")
def refresh(account: str | None) -> None:
    """Poll OpenRouter now."""
    for name, started in _request("refresh", account=account).items():
        click.echo(f"{name}: {POLLED[started]}")


@click.command("press", short_help="Tap a key of the first deck.")
@click.argument("key", metavar="KEY", type=NumberParam(0, 255), shell_complete=completion_values.keys)
def press(key: int) -> None:
    """Tap a key of the first deck. KEY is its number from 0, row by row from the top left."""
    click.echo(f"tapped {_request('press', key=key)['tile']}")


@click.command("hold", short_help="Hold a key of the first deck.")
@click.argument("key", metavar="KEY", type=NumberParam(0, 255), shell_complete=completion_values.keys)
def hold(key: int) -> None:
    """Hold a key of the first deck. KEY is its number from 0, row by row from the top left."""
    click.echo(f"held {_request('hold', key=key)['tile']}")


@click.command("reload")
def reload() -> None:
    """Read the configuration again. One with an error is not applied."""
    click.echo(f"configuration: {_request('reload')}")


@click.command("page")
@click.argument("name", shell_complete=completion_values.pages)
def page(name: str) -> None:
    """Show the page NAME on every deck that has it."""
    for deck in _request("page", name=name):
        click.echo(f"{deck['serial']} shows {deck['page']}")


@click.command("identify")
def identify() -> None:
    """Show the number of each key on the deck for 10 s."""
    for deck in _request("identify"):
        click.echo(f"{deck['serial']} ({deck['model']}) shows the numbers of its keys for 10 s")


@click.command("stop")
def stop() -> None:
    """Stop the running daemon."""
    _request("stop")
    end_s = time.monotonic() + STOP_LIMIT_S
    while paths(os.environ).socket_file.exists() and time.monotonic() < end_s:
        time.sleep(0.02)
    click.echo("stopped")


def _watch_status(as_json: bool) -> NoReturn:
    """Print the status as one line of JSON now and at each change. Ends with the reader of the output, or NoDaemonError."""
    if not as_json:
        raise UsageError("--watch prints JSON lines: it needs --json", hint("a watched status needs JSON"))
    output = sys.stdout.fileno() if sys.stdout is not None else None
    for reply in subscribe(paths(os.environ).socket_file, "watch-status", output=output):
        click.echo(escaped_json(reply))
        sys.stdout.flush()
    raise NoDaemonError("the daemon has ended", RUN)


def _request(command: str, **arguments: object) -> Any:
    return request(paths(os.environ).socket_file, command, arguments)


def status_lines(reply: dict[str, Any], now: datetime | None = None) -> list[str]:
    """Return the status as text, with times as people say them. `now`: aware UTC, without it the current time."""
    now = now or datetime.now(UTC)
    lines = [f"openbalance-hid {reply['version']}, process {reply['pid']}, running for {duration(reply['uptime_s'])}"]
    if reply["config"]["error"]:
        lines += [f"{'config':{WIDTH}}{line}" for line in reply["config"]["error"].splitlines()]
        lines.append(
            f"{'':{WIDTH}}the previous configuration stays in use; try: {hint('the configuration has problems', 'status')}"
        )
    lines += [f"{'config':{WIDTH}}{note}" for note in reply["config"].get("notes", ())]
    if metrics := reply.get("metrics"):
        problem, address = metrics["problem"], f"http://{metrics['listen']}/metrics"
        lines.append(f"{'metrics':{WIDTH}}{f'not served: {problem}' if problem else address}")
        lines += [f"{'':{WIDTH}}try: {metrics['hint']}"] if metrics["hint"] else []
    for name, account in reply["accounts"].items():
        balance, today = _money(account["balance_usd"]), cents(spent(account, "today"))
        health = account["health"].replace("_", " ")
        health = in_colour(health, GREEN if health == "ok" else YELLOW, sys.stdout, os.environ)
        message = f" ({account['message']})" if account["message"] else ""
        left = (
            f"balance {balance}" if account.get("prepaid", True) else f"used {_money(account['total_usage_usd'])}, not prepaid"
        )
        lines.append(f"{name:{WIDTH}}{health}{message}, {left}, today {today} (UTC)")
        lines.append(f"{'':{WIDTH}}{_measured(account, now)}, next poll {_next_poll(account, now)}")
        lines += [f"{'':{WIDTH}}{line}" for line in (*_own_key(account), *_source(account), *endpoint_problems(account))]
        if command := health_hint(account["health"], "status", name, has_key=not account.get("source")):
            lines.append(f"{'':{WIDTH}}try: {command}")
    lines += publish_lines(reply.get("publish"), now)
    for deck in reply["decks"]:
        lines.append(f"{deck['serial'] or '—'}  {deck['model']}: {deck['trouble'] or 'connected'}")
        lines += [f"  try: {deck['hint']}"] if deck["hint"] else []
        lines += [f"{'':{WIDTH}}{key['key']:2d}  {key['text']}" for key in deck["keys"] if key["text"] != "blank"]
    if not reply["decks"]:
        lines.append("no deck is connected")
    return lines


def publish_lines(publish: dict[str, Any] | None, now: datetime) -> list[str]:
    """Return a line for each account that is published, and one for each trouble and note."""
    if publish is None:
        return []
    lines = []
    for name, each in publish["accounts"].items():
        state = "connected" if each["connected"] else "not connected" if each["active"] else "stopped"
        at = each["published_at"]
        sent = f", published {duration((now - datetime.fromisoformat(at)).total_seconds())} ago" if at else ""
        lines.append(f"{'publish':{WIDTH}}{name} to {publish['broker']}/{each['topic']}: {state}{sent}")
        lines += [f"{'':{WIDTH}}{words}" for words in (each["trouble"] if each["active"] else None, each["note"]) if words]
        lines += [f"{'':{WIDTH}}try: {each['hint']}"] if each["hint"] and each["active"] else []
    return lines


def _own_key(account: dict[str, Any]) -> list[str]:
    """Return the own-key cost of today and of 30 days; no line where both are known to be zero."""
    amounts = account.get("byok_usd")
    if not amounts or all(amounts[period] is not None and Decimal(amounts[period]) == 0 for period in ("today", "30d")):
        return []
    today, month = (cents(byok(account, period)) for period in ("today", "30d"))
    return [f"own key (BYOK) {today} today, {month} in 30 days (UTC), in no other amount"]


def _source(account: dict[str, Any]) -> list[str]:
    if not account.get("source"):
        return []
    return [f"from {account['source']}" + (f", published by {account['publisher']}" if account["publisher"] else "")]


def _printable(reply: Any) -> Any:
    """Return the reply with each text escaped: names and messages come from servers and devices."""
    if isinstance(reply, dict):
        return {key: _printable(value) for key, value in reply.items()}
    if isinstance(reply, list):
        return [_printable(value) for value in reply]
    return escape_unprintable(reply) if isinstance(reply, str) else reply


def _measured(account: dict[str, Any], now: datetime) -> str:
    if account["measured_at"] is None:
        return "never measured"
    return f"measured {duration(age_s(account, account['measured_at'], now))} ago{', which is old' if account['stale'] else ''}"


def _next_poll(account: dict[str, Any], now: datetime) -> str:
    if account["next_poll_at"] is None:
        return "—"
    seconds = (datetime.fromisoformat(account["next_poll_at"]) - now).total_seconds()
    return f"in {duration(seconds)}" if seconds > 0 else "now"


def _money(usd: str | None) -> str:
    return cents(None if usd is None else Decimal(usd))
