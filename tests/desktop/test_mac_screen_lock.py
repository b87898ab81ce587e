"""The lock of the session on macOS, read at turns of the main loop, and what a deck does then."""

from __future__ import annotations

import ctypes
import queue

import pytest

from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.events import SessionLock
from openbalance_hid.desktop import mac_screen_lock
from openbalance_hid.desktop.mac_screen_lock import LOCKED, ON_CONSOLE, MacSession, PolledScreenLock
from openbalance_hid.runtime.notifier import Notifier
from openbalance_hid.service.doctor.check import CheckStatus
from openbalance_hid.service.doctor.session_checks import assess_mac_lock
from tests.desktop.core_foundation import Mac


@pytest.mark.parametrize(
    ("session", "locked"),
    [
        (None, None),  # a login over ssh
        ({}, False),
        ({ON_CONSOLE: True}, False),
        ({ON_CONSOLE: True, LOCKED: True}, True),
        ({ON_CONSOLE: 1, LOCKED: 1}, True),  # numbers, as older systems have
        ({ON_CONSOLE: True, LOCKED: False}, False),
        ({ON_CONSOLE: False}, True),  # another user's session is on the screen
        ({ON_CONSOLE: 0}, True),
    ],
)
def test_the_session_is_read_whole_and_everything_is_released_once(
    session: dict[bytes, bool | int] | None, locked: bool | None
):
    mac = Mac(session)
    assert MacSession(mac.load).is_locked() is locked
    assert mac.alive == {}


def test_each_change_is_reported_once_and_a_session_without_a_display_is_open():
    mac, reports = Mac({ON_CONSOLE: True}), list[tuple[bool, bool]]()
    lock = PolledScreenLock(lambda *report: reports.append(report), mac.load)
    for session in ({}, {}, {LOCKED: True}, {LOCKED: True}, None, {LOCKED: True}, {}):
        mac.session = session
        lock.check()
    assert reports == [(False, True), (True, True), (False, True), (True, True), (False, True)]


def test_on_macos_the_main_loop_reads_the_lock_and_no_thread_is_started(monkeypatch: pytest.MonkeyPatch):
    mac, events = Mac({LOCKED: True}), queue.SimpleQueue[object]()
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(mac_screen_lock.ctypes, "CDLL", mac.load)
    monkeypatch.setattr(PolledScreenLock.__init__, "__defaults__", (ctypes.CDLL,))
    notifier = Notifier(events.put, silent=True)
    notifier.check_lock()
    assert events.empty(), "not wanted"
    notifier.watch_lock(True)
    notifier.check_lock()
    assert events.get(timeout=0) == SessionLock(Lock.LOCKED)
    notifier.watch_lock(False)
    mac.session = {}
    notifier.check_lock()
    notifier.revive()
    assert events.empty()


def test_the_doctor_reports_a_lock_that_cannot_be_followed():
    assert assess_mac_lock(True) == []
    (check,) = assess_mac_lock(False)
    assert check.verdict is CheckStatus.WARNING
    assert "no session with a display" in check.found
