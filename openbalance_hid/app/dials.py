"""What the dials of a deck change: the tiles that a turn is meant for, and how they look after it. Pure.

A dial stands below a cell of the touch strip. A turn is for the tile in that cell if it has what the dial changes; else for
every tile of the deck that has it. Turns go round the end. Page and brightness are the whole deck's and not decided here.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from openbalance_hid.app.tile_views import ACCOUNTLESS_TILES
from openbalance_hid.config.schema import FrozenMap, TileConfig
from openbalance_hid.tiles import TILES

BRIGHTNESS_STEP = 5  # percent a click
DARKEST = 5  # percent: a dial must not make a deck look broken
PERIODS = ("today", "week", "7d", "month", "30d", "all")  # shortest first
# Tile, option and the choice with which its period is not to be seen.
_UNSEEN = {("balance", "show", "remaining"), ("usage", "display", "balance"), ("usage", "display", "icon")}

Key = TypeVar("Key", bound=Hashable)


def meant(tiles: Mapping[Key, TileConfig], above: Key, turn: str) -> dict[Key, TileConfig]:
    """The tiles that a turn of a dial below `above` is for, in their order. `turn`: "period" or "account"."""
    has = periods_of if turn == "period" else _accounts_of
    if above in tiles and has(tiles[above]):
        return {above: tiles[above]}
    return {key: tile for key, tile in tiles.items() if has(tile)}


def with_next_period(tiles: Mapping[Key, TileConfig], steps: int) -> dict[Key, TileConfig]:
    """The tiles with the next period of all that they have, shortest first; a tile that does not have it stays."""
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
    """The tiles with the account after that of the first one."""
    if not tiles:
        return {}
    then = _further(accounts, next(iter(tiles.values())).account, steps)
    return {key: replace(tile, account=then) for key, tile in tiles.items()}


def brighter(percent: int, steps: int) -> int:
    """A brightness some clicks up or down."""
    return min(100, max(DARKEST, percent + steps * BRIGHTNESS_STEP))


def periods_of(tile: TileConfig) -> tuple[str, ...]:
    """The periods that a tile can show; none where its options keep it from showing one."""
    if any(tile.tile == name and tile.options.get(option) == choice for name, option, choice in _UNSEEN):
        return ()
    if "period" not in tile.options:
        return ()
    return next((option.choices or () for option in TILES[tile.tile].options if option.name == "period"), ())


def _accounts_of(tile: TileConfig) -> bool:
    return tile.tile not in ACCOUNTLESS_TILES


def _further(order: Sequence[str], now: str, steps: int) -> str:
    index = order.index(now) if now in order else 0
    return order[(index + steps) % len(order)]
