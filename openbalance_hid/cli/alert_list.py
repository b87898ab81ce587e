"""`alerts`: the alerts that are active, where alerts are sent, and `alerts test`, which sends a message to each place."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Any

import click

from openbalance_hid.cli.terminal import GREEN, YELLOW, in_colour
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import NoDaemonError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.control_client import request
from openbalance_hid.text import escape_unprintable, escaped_json
from openbalance_hid.tiles.formatting import duration

TEST_LIMIT_S = 40.0  # a sink has 10 s, and a name may resolve slowly


@click.group("alerts", invoke_without_command=True, short_help="Show the active alerts, and where alerts are sent.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_context
def alerts(ctx: click.Context, as_json: bool) -> None:
    """Show the active alerts, and where alerts are sent."""
    if ctx.invoked_subcommand is not None:
        return
    reply = request(paths(os.environ).socket_file, "alerts")
    if as_json:
        click.echo(escaped_json(reply, indent=1))
        return
    titles = {alert["title"]: GREEN if alert["acknowledged"] else YELLOW for alert in reply["active"]}
    for line in alert_lines(reply, datetime.now(UTC)):
        shown = escape_unprintable(line)
        click.echo(in_colour(shown, titles[line], sys.stdout, os.environ) if line in titles else shown, color=True)


@alerts.command("test")
def test() -> None:
    """Send a test message to the desktop, each address and each program. Exit code 69 when one does not accept it.

    With notify = false the desktop gets none.
    """
    failed = False
    results = request(paths(os.environ).socket_file, "alerts-test", timeout_s=TEST_LIMIT_S)
    if not results:
        click.echo("alerts go nowhere: notify = false, and no [[alerts]]")
    for result in results:
        failed = failed or result["error"] is not None
        click.echo(escape_unprintable(f"{result['sink']}: {result['error'] or 'delivered'}"), err=result["error"] is not None)
    if failed:
        sys.exit(NoDaemonError.exit_code)


def alert_lines(reply: dict[str, Any], now: datetime) -> list[str]:
    """Return alerts and sinks as text."""
    lines = []
    for alert in reply["active"]:
        acknowledged = ", acknowledged" if alert["acknowledged"] else ""
        lines += [alert["title"], f"  {alert['text']}", f"  since {_ago(alert['since'], now)}{acknowledged}"]
        if not alert.get("confirmed", True):
            command = hint("a notification may not have been shown", "alerts")
            lines.append(f"  its notification may not have been shown: {command}")
    lines = lines or ["no alert is active"]
    for sink in reply["sinks"]:
        lines.append(f"{sink['sink']} ({sink['type']}): {', '.join(sink['on']) or 'nothing'}")
        lines += [f"  {line}" for line in _sink_lines(sink, now)]
    return lines


def _sink_lines(sink: dict[str, Any], now: datetime) -> list[str]:
    if "enabled" in sink:
        return [] if sink["enabled"] else ["off: notify = false"]
    lines = [f"last delivered {_ago(sink['delivered_at'], now)}" if sink["delivered_at"] else "nothing delivered yet"]
    if sink["error"]:
        lines.append(f"fails since {_ago(sink['failing_since'], now)}: {sink['error']}")
    if sink["waiting"]:
        lines.append(f"{sink['waiting']} waiting")
    if sink["dropped"]:
        lines.append(f"{sink['dropped']} dropped: too old, or too many")
    return lines


def _ago(instant: str, now: datetime) -> str:
    return f"{duration((now - datetime.fromisoformat(instant)).total_seconds())} ago"
