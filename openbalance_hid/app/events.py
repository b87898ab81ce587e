"""What can happen to the house. Frozen values, nothing else; what it can want done is in `effects`."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from openbalance_hid.account.concern import AlertKind
from openbalance_hid.account.episode import Episode
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.app.places import Spot
from openbalance_hid.config.schema import Config, FrozenMap


class DeckReady(Struct, frozen=True):
    """A deck is open and dark. `cells`: parts of its touch strip; `screen`: it has a small one."""

    serial: str
    model: str
    key_count: int
    visual: bool = True
    dials: int = 0
    cells: int = 0
    touch_keys: int = 0
    screen: bool = False


class DeckDisconnected(Struct, frozen=True):
    """A deck was unplugged or lost."""

    serial: str


class KeyMoved(Struct, frozen=True):
    """A key went down or up, at monotonic `mono_s`."""

    serial: str
    key: int
    down: bool
    mono_s: float


class TouchKeyMoved(Struct, frozen=True):
    """A touch key, which has a colour and no picture, went down or up; 0 is the left one."""

    serial: str
    touch_key: int
    down: bool


class DialTurned(Struct, frozen=True):
    """A dial moved by `steps`: positive clockwise."""

    serial: str
    dial: int
    steps: int


class DialPushed(Struct, frozen=True):
    """A dial was pushed down."""

    serial: str
    dial: int


class CellTouched(Struct, frozen=True):
    """A finger tapped a cell of the touch strip, or rested on it: the deck itself tells which."""

    serial: str
    cell: int
    gesture: Gesture


class Swiped(Struct, frozen=True):
    """A finger moved over the strip: by how many pages, positive forward."""

    serial: str
    pages: int


class PageRequested(Struct, frozen=True):
    """A page asked for from outside, on every deck that has it."""

    name: str


class IdentifyRequested(Struct, frozen=True):
    """Every key is to show its number for a while."""


class GestureRequested(Struct, frozen=True):
    """A gesture asked for from outside, as if a finger had made it. `serial` None: the first deck."""

    key: int
    gesture: Gesture
    serial: str | None = None


class RefreshSkipped(Struct, frozen=True):
    """A refresh that was asked for is not worth a poll: the last one was a moment ago, or the server wants quiet."""

    account: str


class HistoryLoaded(Struct, frozen=True):
    """An account's open episodes, last run of the meter and concerns from before this start.

    `started_at`: of the snapshots that they belong to; `concerns`: by kind, what the desktop was told;
    `masked`: amounts were hidden.
    """

    account: str
    started_at: datetime
    episodes: Mapping[SpikeRule, Episode]
    run: MeterRun | None = None
    concerns: Mapping[str, str] = FrozenMap()
    masked: bool = False


class Notified(Struct, frozen=True):
    """The desktop was told of a level, or could not be."""

    account: str
    rule: SpikeRule
    level: Level
    delivered: bool


class Acknowledged(Struct, frozen=True):
    """The owner has pressed the button of a notification."""

    account: str
    rule: SpikeRule
    level: Level


class OpenFailed(Struct, frozen=True):
    """The desktop could not open the page that a tap asked for."""

    serial: str
    spot: Spot


class Warned(Struct, frozen=True):
    """The desktop was told of a concern, or could not be."""

    account: str
    kind: AlertKind
    grade: str
    delivered: bool


class SessionLock(Struct, frozen=True):
    """The owner's session has been locked, asked to be, or opened."""

    lock: Lock


class ConfigReloaded(Struct, frozen=True):
    """The owner has changed the configuration, and it is good."""

    config: Config


class ConfigRejected(Struct, frozen=True):
    """The owner has changed the configuration into one that cannot be used: the old one stays."""


class TimePassed(Struct, frozen=True):
    """Nothing but time."""


Finger = KeyMoved | TouchKeyMoved | DialTurned | DialPushed | CellTouched | Swiped
Event = (
    DeckReady
    | DeckDisconnected
    | Finger
    | PageRequested
    | IdentifyRequested
    | GestureRequested
    | Snapshot
    | HistoryLoaded
    | RefreshSkipped
    | OpenFailed
    | Notified
    | Acknowledged
    | Warned
    | SessionLock
    | ConfigReloaded
    | ConfigRejected
    | TimePassed
)
