"""One deck as the house knows it: its shape, its pages, what its dials have changed, its light. Pure and frozen.

What a page, a dial or the light does is decided in `pages`, `dials` and `light`; here they are one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from msgspec import Struct, field
from msgspec.structs import replace

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.dials import brighter, meant, with_next_account, with_next_period
from openbalance_hid.app.dimming import Dimmer, Lock
from openbalance_hid.app.events import DeckReady, DialTurned, Swiped, TouchKeyMoved
from openbalance_hid.app.pages import Pages
from openbalance_hid.app.places import Cell, Spot
from openbalance_hid.app.tile_views import BLANK
from openbalance_hid.config.default_layout import check_against_deck, dials_of, pages_of, strip_of
from openbalance_hid.config.schema import Config, DialConfig, FrozenMap, TileConfig

Slot = tuple[str | None, Spot]  # name of the page, None for the strip, which all pages share; and where on it


class DeckState(Struct, frozen=True):
    """`light` None: a deck without displays. `turned`: the tiles that a dial has changed, as they are now."""

    shape: DeckReady
    pages: Pages
    strip: tuple[TileConfig, ...]
    dials: Mapping[int, DialConfig]
    light: Dimmer | None
    turned: Mapping[Slot, TileConfig] = field(default_factory=FrozenMap)

    @classmethod
    def of(cls, shape: DeckReady, config: Config, now: Moment, zone: tzinfo | None = None, lock: Lock = Lock.OPEN) -> DeckState:
        """As the owner has configured it, on its first page."""
        deck = config.deck_for(shape.serial)
        return cls(
            shape,
            Pages(pages_of(config, deck, shape.key_count)),
            strip_of(config, deck, shape.cells),
            dials_of(deck, shape.dials),
            Dimmer.begin(config.dim, deck.brightness, now, zone, lock) if shape.visual else None,
        )

    def again(self, before: DeckState, now: Moment) -> DeckState:
        """Plugged in again: on the page, with the brightness and the dials' changes of `before`."""
        pages = self.pages.at(before.pages.shown.name)
        light = self.light
        if light is not None and before.light is not None:
            light = Dimmer.begin(light.dim, before.light.wanted, now, light.zone, light.lock)
        return replace(self, pages=pages, light=light, turned=before.turned)

    def under(self, config: Config, before: Config) -> DeckState:
        """With another configuration: page and brightness stay where the owner left them, unless it speaks of them.

        What a dial has changed stays where the tile below it is the same, and its account is still there.
        """
        deck, was = config.deck_for(self.shape.serial), before.deck_for(self.shape.serial)
        new = replace(
            self,
            pages=Pages(pages_of(config, deck, self.shape.key_count)).at(self.pages.shown.name),
            strip=strip_of(config, deck, self.shape.cells),
            dials=dials_of(deck, self.shape.dials),
            turned=FrozenMap(),
        )
        if self.light is not None:
            light = replace(self.light, dim=config.dim)
            new = replace(new, light=light if deck.brightness == was.brightness else light.wanting(deck.brightness))
        old_tiles, new_tiles = replace(self, turned=FrozenMap()).all_tiles(), new.all_tiles()
        kept = {
            slot: tile
            for slot, tile in self.turned.items()
            if old_tiles.get(slot) == new_tiles.get(slot) and tile.account in config.accounts
        }
        return replace(new, turned=FrozenMap(kept))

    def locked(self, lock: Lock, now: Moment) -> DeckState:
        """While the owner's session is so."""
        return self if self.light is None else replace(self, light=self.light.locked(lock, now))

    @property
    def is_lit(self) -> bool:
        """Whether anything can be seen on it."""
        return self.light is not None and self.light.percent > 0

    def keys(self) -> dict[int, TileConfig]:
        """What stands on each key of the shown page."""
        page = self.pages.shown
        return {key: self.turned.get((page.name, key), page.keys.get(key, BLANK)) for key in range(self.shape.key_count)}

    def cells(self) -> dict[Cell, TileConfig]:
        """What stands in each cell of the strip; those without a tile are blank, so that nothing old is left in them."""
        tiles = dict(enumerate(self.strip))
        return {
            Cell(number): self.turned.get((None, Cell(number)), tiles.get(number, BLANK)) for number in range(self.shape.cells)
        }

    def tiles(self) -> dict[Spot, TileConfig]:
        """What is to be seen now: keys, then cells."""
        keys: dict[Spot, TileConfig] = {key: tile for key, tile in self.keys().items()}  # noqa: C416 – another type of key
        return keys | {cell: tile for cell, tile in self.cells().items()}  # noqa: C416

    def all_tiles(self) -> dict[Slot, TileConfig]:
        """What is on any page and on the strip: the strip first, the shown page next."""
        cells: dict[Slot, TileConfig] = {(None, cell): tile for cell, tile in self.cells().items()}
        shown: dict[Slot, TileConfig] = {(self.pages.shown.name, key): tile for key, tile in self.keys().items()}
        others: dict[Slot, TileConfig] = {
            (page.name, key): self.turned.get((page.name, key), tile)
            for page in self.pages.pages
            for key, tile in page.keys.items()
        }
        return {**cells, **shown, **others}

    def misfits(self, config: Config) -> list[str]:
        """What the owner wrote for the deck and it does not have, in words."""
        shape = self.shape
        problems = check_against_deck(config.deck_for(shape.serial), shape.key_count, shape.dials, shape.cells)
        return [str(problem) for problem in problems]

    def on_page(self, name: object) -> DeckState:
        """With the page of that name shown; as it is where there is none."""
        return replace(self, pages=self.pages.at(name))

    def turned_by(self, event: TouchKeyMoved | Swiped | DialTurned, config: Config) -> DeckState:
        """After a finger has turned the page, or a dial what it is there for."""
        match event:
            case TouchKeyMoved(_, touch_key):
                return replace(self, pages=self.pages.turned(1 if touch_key else -1))
            case Swiped(_, pages):
                return replace(self, pages=self.pages.turned(pages))
            case DialTurned(_, dial, steps):
                return self._with_dial_turned(dial, steps, config)

    def _with_dial_turned(self, dial: int, steps: int, config: Config) -> DeckState:
        """After a dial was turned by so many clicks; a dial that the owner gave nothing to changes nothing."""
        wanted = self.dials.get(dial)
        match wanted.turn if wanted is not None else None:
            case "page":
                return replace(self, pages=self.pages.turned(steps))
            case "brightness" if self.light is not None:
                return replace(self, light=self.light.wanting(brighter(self.light.wanted, steps)))
            case "period":
                tiles = meant(self.all_tiles(), (None, Cell(dial)), "period")
                return self._with(with_next_period(tiles, steps))
            case "account":
                tiles = meant(self.all_tiles(), (None, Cell(dial)), "account")
                return self._with(with_next_account(tiles, tuple(config.accounts), steps))
        return self

    def _with(self, tiles: Mapping[Slot, TileConfig]) -> DeckState:
        return replace(self, turned=FrozenMap({**self.turned, **tiles}))
