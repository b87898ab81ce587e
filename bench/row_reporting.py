"""What the reports to other programs cost: the HTML page of two years, and metrics for Prometheus."""

import http.client
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench.child import Child, bare_environment
from bench.neighbours.costs import costs_of, has_costs
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import free_port, user_environment
from openbalance_hid.account.snapshot import Credits, Spend
from openbalance_hid.history.records import AccountIdentity, StoredDays, StoredSample
from openbalance_hid.history.store import HistoryStore

MODEL = "mk2"
MODELS, PROVIDERS, KEYS = 40, 15, 20
GOAL_S = 5.0
SCRAPES = 40  # before the memory is read
SETTLED_S = 1.0  # the threads of the scrapes have ended
BARE = "an empty Python process"
WITHOUT = "the same daemon without `[metrics]`"
HOST = "127.0.0.1"


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows about the report and about the metrics."""
    return [_report(sizes), *_metrics(sizes)]


def _report(sizes: SampleSizes) -> Row:
    with tempfile.TemporaryDirectory(prefix="openbalance-bench-") as folder:
        write_history(Path(folder), sizes.two_years_days)
        env = {
            "OPENBALANCE_CONFIG": f"{folder}/config.toml",
            "OPENBALANCE_STATE_DIR": f"{folder}/state",
            "OPENBALANCE_RUNTIME_DIR": f"{folder}/run",
        }
        report = ["-m", "openbalance_hid", "report", "--period", "all", "-o", f"{folder}/report.html"]
        took = [(_took_s(report, env), _took_s(["-c", ""], env)) for _ in range(sizes.starts)]
    note = (
        f"{sizes.two_years_days} days of {MODELS} models, {PROVIDERS} providers and {KEYS} keys, from the start of Python to "
        "its end. On a core of its own this is the time that a user waits. In turns with the program of 2026-11-25 (41.6 times "
        "the peer then) on one machine: then 52.9 and 58.1 times, now 46.2 and 59.3."
    )
    ours, bare = (tuple(times) for times in zip(*took, strict=True))
    return Row("`report` of two years: CPU time of the whole process", "s", ours, BARE, bare, Goal(at_most=GOAL_S), note)


def write_history(folder: Path, days_count: int) -> None:
    """Write so many days of history below `folder`."""
    (folder / "state").mkdir(mode=0o700)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=5, microsecond=0)
    days = [today - timedelta(days=age) for age in range(days_count, 0, -1)]
    me = AccountIdentity("default", "key")
    store = HistoryStore(folder / "state/history.sqlite3", lambda: None, lambda: datetime.now(UTC))
    for kind, count in (("model", MODELS), ("provider", PROVIDERS), ("key", KEYS)):
        parts = {f"vendor/{kind}-{number}": Spend(Decimal(number + 1) / 7, 10, 1000) for number in range(count)}
        store.write(me, StoredDays(kind, {day.date(): parts for day in days}, read_at=today))
    used = sum((Decimal(number + 1) / 7 for number in range(MODELS)), Decimal(0))
    store.write_all(me, [StoredSample(day, Credits(Decimal(10**6), used * number)) for number, day in enumerate(days)])
    store.close()


def _took_s(words: list[str], env: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], env={**bare_environment(), **env}, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _metrics(sizes: SampleSizes) -> list[Row]:
    port = free_port()
    with (
        user_environment(f'[metrics]\nlisten = "{HOST}:{port}"\n') as with_metrics,
        user_environment() as without,
        Child("bench.child_daemon", MODEL, "1", env=with_metrics) as ours,
        Child("bench.child_daemon", MODEL, "1", env=without) as theirs,
    ):
        for child in (ours, theirs):
            child.request("settle")
        took_ms = tuple(_scrape_ms(port) for _ in range(max(sizes.starts, min(SCRAPES, sizes.presses))))
        time.sleep(SETTLED_S)
        memory = (costs_of(ours.pid).private_mib, costs_of(theirs.pid).private_mib) if has_costs() else None
    scrape = Row(
        "a scrape of `/metrics`", "ms", took_ms, "", (), Goal(), "a new connection each, the sample account, one deck."
    )
    if memory is None:
        return [scrape]
    note = (
        "prometheus_client, the web server and what scrapes leave behind. More as a ratio than on 2026-11-25 (1.11): then, the "
        "daemon had the parts of Python for HTTP that this needs in any case, and 33.6 MiB without metrics."
    )
    name = "private memory with metrics, after some scrapes"
    return [scrape, Row(name, "MiB", memory[:1], WITHOUT, memory[1:], Goal(), note)]


def _scrape_ms(port: int) -> float:
    started_s = time.perf_counter()
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    assert answer.status == 200 and b"openbalance_balance_usd" in body
    return 1000 * (time.perf_counter() - started_s)
