"""The deck is dark while the session is locked: the daemon as a process, with a replacement of logind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.desktop.logind import logind
from tests.main_job.daemon_process import DaemonProcess, environment, page_of, started
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S, until

pytest.importorskip("jeepney", reason="D-Bus is Linux's")


def until_light(running: DaemonProcess, wanted: str) -> None:
    until(lambda: running.status()["decks"][0]["light"] == wanted, f"it is not {wanted}")


@needs_dbus
def test_the_deck_is_dark_while_the_session_is_locked_and_no_press_lights_it(tmp_path: Path):
    with private_bus(tmp_path) as address, logind(address) as login:
        env = environment(tmp_path, DBUS_SYSTEM_BUS_ADDRESS=address)
        config = Path(env["OPENBALANCE_CONFIG"])
        config.write_text("[dim]\non_lock = true\n")
        with started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0") as running, page_of(running) as page:
            page.until_key(0, "Set up")
            assert login.asked.acquire(timeout=PATIENCE_S)
            login.set_hint(True)
            until_light(running, "off")
            page.tap(0)
            running.ask("status")  # after the tap: both go through the same queue
            assert running.status()["decks"][0]["light"] == "off"
            login.set_hint(False)
            until_light(running, "awake")
            login.set_hint(True)
            until_light(running, "off")
            config.write_text("[dim]\non_lock = false\n")
            until_light(running, "awake")
