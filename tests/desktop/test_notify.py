"""Notifications on a real bus: what the desktop receives, and what its button sends back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.desktop.notify import ACKNOWLEDGE, Shown, send_notification
from tests.desktop.notification_service import NUMBER, desktop
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import PATIENCE_S, until_no_thread

jeepney = pytest.importorskip("jeepney", reason="D-Bus is Linux's")
pytestmark = needs_dbus


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    with private_bus(tmp_path) as address:
        yield {"DBUS_SESSION_BUS_ADDRESS": address}


class Reports:
    """The calls of `delivered` and `pressed`, in order; `until` waits for a number of them."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self._grown = threading.Condition()

    def add(self, call: object) -> None:
        with self._grown:
            self.calls.append(call)
            self._grown.notify_all()

    def until(self, count: int) -> list[object]:
        with self._grown:
            assert self._grown.wait_for(lambda: len(self.calls) >= count, PATIENCE_S)
            return self.calls

    def send(self, env: dict[str, str], text: str = "text") -> None:
        send_notification("title", text, env, self.add, {ACKNOWLEDGE: lambda: self.add("acknowledged")}, urgent=True)


def test_the_desktop_receives_every_field_and_its_button_acknowledges(env: dict[str, str]):
    reports = Reports()
    pressed = ("ActionInvoked", "us", (NUMBER, "acknowledge"))
    with desktop(env["DBUS_SESSION_BUS_ADDRESS"], pressed, ("NotificationClosed", "uu", (NUMBER, 2))) as shown:
        reports.send(env, "<b>3 & more")
        assert reports.until(2) == [Shown.YES, "acknowledged"]
        until_no_thread("notification")
    ((name, replaces, _, title, text, actions, hints, timeout),) = shown
    assert (name, replaces, title, timeout) == ("OpenRouter", 0, "title", -1)
    assert text == "&lt;b&gt;3 &amp; more", "a body is markup"
    assert actions == ["acknowledge", "Acknowledge"]
    assert hints["urgency"] == ("y", 2)


def test_the_button_of_another_notification_is_ignored(env: dict[str, str]):
    reports = Reports()
    others = ("ActionInvoked", "us", (NUMBER + 1, "acknowledge"))
    with desktop(env["DBUS_SESSION_BUS_ADDRESS"], others, ("NotificationClosed", "uu", (NUMBER, 1))):
        reports.send(env)
        reports.until(1)
        until_no_thread("notification")
    assert reports.calls == [Shown.YES]


@pytest.mark.parametrize("address", [None, "", "unix:path=/nowhere/at/all"])
def test_without_a_notification_service_it_is_not_delivered(env: dict[str, str], address: str | None):
    reports = Reports()
    reports.send(env if address is None else {"DBUS_SESSION_BUS_ADDRESS": address})
    assert reports.until(1) == [Shown.NO]
    until_no_thread("notification")
