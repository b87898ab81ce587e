"""`export`: the history, or the present values, for other programs. The history needs no running daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date
from itertools import chain
from pathlib import Path
from typing import Any

import click

from openbalance_hid.cli.export_formats import as_csv, as_json
from openbalance_hid.cli.export_metrics import END_OF_OPENMETRICS, as_metrics, as_openmetrics, as_prometheus
from openbalance_hid.cli.export_tables import DIMENSIONS, TABLES, CountedRows, ExportRow, ExportTable, count_words, days_table
from openbalance_hid.cli.params import ChoiceParam, DayParam
from openbalance_hid.cli.terminal import STDOUT, is_terminal, write_output, write_pieces
from openbalance_hid.config.old_state import move_old_state
from openbalance_hid.config.paths import paths
from openbalance_hid.errors import NoDaemonError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.history.reader import open_reader
from openbalance_hid.ipc.control_client import request
from openbalance_hid.ipc.current_metrics import Metric, byok_metrics, current_metrics, spend_metrics

LONG, STEPS = 5000, 1000  # rows from which on a progress bar is shown, and rows between two changes of it
HELP = hint("options do not fit together", command="export")
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
    if what == "now":
        text, count = _now(by, form)
        write_output(output or STDOUT, text.encode())
    else:
        count = _export_history(what, by, form, since, output or STDOUT)
    if output is not None:
        click.echo(f"{output}: {count_words(what, count)}", err=True)


def _export_history(what: str, by: str | None, form: str, since: date | None, output: Path) -> int:
    """Write a table as it is read, with a progress bar; return how many rows or days it has."""
    table = days_table(by) if what == "days" else TABLES[what]
    move_old_state(os.environ)
    with open_reader(paths(os.environ).history_file, since) as reader:
        total = table.count(reader) if _shows_progress(output) else 0
        read = CountedRows(table.read(reader) if form in ("csv", "json") else table.series(reader))
        with click.progressbar(read, total, "Exporting", hidden=total < LONG, file=sys.stderr, update_min_steps=STEPS) as rows:
            write_pieces(output, (piece.encode() for piece in _pieces(what, table, rows, form)))
    return read.count


def _shows_progress(output: Path) -> bool:
    """Return whether a user sees the bar, and it is not among the rows."""
    return is_terminal(sys.stderr) and (output != STDOUT or not is_terminal(sys.stdout))


def _pieces(what: str, table: ExportTable, rows: Iterable[ExportRow], form: str) -> Iterable[str]:
    match form:
        case "csv":
            return as_csv(table.columns, rows)
        case "json":
            return as_json(what, table.columns, rows)
        case "prometheus":
            return as_metrics(what, table, rows, with_times=False)
    return chain(as_metrics(what, table, rows, with_times=True), [END_OF_OPENMETRICS])


def _now(by: str | None, form: str) -> tuple[str, int]:
    accounts, is_running = _accounts()
    if by is not None:
        metrics: Sequence[Metric] = (*spend_metrics(accounts, by), *byok_metrics(accounts, by))
    else:
        metrics = current_metrics(accounts, is_running)
    columns = NOW_COLUMNS if by is None else ("account", "metric", by, "period", "value", "measured_at")
    rows = _rows_of(metrics, columns)
    match form:
        case "csv":
            return "".join(as_csv(columns, rows)), len(rows)
        case "json":
            return "".join(as_json("now", columns, rows)), len(rows)
        case "prometheus":
            return as_prometheus(metrics), len(rows)
    return as_openmetrics(metrics), len(rows)


def _accounts() -> tuple[Mapping[str, Any], bool]:
    """Return the accounts of the running daemon; without one, the last balance of each in the history. NoDaemonError."""
    places = paths(os.environ)
    try:
        accounts: Mapping[str, Any] = request(places.socket_file, "status")["accounts"]
        return accounts, True
    except NoDaemonError:
        if not os.access(places.history_file, os.F_OK):
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
