"""The tiles, strip and dials of a deck: as configured, else the default layout; and entries that do not fit the deck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from openbalance_hid.config.broker_options import SourceConfig
from openbalance_hid.config.diagnostics import Problem
from openbalance_hid.config.load import product_tiles
from openbalance_hid.config.schema import (
    FIRST_PAGE,
    Config,
    ConfigLocation,
    DeckConfig,
    DialConfig,
    FrozenMap,
    PageConfig,
    TileConfig,
)
from openbalance_hid.config.sections import TileOptions

DEFAULT_STRIP = ("top-models", "providers", "usage", "monthly-spend", "today", "runway")  # the tiles that gain most by width
DEFAULT_ORDER = (
    "balance",
    "top-models",
    "monthly-spend",
    "spike-alert",
    "today",
    "runway",
    "burn-rate",
    "api-keys",
    "providers",
    "usage",
    "balance",
    "meter",
    "privacy",
)  # a name that no tile has is left out
_OPTIONS: Mapping[int, Mapping[str, object]] = {10: {"show": "percent", "period": "all"}}  # by place: what is not the default


def default_tiles(key_count: int, theme: str = "dark", tiles: TileOptions | None = None) -> Mapping[int, TileConfig]:
    """Return key number -> tile of a deck without keys in the configuration: `DEFAULT_ORDER`, as far as there are keys."""
    return FrozenMap(dict(enumerate(_default_order(theme, product_tiles() if tiles is None else tiles)[:key_count])))


def pages_of(config: Config, deck: DeckConfig, key_count: int, tiles: TileOptions | None = None) -> tuple[PageConfig, ...]:
    """Return the pages of the deck in order, never empty. Keys of the first page without an entry follow `deck.rest`."""
    has_first = any(page.name == FIRST_PAGE for page in deck.pages)
    if deck.rest != "default":
        return deck.pages or (PageConfig(FIRST_PAGE),)
    pages = deck.pages if has_first else (PageConfig(FIRST_PAGE), *deck.pages)
    order = _default_order(config.theme, product_tiles() if tiles is None else tiles)[:key_count]
    return tuple(structs.replace(page, keys=_filled(page.keys, order)) if page.name == FIRST_PAGE else page for page in pages)


def _filled(named: FrozenMap[int, TileConfig], order: Sequence[TileConfig]) -> FrozenMap[int, TileConfig]:
    """Return `named` and the default tiles on all other keys, each in its own place.

    A default tile that `named` already has is left out; its place goes to one whose own place is taken.
    """
    placed = {_identity(tile) for tile in named.values()}
    displaced = [
        tile for key, tile in enumerate(order) if key in named and named[key].tile != "blank" and _identity(tile) not in placed
    ]
    keys = dict(named)
    for key, tile in enumerate(order):
        if key in named:
            continue
        if _identity(tile) not in placed:
            keys[key] = tile
        elif displaced:
            keys[key] = displaced.pop(0)
    return FrozenMap(dict(sorted(keys.items())))


def _identity(tile: TileConfig) -> tuple[str, str, object]:
    """Return what two tiles have in common if one of them is enough: a balance in dollars and one in percent are two."""
    return tile.tile, tile.account, tile.options.get("show") if tile.tile == "balance" else None


def _default_order(theme: str, tiles: TileOptions) -> list[TileConfig]:
    order = []
    for place, name in enumerate(DEFAULT_ORDER):
        if name in tiles:
            tile = _default_tile(name, theme, tiles)
            order.append(structs.replace(tile, options=FrozenMap({**tile.options, **_OPTIONS.get(place, {})})))
    return order


def written_tiles(config: Config, account: str) -> tuple[TileConfig, ...]:
    """Return the account's tiles on all configured decks, connected or not; without any deck, the default tiles."""
    pages = (page for deck in config.decks or (DeckConfig(),) for page in pages_of(config, deck, len(DEFAULT_ORDER)))
    return tuple(tile for page in pages for tile in page.keys.values() if tile.account == account)


def intervals_of(config: Config) -> Mapping[str, float]:
    """Return account -> poll interval in seconds."""
    return FrozenMap({name: 60.0 * account.refresh_minutes for name, account in config.accounts.items()})


def sources_of(config: Config) -> FrozenMap[str, SourceConfig]:
    """Return the source of each account that is shown without a key, by name."""
    return FrozenMap({name: account.source for name, account in config.accounts.items() if account.source is not None})


def published_accounts(config: Config) -> tuple[str, ...]:
    """Return the accounts that are published: those that this machine has a key for."""
    return tuple(name for name, account in config.accounts.items() if account.source is None)


def strip_of(config: Config, deck: DeckConfig, cell_count: int, tiles: TileOptions | None = None) -> tuple[TileConfig, ...]:
    """Return the tiles of the touch strip, left to right, at most `cell_count`: as configured, or the default ones."""
    if deck.strip:
        return deck.strip[:cell_count]
    known = product_tiles() if tiles is None else tiles
    names = [name for name in DEFAULT_STRIP if name in known][:cell_count]
    return tuple(_default_tile(name, config.theme, known) for name in names)


def dials_of(deck: DeckConfig, dial_count: int) -> Mapping[int, DialConfig]:
    """Return dial -> its actions: as configured, or period for each and brightness for the last one."""
    if deck.dials:
        return FrozenMap({dial.dial: dial for dial in deck.dials if dial.dial < dial_count})
    last = dial_count - 1
    return FrozenMap({dial: DialConfig(dial, "brightness" if dial == last else "period") for dial in range(dial_count)})


def rotation_of(deck: DeckConfig, only_half: bool) -> int:
    """Return the degrees that the deck is turned; 0 where it cannot be. `only_half`: it has parts below its keys."""
    return 0 if only_half and deck.rotate in (90, 270) else deck.rotate


def check_against_deck(
    deck: DeckConfig,
    key_count: int,
    dial_count: int | None = None,
    cell_count: int | None = None,
    only_half: bool = False,
) -> tuple[Problem, ...]:
    """Return a problem for each configured key, dial and strip tile that the connected deck lacks. None: not checked.

    `only_half`: the deck has parts below its keys, so that it can only be turned by 180 degrees.
    """
    accepted = f"this deck has only the keys 0 to {key_count - 1}" if key_count else "this deck has no keys"
    keys = [
        Problem(page.locations.get(key, _location(f"page '{page.name}'")), f"found key {key}, but {accepted}")
        for page in deck.pages
        for key, tile in page.keys.items()
        if key >= key_count and not _is_default(key, tile)
    ]
    dials = [
        Problem(_location("decks.dials"), f"found dial {dial.dial}, but this deck has {dial_count or 'no'} dials")
        for dial in deck.dials
        if dial_count is not None and dial.dial >= dial_count
    ]
    cells = [
        Problem(_location("decks.strip"), f"found {len(deck.strip)} tiles, but this deck has room for {cell_count}")
        for _ in deck.strip[:1]
        if cell_count is not None and len(deck.strip) > cell_count
    ]
    turns = [
        Problem(
            _location("decks.rotate"),
            f"found {deck.rotate}, but this deck can only be turned by 180: the parts below its keys have no place at a side",
        )
        for _ in range(rotation_of(deck, only_half) != deck.rotate)
    ]
    return (*keys, *dials, *cells, *turns)


def _is_default(key: int, tile: TileConfig) -> bool:
    """Return whether `config init` writes this tile on this key, for a deck that has as many keys."""
    order = _default_order(tile.theme, product_tiles())
    return key < len(order) and order[key].tile == tile.tile


def _location(name: str) -> ConfigLocation:
    return ConfigLocation(name, None, "")


def _default_tile(name: str, theme: str, tiles: TileOptions) -> TileConfig:
    return TileConfig(name, theme=theme, options=FrozenMap({option.name: option.default for option in tiles[name]}))
