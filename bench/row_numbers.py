"""The costs of a large account: reading and adding up its activity, and opening a history of five years."""

import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import requests

from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from openbalance_hid.account.snapshot import Credits, Spend
from openbalance_hid.history.records import AccountIdentity, StoredDays, StoredSample
from openbalance_hid.history.store import HistoryStore
from openbalance_hid.openrouter.activity import RowList, read_row, to_activity
from openbalance_hid.openrouter.replies import decoded

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MODELS, PROVIDERS = 300, 5
PEER = "`response.json()` and dictionaries of floats"
OPEN_PEER = "the same with one day in it"
KEPT = (
    "as above. More than on 2026-11-25 (10.7 MB): a hash of each row is kept until the end, because a repeated row counts "
    "once, and the cost with own keys is a sum of its own."
)


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows: activity of 45,000 rows, and a start with five years of history."""
    body = reply(sizes.activity_days)
    turns = [
        (_time_and_memory(lambda: to_activity(body, NOW.date())), _time_and_memory(lambda: with_dictionaries(body)))
        for _ in range(sizes.reads)
    ]
    times, peaks = ([tuple(turn[side][part] for turn in turns) for side in (0, 1)] for part in (0, 1))
    with tempfile.TemporaryDirectory(prefix="openbalance-bench-") as folder:
        long, short = (history(Path(folder, f"{days}.sqlite3"), days) for days in (sizes.five_years_days, 1))
        opened = [tuple(_open_ms(path) for _ in range(sizes.draws)) for path in (long, short)]
    size = f"{sizes.activity_days} days × {MODELS} models × {PROVIDERS} providers, {len(body) / 1e6:.0f} MB of JSON."
    floor_ms = min(_time_and_memory(lambda: found_and_read(body))[0] for _ in range(sizes.draws))
    limit = (
        f"{size} Every amount is the exact decimal of its text: for msgspec alone to find the rows and read their fields takes "
        f"{floor_ms:.0f} ms, before anything is added up. In several runs the peer takes 125 to 200 ms, and the ratio is 0.44 "
        "to 0.64; on 2026-11-25 it was 0.62."
    )
    return [
        Row("activity of 45,000 rows: time", "ms", times[0], PEER, times[1], Goal(ratio=Fraction(1, 2)), limit),
        Row("activity of 45,000 rows: peak memory", "MB", peaks[0], PEER, peaks[1], Goal(ratio=Fraction(1, 3)), KEPT),
        Row(
            "start with five years of history",
            "ms",
            opened[0],
            OPEN_PEER,
            opened[1],
            Goal(at_most=1000.0),
            "opened, checked from end to end, and recalled: 30 models, 8 providers and 5 keys a day.",
        ),
    ]


def reply(days: int) -> bytes:
    """Return one reply of `/activity`."""
    data = [
        {
            "date": f"{NOW.date() - timedelta(days=day)} 00:00:00",
            "model": f"vendor-{model % 20}/model-{model}",
            "model_permaslug": f"vendor-{model % 20}/model-{model}-20260101",
            "endpoint_id": f"e-{model}-{provider}",
            "provider_name": f"Provider {provider}",
            "usage": round(0.001 * (model + 1) + provider * 0.0001234567, 9),
            "byok_usage_inference": 0,
            "requests": model + provider,
            "prompt_tokens": 1000 * model,
            "completion_tokens": 100 * model,
            "reasoning_tokens": 3,
            "cached_tokens": 4,
        }
        for day in range(1, days + 1)
        for model in range(MODELS)
        for provider in range(PROVIDERS)
    ]
    return json.dumps({"data": data}).encode()


def with_dictionaries(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do what most programs do: decode everything and add up floats."""
    response = requests.Response()
    response._content, response.status_code, response.encoding = body, 200, "utf-8"
    by_model: dict[str, Any] = {}
    by_provider: dict[str, Any] = {}
    for row in response.json()["data"]:
        for sums, name in ((by_model, row["model"]), (by_provider, row["provider_name"])):
            sums_of = sums.setdefault(row["date"][:10], {}).setdefault(name, [0.0, 0, 0])
            sums_of[0] += row["usage"]
            sums_of[1] += row["requests"]
            sums_of[2] += row["prompt_tokens"] + row["completion_tokens"]
    return by_model, by_provider


def found_and_read(body: bytes) -> None:
    """Decode each row into a struct and drop it: the lower bound of our way of reading."""
    for raw in decoded(body, RowList, "/activity").data:
        read_row(raw)


def history(path: Path, days: int) -> Path:
    """Write a history file with so many days; return its path."""
    store, who = HistoryStore(path, lambda: None), AccountIdentity("default", "bench")
    for kind, names in (("model", 30), ("provider", 8), ("key", 5)):
        spent = {f"{kind}-{number}": Spend(Decimal("1.123456789") + number, 100, 10_000) for number in range(names)}
        store.write(who, StoredDays(kind, {NOW.date() - timedelta(days=age): spent for age in range(1, days + 1)}, read_at=NOW))
    for quarter in range(192, -1, -1):
        store.write(who, StoredSample(NOW - quarter * timedelta(minutes=15), Credits(Decimal(99), Decimal(50) - quarter)))
    store.close()
    return path


def _open_ms(path: Path) -> float:
    started_s = time.perf_counter()
    store = HistoryStore(path, lambda: None)
    store.recall(AccountIdentity("default", "bench"), NOW)
    took_ms = 1000 * (time.perf_counter() - started_s)
    store.close()
    return took_ms


def _time_and_memory(work: Callable[[], object]) -> tuple[float, float]:
    """Return milliseconds, and from a second run the peak of memory in MB."""
    started_s = time.perf_counter()
    work()
    took_ms = 1000 * (time.perf_counter() - started_s)
    tracemalloc.start()
    try:
        work()
        return took_ms, tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
