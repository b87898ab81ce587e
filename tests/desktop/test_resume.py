"""The end of a sleep and a network that is back: signals on a real bus, as logind and NetworkManager send them."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from openbalance_hid.desktop.resume import LOGIND, NETWORK, NETWORKD, ResumeWatch
from tests.private_bus import needs_dbus, private_bus, until_listening
from tests.waiting import PATIENCE_S, until_no_thread

jeepney = pytest.importorskip("jeepney", reason="D-Bus is Linux's")


@needs_dbus
def test_the_end_of_a_sleep_and_a_network_that_is_back_are_reported_and_nothing_else(tmp_path: Path):
    from jeepney.io.blocking import open_dbus_connection

    woken = threading.Semaphore(0)
    with private_bus(tmp_path) as address, closing(open_dbus_connection(address)) as connection:
        watch = ResumeWatch(woken.release, address)
        watch.start()

        def send(source: tuple[str, str, str], signature: str, *body: object) -> None:
            interface, member, path = source
            connection.send(jeepney.new_signal(jeepney.DBusAddress(path, interface=interface), member, signature, body))

        until_listening(connection, [member for _, member, _ in (LOGIND, NETWORK, NETWORKD)])
        send(LOGIND, "b", False)
        assert woken.acquire(timeout=PATIENCE_S)
        send(LOGIND, "b", True)
        send(NETWORK, "u", 20)
        send(NETWORK, "u", 70)
        assert woken.acquire(timeout=PATIENCE_S)
        for values in ({"OnlineState": ("s", "partial")}, {"CarrierState": ("s", "carrier")}, {"OnlineState": ("s", "online")}):
            send(NETWORKD, "sa{sv}as", "org.freedesktop.network1.Manager", values, [])
        assert woken.acquire(timeout=PATIENCE_S)
        send(LOGIND, "b", False)  # the last signal: no other was counted before it
        assert woken.acquire(timeout=PATIENCE_S)
        assert not woken.acquire(blocking=False)
        watch.stop()
        watch.stop()
        until_no_thread("wake")


def test_a_machine_without_a_bus_logs_nothing(caplog: pytest.LogCaptureFixture):
    watch = ResumeWatch(lambda: None, "unix:path=/nowhere/at/all")
    watch.start()
    watch.stop()
    assert caplog.text == ""
