"""One publisher and two desks without a key, each a daemon with a deck in the browser, over a broker that restarts."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import DaemonProcess, ask, environment, page_of, started
from tests.mqtt.mosquitto import DESK, PASSWORD, PUBLISHER, Mosquitto, mosquitto, needs_mosquitto
from tests.waiting import until

pytestmark = [needs_mosquitto, pytest.mark.torture]  # three daemons, and pauses between their attempts to connect
RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")


def machine(folder: Path, broker: Mosquitto, user: str, config: str, **more: str) -> dict[str, str]:
    folder.mkdir()
    (folder / "config.toml").write_text(config)
    env = environment(folder, **more)
    stored = ask(env, "setup", "--broker", broker.url, "--store", "file", "--stdin", typed=f"{user}\n{PASSWORD}\n")
    assert stored.returncode == 0, stored.stderr
    return env


def account_of(daemon: DaemonProcess) -> Any:
    return daemon.status()["accounts"]["default"]


def test_two_desks_show_what_the_publisher_knows_until_it_is_killed(tmp_path: Path):
    with ExitStack() as running:
        broker = running.enter_context(mosquitto(tmp_path / "broker"))
        sample = running.enter_context(SampleAccount("normal"))
        source = f'[publish]\nmqtt = "{broker.url}"\nca_file = "{broker.ca_file}"\n'
        desk = f'[accounts.default]\nsource = "{broker.url}/openbalance/default"\nsource_ca_file = "{broker.ca_file}"\n'
        key = {"OPENROUTER_MANAGEMENT_KEY": sample.key, "OPENBALANCE_API_URL": sample.url}
        environments = [
            machine(tmp_path / "publisher", broker, PUBLISHER, source, **key),
            *(machine(tmp_path / name, broker, DESK, desk) for name in ("desk-1", "desk-2")),
        ]
        publisher, *desks = [running.enter_context(started(env, *RUN)) for env in environments]
        pages = [running.enter_context(page_of(each)) for each in (publisher, *desks)]
        for page in pages:
            page.until_key(0, "Balance $")
            page.until_key(1, "Models 30 d: ")
        publisher.until_polled()
        wanted = publisher.status()["decks"][0]["keys"][0]["text"]
        for page in pages:
            page.until(lambda page: page.texts[0] == wanted)
        assert {account_of(each)["key_hint"] for each in desks} == {None}

        refused = desks[0].ask("keys", "--account", "default")
        assert refused.returncode == 77
        assert "its keys are listed and switched where it is published" in refused.stderr

        polls = publisher.status()["counters"]["polls"]
        desks[0].ask("hold", "0")
        until(lambda: publisher.status()["counters"]["polls"] > polls)

        broker.stop()
        pages[1].until_key(0, "Offline")
        until(lambda: "no broker is running there" in account_of(desks[0])["message"])
        assert account_of(desks[0])["balance_usd"] is not None
        broker.start()
        for daemon, page in zip(desks, pages[1:], strict=True):
            page.until(lambda page: "Offline" not in page.texts[0])
            until(lambda daemon=daemon: account_of(daemon)["health"] == "ok")
        until(lambda: publisher.status()["publish"]["accounts"]["default"]["connected"])

        client, logged = re.findall(rf"connected from \S+ as (\S+) .*u'{PUBLISHER}'", broker.log)[-1], len(broker.log)
        publisher.process.kill()
        publisher.process.wait(10)
        until(lambda: client in broker.log[logged:])  # closed or reset, in words that depend on Mosquitto's version
        assert account_of(desks[1])["health"] == "ok", "first it is only old"
        desks[1].ask("hold", "0")
        pages[2].until_key(0, "Offline")
        assert "the publisher is not running" in account_of(desks[1])["message"]
