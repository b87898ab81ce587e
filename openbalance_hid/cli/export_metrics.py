"""Prometheus' text format and OpenMetrics of `export`: the present values, and the tables of the history."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import lru_cache

from openbalance_hid.cli.export_formats import KEPT_TEXTS, batched, text_of
from openbalance_hid.cli.export_tables import ExportRow, ExportTable, number_of
from openbalance_hid.errors import ConfigError
from openbalance_hid.hints import hint
from openbalance_hid.ipc.current_metrics import Metric

END_OF_OPENMETRICS = "# EOF\n"
IN_MEMORY_BYTES = 1_000_000  # of each measure; what is longer waits in a temporary file
PIECE_CHARACTERS = 65_536


def as_prometheus(metrics: Iterable[Metric]) -> str:
    """Return Prometheus' text format 0.0.4, without times: node_exporter and pushgateway refuse them."""
    return _text_format(metrics, with_times=False)


def as_openmetrics(metrics: Iterable[Metric]) -> str:
    """Return OpenMetrics 1.0 with times in seconds, as `promtool tsdb create-blocks-from openmetrics` takes it."""
    return _text_format(metrics, with_times=True) + END_OF_OPENMETRICS


def as_metrics(what: str, table: ExportTable, rows: Iterable[ExportRow], with_times: bool) -> Iterator[str]:
    """Yield one metric for each measure of a table, in pieces. `rows`: as `ExportTable.series` returns them.

    `with_times`: each number at its instant; else its times are labels. A row without a number is left out; of two at one
    instant the first counts. The formats want a metric whole before the next one, so that a long one waits in a temporary
    file. ConfigError when that cannot be written.
    """
    rows = _newest(table, rows) if table.newest_only and not with_times else rows
    names = {measure: f"openbalance_{what.removesuffix('s')}_{measure}" for measure in table.measures}
    with ExitStack() as stack:
        files = {
            measure: stack.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, "w+", encoding="utf-8", newline=""))
            for measure in table.measures
        }
        for batch in batched(_lines(names, table, rows, with_times)):
            with _explained():
                for measure, file in files.items():
                    file.write("".join([lines[measure] for lines in batch if measure in lines]))
                    file.flush()
        for measure, about in table.measures.items():
            if files[measure].tell():
                yield _head(names[measure], about)
                files[measure].seek(0)
                while piece := files[measure].read(PIECE_CHARACTERS):
                    yield piece


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason, place = (error.strerror or str(error)).lower(), os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - its default
        raise ConfigError(
            f"cannot write a temporary file: {reason}", hint("no temporary file can be written", path=place)
        ) from error


def _newest(table: ExportTable, rows: Iterable[ExportRow]) -> list[ExportRow]:
    """Return the newest row of each series."""
    newest: dict[tuple[object, ...], ExportRow] = {}
    for row in rows:
        newest[tuple(row[label] for label in table.labels)] = row
    return list(newest.values())


def _lines(
    names: Mapping[str, str], table: ExportTable, rows: Iterable[ExportRow], with_times: bool
) -> Iterator[Mapping[str, str]]:
    """Yield the lines of each row by measure."""
    labels = table.labels if with_times or table.newest_only else (*table.labels, *table.times)
    # Names, days and counts come again and again.
    label_text = lru_cache(KEPT_TEXTS, typed=True)(lambda value: _escaped(text_of(value)))
    number_text = lru_cache(KEPT_TEXTS, typed=True)(lambda value: text_of(number_of(value)))
    before: tuple[str, str] | None = None
    written: dict[str, str] = {}  # of the series and instant of the row before
    for row in rows:
        series, at = _labels((label, label_text(row[label])) for label in labels), _time(table.at(row) if with_times else None)
        lines = {
            measure: f"{name}{series} {number}{at}\n"
            for measure, name in names.items()
            if (number := number_text(row[measure]))
        }
        if before == (series, at):
            lines = {measure: line for measure, line in lines.items() if measure not in written}
            written |= lines
        else:
            before, written = (series, at), lines
        yield lines


def _text_format(metrics: Iterable[Metric], with_times: bool) -> str:
    return "".join(piece for metric in metrics if metric.samples for piece in _metric(metric, with_times))


def _metric(metric: Metric, with_times: bool) -> Iterator[str]:
    yield _head(metric.name, metric.about)
    earliest = datetime.min.replace(tzinfo=UTC)
    written: set[tuple[str, str]] = set()
    # All samples of a series together, oldest first; of two at one instant the first.
    for labels, number, at in sorted(metric.samples, key=lambda each: (tuple(each[0].items()), each[2] or earliest)):
        place = _labels((label, _escaped(value)) for label, value in labels.items()), _time(at if with_times else None)
        if place not in written:
            written.add(place)
            yield f"{metric.name}{place[0]} {text_of(number)}{place[1]}\n"


def _head(name: str, about: str) -> str:
    return f"# HELP {name} {about}\n# TYPE {name} gauge\n"


def _labels(escaped: Iterable[tuple[str, str]]) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in escaped)
    return f"{{{inside}}}" if inside else ""


def _time(at: datetime | None) -> str:
    return f" {at.timestamp():.3f}" if at is not None else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
