"""The session's lock on a real bus, with a fake logind."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openbalance_hid.desktop.screen_lock import SESSION, ScreenLock
from tests.desktop.logind import OTHER_SESSION, logind
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S, until_no_thread

pytest.importorskip("jeepney", reason="D-Bus is Linux's")


class Reports:
    def __init__(self) -> None:
        self.queue: queue.Queue[tuple[bool, bool]] = queue.Queue()

    def __call__(self, locked: bool, certain: bool) -> None:
        self.queue.put((locked, certain))

    def next(self) -> tuple[bool, bool]:
        return self.queue.get(timeout=PATIENCE_S)


@contextmanager
def listening(address: str, reports: Reports) -> Iterator[None]:
    lock = ScreenLock(reports, address)
    lock.start()
    try:
        yield
    finally:
        lock.stop()
        lock.stop()
    until_no_thread("screen lock")


@needs_dbus
def test_the_hint_is_reported_at_each_change_and_a_lock_request_as_uncertain(tmp_path: Path):
    reports = Reports()
    with private_bus(tmp_path) as address, logind(address) as login:
        login.hint = True
        with listening(address, reports):
            assert reports.next() == (True, True)
            login.set_hint(False)
            assert reports.next() == (False, True)
            login.request("Lock")
            assert reports.next() == (True, False)
            login.set_hint(True, with_value=False)
            assert reports.next() == (True, True)
            login.request("Unlock")
            assert reports.next() == (False, True)
    assert reports.queue.empty()


@needs_dbus
def test_the_lock_of_another_session_and_other_properties_are_ignored(tmp_path: Path):
    reports = Reports()
    with private_bus(tmp_path) as address, logind(address) as login, listening(address, reports):
        assert reports.next() == (False, True)
        login.request("Lock", OTHER_SESSION)
        login.signal("org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", SESSION, {"IdleHint": ("b", True)}, [])
        login.request("Lock")
        assert reports.next() == (True, False)
    assert reports.queue.empty()


@needs_dbus
def test_when_the_bus_ends_the_session_counts_as_open(tmp_path: Path):
    reports = Reports()
    with private_bus(tmp_path) as address, logind(address) as login:
        lock = ScreenLock(reports, address)
        lock.start()
        assert reports.next() == (False, True)
        login.request("Lock")
        assert reports.next() == (True, False)
    assert reports.next() == (False, True)
    lock.stop()


@pytest.mark.parametrize("address", ["unix:path=/nowhere/at/all", "nonsense"])
def test_a_machine_without_a_bus_is_accepted(address: str, caplog: pytest.LogCaptureFixture):
    reports = Reports()
    lock = ScreenLock(reports, address)
    lock.start()
    assert reports.next() == (False, True)
    lock.stop()
    assert caplog.text == ""


@needs_dbus
def test_a_bus_without_logind_is_accepted(tmp_path: Path):
    reports = Reports()
    with private_bus(tmp_path) as address, listening(address, reports):
        pass
    assert reports.queue.empty()
