"""The tiles of other packages in the controller under virtual time: when they are evaluated, and late answers."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from openbalance_hid.app.effects import EvaluatePlugin, LogWarning
from openbalance_hid.app.events import ConfigReloaded, GestureRequested, PluginEvaluated
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.app.plugin_tiles import ANSWER_LIMIT_S
from openbalance_hid.config.schema import Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.tiles.interface import Hero, TileView
from openbalance_hid.tiles.plugin import PluginTile, PluginTrouble
from openbalance_hid.tiles.plugin_view import PluginResult
from tests.app.test_controller import DECK, Story, healthy

HELLO = PluginTile("hello", "hello-tile 1.0", tap="activity", every_s=60)
TILE = TileConfig("hello", plugin=HELLO)
OTHER = TileConfig("balance", options=FrozenMap({"show": "remaining", "period": "30d", "low_usd": None, "notify": False}))


def config_of(*tiles: TileConfig) -> Config:
    page = PageConfig("main", FrozenMap(dict(enumerate(tiles))))
    return Config(decks=(DeckConfig(pages=(page,), rest="blank"),))


class PluginStory(Story):
    """A deck with these tiles on its first keys."""

    def __init__(self, *tiles: TileConfig) -> None:
        super().__init__(config_of(*tiles))
        self.tell(DeckArrived(DECK, "mini", 6))

    def evaluations(self) -> list[EvaluatePlugin]:
        return [effect for _, effect in self.done if isinstance(effect, EvaluatePlugin)]

    def answer(self, tile: TileConfig, *words: str) -> None:
        self.tell(PluginEvaluated(tile, PluginResult(TileView("Hello", tuple(map(Hero, words))))))

    def text(self, key: int) -> str:
        return self.controller.faces[DECK, key].view.text

    def warnings(self) -> list[str]:
        return [effect.text for _, effect in self.done if isinstance(effect, LogWarning)]


def test_a_tile_is_evaluated_at_once_at_each_minute_and_when_the_account_changes():
    story = PluginStory(TILE, OTHER)
    assert [effect.tile for effect in story.evaluations()] == [TILE]
    assert story.text(0) == "hello: Preparing…"
    story.answer(TILE, "1")
    assert story.text(0) == "Hello 1"
    story.wait(59)
    assert len(story.evaluations()) == 1
    story.wait(2)
    story.answer(TILE, "2")
    assert len(story.evaluations()) == 2
    story.tell(healthy())
    assert len(story.evaluations()) == 2, "nothing in the scene is new"
    story.tell(replace(healthy(), health=healthy().health.OFFLINE))
    assert len(story.evaluations()) == 3
    assert story.evaluations()[2].scene.health == "offline"


def test_the_interval_of_a_tile_starts_with_the_whole_second_of_the_clock():
    tile = TileConfig("hello", plugin=replace(HELLO, every_s=10))
    story = PluginStory(tile)
    for _ in range(6):
        story.answer(tile, "x")
        story.wait(10)
    times = [effect.scene.now for effect in story.evaluations()]
    assert len(times) == 7
    assert {at.second % 10 for at in times} == {0}
    assert times[-1] - times[0] == timedelta(seconds=60)


def test_a_tile_that_hangs_gets_words_and_is_not_evaluated_again_until_it_answers():
    story = PluginStory(TILE, OTHER)
    story.wait(ANSWER_LIMIT_S + 0.1)
    assert story.text(0) == "hello: No answer, see doctor"
    assert story.text(1).startswith("Balance $")
    assert story.warnings() == ["the tile hello of hello-tile 1.0 does not answer: it has not answered within 2 s"]
    story.wait(24 * 3600)
    assert len(story.evaluations()) == 1
    assert len(story.warnings()) == 1
    story.answer(TILE, "back")
    assert story.text(0) == "Hello back"
    assert len(story.evaluations()) == 2, "time has passed since"


def test_a_hanging_tile_that_left_the_deck_sets_no_deadline_and_draws_nothing():
    story = PluginStory(TILE)
    story.wait(ANSWER_LIMIT_S + 0.1)
    story.tell(ConfigReloaded(config_of(OTHER)))
    story.wait(600)
    assert story.text(0).startswith("Balance $")
    story.answer(TILE, "late")
    assert story.text(0).startswith("Balance $")


def test_keys_with_other_options_are_evaluated_each_for_itself():
    one, two = (TileConfig("hello", options=FrozenMap({"word": word}), plugin=HELLO) for word in ("a", "b"))
    story = PluginStory(one, two, one)
    assert [effect.tile for effect in story.evaluations()] == [one, two]
    story.answer(two, "b")
    assert [story.text(key) for key in range(3)] == ["hello: Preparing…", "Hello b", "hello: Preparing…"]


def test_a_tile_that_cannot_be_used_is_logged_once_and_never_evaluated():
    broken = TileConfig("new", plugin=PluginTile("new", "new-tile 2", trouble=PluginTrouble.WRONG_VERSION, problem="too new"))
    story = PluginStory(broken, broken)
    story.wait(600)
    assert story.evaluations() == []
    assert story.warnings() == ["the tile new of new-tile 2 cannot be used: too new"]
    assert story.text(0) == "new: Wrong version, see doctor"


def test_a_tap_does_what_the_package_declares_or_the_configuration_says():
    story = PluginStory(TILE, replace(TILE, tap="credits"))
    (first,) = [effect for effect in story.tell(GestureRequested(0, Gesture.TAP)) if hasattr(effect, "url")]
    (second,) = [effect for effect in story.tell(GestureRequested(1, Gesture.TAP)) if hasattr(effect, "url")]
    assert (first.url, second.url) == ("https://openrouter.ai/activity", "https://openrouter.ai/settings/credits")


def test_an_evaluation_that_could_not_be_started_is_due_again():
    story = PluginStory(TILE)
    story.controller.retry(story.evaluations()[0])
    story.wait(61)
    assert len(story.evaluations()) == 2


def test_amounts_of_a_tile_of_another_package_are_masked_too():
    privacy = TileConfig("privacy")
    story = PluginStory(TILE, privacy)
    story.answer(TILE, "$12.34")
    assert story.text(0) == "Hello $12.34"
    story.tell(GestureRequested(1, Gesture.TAP))
    assert "12.34" not in story.text(0)
