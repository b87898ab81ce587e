"""What the house can want done. Frozen values, nothing else; what can happen to it is in `events`."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from openbalance_hid.account.concern import AlertKind
from openbalance_hid.account.episode import Episode
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.app.events import Spot
from openbalance_hid.tiles.actions import WebPage
from openbalance_hid.tiles.view import KeyFace, Tone


class Paint(Struct, frozen=True):
    """Put a face on a key."""

    serial: str
    key: int
    face: KeyFace


class PaintCell(Struct, frozen=True):
    """Put a face on a cell of the touch strip."""

    serial: str
    cell: int
    face: KeyFace


class PaintScreen(Struct, frozen=True):
    """Put a face on the small screen."""

    serial: str
    face: KeyFace


class LightTouchKey(Struct, frozen=True):
    """Give a touch key the colour of a tone, None: none. `text`: what it does, in words."""

    serial: str
    touch_key: int
    tone: Tone | None
    text: str


class SetBrightness(Struct, frozen=True):
    """Set a deck's brightness, percent."""

    serial: str
    percent: int


class Refresh(Struct, frozen=True):
    """Poll an account at once."""

    account: str


class SetAccounts(Struct, frozen=True):
    """Ask for these accounts and no others. `intervals_s`: of each, in seconds."""

    intervals_s: Mapping[str, float]


class WatchSessionLock(Struct, frozen=True):
    """From now on it matters whether the session is locked, or no longer does."""

    wanted: bool


class Remember(Struct, frozen=True):
    """An episode has changed, None: is over. `started_at`: of the snapshots that it was judged by."""

    account: str
    started_at: datetime
    rule: SpikeRule
    episode: Episode | None
    now: datetime


class RememberRun(Struct, frozen=True):
    """A run of the meter has begun, counted or ended. `started_at`: of the snapshots that it was counted by."""

    account: str
    started_at: datetime
    run: MeterRun


class SetPollInterval(Struct, frozen=True):
    """Ask an account at least this often, and once now; None: at its own interval again."""

    account: str
    seconds: float | None


class Notify(Struct, frozen=True):
    """Tell the desktop that a level has been reached; `Notified` says what came of it."""

    account: str
    rule: SpikeRule
    level: Level
    title: str
    text: str


class RememberMasked(Struct, frozen=True):
    """Amounts are hidden from now on, or shown again."""

    on: bool


class RememberConcern(Struct, frozen=True):
    """What the desktop was told of a concern, None: it is over. `started_at`: of the snapshots that it was judged by."""

    account: str
    started_at: datetime
    kind: AlertKind
    told: str | None


class Warn(Struct, frozen=True):
    """Tell the desktop of a concern, with a button that opens `page`; `Warned` says what came of it."""

    account: str
    kind: AlertKind
    grade: str
    title: str
    text: str
    page: WebPage
    urgent: bool = False


class OpenUrl(Struct, frozen=True):
    """Open an https address in the owner's browser; a tap on this key or cell asked for it."""

    url: str
    serial: str
    spot: Spot


class LogTileError(Struct, frozen=True):
    """A tile raised: for the log."""

    tile: str
    error: Exception


class LogWarning(Struct, frozen=True):
    """Something that the owner should know and that stops nobody: for the log."""

    text: str


Effect = (
    Paint
    | PaintCell
    | PaintScreen
    | LightTouchKey
    | SetBrightness
    | Refresh
    | SetAccounts
    | WatchSessionLock
    | Remember
    | RememberRun
    | RememberMasked
    | SetPollInterval
    | RememberConcern
    | Notify
    | Warn
    | OpenUrl
    | LogTileError
    | LogWarning
)
