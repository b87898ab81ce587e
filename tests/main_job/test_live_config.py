"""Edit, save, and the deck follows: the whole daemon, a real file, a real signal."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import DaemonProcess, environment, page_of, started
from tests.waiting import until

FIRST = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "balance"\n'
SECOND = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "runway"\n[[decks.keys]]\nkey = 1\ntile = "balance"\n'
CORNER = 14  # of an MK.2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(FIRST)
    return file


@pytest.fixture
def running(tmp_path: Path, file: Path):
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0") as running:
            yield running


def save(file: Path, text: str) -> None:
    draft = file.with_name("draft")
    draft.write_text(text)
    draft.rename(file)


def test_a_saved_file_is_on_the_deck_and_a_bad_one_changes_nothing(running: DaemonProcess, file: Path):
    with page_of(running) as page:
        page.until_key(0, "Balance $74.25")
        save(file, SECOND)
        page.until_key(0, "Runway")
        page.until_key(1, "Balance $74.25")
        save(file, SECOND.replace("runway", "runaway"))
        page.until_key(CORNER, "configuration error")
        assert "Runway" in page.texts[0]
        assert "'runway'" in running.status()["config"]["error"]
        running.until_logged("the configuration stays as it was")
        refused = running.ask("reload")
        assert (refused.returncode, "'runway'" in refused.stderr) == (78, True)
        save(file, FIRST)
        page.until_key(0, "Balance $74.25")
        page.until(lambda page: page.texts[CORNER] == "blank")
        assert running.status()["config"]["error"] is None
        assert running.ask("reload").stdout == "configuration: unchanged\n"
        running.process.send_signal(signal.SIGHUP)
        assert running.ask("reload").stdout == "configuration: unchanged\n"


def test_accounts_come_and_go_with_the_file(running: DaemonProcess, file: Path):
    with page_of(running) as page:
        page.until_key(0, "Balance $74.25")
        save(file, "[accounts.work]\n" + FIRST.replace("key = 0", 'key = 0\naccount = "work"'))
        page.until_key(0, "Set up")
        assert set(running.status()["accounts"]) == {"default", "work"}
        save(file, FIRST)
        page.until_key(0, "Balance $74.25")
        assert set(running.status()["accounts"]) == {"default"}


def test_a_virtual_deck_is_a_connected_deck_for_the_notes_of_check_and_doctor(running: DaemonProcess, file: Path):
    until(lambda: running.status()["decks"])
    serial = running.status()["decks"][0]["serial"]
    save(file, FIRST.replace("[[decks]]", f"[[decks]]\nserial = ' {serial.lower()}'", 1))
    assert running.ask("config", "check").stderr == ""
    assert "no connected deck" not in running.ask("doctor").stdout
    save(file, FIRST.replace("[[decks]]", "[[decks]]\nserial = 'ABC'", 1))
    words = f"decks[0]: no connected deck has the serial number 'ABC'; connected: {serial}"
    assert words in running.ask("config", "check").stderr
    if sys.platform != "darwin":  # there only one thread may list decks, so that the doctor leaves this to `config check`
        assert words in " ".join(running.ask("doctor").stdout.split())


def test_a_file_that_is_gone_is_logged_and_a_link_to_nothing_changes_nothing(running: DaemonProcess, file: Path):
    file.with_name("kept").symlink_to("unmounted")
    running.until_deck()
    file.with_name("kept").rename(file)
    until(lambda: "is a link to unmounted" in (running.status()["config"]["error"] or ""))
    assert [key["tile"] for key in running.status()["decks"][0]["keys"]][:1] == ["balance"]
    running.until_logged("the configuration stays as it was")
    file.unlink()
    running.until_logged(f"the configuration file is gone, the defaults are used: {file}")
    assert running.status()["config"]["error"] is None


def test_a_demo_reports_that_it_reads_its_file_only_when_it_starts(tmp_path: Path, file: Path):
    with started(environment(tmp_path), "demo", "--config", str(file), "--no-browser", "--port", "0") as running:
        assert running.ask("reload").stdout == "configuration: unchanged; a demo reads it only when it starts\n"
