"""However many decks there are, each thing that happens is paid for once: nobody asks the tiles that it does not concern."""

import pytest

from openbalance_hid.app.effects import Paint
from openbalance_hid.app.events import PageRequested
from openbalance_hid.app.ticks import MOST_PULSES, Ticks, pulse_s
from openbalance_hid.config.load import parse
from openbalance_hid.deck.device_events import DeckArrived, TouchKeyEvent
from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.kind import TileKind
from tests.app.test_controller import Story, healthy

DECKS = 8
TWO_PAGES = """
[[decks]]
rest = "blank"
[[decks.keys]]
key = 0
tile = "today"
[[decks.pages]]
name = "other"
[[decks.pages.keys]]
key = 0
tile = "today"
label = "Other"
"""


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Each time that the tile "today" was asked what it says."""
    usual, times = TILES["today"], []

    def view(scene):
        times.append(scene.tile)
        return usual.view(scene)

    monkeypatch.setitem(TILES, "today", TileKind("today", usual.help, view, usual.tap, usual.options))
    return times


def many() -> Story:
    story = Story(parse(TWO_PAGES, "config.toml"), healthy())
    for number in range(DECKS):
        story.tell(DeckArrived(f"DECK{number}", "mini", 6))
    return story


def test_each_deck_that_is_found_asks_its_own_tiles(asked):
    many()
    assert len(asked) == DECKS


def test_a_page_that_is_turned_on_one_deck_asks_no_tile_of_another(asked):
    story = many()
    asked.clear()
    assert [effect.serial for effect in story.tell(TouchKeyEvent("DECK3", 1, True, 0.0)) if isinstance(effect, Paint)] == [
        "DECK3"
    ]
    assert len(asked) == 1


def test_a_page_shown_on_all_decks_evaluates_a_tile_that_they_share_once(asked):
    story = many()
    asked.clear()
    painted = [effect.serial for effect in story.tell(PageRequested("other")) if isinstance(effect, Paint)]
    assert painted == [f"DECK{number}" for number in range(DECKS)]
    assert len(asked) == 1


def test_many_pulsing_tiles_pulse_slower_so_that_no_more_pictures_are_sent() -> None:
    assert [pulse_s(tiles) for tiles in (0, 1, MOST_PULSES, MOST_PULSES + 1, 4 * MOST_PULSES)] == [1.0, 1.0, 1.0, 2.0, 4.0]
    for tiles in (1, 40, 128, 1000):
        ticks, now_s, halves = Ticks(100.0), 100.0, []
        for _ in range(6):
            halves.append(ticks.is_quiet(now_s, tiles))
            now_s = ticks.next_half_s(now_s, tiles)
        assert halves == [False, True] * 3
        assert tiles / ((now_s - 100.0) / 6) <= MOST_PULSES
