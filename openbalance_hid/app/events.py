"""The input of the controller: events of the decks (`deck.device_events`), of snapshots and of commands. Frozen values only.

Places on a deck are named here too. What the controller returns is in `effects`.
"""

from datetime import datetime

from msgspec import Struct

from openbalance_hid.account.alert import Alert, AlertKey
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, InputEvent


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
    """An account's open alerts and last run of the meter from before this start.

    `started_at`: of the snapshots that they belong to; `masked`: amounts were hidden.
    """

    account: str
    started_at: datetime
    alerts: tuple[Alert, ...] = ()
    run: MeterRun | None = None
    masked: bool = False


class AlertDelivered(Struct, frozen=True):
    """A notification of this level was delivered, or could not be."""

    key: AlertKey
    level: int
    delivered: bool


class AlertAcknowledged(Struct, frozen=True):
    """The user has pressed the button of a notification."""

    key: AlertKey
    level: int


class OpenFailed(Struct, frozen=True):
    """The desktop could not open the page that a tap asked for."""

    serial: str
    spot: Spot


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
    | AlertDelivered
    | AlertAcknowledged
    | SessionLock
    | ConfigReloaded
    | ConfigRejected
    | TimePassed
)
