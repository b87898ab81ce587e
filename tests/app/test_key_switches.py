"""The switch of an API key from a hold to the confirmed state: who may, what is shown, what is stored."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.key_switching import KeyOutcome, KeySwitch, SwitchStage
from openbalance_hid.account.snapshot import Health, Reading, Snapshot
from openbalance_hid.app.effects import Refresh, SendAlert, ShowMessage, Store, SwitchKey
from openbalance_hid.app.events import ConfigReloaded, GestureRequested, KeySwitchEnded, KeySwitchRequested
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.config.load import parse
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, KeyEvent
from openbalance_hid.errors import ConfigError
from tests.app.test_controller import DECK, Story
from tests.build import api_key, day_of_samples, days_back, snapshot

TILE = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "key-switch"\nkey_name = "laptop"\n'
ALLOWED = "[accounts.default]\nallow_key_switch = true\n"
KEYS = (api_key("laptop", "1.20"), api_key("ci", 3, limit=50, left=20))
TWINS = (
    replace(api_key("ci 0a1b2c", 1), hash="0a1b2c9x", given_name="ci"),
    replace(api_key("ci 9f8e7d", 1), hash="9f8e7d1x", given_name="ci"),
)


def seen(keys=KEYS, at=None, **changes) -> Snapshot:
    made = snapshot(keys=keys)
    if at is not None:
        made = replace(made, keys=Reading(tuple(keys), at, Health.OK))
    return replace(made, **changes)


def begun(text: str = ALLOWED + TILE, keys=KEYS) -> Story:
    return Story(parse(text, "config.toml"), seen(keys)).plugged()


def words(story: Story, key: int = 0) -> str:
    return story.face(key).view.text


def hold(story: Story, key: int = 0, seconds: float = 2.1) -> list[SwitchKey]:
    before = len(story.seen(SwitchKey))
    story.key(key, True)
    story.wait(seconds)
    story.key(key, False)
    story.wait(0.1)
    return story.seen(SwitchKey)[before:]


def end(story: Story, effect: SwitchKey, stage: SwitchStage, disabled: bool | None, message: str = "") -> list:
    switch = effect.switch
    return story.tell(
        KeySwitchEnded(switch.account, switch.key_hash, switch.requested_at, KeyOutcome(stage, disabled, message))
    )


def test_a_hold_disables_shows_pending_and_then_off_and_another_enables():
    story = begun()
    assert words(story) == "laptop: on, $1.20 today, Hold to stop"
    (effect,) = hold(story)
    assert (effect.switch.key_hash, effect.switch.disables, effect.read_first) == ("laptop-hash", True, False)
    assert words(story) == "laptop: Stopping…, not confirmed yet, $1.20 today"
    end(story, effect, SwitchStage.DONE, True)
    assert words(story) == "laptop: off: disabled, $1.20 today, Hold to start"
    (effect,) = hold(story)
    assert effect.switch.disables is False
    end(story, effect, SwitchStage.DONE, False)
    assert words(story).startswith("laptop: on,")


def test_without_permission_a_hold_refreshes_and_nothing_is_written():
    for text in (TILE, "[accounts.default]\nallow_key_switch = false\n" + TILE):
        story = begun(text)
        assert words(story).endswith("view only")
        assert hold(story) == []
        assert story.seen(Refresh)
        story.tell(KeySwitchRequested("default", "laptop-hash", True, "shell"))
        assert story.seen(SwitchKey) == []


def test_a_permission_that_is_withdrawn_counts_at_once():
    story = begun()
    story.tell(ConfigReloaded(parse(TILE, "config.toml")))
    assert hold(story) == []


def test_a_hold_takes_two_seconds_whatever_the_configuration():
    story = begun("hold_seconds = 0.3\n" + ALLOWED + TILE)
    assert hold(story, seconds=1.9) == []
    assert len(hold(story, seconds=2.1)) == 1


def test_a_second_hold_while_one_is_pending_sends_nothing():
    story = begun()
    (effect,) = hold(story)
    assert hold(story) == []
    story.tell(KeySwitchRequested("default", "laptop-hash", False, "shell"))
    assert len(story.seen(SwitchKey)) == 1
    end(story, effect, SwitchStage.DONE, True)
    assert end(story, effect, SwitchStage.FAILED, False) == [], "a switch ends once"


def test_two_decks_hold_the_same_key_at_once_and_one_request_is_sent():
    story = begun()
    story.tell(DeckArrived("SIM2", "mk2", 15))
    story.key(0, True)
    story.tell(KeyEvent("SIM2", 0, True, story.now.mono_s))
    story.wait(3)
    assert [effect.switch.source for effect in story.seen(SwitchKey)] == [f"deck {DECK}"]


def test_a_deck_that_is_unplugged_during_the_hold_switches_nothing():
    story = begun()
    story.key(0, True)
    story.wait(1.5)
    story.tell(DeckLost(DECK))
    story.wait(5)
    story.plugged()
    story.wait(5)
    assert story.seen(SwitchKey) == []


def test_old_data_is_read_first():
    story = begun()
    story.wait(1900)  # two intervals
    assert hold(story) == [], "the press that wakes a dark deck does nothing else"
    (effect,) = hold(story)
    assert effect.read_first


@pytest.mark.parametrize(
    ("stage", "disabled", "text"),
    [
        (SwitchStage.FAILED, False, "laptop: on, $1.20 today, Refused, Hold to stop"),
        (SwitchStage.NOT_SENT, None, "laptop: on, $1.20 today, Not sent, Hold to stop"),
        (SwitchStage.UNKNOWN, None, "laptop: unknown whether it is on or off, $1.20 today, Hold to stop"),
        (SwitchStage.GONE, None, "laptop: there is no such key any more, $1.20 today"),
        (SwitchStage.FORBIDDEN, None, "laptop: on, $1.20 today, Management key, Hold to stop"),
    ],
)
def test_every_other_end_is_shown_and_the_keys_are_read_again(stage, disabled, text):
    story = begun()
    (effect,) = hold(story)
    effects = end(story, effect, stage, disabled, "reason")
    assert words(story) == text
    assert [each for each in effects if isinstance(each, Refresh)] == [Refresh("default")]


def test_an_unknown_state_is_known_with_the_next_list_of_keys_or_a_later_read():
    story = begun()
    (effect,) = hold(story)
    end(story, effect, SwitchStage.UNKNOWN, None)
    disabled = (replace(KEYS[0], disabled=True), KEYS[1])
    story.tell(seen(disabled, story.now.utc + timedelta(seconds=1)))
    assert words(story).startswith("laptop: off")
    story = begun()
    (effect,) = hold(story)
    end(story, effect, SwitchStage.GONE, None)
    story.tell(seen(at=story.now.utc + timedelta(seconds=1)))
    assert words(story).startswith("laptop: on"), "a list that has the key proves that it exists"
    story = begun()
    (effect,) = hold(story)
    end(story, effect, SwitchStage.UNKNOWN, None)
    end(story, effect, SwitchStage.DONE, True)
    assert words(story).startswith("laptop: off")


def test_a_list_that_was_requested_before_the_switch_does_not_undo_it():
    story = begun()
    (effect,) = hold(story)
    end(story, effect, SwitchStage.DONE, True)
    story.tell(seen(at=story.now.utc + timedelta(seconds=20)))  # its request began before
    assert words(story).startswith("laptop: off")
    story.tell(seen(at=story.now.utc + timedelta(seconds=40)))  # enabled again on the website
    assert words(story).startswith("laptop: on")


def test_each_switch_is_stored_at_its_start_and_at_its_end():
    story = begun()
    (effect,) = hold(story)
    end(story, effect, SwitchStage.FAILED, False, "/keys/… answered 403: no")
    records = [each.record for each in story.seen(Store) if isinstance(each.record, KeySwitch)]
    assert [(each.stage, each.source, each.message) for each in records] == [
        (SwitchStage.PENDING, f"deck {DECK}", ""),
        (SwitchStage.FAILED, f"deck {DECK}", "/keys/… answered 403: no"),
    ]


def test_two_keys_of_one_name_are_listed_and_neither_is_switched():
    story = begun(ALLOWED + TILE.replace("laptop", "ci"), TWINS)
    assert words(story) == "ci: 2 keys have this name: ci 0a1b2c, ci 9f8e7d; name one of them"
    assert hold(story) == []
    for option in ('key_name = "ci 9f8e7d"', 'key_hash = "9f8e7d1x"'):
        story = begun(ALLOWED + TILE.replace('key_name = "laptop"', option), TWINS)
        (effect,) = hold(story)
        assert effect.switch.key_hash == "9f8e7d1x"


def test_a_key_in_another_workspace_is_switched_like_any_other():
    story = begun(keys=(replace(KEYS[0], workspace="Research"), replace(KEYS[1], workspace="Default")))
    assert words(story).startswith("laptop: on")
    (effect,) = hold(story)
    assert effect.switch.key_hash == "laptop-hash"
    end(story, effect, SwitchStage.DONE, True)
    assert words(story).startswith("laptop: off: disabled")


def test_a_renamed_key_is_found_by_its_hash_and_no_longer_by_its_name():
    renamed = (replace(KEYS[0], name="desk", given_name="desk"), KEYS[1])
    assert words(begun(keys=renamed)) == "laptop: No such key, see: keys"
    story = begun(ALLOWED + TILE.replace('key_name = "laptop"', 'key_hash = "laptop-hash"'), renamed)
    assert words(story).startswith("desk: on")


def test_an_expired_key_is_not_switched():
    story = begun(keys=(replace(KEYS[0], disabled=True, expired=True),))
    assert words(story) == "laptop: expired, $1.20 today"
    assert hold(story) == []


def test_a_tile_without_a_key_is_a_mistake_of_the_configuration():
    with pytest.raises(ConfigError, match="missing, accepted: the name of an API key, or its key_hash"):
        parse('[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "key-switch"\n', "config.toml")


def test_a_hold_by_a_command_is_the_same_hold():
    story = begun()
    story.tell(GestureRequested(0, Gesture.HOLD))
    assert len(story.seen(SwitchKey)) == 1


def spiking(*keys) -> Snapshot:
    made = snapshot(days=days_back([3] * 8), today={"Model A": 40}, taken=day_of_samples(40))
    at = made.credits.measured_at
    return replace(made, keys=Reading(keys, at, Health.OK), key_days=Reading({}, at, Health.OK))


def alert_of(story: Story, known: Snapshot) -> SendAlert:
    (alert,) = [effect for effect in story.tell(known) if isinstance(effect, SendAlert)]
    return alert


RUNAWAY = (api_key("laptop", 30), api_key("ci", 1))


def test_a_spike_that_a_key_drives_names_the_key_and_its_tile_and_can_stop_it():
    story = begun(ALLOWED + TILE + '[[decks.keys]]\nkey = 1\ntile = "spike-alert"\n')
    alert = alert_of(story, spiking(*RUNAWAY))
    assert "API key laptop" in words(story, 1)
    assert alert.text.endswith("API key: laptop; hold the tile laptop to stop it")
    assert alert.stop == KeySwitchRequested("default", "laptop-hash", True, "notification")


def test_without_permission_or_a_driving_key_a_notification_stops_nothing():
    assert alert_of(begun(TILE), spiking(*RUNAWAY)).stop is None
    alert = alert_of(begun(), spiking(api_key("laptop", 16), api_key("ci", 15)))
    assert alert.stop is None
    assert "API key" not in alert.text


def test_a_switch_from_a_notification_tells_its_end_there():
    story = begun()
    (effect,) = [
        each
        for each in story.tell(KeySwitchRequested("default", "laptop-hash", True, "notification"))
        if isinstance(each, SwitchKey)
    ]
    (message,) = [each for each in end(story, effect, SwitchStage.DONE, True) if isinstance(each, ShowMessage)]
    assert message.title == "OpenRouter: laptop is disabled"
    (effect,) = hold(story)
    assert [each for each in end(story, effect, SwitchStage.FAILED, True) if isinstance(each, ShowMessage)] == []
