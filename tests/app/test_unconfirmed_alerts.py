"""An alert whose notification the user may not have seen is on the glass of every deck and in `alerts`, until a press."""

from __future__ import annotations

import pytest

from openbalance_hid.account.alert import AlertKind
from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.effects import SendAlert
from openbalance_hid.app.events import AlertAcknowledged, AlertDelivered, ConfigRejected, SessionLock
from openbalance_hid.app.tile_views import with_alert
from openbalance_hid.cli.alert_list import alert_lines
from openbalance_hid.config.load import parse
from openbalance_hid.ipc.alert_commands import alerts_status
from openbalance_hid.tiles.view import Hero, Notice, TileView
from tests.app.test_alerts import TILE, left
from tests.app.test_controller import Story

LAST = 14
SIGN = "alert: balance, see alerts"


def alerted(delivered: bool = True, confirmed: bool = False, more: str = "") -> Story:
    story = Story(parse(more + TILE, "config.toml"), left(50)).plugged()
    (sent,) = [effect for effect in story.tell(left(4)) if isinstance(effect, SendAlert)]
    story.tell(AlertDelivered(sent.alert.key, sent.level, delivered, confirmed))
    return story


def listed(story: Story) -> str:
    return "\n".join(alert_lines(alerts_status(story.controller, story.now), story.now.utc))


@pytest.mark.parametrize(("delivered", "confirmed"), [(True, False), (False, False), (True, True)])
def test_only_an_unconfirmed_notification_is_on_the_glass_and_marked_in_the_list(delivered: bool, confirmed: bool):
    story = alerted(delivered, confirmed)
    is_shown = SIGN in story.face(LAST).view.text
    assert is_shown == ("may not have been shown" in listed(story)) == (not confirmed)
    assert SIGN not in story.face(0).view.text, "the other tiles are as they were"


def test_a_press_removes_the_sign_and_the_alert_stays_in_the_list():
    story = alerted()
    story.key(3, True)
    assert SIGN not in story.face(LAST).view.text
    assert "OpenRouter: balance low" in listed(story)
    assert "may not have been shown" not in listed(story)


def test_a_press_on_a_dark_deck_only_wakes_it_and_the_sign_is_read_then():
    story = alerted(more="[dim]\non_lock = true\n")
    story.tell(SessionLock(Lock.LOCKED))
    story.wait(5)
    story.key(3, True)
    story.key(3, False)
    story.tell(SessionLock(Lock.OPEN))
    assert SIGN in story.face(LAST).view.text


def test_the_sign_goes_with_the_alert_or_its_acknowledgement():
    story = alerted()
    story.tell(left(60))
    assert SIGN not in story.face(LAST).view.text
    story = alerted()
    (key,) = story.controller.accounts.alerts.open
    story.tell(AlertAcknowledged(key, 3))
    assert SIGN not in story.face(LAST).view.text


def test_a_configuration_error_has_the_last_key_first():
    story = alerted()
    story.tell(ConfigRejected())
    assert "configuration error" in story.face(LAST).view.text
    assert SIGN not in story.face(LAST).view.text


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_has_words_for_a_dark_key_and_for_a_tile(kind: AlertKind):
    dark = with_alert(TileView("blank", "", (), ""), kind)
    assert [type(block) for block in dark.blocks] == [Notice]
    tile = with_alert(TileView("balance", "Left", (Hero("$4.00"),), "Balance $4.00"), kind)
    assert tile.trouble is not None
    assert tile.trouble.text.startswith("Alert: ")
    assert tile.text.startswith("Balance $4.00, alert: ")
