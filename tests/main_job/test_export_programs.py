"""What `export` writes, taken by the programs that it is written for: promtool, node_exporter, pushgateway."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import DaemonProcess, ask, environment, started
from tests.waiting import PATIENCE_S, until

RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")
HISTORY = ("days", "samples", "runs", "spikes", "actions")


def needs(program: str, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program}: apt install {package}")


needs_promtool = needs("promtool", "prometheus")
needs_node_exporter = needs("prometheus-node-exporter", "prometheus-node-exporter")
needs_pushgateway = needs("prometheus-pushgateway", "prometheus-pushgateway")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    """A daemon with a sample account, which has polled once."""
    folder = tmp_path_factory.mktemp("export")
    with SampleAccount() as account:
        env = environment(folder, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as running:
            running.until_polled()
            yield running


def exported(env: Mapping[str, str], what: str, form: str, *more: str) -> str:
    done = ask(env, "export", "--what", what, "--format", form, *more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@needs_promtool
@pytest.mark.parametrize("by", [(), ("--by", "model"), ("--by", "provider"), ("--by", "key")])
@pytest.mark.parametrize("what", ["now", "days"])
def test_promtool_finds_nothing_to_complain_about(home: DaemonProcess, what: str, by: tuple[str, ...]) -> None:
    text = exported(home.env, what, "prometheus", *by)
    assert "openbalance_" in text
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@needs_promtool
@pytest.mark.parametrize("what", HISTORY)
def test_promtool_makes_blocks_of_the_history(home: DaemonProcess, what: str, tmp_path: Path) -> None:
    (tmp_path / "history.om").write_text(exported(home.env, what, "openmetrics"))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "history.om"), str(tmp_path / "blocks")]
    made = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert made.returncode == 0, made.stderr
    if what in ("days", "samples"):
        (tmp_path / "blocks" / "wal").mkdir()  # `dump` reads only a complete database
        read = subprocess.run(
            ["promtool", "tsdb", "dump", str(tmp_path / "blocks")], capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert "openbalance_day_spend_usd" in read.stdout or "openbalance_sample_balance_usd" in read.stdout, read.stderr


@needs_node_exporter
def test_node_exporter_shows_the_series_of_its_textfile_directory(home: DaemonProcess, tmp_path: Path) -> None:
    for what in ("now", *HISTORY):
        file = tmp_path / f"openbalance-{what}.prom"
        assert ask(home.env, "export", "--what", what, "--format", "prometheus", "-o", str(file)).returncode == 0
    port = free_port()
    command = [
        "prometheus-node-exporter",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--collector.textfile.directory={tmp_path}",
    ]
    with served([*command, "--collector.disable-defaults", "--collector.textfile"], port):
        shown = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S).text
    assert "node_textfile_scrape_error 0" in shown
    assert re.search(r'^openbalance_balance_usd\{account="default"\} 74\.', shown, re.MULTILINE)
    assert re.search(r'^openbalance_spend_usd\{account="default",period="30d"\} ', shown, re.MULTILINE)
    assert re.search(r'^openbalance_day_spend_usd\{account="default",day="', shown, re.MULTILINE)


@needs_pushgateway
def test_pushgateway_takes_a_push_and_keeps_the_series(home: DaemonProcess) -> None:
    port = free_port()
    with served(["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}"], port):
        url = f"http://127.0.0.1:{port}"
        for what in ("now", "days", "samples"):
            text = exported(home.env, what, "prometheus")
            pushed = requests.put(f"{url}/metrics/job/openbalance-{what}", data=text.encode(), timeout=PATIENCE_S)
            assert pushed.status_code == 200, pushed.text
        kept = requests.get(f"{url}/metrics", timeout=PATIENCE_S).text
    assert re.search(r'^openbalance_balance_usd\{account="default",.*\} 74\.', kept, re.MULTILINE)


def test_now_is_what_status_shows(home: DaemonProcess) -> None:
    account = home.status()["accounts"]["default"]
    text = exported(home.env, "now", "prometheus")
    assert "openbalance_up 1\n" in text
    assert f'openbalance_balance_usd{{account="default"}} {account["balance_usd"]}\n' in text
    for period, usd in account["spend_usd"].items():
        line = f'openbalance_spend_usd{{account="default",period="{period}"}} {usd}\n'
        assert (line in text) is (usd is not None)
    assert f'openbalance_spike_level{{account="default"}} {2 if account["spike"]["level"] == "normal" else 0}' in text
    models = exported(home.env, "now", "prometheus", "--by", "model")
    assert 'openbalance_model_spend_usd{account="default",model="anthropic/claude-sonnet-4.5",period="30d"}' in models
    assert 'key="laptop",period="month"' in exported(home.env, "now", "prometheus", "--by", "key")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], port: int) -> Iterator[None]:
    """Run a server until the end of the block; it answers at the start of the block."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: answers(port) or process.poll() is not None, f"{command[0]} did not start")
            assert process.poll() is None, process.stderr.read() if process.stderr is not None else ""
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
