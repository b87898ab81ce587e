"""All events of a controller in any order, in virtual time, with decks that only remember what they were sent.

Each act takes two numbers and derives its arguments from them, so that a generator and hypothesis can both run it. After each
step the controller is compared with an independent computation: every deck shows the right faces, only real gestures have
effects, and deadlines always lie ahead.
"""

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.app.alerts import spike_key
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.deck_state import DeckState
from openbalance_hid.app.effects import LogTileError, OpenUrl, Paint, PaintCell, PaintScreen, Refresh, SendAlert, SetBrightness
from openbalance_hid.app.events import (
    AlertAcknowledged,
    AlertDelivered,
    Cell,
    ConfigRejected,
    ConfigReloaded,
    Event,
    GestureRequested,
    HistoryLoaded,
    IdentifyRequested,
    OpenFailed,
    PageRequested,
    Place,
    RefreshSkipped,
    SmallScreen,
    TimePassed,
)
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.app.screen import RETRY_S
from openbalance_hid.app.tile_views import views_of, with_alert, with_refused_config
from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import (
    CELL_PX,
    DeckArrived,
    DeckLost,
    DialPushed,
    DialTurned,
    KeyEvent,
    StripTouched,
    TouchKeyEvent,
    TouchKind,
)
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.tiles.view import KeyFace
from tests.build import NOON, day_of_samples, days_back, snapshot
from tests.torture.expected_gestures import ExpectedGestures

SERIALS = ("A1", "B2", "C3", "2:A1")
SHAPES = ("mk2", "mini", "plus", "neo", "pedal", "xl", "plus-xl")
ACCOUNTS = ("default", "work")
PAGES = """
[[decks]]
{serial}
brightness = {brightness}
[[decks.keys]]
key = 0
tile = "balance"
[[decks.keys]]
key = 1
tile = "page"
to = "more"
[[decks.keys]]
key = 2
tile = "spike-alert"
[[decks.keys]]
key = 3
tile = "meter"
[[decks.keys]]
key = 4
tile = "privacy"
[[decks.pages]]
name = "more"
[[decks.pages.keys]]
key = 1
tile = "page"
to = "main"
[[decks.pages.keys]]
key = 2
tile = "runway"
[[decks.dials]]
dial = 0
turn = "page"
[[decks.dials]]
dial = 1
turn = "account"
[[decks.dials]]
dial = 2
turn = "brightness"
"""
DIM = '[dim]\nafter_minutes = 2\nto_percent = 10\noff_after_minutes = 5\nnight = "22:30-03:10"\n'
OTHER = '[[decks]]\nserial = "B2"\n[[decks.keys]]\nkey = 0\ntile = "usage"\n'
TWO = '[accounts.work]\nrefresh_minutes = 5\n[[decks]]\n[[decks.keys]]\nkey = 2\ntile = "today"\naccount = "work"\n'
TEXTS = (
    "[dim]\nafter_minutes = 0\noff_after_minutes = 0\n",
    "hold_seconds = 0.5\ntheme = 'light'\n" + DIM,
    DIM + PAGES.format(serial="", brightness=30),
    DIM + PAGES.format(serial='serial = "A1"', brightness=80) + OTHER,
    TWO,
    TWO + DIM,
    "[accounts.work]\n" + PAGES.format(serial="", brightness=0),
)
CONFIGS: tuple[Config, ...] = tuple(parse(text, "config.toml") for text in TEXTS)
PAUSES_S = (0.0, 0.01, 0.2, 0.6, 1.0, 2.1, 7.0, 59.0, 130.0, 400.0)
JUMPS_S = (-86_400.0, -3600.0, -7.0, 30.0, 3600.0, 86_400.0, 2_500_000.0)
LONG_STEPS = 40  # of time passing in one act


class ControllerHarness:
    """One controller and what its decks show. `check_every`: one of so many readings of the tiles is repeated."""

    def __init__(self, zone: str = "Europe/Berlin", check_every: int = 1) -> None:
        self.now = Moment(NOON, 1000.0)
        self.controller = Controller(CONFIGS[0], {"default": snapshot()}, self.now, ZoneInfo(zone))
        self.fingers = ExpectedGestures(self.controller)
        self.glass: dict[Place, KeyFace] = {}
        self.light: dict[str, int] = {}
        self.shapes: dict[str, DeckArrived] = {}
        self.recent_acts: list[str] = []
        self.polls = 1
        self._every = check_every
        self._until_check = check_every
        self._bodies: list[Snapshot] = []
        self._checked: dict[str, DeckState] = {}  # by serial: as its tiles were compared
        self._moved_s: dict[str, float] = {}
        self._too_few = 0  # pictures that will not be drawn

    # --- acts -----------------------------------------------------------------------------------------------------------

    def plug(self, a: int, b: int) -> None:
        serial, model = SERIALS[a % len(SERIALS)], MODELS[SHAPES[b % len(SHAPES)]]
        strip = model.strip.width // CELL_PX if model.strip is not None else 0
        shape = DeckArrived(serial, model.name, model.keys, model.name != "pedal", model.dials, strip, model.touch_keys)
        self.tell(replace(shape, screen=model.screen is not None))

    def unplug(self, a: int, b: int) -> None:
        self.tell(DeckLost(self._serial(a)))

    def press(self, a: int, b: int) -> None:
        self._move(self._serial(a), b, True)

    def release(self, a: int, b: int) -> None:
        down = sorted(self.fingers.down)
        serial, key = down[a % len(down)] if down and b % 8 else (self._serial(a), b % 8)
        self._move(serial, key, False)

    def tap(self, a: int, b: int) -> None:
        self._move(self._serial(a), b, True)
        self.pass_time(0.1)
        self._move(self._serial(a), b, False)

    def wait(self, a: int, b: int) -> None:
        self.pass_time(PAUSES_S[a % len(PAUSES_S)])

    def be_late(self, a: int, b: int) -> None:
        """Delay the main thread, which receives the key events afterwards."""
        serial, key, at_s = self._serial(a), b % 6, self.now.mono_s
        self._pass(PAUSES_S[b % 8])
        self._move(serial, key, True, at_s)
        self._move(serial, key, False, min(at_s + 0.1 + (a % 30) / 10, self.now.mono_s))

    def fail_to_draw(self, a: int, b: int) -> None:
        """Fail to draw the next pictures, as without memory or descriptors; they are drawn soon after."""
        self._too_few = a % 9
        self.pass_time(0.3)
        self._too_few = 0
        self.pass_time(RETRY_S)
        assert not self.controller.display.must_retry

    def jump(self, a: int, b: int) -> None:
        """Suspend the machine, or set its clock."""
        self.now = Moment(self.now.utc + timedelta(seconds=JUMPS_S[a % len(JUMPS_S)]), self.now.mono_s)
        if not 2000 < self.now.utc.year < 2200:
            self.now = Moment(NOON, self.now.mono_s)
        self.tell(TimePassed())

    def poll(self, a: int, b: int) -> None:
        if not self._bodies or b % 40 == 0:
            self._bodies = account_snapshots(self.now)
        account = ACCOUNTS[b % len(ACCOUNTS)]
        self.polls += a % 3 > 0
        known = self.controller.snapshots.get(account)
        started = known.started_at if known is not None and a % 20 else self.now.utc
        body = self._bodies[a % len(self._bodies)]
        refreshing = a % 5 == 0
        self.tell(replace(body, account=account, polls=self.polls, started_at=started, refreshing=refreshing))

    def configure(self, a: int, b: int) -> None:
        if b % 4 == 0:
            self.tell(ConfigRejected())
        else:
            self.tell(ConfigReloaded(CONFIGS[a % len(CONFIGS)]))

    def ask(self, a: int, b: int) -> None:
        serial = (None, self._serial(a), "nobody")[b % 3]
        asked: tuple[Event, ...] = (
            GestureRequested(b % 40, (Gesture.TAP, Gesture.HOLD)[a % 2], serial),
            PageRequested(("main", "more", "mroe")[b % 3]),
            IdentifyRequested(),
            RefreshSkipped(ACCOUNTS[b % 2]),
            OpenFailed(self._serial(b), (b % 20, Cell(b % 4))[a % 2]),
        )
        self.tell(asked[a % len(asked)])

    def alarm(self, a: int, b: int) -> None:
        account, rule, level = ACCOUNTS[b % 2], SpikeRule(), tuple(Level)[b % len(Level)]
        known = self.controller.snapshots.get(account)
        started = known.started_at if known is not None else self.now.utc
        alerts = tuple(alert for alert in self.controller.tile_inputs.alerts.values() if alert.account == account)
        key = spike_key(account, rule)
        runs = tuple(run for name, run in self.controller.tile_inputs.runs.items() if name == account)
        happens: tuple[Event, ...] = (
            AlertDelivered(key, level, bool(b % 2)),
            AlertAcknowledged(key, level),
            HistoryLoaded(account, started, alerts, runs),
        )
        self.tell(happens[a % len(happens)])

    def turn(self, a: int, b: int) -> None:
        serial, at_s, touched = self._serial(a), self.now.mono_s, (CELL_PX * (b % 6) + a % CELL_PX, a % 100)
        moves: tuple[Event, ...] = (
            DialTurned(serial, b % 6, b % 7 - 3, at_s),
            DialPushed(serial, b % 6, bool(a % 3), at_s),
            StripTouched(serial, (TouchKind.TAP, TouchKind.HOLD)[a % 2], *touched, *touched, at_s),
            StripTouched(serial, TouchKind.DRAG, *touched, CELL_PX * (b % 6), 50, at_s),
            TouchKeyEvent(serial, b % 2, bool(a % 3), at_s),
        )
        self.tell(moves[b % len(moves)])

    @property
    def acts(self) -> dict[Callable[[int, int], None], int]:
        """Return the acts with their frequencies."""
        return {
            self.plug: 3,
            self.unplug: 2,
            self.press: 14,
            self.release: 14,
            self.tap: 6,
            self.wait: 14,
            self.be_late: 3,
            self.jump: 1,
            self.fail_to_draw: 1,
            self.poll: 4,
            self.configure: 2,
            self.ask: 2,
            self.alarm: 2,
            self.turn: 4,
        }

    # --- steps ----------------------------------------------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Make one step of the controller and check the invariants."""
        self.fingers.before(event)
        readings = self.controller.evaluations
        effects = self.controller.step(event, self.now)
        if isinstance(event, DeckArrived | DeckLost):
            self.glass = {place: face for place, face in self.glass.items() if place[0] != event.serial}
            self.light.pop(event.serial, None)
            self.shapes.pop(event.serial, None)
            if isinstance(event, DeckArrived):
                self.shapes[event.serial] = event
        for effect in effects:
            match effect:
                case Paint(serial, key) if self._too_few > 0:
                    self._too_few -= 1
                    self.glass.pop((serial, key), None)
                    self.controller.retry(effect)
                case Paint(serial, key, face):
                    assert 0 <= key < self.shapes[serial].key_count
                    self.glass[serial, key] = face
                case PaintCell(serial, cell, face):
                    self.glass[serial, Cell(cell)] = face
                case PaintScreen(serial, face):
                    self.glass[serial, SmallScreen()] = face
                case SetBrightness(serial, percent):
                    self.light[serial] = percent
                case LogTileError(tile, error):
                    raise AssertionError(f"the tile {tile} failed") from error
                case OpenUrl() | Refresh() | SendAlert():
                    pass
        self.fingers.after(event, effects, self.now)
        self._check(self.controller.evaluations != readings)

    def pass_time(self, seconds: float) -> None:
        """Advance from deadline to deadline, as the event loop would, up to `LONG_STEPS` of them."""
        end_s = self.now.mono_s + seconds
        for _ in range(LONG_STEPS):
            due_s = max(self.now.mono_s, self.controller.next_deadline())  # overdue after a delay of the main thread
            if due_s > end_s:
                self._pass(end_s - self.now.mono_s)
                return
            self._pass(due_s - self.now.mono_s)
            self.tell(TimePassed())
            assert self.controller.next_deadline() > self.now.mono_s, "the next deadline is not ahead"

    def _pass(self, seconds: float) -> None:
        self.now = Moment(self.now.utc + timedelta(seconds=seconds), self.now.mono_s + seconds)

    def _move(self, serial: str, key: int, down: bool, at_s: float | None = None) -> None:
        count = self.shapes[serial].key_count if serial in self.shapes else 6
        at_s = max(self.now.mono_s if at_s is None else at_s, self._moved_s.get(serial, 0.0))  # a deck emits events in order
        self._moved_s[serial] = at_s
        self.tell(KeyEvent(serial, key % count, down, at_s))

    def _serial(self, a: int) -> str:
        here = sorted(self.shapes)
        return here[a % len(here)] if here and a % 10 else SERIALS[a % len(SERIALS)]

    # --- invariants ---------------------------------------------------------------------------------------------------

    def _check(self, read: bool) -> None:
        controller = self.controller
        assert controller.faces == self.glass, "a deck does not show the faces of the controller"
        assert controller.decks.keys() == self.shapes.keys()
        for serial, panel in controller.decks.items():
            assert self.light.get(serial) == (panel.light.percent if panel.light is not None else None)
            checked = self._checked.get(serial)
            if checked is None or checked.pages is not panel.pages or checked.turned is not panel.turned:  # both are frozen
                self._checked[serial] = panel
                assert {spot: panel.tile(spot) for spot in panel.tiles()} == panel.tiles()
        keys = {(serial, key) for serial, deck in controller.decks.items() for key in range(deck.shape.key_count)}
        assert set(filter(controller.inputs.presses.is_down, keys)) == self.fingers.down.keys()
        assert {place[0] for place in controller.inputs.presses.marks.places()} <= controller.decks.keys()
        self._until_check -= read
        if self._until_check <= 0:
            self._until_check = self._every
            self._check_words()

    def _check_words(self) -> None:
        """Compute the faces again, without any memory, and compare them."""
        controller = self.controller
        if (
            controller.display.identifies(self.now.mono_s)
            or controller.evaluated_at != self.now
            or controller.display.must_retry
        ):
            return
        for serial, panel in controller.decks.items():
            known = controller.tile_inputs.on(panel.pages.names, panel.pages.index)
            said = views_of(panel.tiles(), known, self.now.utc, controller.ticks.cycle(self.now.mono_s))
            places = {spot for owner, spot in self.glass if owner == serial} - {SmallScreen()}
            assert places == said.keys()
            for spot, (view, _) in said.items():
                unconfirmed = controller.accounts.alerts.unconfirmed_kind(self.now.utc)
                if controller.config_refused and spot == panel.shape.key_count - 1:
                    view = with_refused_config(view)
                elif unconfirmed is not None and spot == panel.shape.key_count - 1:
                    view = with_alert(view, unconfirmed)
                shown = self.glass[serial, spot].view
                assert replace(shown, attention=False) == replace(view, attention=False), (serial, spot)


def account_snapshots(now: Moment) -> list[Snapshot]:
    """Return snapshots of every health: quiet, spiking, high, unknown, old."""
    days = days_back([3] * 6, now=now.utc)
    spent = [day_of_samples(usd, now=now.utc, hours=hours) for usd, hours in ((1, 1), (12, 24), (60, 2))]
    good = [snapshot(now.utc, days=days, today={"Model A": 1}, taken=taken) for taken in spent]
    return [
        *good,
        *(replace(good[0], health=health) for health in Health),
        snapshot(now.utc, balance=None),
        snapshot(now.utc, balance=(10, 25), days=days_back([], now=now.utc)),
        snapshot(now.utc, days=days, measured=now.utc - timedelta(hours=9), health=Health.OFFLINE),
    ]
