"""Alerts as notifications on a real bus: which buttons they have, and that a key is stopped only after a second press."""

from pathlib import Path

import pytest

from openbalance_hid.account.alert import Alert, AlertKind
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.app.effects import SendAlert
from openbalance_hid.app.events import AlertAcknowledged, AlertDelivered, KeySwitchRequested
from openbalance_hid.runtime.notifier import Notifier
from tests.build import NOON
from tests.desktop.notification_service import NUMBER, desktop
from tests.private_bus import needs_dbus, private_bus
from tests.waiting import until, until_no_thread

pytestmark = needs_dbus

ALERT = Alert(AlertKind.SPIKE, "default", Level.CRITICAL, NOON, rule=SpikeRule())
STOP = KeySwitchRequested("default", "hash", True, "notification")
EFFECT = SendAlert(ALERT, Level.CRITICAL, "title", "text", urgent=True, stop=STOP, stop_name="laptop")
CLOSED = ("NotificationClosed", "uu", (NUMBER, 2))


def pressed(button: str) -> tuple[str, str, tuple[object, ...]]:
    return "ActionInvoked", "us", (NUMBER, button)


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


def test_a_key_is_stopped_only_after_a_second_press(bus):
    events: list[object] = []
    with desktop(bus, pressed("stop"), CLOSED, count=2) as shown:
        Notifier(events.append, silent=False).send(EFFECT)
        until(lambda: STOP in events)
        until_no_thread("notification")
    first, second = shown
    assert first[5] == ["acknowledge", "Acknowledge", "open", "Open page", "stop", "Stop laptop"]
    assert (second[3], second[5]) == ("Stop the API key laptop?", ["stop", "Stop laptop", "cancel", "Cancel"])
    assert events == [AlertDelivered(ALERT.key, Level.CRITICAL, True), STOP]


def test_a_first_press_alone_or_a_cancel_stops_nothing(bus):
    events: list[object] = []
    with desktop(bus, pressed("acknowledge"), CLOSED) as shown:
        Notifier(events.append, silent=False).send(EFFECT)
        until(lambda: len(events) == 2)
        until_no_thread("notification")
    assert events[1] == AlertAcknowledged(ALERT.key, Level.CRITICAL)
    assert len(shown) == 1


def test_without_a_key_that_drives_it_there_is_no_button_to_stop(bus):
    events: list[object] = []
    with desktop(bus, CLOSED) as shown:
        Notifier(events.append, silent=False).send(SendAlert(ALERT, Level.CRITICAL, "title", "text"))
        until_no_thread("notification")
    assert shown[0][5] == ["acknowledge", "Acknowledge", "open", "Open page"]
