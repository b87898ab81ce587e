"""The memory of a day with everything on: command tiles, metrics that are scraped each minute, and a broker."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.child import Child
from bench.neighbours.costs import costs_of, has_costs
from bench.row_command_tiles import KEYS
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import environment_for, free_port
from bench.virtual_clock import VirtualClock
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

HOST = "127.0.0.1"
MODEL = "mk2"
SCRAPES = 15  # between two polls: one a minute
LIMIT_S = 30.0


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the row; none without Mosquitto."""
    broker = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/sbin")
    if broker is None or not has_costs():
        return []
    hours = sizes.day_hours
    with _mosquitto(broker) as port:
        memory, done = _day(port, hours)
    note = (
        f"{hours} hours of virtual time, the simulated deck and the virtual clock in the process; ten programs and a scrape "
        f"each minute, together {done['runs']} runs and {done['messages']} messages to Mosquitto. MiB at the end of each hour: "
        f"{', '.join(f'{mib:.1f}' for mib in memory)}."
    )
    name = "private memory after a day with ten command tiles, MQTT and metrics"
    return [Row(name, "MiB", memory[-1:], "the same after the first hour", memory[:1], Goal(), note)]


def _day(broker_port: int, hours: int) -> tuple[tuple[float, ...], dict[str, int]]:
    """Return the private MiB at the end of each hour, and the numbers of messages and runs."""
    clock = VirtualClock()
    always_on = "[dim]\nafter_minutes = 0\noff_after_minutes = 0\n"
    places = f'[metrics]\nlisten = "{HOST}:{free_port()}"\n[publish]\nmqtt = "mqtt://{HOST}:{broker_port}"\n'
    memory = []
    with (
        SampleAccount(clock=clock.utc) as sample,
        environment_for(sample, always_on + places + KEYS) as env,
        Child("bench.child_full_day", MODEL, env=env) as child,
    ):
        for hour in range(1, hours + 1):
            while clock.passed_s < hour * 3600.0:
                child.request("poll")
                for _ in range(SCRAPES):
                    child.request("scrape")
                clock.passed_s = child.request("pass")["poll_s"]
            child.request("costs")  # waits until everything is sent
            memory.append(costs_of(child.pid).private_mib)
        return tuple(memory), child.request("done")


@contextmanager
def _mosquitto(program: str) -> Iterator[int]:
    """Run a broker for this machine alone; yield its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="openbalance-bench-") as folder:
        config = Path(folder, "mosquitto.conf")
        config.write_text(f"listener {port} {HOST}\nallow_anonymous true\n", encoding="utf-8")
        process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end_s = time.monotonic() + LIMIT_S
            while not _is_open(port):
                if process.poll() is not None or time.monotonic() > end_s:
                    raise RuntimeError("mosquitto does not start")
                time.sleep(0.01)
            yield port
        finally:
            process.terminate()
            process.wait()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
