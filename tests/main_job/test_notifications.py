"""Notifications end to end: a real daemon, a real bus, a local OpenRouter, and a restart in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.tiles.actions import WebPage
from tests.desktop.desk import desk
from tests.main_job.daemon_process import environment, page_of, started
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S

pytest.importorskip("jeepney", reason="D-Bus is Linux's")

RUN = ("run", "--deck", "virtual", "--no-browser", "--port", "0")
TILES = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "balance"\nlow_usd = 100\n'


@needs_dbus
def test_a_low_balance_is_told_once_over_a_restart_and_its_button_opens_the_credits(tmp_path: Path):
    with private_bus(tmp_path) as address, desk(address) as desktop, SampleAccount() as sample:
        env = environment(
            tmp_path,
            OPENROUTER_MANAGEMENT_KEY=sample.key,
            OPENBALANCE_API_URL=sample.url,
            DBUS_SESSION_BUS_ADDRESS=address,
        )
        Path(env["OPENBALANCE_CONFIG"]).write_text(TILES)
        with started(env, *RUN, page=True) as running:
            title, text, buttons = desktop.next_note()
            assert (title, buttons) == ("OpenRouter: balance low", ["open", "Open page"])
            assert text.startswith("$74.2")
            desktop.press("open")
            assert desktop.pages.get(timeout=PATIENCE_S) == WebPage.CREDITS.value
            assert running.end() == 0
        with started(env, *RUN, page=True) as running, page_of(running) as page:
            page.until_key(0, "$74.2")
            running.until_logged("running; ")
            sample.set_scenario("rejected")  # another event, after which no notification of the balance can follow
            assert running.ask("refresh").returncode == 0
            page.until_key(0, "API error")  # the first 401; the second one, half a minute later, would be believed
            assert desktop.notes.empty()
            assert running.end() == 0


@needs_dbus
def test_a_key_of_the_wrong_kind_is_told(tmp_path: Path):
    with private_bus(tmp_path) as address, desk(address) as desktop, SampleAccount("wrong-key") as sample:
        env = environment(
            tmp_path,
            OPENROUTER_MANAGEMENT_KEY=sample.key,
            OPENBALANCE_API_URL=sample.url,
            DBUS_SESSION_BUS_ADDRESS=address,
        )
        with started(env, *RUN, page=True) as running:
            title, text, _ = desktop.next_note()
            assert title == "OpenRouter: Not a Management key"
            assert text.endswith("To fix it: openbalance-hid setup")
            assert sample.key not in text
            assert running.end() == 0
