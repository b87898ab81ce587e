"""The formats of `export`: CSV, JSON, Prometheus' text format, and OpenMetrics. Pure: a table and its rows in, text out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from openbalance_hid.account.spike import Level
from openbalance_hid.cli.export_tables import ExportRow, ExportTable, number_of
from openbalance_hid.ipc.current_metrics import Metric
from openbalance_hid.text import escaped_json

# The characters that start a formula in a spreadsheet (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ROWS_A_PIECE = 1000
KEPT_TEXTS = 4096  # texts of values: more than the models of one day
# A spreadsheet that separates by ; | or tab, as some locales do, splits a name there, also inside our quotes.
_FORMULA_IN_A_CELL = re.compile(r'(?:^|(?<=[;|\t\r\n]))(?=[\s"]*[=+\-@＝＋－＠])')


def as_csv(columns: Sequence[str], rows: Iterable[ExportRow]) -> Iterator[str]:
    """Yield a header and one line a row (RFC 4180), in pieces, so that a long history needs no memory.

    An apostrophe precedes a name that would be a formula in a spreadsheet.
    """
    cell = lru_cache(KEPT_TEXTS, typed=True)(_cell)  # names, days and counts come again and again
    for number, piece in enumerate(batched(rows)):
        with io.StringIO(newline="") as out:
            writer = csv.writer(out, lineterminator="\r\n")
            if number == 0:
                writer.writerow(columns)
            writer.writerows([cell(row[column]) for column in columns] for row in piece)
            yield out.getvalue()


def as_json(what: str, columns: Sequence[str], rows: Iterable[ExportRow]) -> Iterator[str]:
    """Yield an object with one list, in pieces. Amounts are decimal strings, as in `status --json`."""
    text = lru_cache(KEPT_TEXTS, typed=True)(lambda value: escaped_json(_json(value)))
    names = [(column, f"   {escaped_json(column)}: ") for column in columns]
    before = f"{{\n {escaped_json(what)}: ["
    for piece in batched(rows):
        objects = (",\n".join([name + text(row[column]) for column, name in names]) for row in piece)
        joined = "\n  },\n  {\n".join(objects)
        yield f"{before}\n  {{\n{joined}\n  }}" if piece else before
        before = "," if piece else ""
    yield "\n ]\n}\n" if before == "," else "]\n}\n"


def batched(rows: Iterable[ExportRow]) -> Iterator[list[ExportRow]]:
    """Yield lists of rows; one empty list without any."""
    waiting = iter(rows)
    first = piece = list(islice(waiting, ROWS_A_PIECE))
    while piece or piece is first:
        yield piece
        piece = list(islice(waiting, ROWS_A_PIECE))


def metrics_of(what: str, table: ExportTable, rows: Sequence[ExportRow], with_times: bool) -> tuple[Metric, ...]:
    """Return one metric for each measure. `with_times`: each sample at its instant; else its times are labels.

    A row without a number is left out.
    """
    if table.newest_only and not with_times:
        rows = list({tuple(row[label] for label in table.labels): row for row in sorted(rows, key=table.at)}.values())
    labels = table.labels if with_times or table.newest_only else (*table.labels, *table.times)
    return tuple(
        Metric(
            f"openbalance_{what.removesuffix('s')}_{measure}",
            about,
            [
                ({label: _text(row[label]) for label in labels}, number, table.at(row) if with_times else None)
                for row in rows
                if (number := number_of(row[measure])) is not None
            ],
        )
        for measure, about in table.measures.items()
    )


def as_prometheus(metrics: Iterable[Metric]) -> str:
    """Return Prometheus' text format 0.0.4, without times: node_exporter and pushgateway refuse them."""
    return _text_format(metrics, lambda _: "")


def as_openmetrics(metrics: Iterable[Metric]) -> str:
    """Return OpenMetrics 1.0 with times in seconds, as `promtool tsdb create-blocks-from openmetrics` takes it."""
    return _text_format(metrics, lambda at: f" {at.timestamp():.3f}" if at is not None else "") + "# EOF\n"


def _text_format(metrics: Iterable[Metric], time: Callable[[datetime | None], str]) -> str:
    return "".join(f"{line}\n" for metric in metrics if metric.samples for line in _lines(metric, time))


def _lines(metric: Metric, time: Callable[[datetime | None], str]) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.about}"
    yield f"# TYPE {metric.name} gauge"
    earliest = datetime.min.replace(tzinfo=UTC)
    written: set[tuple[str, str]] = set()
    # All samples of a series together, oldest first; of two at one instant the first.
    for labels, number, at in sorted(metric.samples, key=lambda each: (tuple(each[0].items()), each[2] or earliest)):
        series = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
        if (series, time(at)) not in written:
            written.add((series, time(at)))
            yield f"{metric.name}{f'{{{series}}}' if series else ''} {_text(number)}{time(at)}"


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
