"""The small screen of a Neo: its balance is as low as on the balance tile of the same deck."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openbalance_hid.app.tile_views import TileInputs, screen_of, view_of
from openbalance_hid.config.schema import DEFAULT_ACCOUNT, FrozenMap, TileConfig
from openbalance_hid.tiles.kind import CASE_TIME, CaseAccount
from openbalance_hid.tiles.view import Hero, Line, Tone
from tools.tile_cases import snapshot_of


def shown(bought: str, **options: object) -> list[tuple[Tone, list[str]]]:
    """Return tone and lines of the balance tile of a deck, then of its small screen."""
    inputs = TileInputs({DEFAULT_ACCOUNT: snapshot_of(CaseAccount(bought=bought))})
    tile = TileConfig("balance", options=FrozenMap(options))
    views = (view_of(tile, inputs, CASE_TIME, 0)[0], screen_of({0: tile}, inputs, CASE_TIME, 0, "dark")[0])
    return [
        (
            next(block.tone for block in view.blocks if isinstance(block, Hero)),
            [block.text for block in view.blocks if isinstance(block, Line) and not block.text.startswith("updated")],
        )
        for view in views
    ]


@pytest.mark.parametrize(
    ("bought", "options", "tone", "words"),
    [
        ("100", {}, Tone.INK, "25 % less"),
        ("35", {}, Tone.WARN, "Low"),
        ("28", {}, Tone.ALARM, "Very low"),
        ("35", {"low_usd": "off"}, Tone.INK, "25 % less"),
        ("100", {"low_usd": Decimal(80)}, Tone.WARN, "Low"),
        ("10", {"low_usd": "off"}, Tone.ALARM, "Below zero"),
    ],
)
def test_the_screen_is_as_low_as_the_balance_tile(bought, options, tone, words):
    tile, screen = shown(bought, **options)
    assert tile == screen == (tone, ["$1.20 today", words])


def test_without_a_balance_tile_the_screen_has_the_default_limit():
    inputs = TileInputs({DEFAULT_ACCOUNT: snapshot_of(CaseAccount(bought="35"))})
    view = screen_of({0: TileConfig("today")}, inputs, CASE_TIME, 0, "dark")[0]
    assert "Low" in view.text


@pytest.mark.parametrize(
    ("later", "words"),
    [
        (timedelta(seconds=-30), "updated just now"),
        (timedelta(seconds=59), "updated just now"),
        (timedelta(minutes=7), "updated 7 min ago"),
        (timedelta(hours=5), "updated 5 h ago"),
        (timedelta(days=3), "updated 3 days ago"),
        (timedelta(hours=-1), "age unknown"),
    ],
)
def test_the_age_of_the_balance_is_in_words(later, words):
    snapshot = snapshot_of(CaseAccount(bought="100"))
    now = snapshot.credits.measured_at + later
    view = screen_of({0: TileConfig("balance")}, TileInputs({DEFAULT_ACCOUNT: snapshot}), now, 0, "dark")[0]
    assert words in [block.text for block in view.blocks if isinstance(block, Line)]
