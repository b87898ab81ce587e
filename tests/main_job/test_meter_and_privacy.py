"""The whole daemon keeps a meter through a kill -9, and masks amounts."""

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import environment, page_of, started
from tests.waiting import PATIENCE_S, until

RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")
TILES = ("meter", "privacy", "balance")
CONFIG = "[[decks]]\n" + "".join(f'[[decks.keys]]\nkey = {key}\ntile = "{tile}"\n' for key, tile in enumerate(TILES))


def until_a_run_is_kept(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state" / "history.sqlite3")) as db:
        until(lambda: db.execute("SELECT 1 FROM runs").fetchone(), "the run was not kept")


def test_a_meter_survives_a_kill_and_hidden_amounts_are_hidden_in_the_bar_too(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(0, "a tap starts it")
            page.tap(0)
            page.until_key(0, "Meter running")
            page.tap(1)
            page.until_key(1, "Amounts hidden")
            begun = running.status()["accounts"]["default"]["meter"]
            assert (begun["running"], begun["ended_at"]) == (True, None)
            until_a_run_is_kept(tmp_path)
            running.process.kill()
            running.process.wait(PATIENCE_S)
        (tmp_path / "run" / "control.sock").unlink(missing_ok=True)
        with started(env, *RUN) as running:
            with page_of(running) as page:
                page.until_key(0, "Meter running")
                page.until_key(2, "Balance $•••")
                page.tap(1)
                page.until_key(2, "Balance $74.25")
                assert running.status()["accounts"]["default"]["meter"]["started_at"] == begun["started_at"]
                page.tap(1)
                page.until_key(2, "Balance $•••")
                page.until_key(1, "Amounts hidden")
                status = running.status()
                assert status["accounts"]["default"]["masked"]
                assert status["decks"][0]["keys"][2]["text"].startswith("Balance $•••")
                assert "$•••" in running.ask("bar").stdout
                assert running.ask("guard", "--min-balance", "74").returncode == 0, "programs receive exact amounts"
                page.tap(0)
                page.until_key(0, "Meter settling")
            assert running.end() == 0
            (row,) = csv.DictReader(io.StringIO(running.ask("export", "--what", "runs", "--format", "csv").stdout))
            assert row["ended_at"] > row["started_at"]
            assert "Traceback" not in running.log
