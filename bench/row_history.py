"""A long history: its export, and the first number of a start with it."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench.child import Child, bare_environment
from bench.row_start import RUN
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment
from openbalance_hid.account.snapshot import Spend
from openbalance_hid.history.records import AccountIdentity, StoredDays
from openbalance_hid.history.store import HistoryStore
from openbalance_hid.secret import Secret

YEAR = 365
# Not the peak of getrusage(2), which is at least that of the process that started it.
WITH_PEAK = """
import pathlib, re
from openbalance_hid.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code
file = pathlib.Path("/proc/self/status")
print(*re.findall("VmHWM:[^0-9]*([0-9]+)", file.read_text() if file.exists() else "VmHWM: 0"))
"""
NEW = "the same with an empty history"
FORMATS = {"csv": ("CSV", 10.0), "json": ("JSON", 10.0), "openmetrics": ("OpenMetrics", 20.0)}  # name, goal in seconds
OPENMETRICS_NOTE = " A line for each of five numbers of a row, sorted by series."


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows."""
    days, models = sizes.long_history
    with user_environment() as long, user_environment() as new:
        _write(long, days, models)
        exports = {form: _export(long, form) for form in FORMATS}
        started = [(first_number_ms(long), first_number_ms(new)) for _ in range(max(1, sizes.starts // 3))]
    size = f"{days} days of {models} models, as whole processes."
    note = f"{size} From the start to the picture of the first key with a number."
    ours, theirs = tuple(a for a, _ in started), tuple(b for _, b in started)
    return [
        *(row for form, measured in exports.items() for row in _export_rows(form, *measured, size)),
        Row("first number with a long history", "ms", ours, NEW, theirs, Goal(at_most=1000.0), note),
    ]


def _export_rows(form: str, took_s: float, peak_mb: float, note: str) -> tuple[Row, Row]:
    title, goal_s = FORMATS[form]
    name, note = f"export of a long history, {title}", note + (OPENMETRICS_NOTE if form == "openmetrics" else "")
    return (
        Row(f"{name}: time", "s", (took_s,), "", (), Goal(at_most=goal_s), note),
        Row(f"{name}: peak memory", "MB", (peak_mb,), "", (), Goal(at_most=80.0), note),
    )


def _write(env: Mapping[str, str], days: int, models: int) -> None:
    """Write a history of the account of this environment."""
    folder = Path(env["OPENBALANCE_STATE_DIR"])
    folder.mkdir(mode=0o700, parents=True)
    store = HistoryStore(folder / "history.sqlite3", lambda: None)
    who = AccountIdentity("default", Secret(env["OPENROUTER_MANAGEMENT_KEY"]).fingerprint)
    now = datetime.now(UTC)
    spent = {
        f"vendor-{number % 20}/model-{number}": Spend(Decimal("1.123456789") + number, 100, 10_000) for number in range(models)
    }
    for start in range(1, days + 1, YEAR):
        ages = range(start, min(start + YEAR, days + 1))
        store.write(who, StoredDays("model", {now.date() - timedelta(days=age): spent for age in ages}, read_at=now))
    store.close()


def _export(env: Mapping[str, str], form: str) -> tuple[float, float]:
    """Return the seconds and the peak of memory in MB; 0 where the system does not report it."""
    words = ["export", "--what", "days", "--by", "model", "--format", form, "-o", os.devnull]
    started_s = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", WITH_PEAK, *words],
        env={**bare_environment(), **env},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return time.perf_counter() - started_s, float(run.stdout) / 1024


def first_number_ms(env: Mapping[str, str]) -> float:
    """Return the milliseconds from the start to the second picture of the first key: the first one is "Preparing…"."""
    with Child("bench.child_start", *RUN, env=env) as child:
        pictures = [child.reply(), child.reply()]
        return 1000 * float(pictures[1]["marks"]["shown"][0] - child.started_s)
