"""The input of the controller: events of the decks (`deck.device_events`), of snapshots and of commands. Frozen values only.

Places on a deck are named here too. What the controller returns is in `effects`.
"""

from datetime import datetime

from msgspec import Struct

from openbalance_hid.account.alert import Alert, AlertKey
from openbalance_hid.account.alert_notice import AlertNotice
from openbalance_hid.account.key_switching import KeyOutcome
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.dimming import Lock
from openbalance_hid.app.gestures import Gesture
from openbalance_hid.config.schema import Config, TileConfig
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, InputEvent
from openbalance_hid.history.records import StoredDelivery
from openbalance_hid.tiles.plugin_view import PluginResult
from openbalance_hid.tiles.program_output import ProgramEnd


class Cell(Struct, frozen=True):
    """One part of the touch strip, from 0 on the left; there is a dial below each."""

    number: int


class SmallScreen(Struct, frozen=True):
    """The small screen of the Neo."""


Spot = int | Cell | SmallScreen  # an int is a key, row by row from the top left, from 0
Place = tuple[str, Spot]  # serial number of the deck, and where on it


class PageRequested(Struct, frozen=True):
    """Show a page on every deck that has it, by a command."""

    name: str


class SnapshotBatch(Struct, frozen=True):
    """Snapshots that came at the same time: the tiles are evaluated once for all of them."""

    snapshots: tuple[Snapshot, ...]


class IdentifyRequested(Struct, frozen=True):
    """Show the number of every key for a while."""


class RepaintRequested(Struct, frozen=True):
    """Send every deck everything that it shows once more, by a command: another program may have drawn on it."""


class BrightnessRequested(Struct, frozen=True):
    """Light these decks with `percent`, or as before (None), or switch them off (0), by a command."""

    serials: tuple[str, ...]
    percent: int | None


class GestureRequested(Struct, frozen=True):
    """Make a gesture by a command, as on the key itself. `serial` None: on the first deck."""

    key: int
    gesture: Gesture
    serial: str | None = None


class RefreshSkipped(Struct, frozen=True):
    """A requested refresh was skipped: the last poll was a moment ago, or the server has set a rate limit."""

    account: str


class HistoryLoaded(Struct, frozen=True):
    """An account's open alerts, their messages, and runs of the meter, from before this start.

    `started_at`: of the snapshots that they belong to; `masked`: amounts were hidden.
    """

    account: str
    started_at: datetime
    alerts: tuple[Alert, ...] = ()
    runs: tuple[MeterRun, ...] = ()
    masked: bool = False
    deliveries: tuple[StoredDelivery, ...] = ()


class AlertDelivered(Struct, frozen=True):
    """A notification of this level was delivered, or could not be. `confirmed`: the desktop reports what it shows."""

    key: AlertKey
    level: int
    delivered: bool
    confirmed: bool = True


class AlertAcknowledged(Struct, frozen=True):
    """The user has pressed the button of a notification."""

    key: AlertKey
    level: int


class SinkReported(Struct, frozen=True):
    """A web address or a program has received a message; `error`: or why it has not. `jitter`: random, 0 to 1."""

    sink: str  # its identity
    notice: AlertNotice
    error: str | None = None
    retry_after_s: float | None = None
    jitter: float = 0.0


class KeySwitchRequested(Struct, frozen=True):
    """Disable or enable one API key. `source`: "deck SERIAL", "shell" or "notification"."""

    account: str
    key_hash: str
    disables: bool
    source: str


class KeySwitchEnded(Struct, frozen=True):
    """A switch has ended: with what OpenRouter says of the key, or without."""

    account: str
    key_hash: str
    requested_at: datetime  # of the switch
    outcome: KeyOutcome


class ProgramPrinted(Struct, frozen=True):
    """A program that keeps printing has printed a line. `run`: of its `StartProgram`."""

    run: int
    line: bytes


class ProgramEnded(Struct, frozen=True):
    """A program of a `command` tile has ended, or could not be started."""

    run: int
    end: ProgramEnd


class OpenFailed(Struct, frozen=True):
    """The desktop could not open the page of a tap."""

    serial: str
    spot: Spot


class SessionLock(Struct, frozen=True):
    """The user's session was locked, unlocked, or a lock was requested."""

    lock: Lock


class ConfigReloaded(Struct, frozen=True):
    """The configuration file has changed and is valid."""

    config: Config


class ConfigRejected(Struct, frozen=True):
    """The configuration file has changed and has errors: the one before stays in force."""


class PluginEvaluated(Struct, frozen=True):
    """A tile of another package has answered, or failed."""

    tile: TileConfig
    result: PluginResult


class TimePassed(Struct, frozen=True):
    """A deadline of the controller has come."""


Event = (
    DeckArrived
    | DeckLost
    | InputEvent
    | PageRequested
    | IdentifyRequested
    | RepaintRequested
    | BrightnessRequested
    | GestureRequested
    | Snapshot
    | SnapshotBatch
    | HistoryLoaded
    | RefreshSkipped
    | OpenFailed
    | AlertDelivered
    | AlertAcknowledged
    | SinkReported
    | KeySwitchRequested
    | KeySwitchEnded
    | ProgramPrinted
    | ProgramEnded
    | SessionLock
    | ConfigReloaded
    | ConfigRejected
    | PluginEvaluated
    | TimePassed
)
