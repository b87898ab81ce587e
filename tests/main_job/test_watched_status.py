"""`status --json --watch` as another program reads it: a line now and at each change, until one side ends."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid.ipc.commands import STATUS_GAP_S
from openbalance_hid.ipc.control_client import request
from tests.main_job.daemon_process import DaemonProcess, ask, environment, started, watching
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    with started(environment(tmp_path_factory.mktemp("demo")), "demo", "--no-browser", "--port", "0") as running:
        running.until_polled()
        yield running


def press(running: DaemonProcess, key: int) -> None:
    request(Path(running.env["OPENBALANCE_RUNTIME_DIR"]) / "control.sock", "press", {"key": key})


def until_meter(process: subprocess.Popen[str], runs: bool) -> list[dict[str, Any]]:
    """Return the lines up to the first one in which the meter runs, or does not."""
    seen: list[dict[str, Any]] = []
    giving_up = threading.Timer(PATIENCE_S, process.kill)
    giving_up.start()
    try:
        for line in process.stdout:
            seen.append(json.loads(line))
            meter = seen[-1]["accounts"]["default"]["meter"]
            if (meter is not None and meter["running"]) is runs:
                return seen
    finally:
        giving_up.cancel()
    raise AssertionError(f"no line with the meter {'on' if runs else 'off'}, but {len(seen)} others")


def test_each_change_is_a_line_with_the_whole_status(demo: DaemonProcess):
    with watching(demo, "status", "--json") as process:
        first = json.loads(process.stdout.readline())
        assert first.keys() == demo.status().keys()
        press(demo, 11)  # the meter
        changed = until_meter(process, runs=True)[-1]
        assert "Meter running" in next(key["text"] for key in changed["decks"][0]["keys"] if key["tile"] == "meter")
        press(demo, 11)
        until_meter(process, runs=False)


def test_a_storm_of_changes_is_a_line_a_second_and_the_last_state_follows(demo: DaemonProcess):
    with watching(demo, "status", "--json") as process:
        json.loads(process.stdout.readline())
        began_s = time.monotonic()
        for _ in range(40):
            press(demo, 12)  # hides the amounts, and shows them again
        press(demo, 11)
        lines = until_meter(process, runs=True)
        assert len(lines) <= (time.monotonic() - began_s) / STATUS_GAP_S + 2
        assert not lines[-1]["accounts"]["default"]["masked"]
        press(demo, 11)


def test_it_ends_with_its_reader_also_without_a_change(demo: DaemonProcess):
    with watching(demo, "status", "--json") as process:
        assert process.stdout.readline().startswith('{"version"')
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 141
        assert process.stderr.read() == ""


def test_without_json_or_a_daemon_it_is_an_error_with_a_hint(tmp_path):
    refused = ask(environment(tmp_path), "status", "--watch")
    assert (refused.returncode, refused.stderr.splitlines()[1]) == (2, "try: openbalance-hid status --json --watch")
    absent = ask(environment(tmp_path), "status", "--json", "--watch")
    assert (absent.returncode, absent.stderr) == (69, "error: no daemon is running\ntry: openbalance-hid run\n")


def test_it_ends_with_the_daemon_and_code_69(tmp_path):
    demo = started(environment(tmp_path), "demo", "--no-browser", "--port", "0")
    with demo as running, watching(running, "status", "--json") as process:
        process.stdout.readline()
        assert running.end() == 0
        assert process.wait(PATIENCE_S) == 69
        assert process.stderr.read() == "error: the daemon has ended\ntry: openbalance-hid run\n"
