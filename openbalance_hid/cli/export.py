"""`export`: the history, or the present values, for other programs. The history needs no running daemon."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any

import click

from openbalance_hid.cli.export_formats import as_csv, as_json, as_openmetrics, as_prometheus, metrics_of
from openbalance_hid.cli.export_tables import DIMENSIONS, TABLES, ExportRow, count_words, days_table
from openbalance_hid.cli.params import ChoiceParam, DayParam
from openbalance_hid.cli.terminal import STDOUT, write_output
from openbalance_hid.config.old_state import move_old_state
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import NoDaemonError, UsageError
from openbalance_hid.history.reader import open_reader
from openbalance_hid.ipc.control_client import request
from openbalance_hid.ipc.current_metrics import Metric, current_metrics, spend_metrics

HELP = "openbalance-hid export --help"
NOW_COLUMNS = ("account", "metric", "period", "endpoint", "value", "measured_at")


@click.command("export", short_help="Export the history, or the present values, for other programs.")
@click.option(
    "--what",
    type=ChoiceParam(("now", "days", *TABLES)),
    required=True,
    help="Present values, completed days, samples, meter runs, spike alerts, or key switches.",
)
@click.option("--by", type=ChoiceParam(DIMENSIONS), help="Split the spend of days or of now; without it, totals.")
@click.option(
    "--format", "form", type=ChoiceParam(("csv", "json", "prometheus", "openmetrics")), required=True, help="Output format."
)
@click.option("--since", type=DayParam(), metavar="DATE", help="First UTC day to export, as 2026-11-01.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="File to write; without it, standard output."
)
def export(what: str, by: str | None, form: str, since: date | None, output: Path | None) -> None:
    """Export the history, or the present values. Amounts are in USD, times and days in UTC, each amount once.

    `prometheus` has no times, for node_exporter and pushgateway; `openmetrics` has them, for a history in Prometheus.
    """
    if by is not None and what not in ("now", "days"):
        raise UsageError(f"--by splits the spend of days and of now, not {what}", HELP)
    if what == "now" and since is not None:
        raise UsageError("--since chooses days of the history, and --what now has none", HELP)
    text, rows = _now(by, form) if what == "now" else _history(what, by, form, since)
    write_output(output or STDOUT, text.encode())
    if output is not None:
        click.echo(f"{output}: {count_words(what, rows)}", err=True)


def _history(what: str, by: str | None, form: str, since: date | None) -> tuple[str, list[ExportRow]]:
    table = days_table(by) if what == "days" else TABLES[what]
    move_old_state(os.environ)
    with open_reader(paths(os.environ).history_file, since) as reader:
        rows = table.read(reader)
    match form:
        case "csv":
            return as_csv(table.columns, rows), rows
        case "json":
            return as_json(what, table.columns, rows), rows
        case "prometheus":
            return as_prometheus(metrics_of(what, table, rows, with_times=False)), rows
    return as_openmetrics(metrics_of(what, table, rows, with_times=True)), rows


def _now(by: str | None, form: str) -> tuple[str, list[ExportRow]]:
    accounts, is_running = _accounts()
    metrics = spend_metrics(accounts, by) if by is not None else current_metrics(accounts, is_running)
    columns = NOW_COLUMNS if by is None else ("account", "metric", by, "period", "value", "measured_at")
    rows = _rows_of(metrics, columns)
    match form:
        case "csv":
            return as_csv(columns, rows), rows
        case "json":
            return as_json("now", columns, rows), rows
        case "prometheus":
            return as_prometheus(metrics), rows
    return as_openmetrics(metrics), rows


def _accounts() -> tuple[Mapping[str, Any], bool]:
    """Return the accounts of the running daemon; without one, the last balance of each in the history. NoDaemonError."""
    places = paths(os.environ)
    try:
        accounts: Mapping[str, Any] = request(places.socket_file, "status")["accounts"]
        return accounts, True
    except NoDaemonError:
        if not places.history_file.exists():
            raise
    with open_reader(places.history_file, None) as reader:
        newest = dict(reader.samples())  # oldest first
    return {
        name: {
            "balance_usd": sample.credits.balance_usd,
            "total_credits_usd": sample.credits.total_credits_usd,
            "total_usage_usd": sample.credits.total_usage_usd,
            "measured_at": sample.at.astimezone(UTC).isoformat(),
        }
        for name, sample in newest.items()
    }, False


def _rows_of(metrics: Sequence[Metric], columns: Sequence[str]) -> list[ExportRow]:
    return [
        {**dict.fromkeys(columns), **labels, "metric": metric.name, "value": number, "measured_at": at}
        for metric in metrics
        for labels, number, at in metric.samples
    ]
