"""`step(event, now)`: takes one event, returns the effects. No thread, clock, device or picture.

The controller owns the decks, the presses on them and what is known of the accounts. The main loop passes events in one at a
time and runs the effects. `next_deadline` is the time at which `TimePassed` is the next event.
"""

from collections.abc import Callable, Mapping
from datetime import tzinfo

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.app.account_store import AccountStore
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.command_tiles import CommandTiles
from openbalance_hid.app.deck_state import DeckState
from openbalance_hid.app.decks import ConnectedDecks
from openbalance_hid.app.effects import (
    AdoptDeckUse,
    Effect,
    EvaluatePlugin,
    LogWarning,
    Repaint,
    RepaintNext,
    ServeMetrics,
    SetAccounts,
    WatchSessionLock,
)
from openbalance_hid.app.events import (
    AlertAcknowledged,
    AlertDelivered,
    BrightnessRequested,
    ConfigRejected,
    ConfigReloaded,
    Event,
    GestureRequested,
    HistoryLoaded,
    IdentifyRequested,
    KeySwitchEnded,
    KeySwitchRequested,
    OpenFailed,
    PageRequested,
    Place,
    PluginEvaluated,
    ProgramEnded,
    ProgramPrinted,
    RefreshSkipped,
    RepaintRequested,
    SessionLock,
    SinkReported,
    SnapshotBatch,
    TimePassed,
)
from openbalance_hid.app.input_handling import InputHandler
from openbalance_hid.app.plugin_tiles import PluginTiles
from openbalance_hid.app.screen import DisplayState
from openbalance_hid.app.snapshot_publishing import SnapshotPublishing
from openbalance_hid.app.ticks import Ticks
from openbalance_hid.app.tile_views import KeyInteraction, TileInputs
from openbalance_hid.config.default_layout import intervals_of, sources_of
from openbalance_hid.config.schema import Config, TileConfig
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, InputEvent, KeyEvent
from openbalance_hid.tiles.scene import Privacy
from openbalance_hid.tiles.view import KeyFace


class Controller:
    """All state of the main thread."""

    def __init__(self, config: Config, snapshots: Mapping[str, Snapshot], started: Moment, zone: tzinfo | None = None) -> None:
        """`zone`: time zone of the night hours; None: the system's."""
        self.config = config
        self.steps = 0
        self.config_refused = False  # the latest configuration file has errors; `config` is the one before it
        self.connected = ConnectedDecks(zone)
        self.accounts = AccountStore(snapshots)
        self.accounts.adopt(config)
        self.display = DisplayState()
        self.publishing = SnapshotPublishing()
        self.commands = CommandTiles(started.mono_s)
        self.inputs = InputHandler(self.connected, self.accounts, self.commands, self.display, config.hold_seconds)
        self.ticks = Ticks(started.mono_s)
        self.plugins = PluginTiles()
        self._repainted_cycle = self.ticks.cycle(started.mono_s)  # of the last part that was sent again
        self._shown_privacy = Privacy.OFF  # at the last evaluation of the tiles
        self.evaluated_at = self._stepped_at = started  # of all tiles

    def step(self, event: Event, now: Moment) -> list[Effect]:
        """Return the effects of one event, in the order in which they must run."""
        self.steps += 1
        self._stepped_at = now
        effects = self._due_gestures(event, now)
        effects += self._handle(event, now)
        self._pass_time(now)
        effects += self.accounts.to_do(self.connected.tiles(), self.config, self.hides_amounts, now)
        effects += self.publishing.due(event, self.config, self.tile_inputs, self.spike_rules, now.utc)
        effects += self.commands.follow(*self.connected.commands(), now)
        effects += self._repaint_in_turn(now)
        self._evaluate(now)
        if self.plugins.is_due(self.evaluations, now.mono_s):
            effects += self.plugins.to_do(self.connected.shown_tiles(), self.tile_inputs, now, self.ticks.cycle(now.mono_s))
        dimmed = self.ticks.is_quiet(now.mono_s, self.display.pulsing(self.decks))
        return [*effects, *self.display.changes(self.decks, lambda place: self._interaction(place, now, dimmed), now.mono_s)]

    def _handle(self, event: Event, now: Moment) -> list[Effect]:
        match event:
            case _ if isinstance(event, InputEvent):
                self._note_reader(event.serial)
                return self.inputs.handle(event, self.config, now)
            case DeckArrived():
                return self._deck_arrived(event, now)
            case DeckLost(serial):
                self._remove_deck(serial)
            case GestureRequested(key, gesture, wanted):
                first = wanted or next(iter(self.decks), None)
                if first is not None and key in self.key_tiles.get(first, {}):
                    return self.inputs.gesture((first, key), gesture, now)
            case PageRequested(name):
                for serial in list(self.decks):
                    self.connected.use(serial, now)
                    self.inputs.show(serial, self.decks[serial].on_page(name))
            case IdentifyRequested():
                self.display.identify(now.mono_s)
                for serial in self.decks:
                    self.connected.wake(serial, now)
            case BrightnessRequested(serials, percent):
                return [effect for serial in serials for effect in self.inputs.set_brightness(serial, percent, now)]
            case RepaintRequested():
                return [Repaint(serial) for serial in self.decks]
            case Snapshot():
                return self._take_snapshot(event, now)
            case SnapshotBatch(snapshots):
                return [effect for snapshot in snapshots for effect in self._take_snapshot(snapshot, now)]
            case AlertDelivered():
                before = set(self.accounts.alerts.unconfirmed)
                self.accounts.alerts.delivered(event)
                if before != self.accounts.alerts.unconfirmed:
                    self.display.invalidate_all()
            case AlertAcknowledged():
                self.accounts.alerts.acknowledge(event)
                self.display.invalidate_all()
            case KeySwitchRequested():
                self.display.invalidate_all()
                return self.accounts.switches.request(event, self.snapshots, now)
            case KeySwitchEnded():
                self.display.invalidate_all()
                return self.accounts.switch_ended(event, now)
            case ProgramPrinted() | ProgramEnded() if (effects := self.commands.take(event, now)) is not None:
                self.display.invalidate_all()
                return effects
            case SinkReported():
                self.accounts.outbox.reported(event, now)
            case HistoryLoaded() if self.accounts.recall(event, now):
                self.inputs.hides_amounts = self.inputs.hides_amounts or event.masked
                self.display.invalidate_all()
            case RefreshSkipped(account):
                return self.inputs.end_refresh(account, now.mono_s)
            case OpenFailed(serial, spot):
                self.inputs.open_failed(serial, spot, now.mono_s)
            case PluginEvaluated() if self.plugins.take(event):
                self.display.invalidate_all()
            case SessionLock(lock):
                self.connected.set_lock(lock, now)
            case ConfigReloaded(config):
                return self._adopt_config(config, now)
            case ConfigRejected():
                self.config_refused = True
                self.display.invalidate_all()
        return []

    def _note_reader(self, serial: str) -> None:
        """An input on a deck that can be read: its user has seen the sign of an alert."""
        light = self.decks[serial].light if serial in self.decks else None
        if self.accounts.alerts.unconfirmed and light is not None and not light.is_dark:
            self.accounts.alerts.unconfirmed.clear()
            self.display.invalidate_all()

    def _due_gestures(self, event: Event, now: Moment) -> list[Effect]:
        """Return the effects of the gestures that are due. A key event is read late, so its own time is the time."""
        match event:
            case KeyEvent(mono_s=until_s):
                return self.inputs.due_gestures(until_s, now)
            case TimePassed():
                return self.inputs.due_gestures(now.mono_s, now)
        return []

    @property
    def decks(self) -> dict[str, DeckState]:
        """The connected decks, by serial number."""
        return self.connected.by_serial

    @property
    def snapshots(self) -> dict[str, Snapshot]:
        """The last snapshot of each account, by name."""
        return self.accounts.snapshots

    @property
    def hides_amounts(self) -> bool:
        """Whether amounts are masked on the decks."""
        return self.inputs.privacy is not Privacy.OFF

    @property
    def tile_inputs(self) -> TileInputs:
        """Everything that tiles can show."""
        return TileInputs(
            self.snapshots,
            self.accounts.alerts.open,
            self.accounts.meters.runs,
            self.inputs.privacy,
            switches=self.accounts.switches.latest,
            switchable=self.accounts.switches.permitted,
            plugins=self.plugins.results,
            commands=self.commands.states,
        )

    @property
    def faces(self) -> Mapping[Place, KeyFace]:
        """What each place of each deck shows."""
        return self.display.faces

    @property
    def key_tiles(self) -> Mapping[str, Mapping[int, TileConfig]]:
        """The tiles on the keys of the shown page of each deck, by serial number."""
        return {serial: deck.keys() for serial, deck in self.decks.items()}

    @property
    def evaluations(self) -> int:
        """How often tiles were evaluated: while it does not change, there is nothing new for a client to read."""
        return self.display.evaluations

    def spike_rules(self, account: str) -> tuple[SpikeRule, ...]:
        """Return the rules of the account's spike alerts; without any, the default rule."""
        return self.accounts.spike_rules(account, self._tiles_of(account), self.config)

    def next_deadline(self) -> float:
        """Return when `TimePassed` is due, in monotonic seconds. Counted from the last step, however late it is called."""
        now = self._stepped_at
        deadlines = [self.ticks.next_change_s(now, self.snapshots.values())]
        deadlines += self.inputs.presses.deadlines(now.mono_s)
        deadlines += self.connected.deadlines(now)
        deadlines += self.display.deadlines(now.mono_s)
        deadlines += self.accounts.outbox.deadlines()
        deadlines += self.plugins.deadlines()
        deadlines += self.commands.deadlines()
        if pulsing := self.display.pulsing(self.decks):
            deadlines.append(self.ticks.next_half_s(now.mono_s, pulsing))
        return min(deadlines)

    def retry(self, effect: Effect) -> None:
        """Note that an effect failed: what it should have shown is returned again by a later step."""
        if isinstance(effect, EvaluatePlugin):
            self.plugins.retry(effect)
        self.display.retry(effect)

    # --- decks and configuration ---

    def _deck_arrived(self, event: DeckArrived, now: Moment) -> list[Effect]:
        self._remove_deck(event.serial)
        deck = self.connected.arrive(event, self.config, now)
        # Before the next snapshot, so that a tap has an alert to acknowledge.
        self.accounts.alerts.judge_spikes(deck.all_tiles().values(), self.snapshots, now)
        self.inputs.show(event.serial, deck)
        return self._misfit_warnings(deck)

    def _remove_deck(self, serial: str) -> None:
        self.connected.remove(serial)
        self.inputs.presses.clear(self.display.places(serial))
        self.display.forget(serial)

    def _misfit_warnings(self, deck: DeckState) -> list[Effect]:
        """One warning for each part of the configuration that the deck does not have."""
        return list(map(LogWarning, (*self.config.decks_without_entry([deck.shape.serial]), *deck.misfits(self.config))))

    def _adopt_config(self, config: Config, now: Moment) -> list[Effect]:
        """Use another configuration. What it does not change is neither drawn nor requested again.

        A key that is down starts nothing when its tile, or the time of a hold, changes.
        """
        before, self.config, self.config_refused = self.config, config, False
        tiles_before = {serial: deck.tiles() for serial, deck in self.decks.items()}
        rotations = {serial: deck.rotation for serial, deck in self.decks.items()}
        intervals_s, sources = intervals_of(config), sources_of(config)
        self.accounts.set_accounts(intervals_s, now)
        self.accounts.adopt(config)
        self.inputs.presses.set_hold_s(config.hold_seconds)
        is_same = (intervals_of(before), sources_of(before)) == (intervals_s, sources)
        effects: list[Effect] = [] if is_same else [SetAccounts(intervals_s, sources)]
        effects += self.publishing.adopted(config, before)
        if config.dim.on_lock != before.dim.on_lock:
            effects.append(WatchSessionLock(config.dim.on_lock))
        if config.metrics != before.metrics:
            effects.append(ServeMetrics(config.metrics))
        if config.deck_use != before.deck_use:
            effects.append(AdoptDeckUse(config))
        self.connected.adopt_config(config, before)
        for serial, deck in self.decks.items():
            old, new = tiles_before[serial], deck.tiles()
            self.inputs.presses.cancel({(serial, spot) for spot in old.keys() | new.keys() if old.get(spot) != new.get(spot)})
            if deck.rotation != rotations[serial]:  # a key that is down goes up under another number
                self.inputs.presses.clear({(serial, key) for key in range(deck.shape.key_count)})
            effects += self._misfit_warnings(deck)
        effects += [LogWarning(note) for note in config.unused_entries(list(self.decks))]
        self.accounts.alerts.judge_spikes(self.connected.tiles(), self.snapshots, now)
        self.display.invalidate_all()
        return [*effects, *map(Repaint, self.decks)]

    def _take_snapshot(self, snapshot: Snapshot, now: Moment) -> list[Effect]:
        if snapshot.account not in self.snapshots:
            return []  # the last snapshot of an account that is no longer configured
        effects = self.accounts.take(snapshot, self._tiles_of(snapshot.account), self.config, self.hides_amounts, now)
        effects += self.inputs.after_snapshot(snapshot, now.mono_s)
        self.display.invalidate_all()
        return effects

    def _tiles_of(self, account: str) -> list[TileConfig]:
        return [tile for tile in self.connected.tiles() if tile.account == account]

    def _pass_time(self, now: Moment) -> None:
        self.inputs.presses.marks.pass_time(now.mono_s)
        if not self.display.identifies(now.mono_s):
            for serial in self.connected.pass_time(now):
                self.inputs.page_turned(serial)
        time_shows = self.ticks.changes_tiles(self.evaluated_at, now, self.snapshots.values())
        time_shows |= self.plugins.pass_time(now.mono_s)
        if time_shows or self.inputs.privacy is not self._shown_privacy:
            self.display.invalidate_all()

    def _repaint_in_turn(self, now: Moment) -> list[Effect]:
        """Return, once in a cycle, one part of each display: another program may have drawn on it and left."""
        cycle = self.ticks.cycle(now.mono_s)
        if cycle == self._repainted_cycle:
            return []
        self._repainted_cycle = cycle
        return [RepaintNext(serial) for serial, deck in self.decks.items() if deck.shape.visual]

    def _evaluate(self, now: Moment) -> None:
        if self.display.is_all_stale:
            self.evaluated_at, self._shown_privacy = now, self.inputs.privacy
        cycle = self.ticks.cycle(now.mono_s)
        alert = self.accounts.alerts.unconfirmed_kind(now.utc)
        self.display.evaluate(self.decks, self.tile_inputs, now.utc, cycle, self.config.theme, self.config_refused, alert)

    def _interaction(self, place: Place, now: Moment, dimmed: bool) -> KeyInteraction:
        interaction = self.inputs.presses.interaction(place, now.mono_s)
        return replace(interaction, dimmed=True) if dimmed and self.decks[place[0]].is_lit else interaction


ScheduledCall = Callable[[Controller, Moment], object]  # runs on the main thread, between two events
