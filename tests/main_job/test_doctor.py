"""`doctor` as a user types it: with nothing in place, beside a running daemon, with a broken configuration, for programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from openbalance_hid.service.doctor.registry import PROBES
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import ask, environment, page_of, started
from tests.service.doctor.doctor_context import NO_SERVER

FIELDS = {"name", "about", "verdict", "found", "hint", "details"}


@pytest.mark.skipif(sys.platform == "darwin", reason="the doctor does not read the Keychain")
def test_with_nothing_in_place_every_probe_answers_and_the_key_is_the_first_failure(tmp_path: Path):
    env = environment(tmp_path, OPENBALANCE_API_URL=NO_SERVER, HOME=str(tmp_path))
    ended = ask(env, "doctor", "--json")
    report = json.loads(ended.stdout)
    failures = [check["name"] for check in report["checks"] if check["verdict"] == "failure"]
    assert (ended.returncode, ended.stderr, failures) == (77, "", ["key", "openrouter"])
    assert report["verdict"] == "failure"
    # Without a deck there is no program that uses it, and without a key there is no kind of key to check.
    assert {probe.name for probe in PROBES} - {check["name"] for check in report["checks"]} <= {
        "broker",
        "key-kind",
        "udev",
        "owners",
    }
    assert all(set(check) == FIELDS for check in report["checks"])
    words = ask(env, "doctor")
    assert words.returncode == 77
    assert "failure  key" in words.stdout
    assert "try: openbalance-hid setup --store file\n" in words.stdout
    assert words.stdout.splitlines()[-1].startswith("2 failures, ")
    assert not (tmp_path / "state").exists(), "a doctor leaves nothing behind"
    assert not (tmp_path / "run").exists()


def test_beside_a_running_daemon_it_is_well_and_shows_no_key(tmp_path: Path):
    with SampleAccount() as sample:
        env = environment(tmp_path, OPENROUTER_MANAGEMENT_KEY=sample.key, OPENBALANCE_API_URL=sample.url)
        with started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0") as running, page_of(running) as page:
            page.until_key(0, "$74.25")
            ended = running.ask("doctor", "--json")
            report = {check["name"]: check for check in json.loads(ended.stdout)["checks"]}
            assert (ended.returncode, ended.stderr) == (0, "")
            assert report["daemon"]["found"].startswith(f"running as process {running.process.pid}")
            assert [report[name]["verdict"] for name in ("key", "key-kind", "openrouter", "clock", "history")] == ["ok"] * 5
            assert report["history"]["found"].endswith("no damage")
            assert sample.key not in ended.stdout + running.ask("doctor").stdout


def test_a_broken_configuration_is_told_problem_by_problem_with_its_own_code(tmp_path: Path):
    with SampleAccount() as sample:
        env = environment(tmp_path, OPENROUTER_MANAGEMENT_KEY=sample.key, OPENBALANCE_API_URL=sample.url)
        Path(env["OPENBALANCE_CONFIG"]).write_text("theme = 1\nhold_seconds = 99\n")
        ended = ask(env, "doctor")
        assert ended.returncode == 78
        assert ended.stdout.count("failure  configuration") == 2
        assert ended.stdout.count("try: openbalance-hid config check") == 2
