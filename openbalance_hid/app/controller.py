"""`step(event, now)`: what happens, and what is to be done about it. No thread, clock, device or picture.

The house owns decks, the fingers on them and the books on its accounts. Events come in one at a time; effects go out as frozen
values, for the loop to carry out. `next_deadline` says when time itself is the next event.
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.app.account_store import AccountStore
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.deck_state import DeckState
from openbalance_hid.app.decks import ConnectedDecks
from openbalance_hid.app.effects import Effect, LogWarning, OpenUrl, Refresh, RememberMasked, SetAccounts, WatchSessionLock
from openbalance_hid.app.events import (
    Acknowledged,
    CellTouched,
    ConfigRejected,
    ConfigReloaded,
    DeckDisconnected,
    DeckReady,
    DialPushed,
    DialTurned,
    Event,
    Finger,
    GestureRequested,
    HistoryLoaded,
    IdentifyRequested,
    KeyMoved,
    Notified,
    OpenFailed,
    PageRequested,
    RefreshSkipped,
    SessionLock,
    Swiped,
    TimePassed,
    TouchKeyMoved,
    Warned,
)
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.app.places import Cell, Place
from openbalance_hid.app.presses import Presses
from openbalance_hid.app.screen import DisplayState
from openbalance_hid.app.ticks import Ticks
from openbalance_hid.app.tile_views import NOBODYS, KeyInteraction, TileInputs, tap_of
from openbalance_hid.config.default_layout import intervals_of
from openbalance_hid.config.schema import Config, TileConfig
from openbalance_hid.tiles.actions import Acknowledge, OpenPage, ToggleMeter, TogglePrivacy, TurnPage
from openbalance_hid.tiles.scene import Privacy
from openbalance_hid.tiles.view import Flash, KeyFace

OPEN_FAILED_S = 3.0  # how long a key shows that its page could not be opened


class Controller:
    """All state of the main thread."""

    def __init__(self, config: Config, snapshots: Mapping[str, Snapshot], started: Moment, zone: tzinfo | None = None) -> None:
        """`zone`: of the night hours; None: the system's."""
        self.config = config
        self.steps = 0
        self.config_refused = False  # the owner has written one that cannot be used; the one before is in force
        self.readings = 0  # how often the tiles were asked: when it stands still, nothing new is to be told
        self._plugged = ConnectedDecks(zone)
        self._books = AccountStore(snapshots)
        self._hides = False  # amounts, from everybody who looks
        self._read_privacy = Privacy.OFF  # as the tiles were asked last
        self._fingers = Presses(config.hold_seconds)
        self._show = DisplayState()
        self._beats = Ticks(started.mono_s)
        self._read_at = self._stepped_at = started

    def step(self, event: Event, now: Moment) -> list[Effect]:
        """Take one event; what is to be done, in order."""
        self.steps += 1
        self._stepped_at = now
        effects: list[Effect] = []
        match event:
            case DeckReady():
                effects += self._deck_ready(event, now)
            case DeckDisconnected():
                self._deck_left(event)
            case KeyMoved() | TouchKeyMoved() | DialTurned() | DialPushed() | CellTouched() | Swiped():
                effects += self._finger(event, now)
            case GestureRequested():
                serial = event.serial or next(iter(self.panels), None)
                if serial is not None and event.key in self.boards.get(serial, {}):
                    effects += self._gesture((serial, event.key), event.gesture, now)
            case PageRequested():
                for serial, panel in list(self.panels.items()):
                    self._change(serial, panel.on_page(event.name), now)
            case IdentifyRequested():
                self._identify(now)
            case Snapshot():
                effects += self._take(event, now)
            case Notified():
                self._books.alarms.told(event)
            case Acknowledged():
                self._books.alarms.acknowledge_level(event)
                self._read(now)
            case Warned():
                self._books.concerns.told(event)
            case HistoryLoaded() if self._books.recall(event):
                self._hides = self._hides or event.masked
                self._read(now)
            case RefreshSkipped():
                self._end_refresh(event.account, now)
            case OpenFailed(serial, spot):
                if (serial, spot) in self.faces:
                    self._fingers.marks.flash((serial, spot), Flash.FAILED, now.mono_s + OPEN_FAILED_S)
            case SessionLock(lock):
                self._plugged.locked(lock, now)
            case ConfigReloaded():
                effects += self._adopt(event.config, now)
            case ConfigRejected():
                self.config_refused = True
                self._read(now)
        effects += self._held(event, now)
        self._time(now)
        if self.privacy is not self._read_privacy:  # a finger came to rest on the tile, or has left it
            self._read(now)
        return [*effects, *self._books.to_do(self._plugged.tiles(), now), *self._repaint(now)]

    @property
    def panels(self) -> dict[str, DeckState]:
        """By serial number: the decks that are there."""
        return self._plugged.panels

    @property
    def snapshots(self) -> dict[str, Snapshot]:
        """Of every account that is asked for, by name."""
        return self._books.snapshots

    @property
    def known(self) -> TileInputs:
        """Everything that tiles may say something about."""
        return TileInputs(self.snapshots, self._books.alarms.episodes, self._books.meters.runs, self.privacy)

    @property
    def privacy(self) -> Privacy:
        """Whether amounts are masked now."""
        if not self._hides:
            return Privacy.OFF
        rests = any(self._tile(place).tile == "privacy" for place in self._fingers.resting())
        return Privacy.PEEK if rests else Privacy.ON

    @property
    def faces(self) -> Mapping[Place, KeyFace]:
        """What stands on each place of each deck."""
        return self._show.faces

    @property
    def boards(self) -> Mapping[str, Mapping[int, TileConfig]]:
        """By serial number of each deck: the tiles on the keys of the page that is shown."""
        return {serial: panel.keys() for serial, panel in self.panels.items()}

    def spike_rules(self, account: str) -> tuple[SpikeRule, ...]:
        """By which the account's spend is judged: those of its spike alerts, else the usual one."""
        return self._books.spike_rules(account, self._tiles_of(account), self.config)

    def next_deadline(self) -> float:
        """Monotonic seconds at which `TimePassed` is due: the first mark after the last step, however late that is asked."""
        now = self._stepped_at
        marks = [self._beats.next_news_s(now, self.snapshots.values())]
        marks += self._fingers.deadlines(now.mono_s)
        marks += self._plugged.deadlines(now)
        marks += self._show.deadlines(now.mono_s)
        if self._show.pulses(self.panels):
            marks.append(self._beats.next_half_s(now.mono_s))
        return min(marks)

    def undone(self, effect: Effect) -> None:
        """It could not be carried out; what was to be seen is wanted again soon."""
        self._show.undone(effect)

    # --- decks ---

    def _deck_ready(self, event: DeckReady, now: Moment) -> list[Effect]:
        self._deck_left(DeckDisconnected(event.serial))
        panel = self._plugged.arrived(event, self.config, now)
        self._books.alarms.follow(panel.all_tiles().values(), self.snapshots, now)  # so that a tap finds what it acknowledges
        self._change(event.serial, panel, now)
        return self._misfits(panel)

    def _misfits(self, panel: DeckState) -> list[Effect]:
        """What the owner wrote for the deck and it does not have."""
        return [LogWarning(problem) for problem in panel.misfits(self.config)]

    def _adopt(self, config: Config, now: Moment) -> list[Effect]:
        """Another configuration is in force: what stays the same is neither drawn nor asked again.

        A key that is down fires nothing when its tile has become another, or when the time of a hold has.
        """
        before, self.config, self.config_refused = self.config, config, False
        intervals_s = intervals_of(config)
        self._books.enlist(intervals_s, now)
        self._fingers.adopt(config.hold_seconds)
        effects: list[Effect] = [] if intervals_of(before) == intervals_s else [SetAccounts(intervals_s)]
        if config.dim.on_lock != before.dim.on_lock:
            effects.append(WatchSessionLock(config.dim.on_lock))
        self._plugged.adopt(config, before)
        for serial, panel in self.panels.items():
            old, new = self._show.tiles[serial], panel.tiles()
            self._fingers.let_go({(serial, spot) for spot in old.keys() | new.keys() if old.get(spot) != new.get(spot)})
            self._show.tiles[serial] = new
            effects += self._misfits(panel)
        self._books.alarms.follow(self._plugged.tiles(), self.snapshots, now)
        self._read(now)
        return effects

    def _deck_left(self, event: DeckDisconnected) -> None:
        self._plugged.left(event.serial)
        self._fingers.let_go(self._show.places(event.serial))
        self._show.forget(event.serial)

    def _change(self, serial: str, panel: DeckState, now: Moment) -> None:
        """A deck is to look otherwise. Keys that are down when their page turns fire nothing on the new one."""
        before = self.panels.get(serial)
        self.panels[serial] = panel
        if before is not None and before.pages != panel.pages:
            self._fingers.let_go({place for place in self._show.places(serial) if isinstance(place[1], int)})
        self._show.tiles[serial] = panel.tiles()
        self._read_decks({serial: panel}, now)

    # --- fingers ---

    def _finger(self, event: Finger, now: Moment) -> list[Effect]:
        serial, panel = event.serial, self.panels.get(event.serial)
        if panel is None:
            return []
        if isinstance(event, KeyMoved | TouchKeyMoved) and not event.down:
            return self._released(event, now) if isinstance(event, KeyMoved) else []
        if not self._plugged.touched(serial, now):
            return []
        panel = self.panels[serial]
        match event:
            case KeyMoved(_, key, _, mono_s) if key < panel.shape.key_count:
                self._fingers.press((serial, key), mono_s)
            case TouchKeyMoved() | Swiped() | DialTurned():
                self._change(serial, panel.turned_by(event, self.config), now)
            case DialPushed(_, dial) if dial in panel.dials:
                return self._refresh_above(serial, Cell(dial))
            case CellTouched(_, cell, gesture) if cell < panel.shape.cells:
                return self._gesture((serial, Cell(cell)), gesture, now)
        return []

    def _released(self, event: KeyMoved, now: Moment) -> list[Effect]:
        done = self._fingers.release((event.serial, event.key), event.mono_s)
        return [effect for where, gesture in done for effect in self._gesture(where, gesture, now)]

    def _gesture(self, place: Place, gesture: Gesture, now: Moment) -> list[Effect]:
        panel, tile = self.panels[place[0]], self._tile(place)
        if gesture is (Gesture.HOLD if panel.shape.visual else Gesture.TAP):  # a pedal shows nothing: its press refreshes
            return self._refresh(place, tile.account)
        match tap_of(tile, self.snapshots[tile.account]):
            case OpenPage(page):
                return [OpenUrl(page.value, *place)]
            case Acknowledge():
                if self._books.alarms.acknowledge(tile, self.snapshots, now):
                    self._read(now)
            case ToggleMeter():
                self._books.meters.toggle(tile.account, self.snapshots[tile.account], now.utc)
                self._read(now)
            case TogglePrivacy():
                self._hides = not self._hides
                self._read(now)
                return [RememberMasked(self._hides)]
            case TurnPage():
                self._change(place[0], panel.on_page(tile.options.get("to")), now)
        return []

    def _refresh(self, place: Place, account: str) -> list[Effect]:
        self._fingers.marks.wait(place, account, self.snapshots[account].polls)
        return [Refresh(account)]

    def _refresh_above(self, serial: str, cell: Cell) -> list[Effect]:
        """A dial refreshes the account of the tile above it; without one, every account that the deck shows."""
        tiles = self._show.tiles[serial]
        if cell in tiles and tiles[cell].tile not in NOBODYS:
            return self._refresh((serial, cell), tiles[cell].account)
        return [Refresh(account) for account in dict.fromkeys(tile.account for tile in tiles.values())]

    def _end_refresh(self, account: str, now: Moment) -> None:
        """Show on the keys that asked for it how a refresh ended."""
        if account not in self.snapshots:
            return
        flash = Flash.DONE if self.snapshots[account].health is Health.OK else Flash.FAILED
        self._fingers.marks.end(account, flash, now.mono_s)

    def _identify(self, now: Moment) -> None:
        self._show.identify(now.mono_s)
        for serial in self.panels:
            self._plugged.touched(serial, now)

    # --- accounts and time ---

    def _take(self, snapshot: Snapshot, now: Moment) -> list[Effect]:
        if snapshot.account not in self.snapshots:
            return []  # the last word of an account that the owner has taken away
        hides = self.privacy is not Privacy.OFF
        effects = self._books.take(snapshot, self._tiles_of(snapshot.account), self.config, hides, now)
        if not snapshot.refreshing and self._fingers.marks.ripe(snapshot.account, snapshot.polls):
            self._end_refresh(snapshot.account, now)
        self._read(now)
        return effects

    def _tiles_of(self, account: str) -> list[TileConfig]:
        return [tile for tile in self._plugged.tiles() if tile.account == account]

    def _held(self, event: Event, now: Moment) -> list[Effect]:
        """Holds that have come due: as far as the deck has told what its fingers did, for the loop may be late."""
        if not isinstance(event, TimePassed | KeyMoved):
            return []
        effects: list[Effect] = []
        for place, gesture in self._fingers.due(event.mono_s if isinstance(event, KeyMoved) else now.mono_s):
            if self._fingers.is_on(place):  # the one before may have turned the page
                effects += self._gesture(place, gesture, now)
        return effects

    def _time(self, now: Moment) -> None:
        self._fingers.marks.pass_time(now.mono_s)
        if not self._show.identifies(now.mono_s):
            self._plugged.pass_time(now)
        if self._beats.has_news(self._read_at, now, self.snapshots.values()):
            self._read(now)

    # --- what the decks show ---

    def _read(self, now: Moment) -> None:
        """Ask every tile again."""
        self._read_at = now
        self._read_privacy = self.privacy
        self._read_decks(self.panels, now)

    def _read_decks(self, panels: Mapping[str, DeckState], now: Moment) -> None:
        """Ask the tiles of these decks again."""
        self.readings += 1
        self._show.read(panels, self.known, now.utc, self._beats.turn(now.mono_s), self.config.theme, self.config_refused)

    def _repaint(self, now: Moment) -> list[Effect]:
        return self._show.changes(self.panels, lambda place: self._touch(place, now), now.mono_s)

    def _touch(self, place: Place, now: Moment) -> KeyInteraction:
        dimmed = self._beats.is_quiet(now.mono_s) and self.panels[place[0]].is_lit
        return replace(self._fingers.touch(place, now.mono_s), dimmed=dimmed)

    def _tile(self, place: Place) -> TileConfig:
        return self._show.tiles[place[0]][place[1]]


ScheduledCall = Callable[[Controller, Moment], None]  # runs on the main thread, between two events
