"""After a sleep the daemon polls at once: the daemon as a process, with a replacement of logind."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from openbalance_hid.desktop.resume import LOGIND
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import environment, page_of, started
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import until

jeepney = pytest.importorskip("jeepney", reason="D-Bus is Linux's")


@needs_dbus
def test_the_daemon_polls_after_a_sleep_long_before_the_next_poll_is_due(tmp_path: Path):
    from jeepney.io.blocking import open_dbus_connection

    interface, member, place = LOGIND
    awake = jeepney.new_signal(jeepney.DBusAddress(place, interface=interface), member, "b", (False,))
    with private_bus(tmp_path) as address, closing(open_dbus_connection(address)) as login, SampleAccount() as sample:
        env = environment(
            tmp_path, OPENROUTER_MANAGEMENT_KEY=sample.key, OPENBALANCE_API_URL=sample.url, DBUS_SYSTEM_BUS_ADDRESS=address
        )
        with started(env, "run", "--deck", "virtual", "--no-browser", "--port", "0") as running, page_of(running) as page:
            page.until_key(0, "$74.2")

            def has_polled_again() -> bool:  # the interval is fifteen minutes
                login.send(awake)  # it may not have listened before
                return running.status()["counters"]["polls"] >= 2

            until(has_polled_again)
