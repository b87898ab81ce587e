"""The main job on real input: JSON over a real socket in, HID reports out, HID reports in, actions out."""

import json
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest
from PIL import Image

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import ask, environment, page_of, started
from tests.waiting import PATIENCE_S, until

KEY = "OPENROUTER_MANAGEMENT_KEY"


@pytest.fixture
def demo(tmp_path):
    with started(environment(tmp_path), "demo", "--no-browser", "--port", "0") as running:
        yield running


def has_ink(picture: Image.Image) -> bool:
    return len(picture.getcolors(100_000) or ()) > 20


def test_the_demo_shows_four_live_tiles(demo):
    with page_of(demo) as page:
        page.until(lambda page: all(page.texts.get(key) for key in range(4)) and "Preparing" not in str(page.texts))
        assert page.texts[0].startswith("Balance $74.25")
        assert page.texts[1].startswith("Models 30 d: ")
        assert page.texts[2].startswith("Spent 30 d $")
        assert "Normal" in page.texts[3]
        page.until(lambda page: all(key in page.pictures and has_ink(page.pictures[key]) for key in range(4)))
        assert {picture.size for picture in page.pictures.values()} == {(72, 72)}


def test_a_tap_opens_the_tiles_page(demo):
    with page_of(demo) as page:
        page.until_key(0, "$74.25")
        page.tap(0)
        page.until(lambda page: any("https://openrouter.ai/settings/credits" in str(word) for word in page.seen))


def test_a_hold_refreshes_and_the_key_shows_it(demo):
    with page_of(demo) as page:
        page.until_key(0, "$74.25")
        page.until(lambda page: 0 in page.pictures)
        demo.until_polled()
        polls = demo.status()["counters"]["polls"]
        at_rest = page.pictures[0].tobytes()
        page.send(type="press", key=0)
        page.until(lambda page: page.pictures[0].tobytes() != at_rest)  # pressed, then a ring that fills
        until(lambda: demo.status()["counters"]["polls"] > polls, "a hold of many seconds did not refresh")
        page.send(type="release", key=0)
        page.tap(2)
        page.until(lambda page: any("Opens https://openrouter.ai/activity" in str(word) for word in page.seen))
        assert not any("settings/credits" in str(word) for word in page.seen), "the tap of a hold is suppressed"


def test_scenarios_change_the_tiles(demo):
    with page_of(demo) as page:
        page.until_key(0, "$74.25")
        for scenario, key, words in (
            ("low-balance", 0, "$3.1"),
            ("negative", 0, "-$2.4"),
            ("critical", 3, "Critical"),
            ("new-account", 3, "Gathering baseline"),
            ("no-activity", 1, "No activity yet"),
            ("wrong-key", 0, "Not a Management key"),
            ("normal", 0, "$74.25"),
            ("offline", 0, "Offline"),
        ):
            page.send(type="scenario", name=scenario)
            page.until_key(key, words)
        assert page.texts[0].startswith("Balance $74.25"), "the last good value stays"


def test_the_model_can_be_changed_while_it_runs(demo):
    with page_of(demo) as page:
        page.until_key(0, "$74.25")
        page.send(type="model", name="xl")
        page.until(
            lambda page: page.pictures.get(0) is not None and page.pictures[0].size == (96, 96) and has_ink(page.pictures[0])
        )
        assert demo.status()["decks"][0]["model"] == "xl"


@pytest.mark.parametrize(("scenario", "words"), [("rate-limited", "Slow down"), ("server-error", "API error")])
def test_words_of_an_account_that_never_answered(tmp_path, scenario, words):
    words_of_demo = ("demo", "--no-browser", "--port", "0", "--scenario", scenario)
    with started(environment(tmp_path), *words_of_demo) as running, page_of(running) as page:
        for key in range(4):
            page.until_key(key, words)


def test_the_daemon_asks_the_account_it_was_given_and_shows_its_numbers(tmp_path):
    with SampleAccount("negative") as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, **{KEY: account.key})
        with started(env, "run", "--deck", "virtual:mini", "--no-browser", "--port", "0") as running, page_of(running) as page:
            page.until_key(0, "-$2.4")
            status = running.status()
            assert status["accounts"]["default"]["health"] == "ok"
            assert status["accounts"]["default"]["balance_usd"].startswith("-2.4")
            assert status["accounts"]["default"]["key_hint"] == account.key[-4:]
            assert [key["tile"] for key in status["decks"][0]["keys"]][:4] == [
                "balance",
                "top-models",
                "monthly-spend",
                "spike-alert",
            ]
            assert {"/credits", "/activity"} <= {request.path for request in account.requests}
            assert running.end() == 0
            assert account.key not in running.log
            assert account.key not in json.dumps(status)


def test_without_a_key_every_tile_says_set_up(tmp_path):
    with started(environment(tmp_path), "run", "--deck", "virtual", "--no-browser", "--port", "0") as running:
        with page_of(running) as page:
            for key in range(4):
                page.until_key(key, "Set up")
        assert running.status()["accounts"]["default"]["health"] == "no_key"


def test_without_a_deck_it_says_so_once_and_keeps_running(tmp_path):
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, **{KEY: account.key})
        with started(env, "run", page=False) as running:
            running.until_logged("no Stream Deck is plugged in")
            until(lambda: running.status()["accounts"]["default"]["health"] == "ok")
            assert running.status()["decks"] == []
            assert running.end() == 0
            assert running.log.count("no Stream Deck is plugged in") == 1


def test_a_second_daemon_ends_with_75_and_says_which_one_runs(demo):
    second = demo.ask("run", "--deck", "virtual", "--no-browser", "--port", "0")
    assert second.returncode == 75
    assert second.stderr.splitlines() == [
        f"error: another daemon is running as process {demo.process.pid}",
        "try: openbalance-hid stop",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(demo, number):
    assert demo.end(number) == 0
    assert "Traceback" not in demo.log
    assert demo.ask("status").returncode == 69


def test_stop_ends_it(demo):
    assert demo.ask("stop").stdout == "stopped\n"
    assert demo.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("removed", ["the socket", "the directory", "a file in its place"])
def test_a_command_reaches_a_daemon_whose_socket_was_removed(tmp_path, removed):
    file = tmp_path / "run" / "control.sock"
    with started(environment(tmp_path), "run", "--deck", "virtual:mini", "--no-browser", "--port", "0") as daemon:
        daemon.until_deck()
        for command in ("status", "bar", "stop"):
            if removed == "the directory":  # in one step: in an emptied one the daemon may already listen again
                shutil.rmtree((tmp_path / "run").rename(tmp_path / "trash"))
            else:
                file.unlink()
            if removed == "a file in its place":
                file.touch()
            if sys.platform != "linux":  # the daemon notices it by itself
                until(lambda: _listens(file))
            reply = daemon.ask(command)
            assert (reply.returncode, reply.stderr) == (0, ""), daemon.log
        assert daemon.process.wait(PATIENCE_S) == 0


def _listens(file: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(file))
        except OSError:
            return False
        return True


def test_the_door_presses_holds_and_refreshes(demo):
    demo.until_deck()
    assert demo.ask("press", "0").stdout == "tapped balance\n"
    assert demo.ask("hold", "1").stdout == "held top-models\n"
    assert demo.ask("refresh").stdout.startswith("default: ")
    wrong = demo.ask("press", "99")
    assert (wrong.returncode, wrong.stderr.splitlines()[0]) == (2, "error: the deck has no key 99: its keys are 0 to 14")


def test_a_taken_port_is_said(tmp_path, demo):
    port = demo.url.partition("127.0.0.1:")[2].partition("/")[0]
    (tmp_path / "other").mkdir()
    second = ask(environment(tmp_path / "other"), "demo", "--no-browser", "--port", port)
    assert second.returncode == 2
    assert second.stderr.startswith(f"error: port {port} is taken")


def test_a_broken_configuration_ends_with_78_and_every_problem(tmp_path):
    (tmp_path / "config.toml").write_text('them = "dark"\n[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "balanse"\n')
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, **{KEY: account.key})
        with pytest.raises(AssertionError) as caught, started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0"):
            pass
    assert "'theme'" in str(caught.value)
    assert "'balance'" in str(caught.value)


def test_a_page_is_turned_by_name_and_every_key_says_its_number(tmp_path):
    (tmp_path / "config.toml").write_text(
        '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "balance"\n'
        '[[decks.pages]]\nname = "more"\n[[decks.pages.keys]]\nkey = 0\ntile = "page"\nto = "main"\n'
    )
    env = environment(tmp_path)
    with started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0") as running, page_of(running) as page:
        page.until_key(0, "Set up")
        assert ask(env, "page", "more").returncode == 0
        page.until_key(0, "main")
        assert running.status()["decks"][0]["page"] == "more"
        wrong = ask(env, "page", "mroe")
        assert wrong.returncode == 2, wrong.stderr
        assert ask(env, "identify").returncode == 0
        page.until_key(14, "14")


def test_preview_draws_live_values_when_the_daemon_runs(demo, tmp_path):
    with page_of(demo) as page:
        page.until_key(0, "$74.25")
    said = demo.ask("preview", "-o", str(tmp_path / "deck.png"))
    assert said.stdout.endswith(": live values\n")
    with Image.open(tmp_path / "deck.png") as picture:
        assert picture.size[0] > 5 * 72


def test_setup_reaches_a_daemon_that_runs_without_a_key(tmp_path):
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url)
        with started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0") as running, page_of(running) as page:
            page.until_key(0, "Set up")
            done = ask(env, "setup", "--stdin", "--store", "file", typed=account.key + "\n")
            assert done.returncode == 0, done.stderr
            assert f"…{account.key[-4:]}" in done.stdout
            assert "the running daemon uses the key now" in done.stdout
            page.until_key(0, "$74.25")


def test_guard_answers_by_its_exit_code(demo):
    demo.until_polled()
    assert demo.ask("guard", "--min-balance", "10", "--no-spike").returncode == 0
    crossed = demo.ask("guard", "--min-balance", "$100")
    assert (crossed.returncode, crossed.stderr) == (20, "balance: $74.25 is below $100.00\n")
    assert demo.ask("guard", "--min-balance", "lots").returncode == 2
    assert demo.ask("guard", "--account", "other").returncode == 2
    demo.end()
    assert demo.ask("guard", "--no-spike").returncode == 69


def test_commands_for_a_deck_name_the_released_one_and_how_to_take_it_back(demo):
    demo.until_deck()
    (serial,) = (deck["serial"] for deck in demo.status()["decks"])
    assert demo.ask("release").returncode == 0
    words = f"error: no deck is in use: {serial} is released for other software\ntry: openbalance-hid take\n"
    commands = ("release", "identify", "brightness 40", "press 0", "hold 0", "page main")
    until(lambda: demo.ask("press", "0").returncode == 69)
    done = {command: demo.ask(*command.split()) for command in commands}
    assert {(each.returncode, each.stderr) for each in done.values()} == {(69, words)}
    assert demo.ask("take").stdout == f"{serial} is taken back\n"
