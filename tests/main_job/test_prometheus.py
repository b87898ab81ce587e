"""The real Prometheus scrapes the real daemon: every query of the dashboard returns data, and the alert rules can be read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from openbalance_hid.account.snapshot import Credits
from openbalance_hid.history.records import AccountIdentity, StoredSample
from openbalance_hid.history.store import HistoryStore
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import DaemonProcess, ask, environment, started
from tests.main_job.test_export_programs import RUN, free_port, needs, needs_promtool, served
from tests.waiting import PATIENCE_S, until

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "packaging/grafana/openbalance-hid.json").read_text(encoding="utf-8"))
RULES = ROOT / "packaging/prometheus"
QUERIES = sorted({target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]})
needs_prometheus = needs("prometheus", "prometheus")


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DaemonProcess, str]]:
    """A daemon with a sample account, two days of readings and a budget; and the address of its metrics."""
    folder = tmp_path_factory.mktemp("metrics")
    with SampleAccount() as account:
        (folder / "state").mkdir(mode=0o700)
        store = HistoryStore(folder / "state/history.sqlite3", lambda: None, lambda: datetime.now(UTC))
        readings = [StoredSample(at, Credits(bought, used)) for at, bought, used in account.past_readings()]
        store.write_all(AccountIdentity("default", Secret(account.key).fingerprint), readings)
        store.close()
        address = f"127.0.0.1:{free_port()}"
        (folder / "config.toml").write_text(f'[accounts.default]\nbudget_usd = 200\n[metrics]\nlisten = "{address}"\n')
        env = environment(folder, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as running:
            running.until_polled()
            yield running, address


@pytest.fixture(scope="module")
def prometheus(daemon: tuple[DaemonProcess, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has scraped the daemon twice."""
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(RULES / "alerts.yml", folder)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 250ms, evaluation_interval: 250ms}\nrule_files: [alerts.yml]\n"
        f"scrape_configs: [{{job_name: openbalance, static_configs: [{{targets: ['{daemon[1]}']}}]}}]\n"
    )
    port = free_port()
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with served([*command, f"--web.listen-address=127.0.0.1:{port}"], port):
        url = f"http://127.0.0.1:{port}"
        until(lambda: requests.get(f"{url}/-/ready", timeout=PATIENCE_S).ok, "Prometheus never became ready")
        until(lambda: len(results(url, "rate(openbalance_polls_total[1h])")), "Prometheus has not scraped the daemon twice")
        yield url


def results(url: str, query: str) -> list[Any]:
    answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=PATIENCE_S).json()
    assert answer["status"] == "success", answer
    return list(answer["data"]["result"])


@needs_prometheus
@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_dashboard_returns_data(prometheus: str, query: str) -> None:
    until(lambda: results(prometheus, query.replace("$account", ".*")), query)  # the next scrape may have what this one had not
    found = results(prometheus, query.replace("$account", ".*"))
    assert not any(each["value"][1] == "NaN" for each in found)


@needs_prometheus
def test_a_query_for_the_choice_of_accounts_returns_their_names(prometheus: str) -> None:
    (query,) = [each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]
    match = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert match is not None
    answer = requests.get(f"{prometheus}/api/v1/label/{match[2]}/values", params={"match[]": match[1]}, timeout=PATIENCE_S)
    assert answer.json()["data"] == ["default"]


@needs_prometheus
def test_prometheus_evaluates_every_alert_rule_and_none_fires(prometheus: str) -> None:
    def rules() -> list[Any]:
        groups = requests.get(f"{prometheus}/api/v1/rules", timeout=PATIENCE_S).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    until(lambda: all(rule["health"] == "ok" for rule in rules()), lambda: rules())
    assert len(rules()) == len(re.findall(r"- alert:", (RULES / "alerts.yml").read_text()))
    assert [rule["name"] for rule in rules() if rule["state"] == "firing"] == []


@needs_promtool
@pytest.mark.parametrize("command", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")])
def test_promtool_accepts_the_alert_rules_and_their_tests(command: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *command], cwd=RULES, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_nothing_to_complain_about_in_what_is_scraped(daemon: tuple[DaemonProcess, str]) -> None:
    text = requests.get(f"http://{daemon[1]}/metrics", timeout=PATIENCE_S).text
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_export_and_metrics_have_the_same_names_and_numbers(daemon: tuple[DaemonProcess, str]) -> None:
    running, address = daemon
    served_text = requests.get(f"http://{address}/metrics", timeout=PATIENCE_S).text
    scraped = {name: float(value) for name, value in map(split_line, served_text.splitlines()) if name}
    for by in ((), ("--by", "model"), ("--by", "provider"), ("--by", "key")):
        text = ask(running.env, "export", "--what", "now", "--format", "openmetrics", *by).stdout
        exported = {name: float(value.split()[0]) for name, value in map(split_line, text.splitlines()) if name}
        assert exported
        assert {name: scraped.get(name) for name in exported} == pytest.approx(exported, rel=1e-3)  # a projection moves on


def split_line(line: str) -> tuple[str, str]:
    """Return a series, its labels in order, and what follows; empty for a comment."""
    match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (.*)", line)
    if match is None or line.startswith("#"):
        return "", ""
    labels = sorted(re.findall(r'\w+="[^"]*"', match[2] or ""))
    return f"{match[1]}{{{','.join(labels)}}}", match[3]


def test_neither_the_key_nor_a_hash_is_in_the_metrics(daemon: tuple[DaemonProcess, str]) -> None:
    running, address = daemon
    text = requests.get(f"http://{address}/metrics", timeout=PATIENCE_S).text
    key = running.env["OPENROUTER_MANAGEMENT_KEY"]
    url = running.env["OPENBALANCE_API_URL"]
    rows = requests.get(f"{url}/keys", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE_S).json()["data"]
    assert rows
    assert [row["hash"] for row in rows if row["hash"][:8] in text] == []
    assert key not in text
    assert key[-8:] not in text


def test_a_change_of_the_file_moves_the_metrics(daemon: tuple[DaemonProcess, str]) -> None:
    running, address = daemon
    file = Path(running.env["OPENBALANCE_CONFIG"])
    before, other = file.read_text(), f"127.0.0.1:{free_port()}"
    try:
        file.write_text(before.replace(address, other))
        until(lambda: running.status()["metrics"] == {"listen": other, "problem": None, "hint": None}, running.log)
        assert requests.get(f"http://{other}/metrics", timeout=PATIENCE_S).status_code == 200
        assert f"http://{other}/metrics" in running.ask("status").stdout
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://{address}/metrics", timeout=PATIENCE_S)
    finally:
        file.write_text(before)
        until(lambda: running.status()["metrics"]["listen"] == address, running.log)
