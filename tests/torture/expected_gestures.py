"""The taps and holds that each event must complete, computed independently of the controller.

A press starts when a key goes down on a connected deck that is not dark. It completes no gesture when its deck is
disconnected, its page or tile changes, or the duration of a hold changes. It ends when the key has been up for `BOUNCE_S`.
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
BOUNCE_S = 0.05


@dataclass
class Press:
    since_s: float
    done: bool = False  # a hold, or cancelled
    up_s: float | None = None

    def due_s(self, hold_s: float) -> float:
        if self.up_s is not None:
            return self.up_s + BOUNCE_S
        return float("inf") if self.done else self.since_s + hold_s


class ExpectedGestures:
    """Call `before` and `after` at each step of one controller."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._presses: dict[Key, Press] = {}  # of keys that are down, or were a moment ago
        self._cancelled: set[Key] = set()  # of them, and others
        self.gestures = 0

    def before(self, event: Event) -> None:
        """Remember the state before the step."""
        controller = self._controller
        self._pages = {serial: panel.pages for serial, panel in controller.decks.items()}
        self._boards = {serial: dict(board) for serial, board in controller.key_tiles.items()}
        self._hold_s = controller.config.hold_seconds
        self._dark = {serial for serial, panel in controller.decks.items() if panel.light is not None and panel.light.is_dark}
        self._visual = {serial: panel.shape.visual for serial, panel in controller.decks.items()}

    def after(self, event: Event, effects: list[Effect], now: Moment) -> None:
        """Raise AssertionError when the step opened or refreshed anything without a gesture, or missed a gesture."""
        wanted: Counter[object] = Counter()
        if isinstance(event, FROM_KEYS):
            self._fire_due(event.mono_s if isinstance(event, KeyEvent) else now.mono_s, wanted)
        else:
            self._cancel_changed(event)
        if isinstance(event, KeyEvent):
            self._key(event)
        if isinstance(event, DeckLost | DeckArrived):
            self._presses = {key: press for key, press in self._presses.items() if key[0] != event.serial}
        if isinstance(event, FROM_KEYS):
            actual = Counter(self._action(effect) for effect in effects if isinstance(effect, OpenUrl | Refresh))
            assert actual == wanted, f"{event} at {now}: {actual} instead of {wanted}"
        elif isinstance(event, DeckLost | DeckArrived | ConfigReloaded):
            assert not [effect for effect in effects if isinstance(effect, OpenUrl | Refresh)], event
        if isinstance(event, ConfigReloaded) and self._controller.config.hold_seconds != self._hold_s:
            self._presses.clear()

    @property
    def down(self) -> dict[Key, Press]:
        """The keys that are down and may still complete a gesture, or have completed a hold."""
        return {key: press for key, press in self._presses.items() if press.up_s is None and key not in self._cancelled}

    def _key(self, event: KeyEvent) -> None:
        key = (event.serial, event.key)
        if event.serial not in self._pages or event.key not in self._boards[event.serial]:
            return
        press = self._presses.get(key)
        if event.down and press is not None:
            press.up_s = None
        elif event.down:
            dark = event.serial in self._dark
            self._presses[key] = Press(event.mono_s, dark)
            self._cancelled = self._cancelled | {key} if dark else self._cancelled - {key}
        elif press is not None and press.up_s is None:
            press.up_s = event.mono_s

    def _fire_due(self, until_s: float, wanted: Counter[object]) -> None:
        while self._presses:
            key = min(self._presses, key=lambda each: self._presses[each].due_s(self._hold_s))
            press = self._presses[key]
            if press.due_s(self._hold_s) > until_s:
                return
            done, press.done = press.done, True
            if press.up_s is not None:
                del self._presses[key]
            if not done:
                self._fire(key, press.up_s is None, wanted)

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
                    self._cancel({each for each in self._presses if each[0] == serial})

    @staticmethod
    def _action(effect: OpenUrl | Refresh) -> object:
        if isinstance(effect, Refresh):
            return "refresh", effect.account
        return "open", effect.serial, effect.spot, effect.url

    def _cancel_changed(self, event: Event) -> None:
        for serial, number in list(self._presses):
            deck = self._controller.decks.get(serial)
            if deck is None or serial not in self._pages:
                changed = True
            elif isinstance(event, ConfigReloaded):
                changed = deck.keys().get(number) != self._boards[serial].get(number)
            else:
                changed = deck.pages.shown.name != self._pages[serial].shown.name
            if changed:
                self._cancel({(serial, number)})

    def _cancel(self, keys: set[Key]) -> None:
        self._cancelled |= keys
        for key in keys:
            self._presses[key].done = True
