"""Which decks are there, and how those were left that have gone: what the owner did to a deck outlives its unplugging. Pure."""

from collections.abc import Iterator
from datetime import tzinfo

from msgspec.structs import replace

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.deck_state import DeckState
from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.events import DeckReady
from openbalance_hid.config.schema import Config, TileConfig


class ConnectedDecks:
    """`panels`: by serial, those that are there. `zone`: of the night hours; None: the system's."""

    def __init__(self, zone: tzinfo | None) -> None:
        self.panels: dict[str, DeckState] = {}
        self._gone: dict[str, DeckState] = {}
        self._zone = zone
        self._lock = Lock.OPEN  # of the owner's session

    def arrived(self, shape: DeckReady, config: Config, now: Moment) -> DeckState:
        """What a deck is to look like that has just come: as it was left, if it was here before."""
        panel, before = DeckState.of(shape, config, now, self._zone, self._lock), self._gone.pop(shape.serial, None)
        return panel if before is None else panel.again(before, now)

    def left(self, serial: str) -> None:
        """It has gone, if it was there."""
        if serial in self.panels:
            self._gone[serial] = self.panels.pop(serial)

    def adopt(self, config: Config, before: Config) -> None:
        """Another configuration is in force."""
        for panels in (self.panels, self._gone):
            panels |= {serial: panel.under(config, before) for serial, panel in panels.items()}

    def locked(self, lock: Lock, now: Moment) -> None:
        """The owner's session was locked or unlocked."""
        self._lock = lock
        self.panels = {serial: panel.locked(lock, now) for serial, panel in self.panels.items()}

    def touched(self, serial: str, now: Moment) -> bool:
        """A finger is on a deck that is there. False: it was dark, and the finger has only woken it."""
        panel = self.panels[serial]
        if panel.light is None:
            return True
        self.panels[serial] = replace(panel, light=panel.light.woken(now))
        return not panel.light.is_dark

    def pass_time(self, now: Moment) -> None:
        """Decks that nobody touches grow dark."""
        for serial, panel in self.panels.items():
            if panel.light is not None:
                self.panels[serial] = replace(panel, light=panel.light.at(now))

    def deadlines(self, now: Moment) -> list[float]:
        """Monotonic seconds at which a light changes by itself."""
        return [mark for panel in self.panels.values() if panel.light is not None for mark in panel.light.deadlines(now)]

    def tiles(self) -> Iterator[TileConfig]:
        """On any page of any deck."""
        return (tile for panel in self.panels.values() for tile in panel.all_tiles().values())
