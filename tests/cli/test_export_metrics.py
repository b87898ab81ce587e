"""Prometheus' formats of a long history: series whole and in order, in bounded memory."""

import tempfile
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import pytest
from prometheus_client.openmetrics import parser as openmetrics

from openbalance_hid.account.snapshot import Spend
from openbalance_hid.cli.export_metrics import IN_MEMORY_BYTES, as_metrics
from openbalance_hid.cli.export_tables import RUNS, ExportRow, days_table
from openbalance_hid.errors import ConfigError
from openbalance_hid.history.reader import open_reader
from openbalance_hid.history.records import AccountIdentity, StoredDays
from openbalance_hid.history.store import HistoryStore

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 1)
OLD, NEW, WORK = AccountIdentity("home", "old"), AccountIdentity("home", "new"), AccountIdentity("work", "its")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Return a history of two accounts, one of them with a replaced key, with models that come and go."""
    tmp_path.chmod(0o700)
    path = tmp_path / "history.sqlite3"
    store = HistoryStore(path, lambda: None, lambda: NOON)
    for who, first, models in ((OLD, 0, "ab"), (NEW, 2, "bc"), (WORK, 1, "ac")):
        days = {
            DAY + timedelta(days=first + age): {model: Spend(Decimal(first * 10 + age), age, 7) for model in models[age % 2 :]}
            for age in range(4)
        }
        store.write(who, StoredDays("model", days))
    store.close()
    return path


def long_rows(count: int) -> Iterator[ExportRow]:
    for number in range(count):
        amounts = {
            "spend_usd": Decimal(number),
            "requests": number,
            "tokens": number,
            "byok_usd": None,
            "byok_lower_bound": None,
        }
        yield {"account": "default", "day": DAY + timedelta(days=number), "model": "v/model", **amounts}


@pytest.mark.parametrize("with_times", [True, False])
def test_each_metric_is_whole_and_each_series_in_the_order_of_its_days(history: Path, with_times: bool) -> None:
    table = days_table("model")
    with open_reader(history, None) as reader:
        expected = list(table.read(reader))
        lines = "".join(as_metrics("days", table, table.series(reader), with_times)).splitlines()
    shown = [line.split(" ") for line in lines if not line.startswith("#")]
    series = [name for name, *_ in shown]
    assert len(shown) == 3 * len(expected), "spend, requests and tokens of each row; own-key cost is not known"
    assert [name for name, _ in groupby(series)] == list(dict.fromkeys(series)), "the samples of a series are together"
    assert [name for name, _ in groupby(series, lambda name: name.split("{")[0])] == [
        "openbalance_day_spend_usd", "openbalance_day_requests", "openbalance_day_tokens",
    ]  # fmt: skip
    if with_times:
        for _, samples in groupby(shown, lambda line: line[0]):
            times = [float(at) for _, _, at in samples]
            assert times == sorted(set(times))
        parsed = list(openmetrics.text_string_to_metric_families("\n".join([*lines, "# EOF\n"])))
        spent = [(each.labels["account"], each.labels["model"], each.value) for each in parsed[0].samples]
        assert sorted(spent) == sorted((row["account"], row["model"], float(row["spend_usd"])) for row in expected)


def test_of_two_numbers_of_a_series_at_one_instant_the_first_counts() -> None:
    run = {"account": "default", "started_at": NOON, "ended_at": NOON, "approximate": False}
    rows = [{**run, "spend_usd": None}, {**run, "spend_usd": Decimal(1)}, {**run, "spend_usd": Decimal(2)}]
    *_, line = "".join(as_metrics("runs", RUNS, rows, with_times=True)).splitlines()
    assert line.split(" ")[1] == "1"


def test_a_history_of_twice_the_length_needs_no_more_memory() -> None:
    table, peaks = days_table("model"), []
    tracemalloc.start()
    try:
        for count in (11_000, 22_000):
            tracemalloc.reset_peak()
            assert sum(len(piece) for piece in as_metrics("days", table, long_rows(count), with_times=True)) > count * 100
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + IN_MEMORY_BYTES, "without a file it would be twice as much"


def test_without_room_for_a_temporary_file_the_error_names_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert next(as_metrics("days", days_table("model"), long_rows(9), with_times=True)).startswith("# HELP"), "needs no file"
    with pytest.raises(ConfigError, match="cannot write a temporary file: no such file or directory") as caught:
        list(as_metrics("days", days_table("model"), long_rows(20_000), with_times=True))
    assert caught.value.hint.startswith("df -h ")
