"""`bar` as a status bar starts it: a process that prints a line, or one that goes on printing."""

from __future__ import annotations

import json

import pytest

from openbalance_hid.cli.bar.formats import FORMATS
from tests.main_job.daemon_process import ask, environment, page_of, started, watching
from tests.main_job.terminal import on_a_terminal
from tests.waiting import PATIENCE_S


@pytest.fixture
def demo(tmp_path):
    with started(environment(tmp_path), "demo", "--no-browser", "--port", "0") as running:
        running.until_polled()
        yield running


def test_every_format_tells_what_the_status_does(demo):
    for kind in FORMATS:
        said = demo.ask("bar", "--format", kind)
        assert (said.returncode, said.stderr) == (0, ""), kind
        assert "$74.2" in said.stdout, kind
    report = json.loads(demo.ask("bar", "--format", "json", "--show", "usage", "--period", "30d").stdout)
    account = demo.status()["accounts"]["default"]
    assert (report["balance_usd"], report["usage_usd"]) == (account["balance_usd"], account["spend_usd"]["30d"])
    assert demo.ask("bar", "--account", "other").returncode == 2


def test_watch_prints_when_something_changes_and_ends_with_the_daemon(demo):
    with watching(demo, "bar", "--show", "balance") as bar, page_of(demo) as page:
        assert bar.stdout.readline().startswith("✓ $74.2")
        before = demo.status()["counters"]["api_calls"]
        demo.ask("press", "3")  # the tiles are computed again, and the watching bar gets the new text
        assert demo.status()["counters"]["api_calls"] == before, "watching asks nothing of OpenRouter"
        page.send(type="scenario", name="negative")
        for line in bar.stdout:  # a scenario is another account: it is met first
            if line == "▽ Low -$2.40\n":
                break
        assert demo.ask("stop").returncode == 0
        assert list(bar.stdout)[-1] == "∅ no daemon\n"
        assert bar.wait(PATIENCE_S) == 69
        assert bar.stderr.read() == "error: the daemon has ended\ntry: openbalance-hid run\n"


@pytest.mark.parametrize("words", [(), ("--watch",), ("--format", "waybar")])
def test_without_a_daemon_the_bar_says_so_and_the_code_is_69(tmp_path, words):
    said = ask(environment(tmp_path), "bar", *words)
    assert said.returncode == 69
    assert "no daemon" in said.stdout
    assert said.stderr == "error: no daemon is running\ntry: openbalance-hid run\n"


def test_watch_ends_when_its_reader_does_also_without_a_change(demo):
    with watching(demo, "bar", "--show", "balance") as bar:
        assert bar.stdout.readline().startswith("✓ $74.2")
        bar.stdout.close()
        assert bar.wait(PATIENCE_S) == 141
        assert bar.stderr.read() == ""


def test_watch_on_a_terminal_ends_when_that_is_closed(demo):
    with on_a_terminal(demo.env, "bar", "--watch", "--show", "balance") as bar:
        bar.read_until("✓ $74.2")
        bar.close()
        bar.process.wait(PATIENCE_S)
