"""What the user does on the decks: key presses, dial turns, touches of the strip, and the action that each of them starts.

A press becomes a gesture in `gestures`; the tile under it gives the action. The marks of a press are in `presses`.
"""

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.app.account_store import AccountStore
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.command_tiles import CommandTiles
from openbalance_hid.app.deck_state import DeckState
from openbalance_hid.app.decks import ConnectedDecks
from openbalance_hid.app.dials import next_level
from openbalance_hid.app.effects import Effect, OpenUrl, Refresh, Repaint, ReportAction, Store, SwitchKey
from openbalance_hid.app.events import Cell, Place, Spot
from openbalance_hid.app.gestures import BOUNCE_S, Gesture
from openbalance_hid.app.presses import Presses
from openbalance_hid.app.screen import DisplayState
from openbalance_hid.app.tile_views import has_account, tap_of
from openbalance_hid.config.schema import Config, TileConfig
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
from openbalance_hid.text import single_line
from openbalance_hid.tiles.actions import (
    Acknowledge,
    Action,
    OpenPage,
    RefreshAccount,
    RunCommand,
    StepBrightness,
    SwitchOff,
    ToggleMeter,
    TogglePrivacy,
    TurnPage,
    action_named,
)
from openbalance_hid.tiles.command import NAME as COMMAND_TILE
from openbalance_hid.tiles.command import TileCommand, command_of, program_name
from openbalance_hid.tiles.key_switch import LEAST_HOLD_S
from openbalance_hid.tiles.scene import Privacy
from openbalance_hid.tiles.view import Flash

SWIPE_PX = 100  # a drag along the strip that is shorter does nothing
OPEN_FAILED_S = 3.0  # how long a key shows that its page could not be opened


class InputHandler:
    """Changes decks, accounts and presses; marks in `display` which tiles must be evaluated again."""

    def __init__(
        self, decks: ConnectedDecks, accounts: AccountStore, commands: CommandTiles, display: DisplayState, hold_s: float
    ) -> None:
        self.presses = Presses(hold_s)
        self.hides_amounts = False  # switched by the privacy tile
        self._decks = decks
        self._accounts = accounts
        self._commands = commands
        self._display = display
        self._released_s: dict[tuple[type[InputEvent], str, int], float] = {}  # of touch keys and dials

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
        if serial not in self._decks.by_serial or self._is_bounce(event):
            return []
        if isinstance(event, KeyEvent | TouchKeyEvent | DialPushed) and not event.down:
            if isinstance(event, KeyEvent):
                self.presses.release((serial, event.key), event.mono_s)
            return []
        if not self._decks.wake(serial, now):
            if isinstance(event, KeyEvent):
                self.presses.press((serial, event.key), event.mono_s, cancelled=True)
            return [ReportAction(serial, "Woke the dark deck; press again to act")]
        deck = self._decks.by_serial[serial]
        match event:
            case KeyEvent(_, key, _, mono_s) if key < deck.shape.key_count:
                least_s = LEAST_HOLD_S if self._decks.tile((serial, key)).tile == "key-switch" else 0.0
                self.presses.press((serial, key), mono_s, least_hold_s=least_s)
            case TouchKeyEvent(_, touch_key):
                return self._turn_page(serial, deck.turned_pages(1 if touch_key else -1))
            case DialTurned(_, dial, steps):
                self.show(serial, deck.with_dial_turned(dial, steps, config))
            case DialPushed(_, dial) if dial in deck.dials:
                return self._push_dial(serial, dial, deck.dials[dial].push, now)
            case StripTouched():
                return self._touch_strip(event, deck, now)
        return []

    def show(self, serial: str, deck: DeckState) -> None:
        """Put a deck in this state. Keys that are down when their page turns start nothing on the new page."""
        before = self._decks.by_serial.get(serial)
        self._decks.by_serial[serial] = deck
        if before is not None and before.pages != deck.pages:
            self.page_turned(serial)
        self._display.invalidate(serial)

    def set_brightness(self, serial: str, percent: int | None, now: Moment) -> list[Effect]:
        """Light a deck with `percent`, or as before (None), or switch it off (0)."""
        if serial not in self._decks.by_serial:
            return []
        self._decks.by_serial[serial] = self._decks.by_serial[serial].with_brightness(percent, now)
        return [Repaint(serial)]

    def page_turned(self, serial: str) -> None:
        """Note that a deck shows another page."""
        self.presses.cancel({(serial, key) for key in range(self._decks.by_serial[serial].shape.key_count)})
        self._display.invalidate(serial)

    def gesture(self, place: Place, gesture: Gesture, now: Moment) -> list[Effect]:
        """Return the effects of a tap or a hold at a place that has a tile."""
        self._decks.use(place[0], now)
        deck, tile = self._decks.by_serial[place[0]], self._decks.tile(place)
        configured = tile.hold if gesture is Gesture.HOLD else tile.tap
        if configured is not None:
            return self._act(action_named(configured), place, now)
        if tile.tile == COMMAND_TILE:
            return self._run_command(place, command_of(tile.options), gesture)
        if gesture is Gesture.HOLD and self.hides_amounts and tile.tile == "privacy":  # it peeks, and polls as every tile
            peeks = ReportAction(place[0], "Amounts shown while this key is held")
            return [*self._refresh(place, tile.account), peeks]
        if gesture is (Gesture.HOLD if deck.shape.visual else Gesture.TAP):  # a pedal has no display: its press refreshes
            return self._switch(place, tile, now) or self._refresh(place, tile.account)
        return self._act(tap_of(tile, self._accounts.snapshots[tile.account]), place, now)

    def _act(self, action: Action, place: Place, now: Moment) -> list[Effect]:
        """Return the effects of an action of the tile at a place."""
        deck, tile = self._decks.by_serial[place[0]], self._decks.tile(place)
        match action:
            case RefreshAccount() if tile.tile == COMMAND_TILE:
                return self._show_again(place[0], command_of(tile.options))
            case RunCommand():
                return self._run_command(place, command_of(tile.options), Gesture.TAP)
            case RefreshAccount():
                return self._refresh(place, tile.account)
            case OpenPage(page):
                return [OpenUrl(page.value, *place)]
            case Acknowledge():
                if not self._accounts.alerts.acknowledge_tile(tile, self._accounts.snapshots, now):
                    return [ReportAction(place[0], "Nothing to acknowledge: there is no alert")]
                self._display.invalidate_all()
                return [ReportAction(place[0], "Alert acknowledged")]
            case ToggleMeter():
                self._accounts.meters.toggle(tile.account, self._accounts.snapshots[tile.account], now)
                self._display.invalidate_all()
                runs = self._accounts.meters.runs[tile.account].is_running
                return [ReportAction(place[0], "Meter started" if runs else "Meter stopped")]
            case TogglePrivacy():
                self.hides_amounts = not self.hides_amounts
                self._display.invalidate_all()
                text = "Amounts hidden on every deck" if self.hides_amounts else "Amounts shown again"
                return [Store(None, None, MaskedSetting(self.hides_amounts)), ReportAction(place[0], text)]
            case SwitchOff():
                return self.set_brightness(place[0], 0, now)
            case StepBrightness():
                return self._step_brightness(place[0], now)
            case TurnPage(page):
                return self._turn_page(place[0], deck.on_page(page or tile.options.get("to")))
        return [ReportAction(place[0], "This key does nothing")]

    def _switch(self, place: Place, tile: TileConfig, now: Moment) -> list[Effect]:
        """Return the effects of a hold on the tile of an API key, which does what the tile shows; none if it only refreshes.

        Only on a key with a display: on the touch strip the device itself decides, in less time, what a hold is.
        """
        is_key = isinstance(place[1], int) and self._decks.by_serial[place[0]].shape.visual
        if tile.tile != "key-switch" or not is_key:
            return []
        self._display.invalidate_all()
        effects = self._accounts.switches.hold(tile, self._accounts.snapshots, f"deck {place[0]}", now)
        for effect in effects:
            if isinstance(effect, SwitchKey):
                verb = "Disables" if effect.switch.disables else "Enables"
                return [*effects, ReportAction(place[0], f"{verb} the API key {single_line(effect.switch.key_name)}")]
        return effects

    def _run_command(self, place: Place, command: TileCommand, gesture: Gesture) -> list[Effect]:
        """Return the effects that run the program of a `command` tile for this gesture; without one, the tile is refreshed."""
        program = command.hold_run if gesture is Gesture.HOLD else command.run
        if program is None:
            return self._show_again(place[0], command)
        effects = self._commands.press(command, program)
        if effects is None:
            return [ReportAction(place[0], f"{program_name(program)} still runs")]
        self._display.invalidate_all()
        return [*effects, ReportAction(place[0], f"Runs {program_name(program)}")]

    def _show_again(self, serial: str, command: TileCommand) -> list[Effect]:
        if command.show is None or not self._commands.refresh(command):
            return [ReportAction(serial, "This gesture does nothing on this key")]
        return [ReportAction(serial, f"Runs {program_name(command.show)}")]

    def due_gestures(self, until_s: float, now: Moment) -> list[Effect]:
        """Return the effects of the taps and holds that are due by `until_s`."""
        return [effect for place, gesture in self.presses.due(until_s) for effect in self.gesture(place, gesture, now)]

    def after_snapshot(self, snapshot: Snapshot, now_s: float) -> list[Effect]:
        """End the refreshes that this snapshot answers."""
        if snapshot.refreshing or not self.presses.marks.is_answered(snapshot.account, snapshot.polls):
            return []
        return self.end_refresh(snapshot.account, now_s)

    def end_refresh(self, account: str, now_s: float) -> list[Effect]:
        """Show on the keys that requested a refresh how it ended."""
        if account not in self._accounts.snapshots:
            return []
        good = self._accounts.snapshots[account].health is Health.OK
        places = self.presses.marks.end(account, Flash.DONE if good else Flash.FAILED, now_s)
        text = "The numbers are up to date" if good else "OpenRouter gave no new numbers"
        return [ReportAction(serial, text) for serial in dict.fromkeys(serial for serial, _ in places)]

    def open_failed(self, serial: str, spot: Spot, now_s: float) -> None:
        """Show on the place of a tap that its page could not be opened."""
        if (serial, spot) in self._display.faces:
            self.presses.marks.flash((serial, spot), Flash.FAILED, now_s + OPEN_FAILED_S)

    def _is_bounce(self, event: InputEvent) -> bool:
        """Return whether a touch key or dial goes down again too soon after its release. For keys: see `gestures`."""
        match event:
            case TouchKeyEvent(serial, number, down, mono_s) | DialPushed(serial, number, down, mono_s):
                contact = (type(event), serial, number)
                if down:
                    return mono_s - self._released_s.get(contact, float("-inf")) < BOUNCE_S
                self._released_s[contact] = mono_s
        return False

    def _touch_strip(self, event: StripTouched, deck: DeckState, now: Moment) -> list[Effect]:
        """A drag to the left shows the next page, to the right the one before. A tap or hold is for the tile of the cell.

        A short or vertical drag does nothing.
        """
        if event.touch is TouchKind.DRAG:
            along_px, across_px = event.x_out_px - event.x_px, event.y_out_px - event.y_px
            if abs(along_px) >= max(SWIPE_PX, abs(across_px)):
                return self._turn_page(event.serial, deck.turned_pages(1 if along_px < 0 else -1))
            return []
        cell = Cell(event.x_px // CELL_PX)
        gesture = Gesture.HOLD if event.touch is TouchKind.HOLD else Gesture.TAP
        return self.gesture((event.serial, cell), gesture, now) if cell.number < deck.shape.cells else []

    def _refresh(self, place: Place, account: str) -> list[Effect]:
        self.presses.marks.wait(place, account, self._accounts.snapshots[account].polls)
        report = ReportAction(place[0], "Requesting new numbers from OpenRouter")
        return [Repaint(place[0]), Refresh(account), report]

    def _turn_page(self, serial: str, deck: DeckState) -> list[Effect]:
        turned = deck.pages != self._decks.by_serial[serial].pages
        self.show(serial, deck)
        return [ReportAction(serial, f"Page {deck.pages.shown.name}" if turned else "There is no other page")]

    def _push_dial(self, serial: str, dial: int, push: str, now: Moment) -> list[Effect]:
        match push:
            case "off":
                return self.set_brightness(serial, 0, now)
            case "brightness":
                return self._step_brightness(serial, now)
        return self._refresh_above(serial, Cell(dial))

    def _step_brightness(self, serial: str, now: Moment) -> list[Effect]:
        light = self._decks.by_serial[serial].light
        return [] if light is None else self.set_brightness(serial, next_level(light.wanted), now)

    def _refresh_above(self, serial: str, cell: Cell) -> list[Effect]:
        """A dial refreshes the account of the tile above it; without one, every account that the deck shows."""
        tiles = self._decks.by_serial[serial].tiles()
        if cell in tiles and has_account(tiles[cell]):
            return self._refresh((serial, cell), tiles[cell].account)
        accounts = dict.fromkeys(tile.account for tile in tiles.values())
        return [Repaint(serial), *(Refresh(account) for account in accounts)]
