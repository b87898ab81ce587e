"""The whole daemon acts on money: it stops a key, and sends an alert once, over a restart and a sink that was down."""

import csv
import io
import json

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_keys import key_hash
from tests.main_job.daemon_process import environment, page_of, started
from tests.runtime.alert_receiver import AlertReceiver
from tests.waiting import until

RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0", "--log-level", "debug")
SWITCH = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "key-switch"\nkey_name = "laptop"\n'
ALLOWED = "[accounts.default]\nallow_key_switch = true\n"


def test_a_hold_and_a_command_stop_a_key_and_the_history_has_both(tmp_path):
    (tmp_path / "config.toml").write_text(ALLOWED + SWITCH, encoding="utf-8")
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(0, "laptop: on")
            assert running.ask("hold", "0").returncode == 0
            page.until_key(0, "laptop: off")
            assert account.key_changes.writes == [(key_hash(0), True)]
            enabled = running.ask("keys", "enable", "laptop", "--json")
            assert json.loads(enabled.stdout)["result"] == "done"
            page.until_key(0, "laptop: on")
            twice = running.ask("keys", "disable", "nothing")
            assert (twice.returncode, twice.stdout) == (2, "")
            assert running.end() == 0
        (first, second) = csv.DictReader(io.StringIO(running.ask("export", "--what", "actions", "--format", "csv").stdout))
        assert first["source"].startswith("deck ")
        assert (second["source"], second["result"]) == ("shell", "done")
        assert key_hash(0) not in running.log


def test_no_part_of_the_key_that_a_program_prints_is_shown(tmp_path):
    with SampleAccount() as account:
        part, groups = account.key[20:36], " ".join(account.key[at : at + 4] for at in range(20, 36, 4))
        show = json.dumps(["/bin/echo", f"a {part} b {groups} c"])
        (tmp_path / "config.toml").write_text(f'[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "command"\nshow = {show}\n')
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as running, page_of(running) as page:
            running.until_polled()
            running.ask("hold", "0")  # runs the program again: before the first poll no key is known
            page.until_key(0, "a sk-or-… b sk-or-… c")


def test_without_permission_a_command_writes_nothing_and_names_the_setting(tmp_path):
    (tmp_path / "config.toml").write_text(SWITCH, encoding="utf-8")
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as running, page_of(running) as page:
            page.until_key(0, "laptop: on")
            refused = running.ask("keys", "disable", "laptop")
            assert refused.returncode == 77
            assert "allow_key_switch = true" in refused.stderr
            assert not [request for request in account.requests if request.method == "PATCH"]


def test_an_alert_is_sent_once_also_after_a_restart_and_its_address_is_in_no_log(tmp_path):
    with SampleAccount("critical") as account, AlertReceiver() as receiver:
        addresses = (f"{receiver.url}/T0PSECRET", "http://127.0.0.1:1/T0PSECRET")
        text = "".join(f'[[alerts]]\nurl = "{address}"\non = ["spike"]\n' for address in addresses)
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with started(env, *RUN) as running:
            until(lambda: receiver.received)
            until(lambda: '"delivered_at": "20' in running.ask("alerts", "--json").stdout)
            listed = json.loads(running.ask("alerts", "--json").stdout)
            assert "spike" in [each["kind"] for each in listed["active"]]  # late in the day, the balance is low, too
            assert [sink["waiting"] for sink in listed["sinks"][1:]] == [0, 1]
            assert running.end() == 0
        with started(env, *RUN) as again:
            again.until_deck()
            again.until_polled()
            until(lambda: "was not delivered to 127.0.0.1:1" in again.log, "the sink that was down is not tried again")
            assert again.ask("alerts").returncode == 0
            assert again.end() == 0
        assert [alert["stage"] for alert in receiver.json()] == ["began"]
        assert "T0PSECRET" not in running.log + again.log + running.ask("alerts").stderr
