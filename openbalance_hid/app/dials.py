"""The effect of a dial on tiles: which tiles a turn changes, and how. Pure.

Each dial is below a cell of the touch strip. A turn changes the tile in that cell if the tile has what the dial changes; else
every tile of the deck that has it. After the last value comes the first. Page and brightness are in `deck_state`.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from openbalance_hid.app.tile_views import has_account
from openbalance_hid.config.schema import FrozenMap, TileConfig
from openbalance_hid.tiles import TILES

BRIGHTNESS_STEP = 5  # percent a click
LEVELS = (100, 70, 40, 20)  # percent: what the action `brightness` steps through
DARKEST = 5  # percent: a deck that a dial made black would look broken
PERIODS = ("day", "today", "week", "7d", "month", "30d", "all")  # shortest first
# Tile, option and the choice with which the tile does not show its period.
_HIDDEN_PERIODS = {("balance", "show", "remaining"), ("usage", "display", "balance"), ("usage", "display", "icon")}

Key = TypeVar("Key", bound=Hashable)


def changed_by(tiles: Mapping[Key, TileConfig], above: Key, turn: str) -> dict[Key, TileConfig]:
    """Return the tiles that a turn of the dial below `above` changes, in their order. `turn`: "period" or "account"."""
    has = periods_of if turn == "period" else has_account
    if above in tiles and has(tiles[above]):
        return {above: tiles[above]}
    return {key: tile for key, tile in tiles.items() if has(tile)}


def with_next_period(tiles: Mapping[Key, TileConfig], steps: int) -> dict[Key, TileConfig]:
    """Return the tiles with the next period, shortest first; a tile that does not have this period is left out."""
    known = {period for tile in tiles.values() for period in periods_of(tile)}
    if not known:
        return {}
    order = [period for period in PERIODS if period in known]
    now = str(next(iter(tiles.values())).options["period"])
    then = _further(order, now, steps)
    return {
        key: replace(tile, options=FrozenMap({**tile.options, "period": then}))
        for key, tile in tiles.items()
        if then in periods_of(tile)
    }


def with_next_account(tiles: Mapping[Key, TileConfig], accounts: Sequence[str], steps: int) -> dict[Key, TileConfig]:
    """Return the tiles with the next account, counted from the first tile."""
    if not tiles:
        return {}
    then = _further(accounts, next(iter(tiles.values())).account, steps)
    return {key: replace(tile, account=then) for key, tile in tiles.items()}


def brighter(percent: int, steps: int) -> int:
    """Return a brightness some clicks up or down, in percent."""
    return min(100, max(DARKEST, percent + steps * BRIGHTNESS_STEP))


def next_level(percent: int) -> int:
    """Return the next lower level of brightness; after the lowest comes the highest."""
    return next((level for level in LEVELS if level < percent), LEVELS[0])


def periods_of(tile: TileConfig) -> tuple[str, ...]:
    """Return the periods that a tile can show; none if its options hide the period."""
    if any(tile.tile == name and tile.options.get(option) == choice for name, option, choice in _HIDDEN_PERIODS):
        return ()
    if "period" not in tile.options:
        return ()
    options = TILES[tile.tile].options if tile.plugin is None else tile.plugin.options
    return next((option.choices or () for option in options if option.name == "period"), ())


def _further(order: Sequence[str], now: str, steps: int) -> str:
    index = order.index(now) if now in order else 0
    return order[(index + steps) % len(order)]
