"""What `export` can write: one table of the history each, with its columns, and the present values of the running daemon.

Each amount is in a table once: days are totals, or the parts by one dimension. Not here: the formats (`export_formats`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from openbalance_hid.account.snapshot import Spend
from openbalance_hid.history.reader import Day, Reader

DIMENSIONS = ("model", "provider", "key")

ExportRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One table. A row is identified by `labels` and `times` together; `measures` are its numbers, with a description each.

    `at`: the instant at which the numbers of a row are true. `newest_only`: without its times only the newest row makes sense.
    """

    read: Callable[[Reader], Iterable[ExportRow]]  # may be long: row by row
    columns: tuple[str, ...]  # all of them, in order
    labels: tuple[str, ...]
    times: tuple[str, ...]
    measures: Mapping[str, str]
    at: Callable[[ExportRow], datetime]
    newest_only: bool = False
    count: Callable[[Reader], int] = lambda _: 0  # rows to be read, about; 0: few
    read_series: Callable[[Reader], Iterable[ExportRow]] | None = None  # the rows by `labels` and time; None: few, to be sorted

    def series(self, reader: Reader) -> Iterable[ExportRow]:
        """Return the rows with all of the same `labels` together, oldest first."""
        if self.read_series is not None:
            return self.read_series(reader)
        return sorted(self.read(reader), key=lambda row: ([str(row[label]) for label in self.labels], self.at(row)))


def days_table(by: str | None) -> ExportTable:
    """Return completed UTC days: their totals, or what each model, provider or key spent."""
    labels = ("account",) if by is None else ("account", by)
    measures = {
        "spend_usd": "Credits spent on a completed UTC day, USD.",
        "requests": "Requests on a completed UTC day.",
        "tokens": "Prompt and completion tokens on a completed UTC day.",
        "byok_usd": "Own-key (BYOK) inference on a completed UTC day, USD; in no other amount.",
        "byok_lower_bound": "Whether the own-key inference has an unknown part.",
    }
    columns = ("account", "day", *labels[1:], *measures)
    count = lambda reader: reader.count_days(by or "model")  # noqa: E731
    if by is None:
        return ExportTable(_totals, columns, labels, ("day",), measures, _end_of_day, count=count, read_series=_totals)
    days, by_name = (lambda reader: _parts(reader.days(by))), (lambda reader: _parts(reader.days_by_name(by)))
    return ExportTable(days, columns, labels, ("day",), measures, _end_of_day, count=count, read_series=by_name)


def _parts(days: Iterable[Day]) -> Iterator[ExportRow]:
    return (_day_row(day, day.spend, {day.by: day.name}) for day in days)


def _totals(reader: Reader) -> Iterator[ExportRow]:
    for _, parts in groupby(reader.days("model"), lambda day: (day.account, day.day)):
        first, *others = parts
        yield _day_row(first, sum((day.spend for day in others), first.spend), {})


def _day_row(day: Day, spend: Spend, name: Mapping[str, str]) -> ExportRow:
    byok_lower_bound = int(spend.byok.lower_bound) if spend.byok.is_known else None
    byok = {"byok_usd": spend.byok.usd, "byok_lower_bound": byok_lower_bound}
    amounts = {"spend_usd": spend.usd, "requests": spend.requests, "tokens": spend.tokens, **byok}
    return {"account": day.account, "day": day.day, **name, **amounts}


def _end_of_day(row: ExportRow) -> datetime:
    return datetime.combine(row["day"], time(), UTC) + timedelta(days=1, seconds=-1)


def _samples(reader: Reader) -> Iterator[ExportRow]:
    return (
        {"account": account, "measured_at": sample.at, "total_credits_usd": sample.credits.total_credits_usd,
         "total_usage_usd": sample.credits.total_usage_usd, "balance_usd": sample.credits.balance_usd}
        for account, sample in reader.samples()
    )  # fmt: skip


def _runs(reader: Reader) -> list[ExportRow]:
    return [
        {"account": account, "started_at": run.started_at, "ended_at": run.ended_at, "spend_usd": run.usd,
         "approximate": run.approximate}
        for account, run in reader.runs()
    ]  # fmt: skip


def _spikes(reader: Reader) -> list[ExportRow]:
    return [
        {"account": each.account, "started_at": each.started_at, "ended_at": each.ended_at, "threshold": each.rule.threshold,
         "floor_usd": each.rule.floor_usd, "window_hours": each.rule.window_hours, "burst": each.rule.burst,
         "highest": each.highest, "acknowledged": each.acknowledged, "notified": each.notified}
        for each in reader.spikes()
    ]  # fmt: skip


def _actions(reader: Reader) -> list[ExportRow]:
    return [
        {"account": each.account, "at": each.at, "key": each.key_name, "source": each.source, "result": each.result,
         "message": each.message, "disabled": int(each.disables)}
        for each in reader.actions()
    ]  # fmt: skip


SAMPLES = ExportTable(
    _samples,
    ("account", "measured_at", "total_credits_usd", "total_usage_usd", "balance_usd"),
    ("account",),
    ("measured_at",),
    {
        "total_credits_usd": "Credits bought so far, USD.",
        "total_usage_usd": "Credits used so far, USD.",
        "balance_usd": "Credits left, USD.",
    },
    lambda row: row["measured_at"],
    newest_only=True,
    count=Reader.count_samples,
    read_series=_samples,
)
RUNS = ExportTable(
    _runs,
    ("account", "started_at", "ended_at", "spend_usd", "approximate"),
    ("account", "approximate"),
    ("started_at", "ended_at"),
    {"spend_usd": "Credits spent in a run of the meter, USD."},
    lambda row: row["ended_at"] or row["started_at"],
)
SPIKES = ExportTable(
    _spikes,
    (
        *("account", "started_at", "ended_at", "threshold", "floor_usd", "window_hours", "burst"),
        *("highest", "acknowledged", "notified"),
    ),
    ("account", "threshold", "floor_usd", "window_hours", "burst"),
    ("started_at", "ended_at"),
    {
        "highest": "Highest level of a spike alert: 3 spike, 4 critical.",
        "acknowledged": "Highest level that was acknowledged: 2 none.",
        "notified": "Highest level that was notified: 2 none.",
    },
    lambda row: row["started_at"],
)
ACTIONS = ExportTable(
    _actions,
    ("account", "at", "key", "disabled", "source", "result", "message"),
    ("account", "key", "source", "result", "message"),
    ("at",),
    {"disabled": "API key that was disabled (1) or enabled (0)."},
    lambda row: row["at"],
)
TABLES = {"samples": SAMPLES, "runs": RUNS, "spikes": SPIKES, "actions": ACTIONS}


class CountedRows:
    """The rows, counted as they are read: days, not their rows."""

    def __init__(self, rows: Iterable[ExportRow]) -> None:
        self.read = 0
        self._rows = rows
        self._days: set[Any] = set()

    def __iter__(self) -> Iterator[ExportRow]:
        for row in self._rows:
            self.read += 1
            if "day" in row:
                self._days.add(row["day"])
            yield row

    @property
    def count(self) -> int:
        return len(self._days) or self.read


def count_words(what: str, count: int) -> str:
    """Return how much was exported, in words."""
    return f"{count} {what.removesuffix('s') if count == 1 else what}" if what != "now" else f"{count} values"


def number_of(value: object) -> Decimal | int | None:
    """Return a measure as a number: of a level its place in their order."""
    if value is None or isinstance(value, Decimal):
        return value
    assert isinstance(value, int)  # noqa: S101 – measures are amounts, counts and levels
    return int(value)
