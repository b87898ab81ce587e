"""The taps and holds that each event must complete, computed independently of the controller.

A press starts when a key goes down on a connected deck that is not dark. It ends without a gesture when its deck is
disconnected, its page or tile changes, or the duration of a hold changes.
"""

from collections import Counter
from dataclasses import dataclass

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Effect, OpenUrl, Refresh
from openbalance_hid.app.events import ConfigReloaded, Event, TimePassed
from openbalance_hid.app.tile_views import tap_of
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, KeyEvent
from openbalance_hid.tiles.actions import OpenPage, TurnPage

Key = tuple[str, int]
FROM_KEYS = (KeyEvent, TimePassed)  # only these may complete a press


@dataclass
class Press:
    since_s: float
    held: bool = False


class ExpectedGestures:
    """Call `before` and `after` at each step of one controller."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.down: dict[Key, Press] = {}
        self.gestures = 0

    def before(self, event: Event) -> None:
        """Remember the state before the step."""
        controller = self._controller
        self._pages = {serial: panel.pages for serial, panel in controller.decks.items()}
        self._boards = {serial: dict(board) for serial, board in controller.key_tiles.items()}
        self._hold_s = controller.config.hold_seconds
        self._dark = {serial for serial, panel in controller.decks.items() if panel.light is not None and panel.light.is_dark}
        self._turned: set[str] = set()  # decks on which this step changes the page
        self._visual = {serial: panel.shape.visual for serial, panel in controller.decks.items()}

    def after(self, event: Event, effects: list[Effect], now: Moment) -> None:
        """Raise AssertionError when the step opened or refreshed anything without a gesture, or missed a gesture."""
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
            actual = Counter(self._action(effect) for effect in effects if isinstance(effect, OpenUrl | Refresh))
            assert actual == wanted, f"{event} at {now}: {actual} instead of {wanted}"
        elif isinstance(event, DeckLost | DeckArrived | ConfigReloaded):
            assert not [effect for effect in effects if isinstance(effect, OpenUrl | Refresh)], event
        if isinstance(event, ConfigReloaded) and self._controller.config.hold_seconds != self._hold_s:
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
        match tap_of(tile, self._controller.snapshots[tile.account]):
            case OpenPage(page):
                wanted["open", serial, number, page.value] += 1
            case TurnPage():
                pages = self._pages[serial]
                if pages.at(tile.options.get("to")) != pages:
                    self._turned.add(serial)

    @staticmethod
    def _action(effect: OpenUrl | Refresh) -> object:
        if isinstance(effect, Refresh):
            return "refresh", effect.account
        return "open", effect.serial, effect.spot, effect.url

    def _forget_changed(self, event: Event) -> None:
        for serial, number in list(self.down):
            panel = self._controller.decks.get(serial)
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
