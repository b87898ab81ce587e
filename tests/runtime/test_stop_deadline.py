"""Stopping: one deadline for everything, decks first, and what hangs is named in the log."""

import logging
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from openbalance_hid.config.private_directory import private_dir
from openbalance_hid.history.keeper import open_history
from openbalance_hid.openrouter.client import Client
from openbalance_hid.runtime.pollers import Pollers
from openbalance_hid.runtime.stop_deadline import LEAST_S, StopDeadline
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import environment, started
from tests.waiting import PATIENCE_S, threads_named, until

SLOW_S = 600.0  # longer than any limit of a request


def test_the_parts_share_one_time_limit_from_its_start_on() -> None:
    time_s = [100.0]
    deadline = StopDeadline(0.5, lambda: time_s[0])
    assert deadline.left_s() == 0.5
    time_s[0] += 60
    deadline.begin()
    time_s[0] += 0.3
    assert deadline.left_s() == pytest.approx(0.2)
    time_s[0] += 60
    assert deadline.left_s() == LEAST_S, "a thread that ends at once is still waited for"


def test_a_thread_that_holds_the_process_up_does_not_hold_it_for_ever() -> None:
    code = (
        "import threading; from openbalance_hid.runtime import stop_deadline; stop_deadline.FORCED_S = 0.2;"
        "threading.Thread(target=threading.Event().wait).start(); stop_deadline.StopDeadline().begin(forced=True)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, check=False).returncode == -signal.SIGALRM


def test_the_log_names_the_threads_that_did_not_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openbalance_hid")
    deadline, gate = StopDeadline(), threading.Event()
    thread = threading.Thread(target=gate.wait, name="poll work", daemon=True)
    thread.start()
    deadline.report()
    gate.set()
    thread.join()
    deadline.report()
    assert [record.getMessage() for record in caplog.records] == ["stopped without waiting for poll work"]


def test_fifty_pollers_whose_requests_hang_are_stopped_at_the_same_time(tmp_path: Path) -> None:
    history = open_history(tmp_path / "history.sqlite3", private_dir)
    released, published = threading.Event(), queue.SimpleQueue[object]()

    def client_that_hangs(_account: str) -> Client:
        assert released.wait(SLOW_S)
        raise AssertionError("the test has ended")

    accounts = [f"a{number}" for number in range(50)]
    pollers = Pollers(dict.fromkeys(accounts, 900.0), client_that_hangs, published.put, history)
    pollers.start()
    until(lambda: len(threads_named("poll a")) == len(accounts))
    pollers.stop(limit_s=0.0)
    assert len(threads_named("poll a")) == len(accounts), "no request was waited for"
    released.set()
    until(lambda: not threads_named("poll a"))
    assert published.empty(), "a poller that was stopped publishes nothing"


def test_a_daemon_whose_requests_hang_ends_them_and_waits_for_none(tmp_path: Path) -> None:
    with SampleAccount() as sample:
        sample.slow_s = SLOW_S
        names = [f"a{number}" for number in range(9)]
        (tmp_path / "config.toml").write_text("".join(f"[accounts.{name}]\n" for name in names))
        keys = {f"OPENROUTER_MANAGEMENT_KEY_{name.upper()}": sample.key for name in names}
        env = environment(tmp_path, OPENBALANCE_API_URL=sample.url, **keys)
        with started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0") as daemon:
            daemon.until_deck()
            until(lambda: len(sample.requests) >= len(names))
            assert daemon.end() == 0
    assert "stopped without waiting for" not in daemon.log
    assert "cannot reach" not in daemon.log
