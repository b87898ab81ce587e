"""What fingers may cause, reckoned apart from the house: which taps and holds each event completes, and no others.

A press counts from its going down on a deck that is there and bright enough; it ends without a gesture when its deck leaves,
its page turns, its tile becomes another, or the time of a hold is changed.
"""

from collections import Counter
from dataclasses import dataclass

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Effect, OpenUrl, Refresh
from openbalance_hid.app.events import ConfigReloaded, Event, TimePassed
from openbalance_hid.app.tile_views import tap_of
from openbalance_hid.deck.events import DeckArrived, DeckLost, KeyEvent
from openbalance_hid.tiles.actions import OpenPage, TurnPage

Key = tuple[str, int]
FROM_KEYS = (KeyEvent, TimePassed)  # only these may complete a press


@dataclass
class Press:
    since_s: float
    held: bool = False


class Fingers:
    """Asked before and after each step of one house."""

    def __init__(self, house: Controller) -> None:
        self._house = house
        self.down: dict[Key, Press] = {}
        self.gestures = 0

    def before(self, event: Event) -> None:
        """Remember how things stood."""
        house = self._house
        self._pages = {serial: panel.pages for serial, panel in house.decks.items()}
        self._boards = {serial: dict(board) for serial, board in house.key_tiles.items()}
        self._hold_s = house.config.hold_seconds
        self._dark = {serial for serial, panel in house.decks.items() if panel.light is not None and panel.light.is_dark}
        self._turned: set[str] = set()  # decks whose page this step turns
        self._visual = {serial: panel.shape.visual for serial, panel in house.decks.items()}

    def after(self, event: Event, effects: list[Effect], now: Moment) -> None:
        """AssertionError when the step opened or refreshed anything that no finger has asked for, or left something undone."""
        wanted: Counter[object] = Counter()
        if isinstance(event, KeyEvent):
            self._key(event, wanted)
        if isinstance(event, DeckLost | DeckArrived):
            self._drop({key for key in self.down if key[0] == event.serial})
        if isinstance(event, FROM_KEYS):
            due_s = event.mono_s if isinstance(event, KeyEvent) else now.mono_s
            for key, press in list(self.down.items()):  # in the order of going down
                if not press.held and due_s >= press.since_s + self._hold_s and key[0] not in self._turned:
                    press.held = True
                    self._fire(key, True, wanted)
        self._forget_changed(event)
        if isinstance(event, FROM_KEYS):
            told = Counter(self._told(effect) for effect in effects if isinstance(effect, OpenUrl | Refresh))
            assert told == wanted, f"{event} at {now}: {told} instead of {wanted}"
        elif isinstance(event, DeckLost | DeckArrived | ConfigReloaded):
            assert not [effect for effect in effects if isinstance(effect, OpenUrl | Refresh)], event
        if isinstance(event, ConfigReloaded) and self._house.config.hold_seconds != self._hold_s:
            self.down.clear()

    def _key(self, event: KeyEvent, wanted: Counter[object]) -> None:
        key = (event.serial, event.key)
        if event.serial not in self._pages or event.key not in self._boards[event.serial]:
            return
        if event.down:
            if key not in self.down and event.serial not in self._dark:
                self.down[key] = Press(event.mono_s)
            return
        press = self.down.pop(key, None)
        if press is not None and not press.held:
            self._fire(key, event.mono_s >= press.since_s + self._hold_s, wanted)

    def _fire(self, key: Key, hold: bool, wanted: Counter[object]) -> None:
        self.gestures += 1
        serial, number = key
        tile = self._boards[serial][number]
        if hold == self._visual[serial]:
            wanted["refresh", tile.account] += 1
            return
        match tap_of(tile, self._house.snapshots[tile.account]):
            case OpenPage(page):
                wanted["open", serial, number, page.value] += 1
            case TurnPage():
                pages = self._pages[serial]
                if pages.at(tile.options.get("to")) != pages:
                    self._turned.add(serial)

    @staticmethod
    def _told(effect: OpenUrl | Refresh) -> object:
        if isinstance(effect, Refresh):
            return "refresh", effect.account
        return "open", effect.serial, effect.spot, effect.url

    def _forget_changed(self, event: Event) -> None:
        for serial, number in list(self.down):
            panel = self._house.decks.get(serial)
            if panel is None or serial not in self._pages:
                lost = True
            elif isinstance(event, ConfigReloaded):
                lost = panel.keys().get(number) != self._boards[serial].get(number)
            else:
                lost = panel.pages.shown.name != self._pages[serial].shown.name
            if lost:
                self._drop({(serial, number)})

    def _drop(self, keys: set[Key]) -> None:
        for key in keys:
            self.down.pop(key, None)
