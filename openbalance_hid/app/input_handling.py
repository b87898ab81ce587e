"""What the user does on the decks: key presses, dial turns, touches of the strip, and the action that each of them starts.

A press becomes a gesture in `gestures`; the tile under it gives the action. The marks of a press are in `presses`.
"""

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.app.account_store import AccountStore
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.deck_state import DeckState
from openbalance_hid.app.decks import ConnectedDecks
from openbalance_hid.app.effects import Effect, OpenUrl, Refresh, Store
from openbalance_hid.app.events import Cell, Event, Place, Spot, TimePassed
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.app.presses import Presses
from openbalance_hid.app.screen import DisplayState
from openbalance_hid.app.tile_views import ACCOUNTLESS_TILES, tap_of
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import (
    CELL_PX,
    DialPushed,
    DialTurned,
    InputEvent,
    KeyEvent,
    StripTouched,
    TouchKeyEvent,
    TouchKind,
)
from openbalance_hid.history.records import MaskedSetting
from openbalance_hid.tiles.actions import Acknowledge, OpenPage, ToggleMeter, TogglePrivacy, TurnPage
from openbalance_hid.tiles.scene import Privacy
from openbalance_hid.tiles.view import Flash

SWIPE_PX = 100  # a drag along the strip that is shorter is a tap
OPEN_FAILED_S = 3.0  # how long a key shows that its page could not be opened


class InputHandler:
    """Changes decks, accounts and presses; marks in `display` which tiles must be evaluated again."""

    def __init__(self, decks: ConnectedDecks, accounts: AccountStore, display: DisplayState, hold_s: float) -> None:
        self.presses = Presses(hold_s)
        self.hides_amounts = False  # switched by the privacy tile
        self._decks = decks
        self._accounts = accounts
        self._display = display

    @property
    def privacy(self) -> Privacy:
        """Whether amounts are masked now. A privacy tile that is held shows them until it is released."""
        if not self.hides_amounts:
            return Privacy.OFF
        peeks = any(self._decks.tile(place).tile == "privacy" for place in self.presses.held())
        return Privacy.PEEK if peeks else Privacy.ON

    def handle(self, event: InputEvent, config: Config, now: Moment) -> list[Effect]:
        """Return the effects of one input. The press that wakes a dark deck does nothing else."""
        serial = event.serial
        if serial not in self._decks.by_serial:
            return []
        if isinstance(event, KeyEvent | TouchKeyEvent | DialPushed) and not event.down:
            return self._release(event, now) if isinstance(event, KeyEvent) else []
        if not self._decks.wake(serial, now):
            return []
        deck = self._decks.by_serial[serial]
        match event:
            case KeyEvent(_, key, _, mono_s) if key < deck.shape.key_count:
                self.presses.press((serial, key), mono_s)
            case TouchKeyEvent(_, touch_key):
                self.show(serial, deck.turned_pages(1 if touch_key else -1))
            case DialTurned(_, dial, steps):
                self.show(serial, deck.with_dial_turned(dial, steps, config))
            case DialPushed(_, dial) if dial in deck.dials:
                return self._refresh_above(serial, Cell(dial))
            case StripTouched():
                return self._touch_strip(event, deck, now)
        return []

    def show(self, serial: str, deck: DeckState) -> None:
        """Put a deck in this state. Keys that are down when their page turns start nothing on the new page."""
        before = self._decks.by_serial.get(serial)
        self._decks.by_serial[serial] = deck
        if before is not None and before.pages != deck.pages:
            self.presses.clear({(serial, key) for key in range(deck.shape.key_count)})
        self._display.invalidate(serial)

    def gesture(self, place: Place, gesture: Gesture, now: Moment) -> list[Effect]:
        """Return the effects of a tap or a hold at a place that has a tile."""
        deck, tile = self._decks.by_serial[place[0]], self._decks.tile(place)
        if gesture is (Gesture.HOLD if deck.shape.visual else Gesture.TAP):  # a pedal has no display: its press refreshes
            return self._refresh(place, tile.account)
        match tap_of(tile, self._accounts.snapshots[tile.account]):
            case OpenPage(page):
                return [OpenUrl(page.value, *place)]
            case Acknowledge():
                if self._accounts.alerts.acknowledge_tile(tile, self._accounts.snapshots, now):
                    self._display.invalidate_all()
            case ToggleMeter():
                self._accounts.meters.toggle(tile.account, self._accounts.snapshots[tile.account], now.utc)
                self._display.invalidate_all()
            case TogglePrivacy():
                self.hides_amounts = not self.hides_amounts
                self._display.invalidate_all()
                return [Store(None, None, MaskedSetting(self.hides_amounts))]
            case TurnPage():
                self.show(place[0], deck.on_page(tile.options.get("to")))
        return []

    def due_holds(self, event: Event, now: Moment) -> list[Effect]:
        """Return the effects of the holds that are due. A key event is read late, so it is judged by its own time."""
        if not isinstance(event, TimePassed | KeyEvent):
            return []
        effects: list[Effect] = []
        for place, gesture in self.presses.due(event.mono_s if isinstance(event, KeyEvent) else now.mono_s):
            if self.presses.is_down(place):  # the hold before may have turned the page
                effects += self.gesture(place, gesture, now)
        return effects

    def after_snapshot(self, snapshot: Snapshot, now_s: float) -> None:
        """End the refreshes that this snapshot answers."""
        if not snapshot.refreshing and self.presses.marks.is_answered(snapshot.account, snapshot.polls):
            self.end_refresh(snapshot.account, now_s)

    def end_refresh(self, account: str, now_s: float) -> None:
        """Show on the keys that requested a refresh how it ended."""
        if account in self._accounts.snapshots:
            flash = Flash.DONE if self._accounts.snapshots[account].health is Health.OK else Flash.FAILED
            self.presses.marks.end(account, flash, now_s)

    def open_failed(self, serial: str, spot: Spot, now_s: float) -> None:
        """Show on the place of a tap that its page could not be opened."""
        if (serial, spot) in self._display.faces:
            self.presses.marks.flash((serial, spot), Flash.FAILED, now_s + OPEN_FAILED_S)

    def _release(self, event: KeyEvent, now: Moment) -> list[Effect]:
        done = self.presses.release((event.serial, event.key), event.mono_s)
        return [effect for place, gesture in done for effect in self.gesture(place, gesture, now)]

    def _touch_strip(self, event: StripTouched, deck: DeckState, now: Moment) -> list[Effect]:
        """A drag to the left shows the next page, to the right the one before. A tap or hold is for the tile of the cell."""
        moved_px = event.x_out_px - event.x_px
        if event.touch is TouchKind.DRAG and abs(moved_px) >= SWIPE_PX:
            self.show(event.serial, deck.turned_pages(1 if moved_px < 0 else -1))
            return []
        cell = Cell(event.x_px // CELL_PX)
        gesture = Gesture.HOLD if event.touch is TouchKind.HOLD else Gesture.TAP
        return self.gesture((event.serial, cell), gesture, now) if cell.number < deck.shape.cells else []

    def _refresh(self, place: Place, account: str) -> list[Effect]:
        self.presses.marks.wait(place, account, self._accounts.snapshots[account].polls)
        return [Refresh(account)]

    def _refresh_above(self, serial: str, cell: Cell) -> list[Effect]:
        """A dial refreshes the account of the tile above it; without one, every account that the deck shows."""
        tiles = self._decks.by_serial[serial].tiles()
        if cell in tiles and tiles[cell].tile not in ACCOUNTLESS_TILES:
            return self._refresh((serial, cell), tiles[cell].account)
        return [Refresh(account) for account in dict.fromkeys(tile.account for tile in tiles.values())]
