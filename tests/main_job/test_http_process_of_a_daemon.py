"""The daemon's requests run in a child, which is there for polls and ends with the daemon, however that ends."""

import os
import signal
import sys
from pathlib import Path

import pytest

from openbalance_hid.runtime.http_process import MODULE
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import DaemonProcess, environment, started
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc, which is Linux's")
RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")


def http_processes(daemon: DaemonProcess) -> list[int]:
    """Return the children of a daemon that make requests."""
    pid = daemon.process.pid
    children = (int(pid) for task in Path(f"/proc/{pid}/task").iterdir() for pid in (task / "children").read_text().split())
    return [pid for pid in children if MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


def is_there(pid: int) -> bool:
    try:
        return MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()  # a zombie has none
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_poll_starts_one_child_which_ends_with_the_daemon(tmp_path: Path, number: signal.Signals) -> None:
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as daemon:
            daemon.until_polled()
            (child,) = http_processes(daemon)
            assert daemon.status()["accounts"]["default"]["health"] == "ok"
            assert daemon.end(number) == (0 if number == signal.SIGTERM else -number)
            until(lambda: not is_there(child))
            assert daemon.log.count("Traceback") == 0


def test_a_child_that_is_killed_is_replaced_and_nothing_is_logged(tmp_path: Path) -> None:
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as daemon:
            daemon.until_polled()
            (child,) = http_processes(daemon)
            os.kill(child, signal.SIGKILL)
            until(lambda: not is_there(child))
            polls = daemon.status()["counters"]["polls"]
            until(lambda: daemon.ask("refresh").returncode == 0 and daemon.status()["counters"]["polls"] > polls)
            assert daemon.status()["accounts"]["default"]["health"] == "ok"
            assert http_processes(daemon) != [child]
            assert daemon.end() == 0
            assert "warning" not in daemon.log
