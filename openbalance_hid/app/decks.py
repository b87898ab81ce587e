"""The connected decks, and the state in which disconnected ones were left: a page or brightness survives a replug. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.deck_state import DeckState, Pages, Slot
from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.events import Place, Spot
from openbalance_hid.config.schema import Config, TileConfig
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.tiles.command import NAME as COMMAND_TILE
from openbalance_hid.tiles.command import TileCommand, command_of


class ConnectedDecks:
    """`by_serial`: the connected decks. `zone`: time zone of the night hours; None: the system's."""

    def __init__(self, zone: tzinfo | None) -> None:
        self.by_serial: dict[str, DeckState] = {}
        self._disconnected: dict[str, DeckState] = {}
        self._known: dict[str, _DeckTiles] = {}  # by serial, of connected decks
        self._zone = zone
        self._lock = Lock.OPEN  # of the user's session

    def arrive(self, shape: DeckArrived, config: Config, now: Moment) -> DeckState:
        """Return the state of a deck that was just connected: as it was left, if it was connected before."""
        deck = DeckState.of(shape, config, now, self._zone, self._lock)
        before = self._disconnected.pop(shape.serial, None)
        return deck if before is None else deck.restored(before, now)

    def remove(self, serial: str) -> None:
        """Note that a deck was disconnected. Idempotent."""
        self._known.pop(serial, None)
        if serial in self.by_serial:
            self._disconnected[serial] = self.by_serial.pop(serial)

    def adopt_config(self, config: Config, before: Config) -> None:
        """Use another configuration, also for decks that are disconnected."""
        for decks in (self.by_serial, self._disconnected):
            decks |= {serial: deck.with_config(config, before) for serial, deck in decks.items()}

    def set_lock(self, lock: Lock, now: Moment) -> None:
        """Note that the user's session was locked or unlocked."""
        self._lock = lock
        for serial, deck in self.by_serial.items():
            self.by_serial[serial] = deck.with_lock(lock, now)

    def wake(self, serial: str, now: Moment) -> bool:
        """Wake a connected deck for an input. Return False if it was dark: then the input does nothing else."""
        self.use(serial, now)
        deck = self.by_serial[serial]
        if deck.light is None:
            return True
        self.by_serial[serial] = replace(deck, light=deck.light.woken(now))
        return not deck.light.is_dark

    def use(self, serial: str, now: Moment) -> None:
        """Note that a deck is used: its time until it returns to its first page starts again."""
        self.by_serial[serial] = replace(self.by_serial[serial], used_s=now.mono_s)

    def pass_time(self, now: Moment) -> list[str]:
        """Dim the decks that are idle. Return the serial numbers of those that returned to their first page."""
        home = []
        for serial, deck in self.by_serial.items():
            self.by_serial[serial] = deck.at(now)
            if self.by_serial[serial].pages != deck.pages:
                home.append(serial)
        return home

    def deadlines(self, now: Moment) -> list[float]:
        """Return the monotonic seconds at which a brightness or page changes by itself."""
        lights = [at_s for deck in self.by_serial.values() if deck.light is not None for at_s in deck.light.deadlines(now)]
        return [*lights, *(deck.home_s for deck in self.by_serial.values() if deck.home_s is not None)]

    def tile(self, place: Place) -> TileConfig:
        """Return the tile at a place of a connected deck."""
        return self.by_serial[place[0]].tile(place[1])

    def shown_tiles(self) -> Iterator[TileConfig]:
        """Return the tiles that the connected decks show."""
        return (tile for deck in self.by_serial.values() for tile in self._tiles(deck).shown.values())

    def tiles(self) -> Iterator[TileConfig]:
        """Return the tiles on every page of every connected deck."""
        return (tile for deck in self.by_serial.values() for tile in self._tiles(deck).on_all_pages)

    def commands(self) -> tuple[dict[TileCommand, None], dict[TileCommand, None]]:
        """Return the programs of all `command` tiles, and of those that lit decks show now, as keys in order."""
        present: dict[TileCommand, None] = {}
        visible: dict[TileCommand, None] = {}
        for deck in self.by_serial.values():
            tiles = self._tiles(deck)
            present |= tiles.commands
            visible |= tiles.shown_commands if deck.is_lit else {}
        return present, visible

    def _tiles(self, deck: DeckState) -> "_DeckTiles":
        known = self._known.get(deck.shape.serial)
        if known is None or known.pages is not deck.pages or known.turned is not deck.turned:
            known = self._known[deck.shape.serial] = _DeckTiles.of(deck)
        return known


class _DeckTiles(Struct, frozen=True):
    """The tiles of a deck and the programs of its `command` tiles, and what they follow from. Every step needs them."""

    pages: Pages
    turned: Mapping[Slot, TileConfig]
    shown: Mapping[Spot, TileConfig]
    on_all_pages: tuple[TileConfig, ...]
    commands: dict[TileCommand, None]
    shown_commands: dict[TileCommand, None]

    @staticmethod
    def of(deck: DeckState) -> "_DeckTiles":
        """Return the tiles of a deck."""
        on_all_pages = tuple(deck.all_tiles().values())
        return _DeckTiles(
            deck.pages, deck.turned, deck.tiles(), on_all_pages, _commands(on_all_pages), _commands(deck.keys().values())
        )


def _commands(tiles: Iterable[TileConfig]) -> dict[TileCommand, None]:
    return dict.fromkeys(command_of(tile.options) for tile in tiles if tile.tile == COMMAND_TILE)
