"""One deck: its shape, its pages, what its dials have changed, its brightness. Pure and frozen.

Brightness over time is in `dimming`, the effect of a dial on tiles in `dials`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from msgspec import Struct, field
from msgspec.structs import replace

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.dials import brighter, changed_by, with_next_account, with_next_period
from openbalance_hid.app.dimming import Dimmer, Lock
from openbalance_hid.app.events import Cell, Spot
from openbalance_hid.app.tile_views import BLANK
from openbalance_hid.config.default_layout import check_against_deck, dials_of, pages_of, rotation_of, strip_of
from openbalance_hid.config.schema import Config, DialConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.deck.device_events import DeckArrived

Slot = tuple[str | None, Spot]  # name of the page, or None for the strip, which all pages share; and the place on it


class Pages(Struct, frozen=True):
    """At least one page; the first one is shown first."""

    pages: tuple[PageConfig, ...]
    index: int = 0

    @property
    def shown(self) -> PageConfig:
        """The page that the deck shows."""
        return self.pages[self.index]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(page.name for page in self.pages)

    def turned(self, steps: int) -> Pages:
        """Return the state some pages further; after the last page comes the first. Negative: back."""
        return replace(self, index=(self.index + steps) % len(self.pages))

    def at(self, name: object) -> Pages:
        """Return the state with the page of that name shown; unchanged without such a page."""
        return replace(self, index=self.names.index(str(name))) if name in self.names else self

    def beside(self, steps: int) -> str:
        """Return the name of the page that `turned(steps)` leads to."""
        return self.turned(steps).shown.name


class DeckState(Struct, frozen=True):
    """`light` None: a deck without displays. `turned`: the tiles that a dial has changed."""

    shape: DeckArrived
    pages: Pages
    strip: tuple[TileConfig, ...]
    dials: Mapping[int, DialConfig]
    light: Dimmer | None
    turned: Mapping[Slot, TileConfig] = field(default_factory=FrozenMap)
    rotation: int = 0  # degrees clockwise
    home_after_s: float = 0.0  # back to the first page after so long without an input; 0: never
    used_s: float = 0.0  # monotonic, of the last input or the last command for a page

    @classmethod
    def of(
        cls, shape: DeckArrived, config: Config, now: Moment, zone: tzinfo | None = None, lock: Lock = Lock.OPEN
    ) -> DeckState:
        """Return a deck as it is configured, on its first page."""
        deck = config.deck_for(shape.serial)
        return cls(
            shape,
            Pages(pages_of(config, deck, shape.key_count)),
            strip_of(config, deck, shape.cells),
            dials_of(deck, shape.dials),
            Dimmer.begin(config.dim, deck.brightness, now, zone, lock) if shape.visual else None,
            rotation=rotation_of(deck, shape.only_half_turns),
            home_after_s=60.0 * deck.home_after_minutes,
            used_s=now.mono_s,
        )

    def restored(self, before: DeckState, now: Moment) -> DeckState:
        """Return this deck with the page, the brightness and the dial changes of `before`."""
        pages = self.pages.at(before.pages.shown.name)
        light = self.light
        if light is not None and before.light is not None:
            light = Dimmer.begin(light.dim, before.light.wanted, now, light.zone, light.lock)
            light = light.off() if before.light.switched_off else light
        return replace(self, pages=pages, light=light, turned=before.turned)

    def with_config(self, config: Config, before: Config) -> DeckState:
        """Return this deck with another configuration. Page and brightness stay, unless the configuration changes them.

        A tile that a dial has changed stays if its configured tile is the same and its account still exists.
        """
        deck, was = config.deck_for(self.shape.serial), before.deck_for(self.shape.serial)
        new = replace(
            self,
            pages=Pages(pages_of(config, deck, self.shape.key_count)).at(self.pages.shown.name),
            strip=strip_of(config, deck, self.shape.cells),
            dials=dials_of(deck, self.shape.dials),
            turned=FrozenMap(),
            rotation=rotation_of(deck, self.shape.only_half_turns),
            home_after_s=60.0 * deck.home_after_minutes,
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

    def with_brightness(self, percent: int | None, now: Moment) -> DeckState:
        """Return this deck lit with `percent`, or as before (None), or switched off (0)."""
        if self.light is None:
            return self
        return replace(self, light=self.light.on(now, percent) if percent != 0 else self.light.off())

    def with_lock(self, lock: Lock, now: Moment) -> DeckState:
        """Return this deck while the user's session is open or locked."""
        return self if self.light is None else replace(self, light=self.light.with_lock(lock, now))

    def at(self, now: Moment) -> DeckState:
        """Return this deck at `now`: dimmed, and on its first page, when it was not used for long enough."""
        deck = self if self.light is None else replace(self, light=self.light.at(now))
        home_s = self.home_s
        return deck if home_s is None or now.mono_s < home_s else replace(deck, pages=replace(self.pages, index=0))

    @property
    def home_s(self) -> float | None:
        """When it returns to its first page, in monotonic seconds; None: never, or it is there."""
        return self.used_s + self.home_after_s if self.home_after_s and self.pages.index else None

    @property
    def is_lit(self) -> bool:
        """Whether its displays are lit."""
        return self.light is not None and self.light.percent > 0

    def keys(self) -> dict[int, TileConfig]:
        """Return the tile on each key of the shown page."""
        name, tiles, turned = self.pages.shown.name, self.pages.shown.keys, self.turned
        return {key: turned.get((name, key), tiles.get(key, BLANK)) for key in range(self.shape.key_count)}

    def cells(self) -> dict[Cell, TileConfig]:
        """Return the tile in each cell of the strip; a cell without one is blank."""
        return {cell: self._cell(cell) for cell in map(Cell, range(self.shape.cells))}

    def tile(self, spot: Spot) -> TileConfig:
        """Return the tile that is shown on a key or in a cell."""
        return self._key(spot) if isinstance(spot, int) else self._cell(spot) if isinstance(spot, Cell) else BLANK

    def tiles(self) -> dict[Spot, TileConfig]:
        """Return the tiles that are shown: keys, then cells."""
        keys: dict[Spot, TileConfig] = {key: tile for key, tile in self.keys().items()}  # noqa: C416 – another type of key
        return keys | {cell: tile for cell, tile in self.cells().items()}  # noqa: C416

    def all_tiles(self) -> dict[Slot, TileConfig]:
        """Return the tiles of every page and of the strip: the strip first, the shown page next."""
        cells: dict[Slot, TileConfig] = {(None, cell): tile for cell, tile in self.cells().items()}
        shown: dict[Slot, TileConfig] = {(self.pages.shown.name, key): tile for key, tile in self.keys().items()}
        others: dict[Slot, TileConfig] = {
            (page.name, key): self.turned.get((page.name, key), tile)
            for page in self.pages.pages
            for key, tile in page.keys.items()
        }
        return {**cells, **shown, **others}

    def misfits(self, config: Config) -> list[str]:
        """Return a message for each part of the configuration that the deck does not have."""
        shape = self.shape
        problems = check_against_deck(
            config.deck_for(shape.serial), shape.key_count, shape.dials, shape.cells, shape.only_half_turns
        )
        return [str(problem) for problem in problems]

    def on_page(self, name: object) -> DeckState:
        """Return this deck with the page of that name shown; unchanged without such a page."""
        return replace(self, pages=self.pages.at(name))

    def turned_pages(self, steps: int) -> DeckState:
        """Return this deck some pages further; negative: back."""
        return replace(self, pages=self.pages.turned(steps))

    def with_dial_turned(self, dial: int, steps: int, config: Config) -> DeckState:
        """Return this deck after a dial was turned by so many clicks; a dial without a configured use changes nothing."""
        wanted = self.dials.get(dial)
        match wanted.turn if wanted is not None else None:
            case "page":
                return self.turned_pages(steps)
            case "brightness" if self.light is not None:
                return replace(self, light=self.light.wanting(brighter(self.light.wanted, steps)))
            case "period":
                tiles = changed_by(self.all_tiles(), (None, Cell(dial)), "period")
                return self._with(with_next_period(tiles, steps))
            case "account":
                tiles = changed_by(self.all_tiles(), (None, Cell(dial)), "account")
                return self._with(with_next_account(tiles, tuple(config.accounts), steps))
        return self

    def _key(self, key: int) -> TileConfig:
        page = self.pages.shown
        return self.turned.get((page.name, key), page.keys.get(key, BLANK))

    def _cell(self, cell: Cell) -> TileConfig:
        configured = self.strip[cell.number] if cell.number < len(self.strip) else BLANK
        return self.turned.get((None, cell), configured)

    def _with(self, tiles: Mapping[Slot, TileConfig]) -> DeckState:
        return replace(self, turned=FrozenMap({**self.turned, **tiles}))
