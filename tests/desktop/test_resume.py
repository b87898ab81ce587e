"""Sleep and network, heard on a real bus from those who speak as logind and NetworkManager do."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from openbalance_hid.desktop.resume import LOGIND, NETWORK, NETWORKD, ResumeWatch
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S

jeepney = pytest.importorskip("jeepney", reason="D-Bus is Linux's")


@needs_dbus
def test_waking_and_a_network_that_is_back_are_heard_and_nothing_else(tmp_path: Path):
    from jeepney.io.blocking import open_dbus_connection

    heard = threading.Semaphore(0)
    with private_bus(tmp_path) as address, closing(open_dbus_connection(address)) as speaker:
        wake = ResumeWatch(heard.release, address)
        wake.start()

        def say(source: tuple[str, str, str], signature: str, *body: object) -> None:
            interface, member, path = source
            speaker.send(jeepney.new_signal(jeepney.DBusAddress(path, interface=interface), member, signature, body))

        for _ in range(300):  # until it listens
            say(LOGIND, "b", False)
            if heard.acquire(timeout=0.1):
                break
        else:
            pytest.fail("never heard")
        say(LOGIND, "b", True)
        say(NETWORK, "u", 20)
        say(NETWORK, "u", 70)
        assert heard.acquire(timeout=PATIENCE_S)
        for values in ({"OnlineState": ("s", "partial")}, {"CarrierState": ("s", "carrier")}, {"OnlineState": ("s", "online")}):
            say(NETWORKD, "sa{sv}as", "org.freedesktop.network1.Manager", values, [])
        assert heard.acquire(timeout=PATIENCE_S)
        say(LOGIND, "b", False)  # what comes last: nothing else was taken for it
        assert heard.acquire(timeout=PATIENCE_S)
        assert not heard.acquire(blocking=False)
        wake.stop()
        wake.stop()
        assert "wake" not in [thread.name for thread in threading.enumerate()]


def test_a_machine_without_a_bus_is_no_trouble(caplog: pytest.LogCaptureFixture):
    wake = ResumeWatch(lambda: None, "unix:path=/nowhere/at/all")
    wake.start()
    wake.stop()
    assert caplog.text == ""
