"""`export`: the history as CSV, JSON or Prometheus text. Reads the history file; needs no running daemon."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from openbalance_hid.account.spike import Level
from openbalance_hid.cli.params import ChoiceParam
from openbalance_hid.cli.terminal import STDOUT, write_output
from openbalance_hid.config.paths import paths
from openbalance_hid.history.reader import Reader, open_reader
from openbalance_hid.text import escaped_json

# The characters that start a formula in a spreadsheet (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A spreadsheet that separates by ; | or tab, as some locales do, splits a name there, also inside our quotes.
_FORMULA_IN_A_CELL = re.compile(r'(?:^|(?<=[;|\t\r\n]))(?=[\s"]*[=+\-@＝＋－＠])')


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One table of the history. `labels` identify a row, `measures` are its numbers, `at` is the column with its time."""

    read: Callable[[Reader], list[dict[str, Any]]]
    labels: tuple[str, ...]
    measures: dict[str, str]  # column -> its description, one line
    at: str | None = None  # for Prometheus: the time of a sample; None: its times are labels


def _days(reader: Reader) -> list[dict[str, Any]]:
    return [
        {"account": day.account, "day": day.day, "by": day.by, "name": day.name, "spend_usd": day.spend.usd,
         "requests": day.spend.requests, "tokens": day.spend.tokens}
        for day in reader.days()
    ]  # fmt: skip


def _samples(reader: Reader) -> list[dict[str, Any]]:
    return [
        {"account": account, "measured_at": sample.at, "total_credits_usd": sample.credits.total_credits_usd,
         "total_usage_usd": sample.credits.total_usage_usd, "balance_usd": sample.credits.balance_usd}
        for account, sample in reader.samples()
    ]  # fmt: skip


def _runs(reader: Reader) -> list[dict[str, Any]]:
    return [
        {"account": account, "started_at": run.started_at, "ended_at": run.ended_at, "spend_usd": run.usd,
         "approximate": run.approximate}
        for account, run in reader.runs()
    ]  # fmt: skip


def _spikes(reader: Reader) -> list[dict[str, Any]]:
    return [
        {"account": each.account, "started_at": each.started_at, "ended_at": each.ended_at, "threshold": each.rule.threshold,
         "floor_usd": each.rule.floor_usd, "window_hours": each.rule.window_hours, "burst": each.rule.burst,
         "highest": each.highest, "acknowledged": each.acknowledged, "notified": each.notified}
        for each in reader.spikes()
    ]  # fmt: skip


TABLES = {
    "days": ExportTable(
        _days,
        ("account", "day", "by", "name"),
        {
            "spend_usd": "Credits spent on a completed UTC day, USD.",
            "requests": "Requests on a completed UTC day.",
            "tokens": "Prompt and completion tokens on a completed UTC day.",
        },
    ),
    "samples": ExportTable(
        _samples,
        ("account",),
        {
            "total_credits_usd": "Credits bought so far, USD.",
            "total_usage_usd": "Credits used so far, USD.",
            "balance_usd": "Credits left, USD.",
        },
        at="measured_at",
    ),
    "runs": ExportTable(
        _runs,
        ("account", "started_at", "ended_at", "approximate"),
        {"spend_usd": "Credits spent in a run of the meter, USD."},
    ),
    "spikes": ExportTable(
        _spikes,
        ("account", "started_at", "ended_at", "threshold", "floor_usd", "window_hours", "burst"),
        {
            "highest": "Highest level of a spike episode: 3 spike, 4 critical.",
            "acknowledged": "Highest level that was acknowledged: 2 none.",
            "notified": "Highest level that was notified: 2 none.",
        },
    ),
}


@click.command("export")
@click.option(
    "--what", type=ChoiceParam(tuple(TABLES)), required=True, help="Completed days, samples, meter runs or spike episodes."
)
@click.option("--format", "form", type=ChoiceParam(("csv", "json", "prometheus")), required=True, help="Output format.")
@click.option("--since", type=click.DateTime(("%Y-%m-%d",)), metavar="DATE", help="First UTC day to export, as 2026-11-01.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="File to write; without it, standard output."
)
def export(what: str, form: str, since: datetime | None, output: Path | None) -> None:
    """Export the history. Amounts are in USD, times and days in UTC."""
    table = TABLES[what]
    with open_reader(paths(os.environ).history_file, since.date() if since is not None else None) as reader:
        rows = table.read(reader)
    text = {"csv": as_csv, "json": as_json, "prometheus": as_prometheus}[form](what, table, rows)
    write_output(output or STDOUT, text.encode())
    if output is not None:
        click.echo(f"{output}: {len(rows)} {what}", err=True)


def as_csv(what: str, table: ExportTable, rows: list[dict[str, Any]]) -> str:  # noqa: ARG001  as the others
    """Return a header and one line a row (RFC 4180). An apostrophe precedes a name that would be a formula in a spreadsheet."""
    with io.StringIO(newline="") as out:
        writer = csv.writer(out, lineterminator="\r\n")
        columns = list(dict.fromkeys([*table.labels, *([table.at] if table.at else []), *table.measures]))
        writer.writerow(columns)
        writer.writerows([_cell(row[column]) for column in columns] for row in rows)
        return out.getvalue()


def as_json(what: str, table: ExportTable, rows: list[dict[str, Any]]) -> str:  # noqa: ARG001  as the others
    """Return an object with one list. Amounts are decimal strings, as in `status --json`."""
    written = [{name: _json(value) for name, value in row.items()} for row in rows]
    return escaped_json({what: written}, indent=1) + "\n"


def as_prometheus(what: str, table: ExportTable, rows: list[dict[str, Any]]) -> str:
    """Return Prometheus' text format 0.0.4: gauges. A row without a number is omitted."""
    return "".join(
        line + "\n"
        for measure, description in table.measures.items()
        for line in _metric(what, table, measure, description, rows)
    )


def _metric(what: str, table: ExportTable, measure: str, about: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    name = f"openbalance_{what}_{measure}"
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for row in rows:
        if row[measure] is None:
            continue
        labels = ",".join(f'{label}="{_escaped(_text(row[label]))}"' for label in table.labels)
        number = int(row[measure]) if isinstance(row[measure], Level) else _text(row[measure])
        yield f"{name}{{{labels}}} {number}" + (f" {int(row[table.at].timestamp() * 1000)}" if table.at else "")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _cell(value: object) -> str:
    text = _text(value)
    if not isinstance(value, str):
        return text
    text = _FORMULA_IN_A_CELL.sub("'", text)
    return f"'{text}" if text.startswith(FORMULA) else text


def _json(value: object) -> object:
    if value is None or isinstance(value, bool | str) or (isinstance(value, int) and not isinstance(value, Level)):
        return value
    return _text(value)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Level():
            return value.name.lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
    return str(value)
