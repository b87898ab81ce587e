"""When the desktop shows a spike: once a rise, over restarts, and never when the user does not want it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.alert import Alert
from openbalance_hid.account.snapshot import Health, Reading, Snapshot, Spend
from openbalance_hid.account.spike import Level, SpikeRule, SpikeVerdict
from openbalance_hid.app.alert_messages import spike_message
from openbalance_hid.app.effects import SendAlert, Store
from openbalance_hid.app.events import AlertAcknowledged, AlertDelivered, HistoryLoaded
from openbalance_hid.config.load import parse
from tests.app.test_controller import Story
from tests.build import NOON, api_key, day_of_samples, days_back, snapshot

TILE = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "spike-alert"\nburst = false\n'


def spending(usd: float, polls: int = 1) -> Snapshot:
    """Days of $2 and so much in the last 24 hours: 6 is a spike, 12 critical."""
    return replace(snapshot(days=days_back([2] * 6), taken=day_of_samples(usd)), polls=polls)


def begun(text: str = TILE) -> Story:
    return Story(parse(text, "config.toml"), spending(1)).plugged()


def notes(effects: list) -> list[SendAlert]:
    return [effect for effect in effects if isinstance(effect, SendAlert)]


def said(note: SendAlert, delivered: bool = True) -> AlertDelivered:
    return AlertDelivered(note.alert.key, note.level, delivered)


def kept(story: Story) -> Alert:
    return story.seen(Store)[-1].record


def test_each_rise_is_told_once():
    story = begun()
    assert notes(story.tell(spending(2))) == []
    (spike,) = notes(story.tell(spending(7)))
    assert (spike.level, spike.title) == (Level.SPIKE, "OpenRouter: Spike")
    assert spike.text.startswith("3.5× the usual spend in the last 24 hours")
    assert notes(story.tell(spending(7, 2))) == [], "the notification is on its way"
    story.tell(said(spike))
    assert notes(story.tell(spending(7, 3))) == []
    (critical,) = notes(story.tell(spending(13)))
    assert critical.level is Level.CRITICAL
    story.tell(said(critical))
    assert notes(story.tell(spending(7))) == notes(story.tell(spending(13))) == []


NO_SPIKE_TILE = '[[decks]]\nrest = "blank"\n[[decks.keys]]\nkey = 0\ntile = "balance"\n'


def test_without_a_spike_tile_the_default_rule_notifies_once_and_ends():
    story = begun(NO_SPIKE_TILE)
    (spike,) = notes(story.tell(spending(7)))
    story.tell(said(spike))
    assert notes(story.tell(spending(7, 2))) == []
    notified = [each.alert.rule for each in notes(story.tell(spending(13)))]
    assert notified == [SpikeRule()], "one alert, not another one for each deck"
    own_rule = begun(TILE.replace("false", "false\nthreshold = 15.0"))
    assert notes(own_rule.tell(spending(7))) == [], "the user's own rule replaces the default"


def test_what_could_not_be_delivered_is_tried_again_and_recorded_only_then():
    story = begun()
    (note,) = notes(story.tell(spending(7)))
    story.tell(said(note, delivered=False))
    assert kept(story).notified == Level.NORMAL
    (again,) = notes(story.tell(spending(7, 2)))
    story.tell(said(again))
    assert kept(story).notified == Level.SPIKE


def test_vector_14_a_restart_is_silent_unless_the_level_has_risen_meanwhile():
    story = begun()
    (note,) = notes(story.tell(spending(7)))
    story.tell(said(note))
    story.tell(AlertAcknowledged(note.alert.key, note.level))
    alert = kept(story)
    assert (alert.notified, alert.acknowledged) == (Level.SPIKE, Level.SPIKE)
    for usd, levels in ((7, []), (13, [Level.CRITICAL])):
        after = Story(parse(TILE, "config.toml"), spending(usd)).plugged()
        before = after.controller.snapshots["default"]
        after.tell(HistoryLoaded("default", before.started_at, (alert,)))
        risen = notes(after.tell(spending(usd, 2)))
        assert [each.level for each in risen] == levels
        for each in risen:
            after.tell(said(each))
        assert notes(after.tell(spending(usd, 3))) == []


def test_the_button_acknowledges_as_a_tap_does():
    story = begun()
    (note,) = notes(story.tell(spending(7)))
    assert story.face(0).view.attention
    story.tell(AlertAcknowledged(note.alert.key, note.level))
    assert not story.face(0).view.attention
    assert "Spike" in story.face(0).view.text


@pytest.mark.parametrize("text", [TILE, ""], ids=["written", "by default"])
def test_a_spike_is_told_also_while_no_deck_is_there_and_once_when_it_comes(text: str):
    story = Story(parse(text, "config.toml"), spending(1))
    (note,) = notes(story.tell(spending(7)))
    story.tell(said(note))
    story.plugged()
    assert notes(story.tell(spending(7, 2))) == []


def test_an_owner_who_wants_no_notification_gets_none():
    assert notes(begun(TILE + "notify = false\n").tell(spending(13))) == []


@pytest.mark.parametrize(
    ("lane", "words"),
    [("24h", "24 hours"), ("1h", "1 hour"), ("15m", "15 minutes"), ("450m", "450 minutes"), ("7d", "7 days")],
)
def test_the_window_is_said_as_people_say_it(lane, words):
    verdict = SpikeVerdict(Level.SPIKE, 6, Decimal("3.55"), lane=lane)
    assert spike_message("default", verdict).text == f"3.5× the usual spend in the last {words}"


def test_an_approximate_ratio_is_marked_and_the_rule_of_a_key_names_it():
    verdict = SpikeVerdict(Level.SPIKE, 6, Decimal("3.55"), approximate=True)
    assert spike_message("default", verdict).text == "~3.5× the usual spend in the last 24 hours"
    assert spike_message("default", verdict, None, "ci").text == "API key ci: ~3.5× the usual spend in the last 24 hours"


def test_the_alert_of_a_key_tile_names_the_key():
    day = NOON.date()
    days = {day - timedelta(days=age): {"ci": Spend(Decimal(1))} for age in range(1, 7)}
    seen = replace(spending(1), key_days=Reading(days, NOON, Health.OK))
    calm, runaway = (replace(seen, keys=Reading((api_key("ci", usd),), NOON, Health.OK)) for usd in (1, 30))
    story = Story(parse(TILE + 'key_name = "ci"\n', "config.toml"), calm).plugged()
    (note,) = notes(story.tell(runaway))
    assert note.text.startswith("API key ci: ")
