"""The demo with a user's configuration: its deck is shown, and nothing of it leads to another machine or a key."""

from openbalance_hid.config.load import parse
from openbalance_hid.runtime.demo import sampled
from tests.main_job.daemon_process import Page, ask, environment, page_of, started

CONFIG = """
refresh_minutes = 60
theme = "light"
use_decks = "named"
ca_file = "/etc/hosts"
[accounts.work]
budget_usd = 50
[accounts.team]
source = "mqtts://broker.example:8883/openbalance/team"
[publish]
mqtt = "mqtts://broker.example:8883"
[metrics]
listen = "127.0.0.1:9469"
[[alerts]]
url = "https://ntfy.sh/my-topic"
[[decks]]
serial = "A00SA1234567"
use = false
[[decks.keys]]
key = 0
tile = "command"
show = ["/bin/echo", "of a program"]
[[decks.keys]]
key = 1
tile = "budget"
account = "work"
[[decks.keys]]
key = 2
tile = "balance"
account = "team"
[[decks]]
serial = "B00SA1234567"
"""


def test_a_demo_of_a_configuration_has_its_deck_and_nothing_that_leads_elsewhere():
    config = sampled(parse(CONFIG, "config.toml"), "http://127.0.0.1:1/alerts")
    assert (config.theme, len(config.decks), config.uses("SIM00010080")) == ("light", 1, True)
    assert config.deck_for("SIM00010080").pages[0].keys[0].tile == "command"
    assert {name: account.source for name, account in config.accounts.items()} == dict.fromkeys(("default", "work", "team"))
    assert (config.accounts["work"].budget_usd, config.accounts["work"].refresh_minutes) == (50, 1)
    assert (config.publish, config.metrics, config.ca_file) == (None, None, None)
    assert [sink.url for sink in config.alerts] == ["http://127.0.0.1:1/alerts"]


def test_the_demo_shows_the_deck_of_a_configuration_file(tmp_path):
    tmp_path.chmod(0o700)
    file = tmp_path / "demo.toml"
    file.write_text(CONFIG)
    env = environment(tmp_path)
    with started(env, "demo", "--config", str(file), "--no-browser", "--port", "0") as running, page_of(running) as page:
        page.until_key(0, "of a program")
        page.until_key(1, "of $50")
        page.until_key(2, "Balance $")
        assert running.end() == 0


def test_a_missing_or_wrong_file_of_a_demo_is_an_error(tmp_path):
    env = environment(tmp_path)
    missing = ask(env, "demo", "--config", str(tmp_path / "none.toml"))
    assert (missing.returncode, missing.stderr.splitlines()[0]) == (2, f"error: no such file: {tmp_path}/none.toml")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("refresh_minutes = 0\n")
    for words in (("demo",), ("run", "--deck", "virtual"), ("preview", "--scenario", "normal")):
        refused = ask(env, *words, "--config", str(wrong))
        assert (refused.returncode, refused.stderr.splitlines()[-1]) == (78, f"try: openbalance-hid config check {wrong}")
    assert ask(env, "config", "check", str(wrong)).returncode == 78


def test_a_chosen_scenario_or_model_replaces_the_line_of_what_happened(tmp_path):
    def notes(page: Page) -> list[str]:
        return [message["text"] for message in page.seen if message["type"] == "note"]

    with started(environment(tmp_path), "demo", "--no-browser", "--port", "0") as running, page_of(running) as page:
        page.until_key(0, "$74.25")
        page.tap(1)
        page.until(lambda page: any(note.startswith("Opens") for note in notes(page)))
        page.send(type="scenario", name="offline")
        page.until(lambda page: notes(page)[-1] == "Sample account: OpenRouter cannot be reached")
        page.send(type="model", name="mini")
        page.until(lambda page: notes(page)[-1] == "Changed to Stream Deck Mini")
