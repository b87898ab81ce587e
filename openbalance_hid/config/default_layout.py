"""Which tile is on which key of a deck with so many keys: the default layout, and entries that do not fit their deck."""

from __future__ import annotations

from collections.abc import Mapping

from openbalance_hid.config.diagnostics import Problem
from openbalance_hid.config.load import product_tiles
from openbalance_hid.config.schema import FIRST_PAGE, Config, DeckConfig, DialConfig, FrozenMap, PageConfig, Place, TileConfig
from openbalance_hid.config.sections import Tiles

DEFAULT_STRIP = ("top-models", "providers", "usage", "monthly-spend", "today", "runway")  # what gains most by width
DEFAULT_ORDER = ("balance", "top-models", "monthly-spend", "spike-alert", "usage", "today", "runway", "api-keys")


def default_tiles(key_count: int, theme: str = "dark", tiles: Tiles | None = None) -> Mapping[int, TileConfig]:
    """Key number -> tile of a deck that no entry describes: those of `DEFAULT_ORDER` that there are, while it has room."""
    known = product_tiles() if tiles is None else tiles
    names = [name for name in DEFAULT_ORDER if name in known][:key_count]
    return FrozenMap({key: _by_default(name, theme, known) for key, name in enumerate(names)})


def pages_of(config: Config, deck: DeckConfig, key_count: int, tiles: Tiles | None = None) -> tuple[PageConfig, ...]:
    """The pages of the deck, the first one first: as the owner wrote them, or one with the default layout. Never empty."""
    return deck.pages or (PageConfig(FIRST_PAGE, FrozenMap(default_tiles(key_count, config.theme, tiles))),)


def written_tiles(config: Config, account: str) -> tuple[TileConfig, ...]:
    """The tiles of an account on all decks that the owner has written, be they here or not; without any, the default ones."""
    pages = (page for deck in config.decks or (DeckConfig(),) for page in pages_of(config, deck, len(DEFAULT_ORDER)))
    return tuple(tile for page in pages for tile in page.keys.values() if tile.account == account)


def intervals_of(config: Config) -> Mapping[str, float]:
    """How often each account is asked, in seconds."""
    return FrozenMap({name: 60.0 * account.refresh_minutes for name, account in config.accounts.items()})


def strip_of(config: Config, deck: DeckConfig, cell_count: int, tiles: Tiles | None = None) -> tuple[TileConfig, ...]:
    """The tiles of the touch strip, left to right, at most `cell_count`: as the owner wrote them, or the default ones."""
    if deck.strip:
        return deck.strip[:cell_count]
    known = product_tiles() if tiles is None else tiles
    names = [name for name in DEFAULT_STRIP if name in known][:cell_count]
    return tuple(_by_default(name, config.theme, known) for name in names)


def dials_of(deck: DeckConfig, dial_count: int) -> Mapping[int, DialConfig]:
    """Dial -> what it does. Where the owner wrote none: period, and brightness for the last one."""
    if deck.dials:
        return FrozenMap({dial.dial: dial for dial in deck.dials if dial.dial < dial_count})
    last = dial_count - 1
    return FrozenMap({dial: DialConfig(dial, "brightness" if dial == last else "period") for dial in range(dial_count)})


def check_against_deck(
    deck: DeckConfig, key_count: int, dial_count: int | None = None, cell_count: int | None = None
) -> tuple[Problem, ...]:
    """A problem for each thing that the owner wrote and the connected deck does not have. None: not to be judged."""
    accepted = f"0 to {key_count - 1}" if key_count else "none, for this deck has no keys"
    keys = [
        Problem(page.places.get(key, Place(f"page '{page.name}'", None, "")), f"found key {key}, accepted: {accepted}")
        for page in deck.pages
        for key in page.keys
        if key >= key_count
    ]
    dials = [
        Problem(Place("decks.dials", None, ""), f"found dial {dial.dial}, but this deck has {dial_count or 'no'} dials")
        for dial in deck.dials
        if dial_count is not None and dial.dial >= dial_count
    ]
    cells = [
        Problem(Place("decks.strip", None, ""), f"found {len(deck.strip)} tiles, but this deck has room for {cell_count}")
        for _ in deck.strip[:1]
        if cell_count is not None and len(deck.strip) > cell_count
    ]
    return (*keys, *dials, *cells)


def _by_default(name: str, theme: str, tiles: Tiles) -> TileConfig:
    return TileConfig(name, theme=theme, options=FrozenMap({option.name: option.default for option in tiles[name]}))
