"""The session's lock, heard on a real bus from one who speaks as logind does."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openbalance_hid.desktop.screen_lock import SESSION, ScreenLock
from tests.desktop.logind import ANOTHER, logind
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S, until_no_thread

pytest.importorskip("jeepney", reason="D-Bus is Linux's")


class Heard:
    def __init__(self) -> None:
        self.words: queue.Queue[tuple[bool, bool]] = queue.Queue()

    def __call__(self, locked: bool, certain: bool) -> None:
        self.words.put((locked, certain))

    def next(self) -> tuple[bool, bool]:
        return self.words.get(timeout=PATIENCE_S)


@contextmanager
def listening(address: str, heard: Heard) -> Iterator[None]:
    lock = ScreenLock(heard, address)
    lock.start()
    try:
        yield
    finally:
        lock.stop()
        lock.stop()
    until_no_thread("screen lock")


@needs_dbus
def test_the_hint_is_told_at_the_start_and_at_each_change_and_a_lock_that_is_asked_for_as_not_certain(tmp_path: Path):
    heard = Heard()
    with private_bus(tmp_path) as address, logind(address) as login:
        login.hint = True
        with listening(address, heard):
            assert heard.next() == (True, True)
            login.set_hint(False)
            assert heard.next() == (False, True)
            login.ask("Lock")
            assert heard.next() == (True, False)
            login.set_hint(True, said=False)
            assert heard.next() == (True, True)
            login.ask("Unlock")
            assert heard.next() == (False, True)
    assert heard.words.empty()


@needs_dbus
def test_the_lock_of_another_session_and_other_properties_are_nothing_to_us(tmp_path: Path):
    heard = Heard()
    with private_bus(tmp_path) as address, logind(address) as login, listening(address, heard):
        assert heard.next() == (False, True)
        login.ask("Lock", ANOTHER)
        login.signal("org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", SESSION, {"IdleHint": ("b", True)}, [])
        login.ask("Lock")
        assert heard.next() == (True, False)
    assert heard.words.empty()


@needs_dbus
def test_when_the_bus_ends_the_session_counts_as_open(tmp_path: Path):
    heard = Heard()
    with private_bus(tmp_path) as address, logind(address) as login:
        lock = ScreenLock(heard, address)
        lock.start()
        assert heard.next() == (False, True)
        login.ask("Lock")
        assert heard.next() == (True, False)
    assert heard.next() == (False, True)
    lock.stop()


@pytest.mark.parametrize("address", ["unix:path=/nowhere/at/all", "nonsense"])
def test_a_machine_without_a_bus_is_no_trouble(address: str, caplog: pytest.LogCaptureFixture):
    heard = Heard()
    lock = ScreenLock(heard, address)
    lock.start()
    assert heard.next() == (False, True)
    lock.stop()
    assert caplog.text == ""


@needs_dbus
def test_a_bus_without_logind_is_no_trouble(tmp_path: Path):
    heard = Heard()
    with private_bus(tmp_path) as address, listening(address, heard):
        pass
    assert heard.words.empty()
