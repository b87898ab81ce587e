"""What the controller takes: the events of the decks (`deck.events`), snapshots, and what is here. Frozen values, nothing else.

Places on a deck are named here too. What the controller returns is in `effects`.
"""

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
from openbalance_hid.config.schema import Config, FrozenMap
from openbalance_hid.deck.events import DeckArrived, DeckLost, InputEvent


class Cell(Struct, frozen=True):
    """One part of the touch strip, from 0 on the left; there is a dial below each."""

    number: int


class SmallScreen(Struct, frozen=True):
    """The small screen of the Neo."""


Spot = int | Cell | SmallScreen  # an int is a key, row by row from the top left, from 0
Place = tuple[str, Spot]  # serial number of the deck, and where on it


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


Event = (
    DeckArrived
    | DeckLost
    | InputEvent
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
