"""Two accounts on one deck and in scripts: the error of one is never on a tile of the other."""

import csv
import io
import re

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import environment, page_of, started

RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")
CONFIG = """
[accounts.work]
refresh_minutes = 5

[[decks]]
[[decks.keys]]
key = 0
tile = "balance"
[[decks.keys]]
key = 1
tile = "balance"
account = "work"
[[decks.keys]]
key = 2
tile = "api-keys"
[[decks.keys]]
key = 3
tile = "api-keys"
account = "work"
"""


def test_the_wrong_key_of_one_account_is_on_its_own_tiles_only(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    with SampleAccount() as sample:
        env = environment(
            tmp_path,
            OPENBALANCE_API_URL=sample.url,
            OPENROUTER_MANAGEMENT_KEY=sample.key,
            OPENROUTER_MANAGEMENT_KEY_WORK=sample.inference_key,
        )
        with started(env, *RUN) as running:
            with page_of(running) as page:
                page.until_key(0, "Balance $74.")
                page.until(lambda page: re.search(r"laptop <?\$\d", page.texts.get(2, "")))  # <: just after midnight
                for key in (1, 3):
                    page.until_key(key, "Not a Management key")
                assert "Management" not in page.texts[0] + page.texts[2]
            accounts = running.status()["accounts"]
            assert (accounts["default"]["health"], accounts["work"]["health"]) == ("ok", "not_management_key")
            assert (accounts["default"]["message"], accounts["work"]["balance_usd"]) == (None, None)
            guards = {
                0: ("--min-balance", "10"),
                20: ("--min-balance", "1000"),
                21: ("--min-balance", "10", "--account", "work"),
            }
            assert {code: running.ask("guard", *words).returncode for code, words in guards.items()} == {c: c for c in guards}
            for by in ("model", "provider", "key"):
                days = running.ask("export", "--what", "days", "--by", by, "--format", "csv")
                assert days.returncode == 0, days.stderr
                rows = list(csv.DictReader(io.StringIO(days.stdout)))
                assert all(row[by] for row in rows)
                assert {row["account"] for row in rows} == {"default"}
