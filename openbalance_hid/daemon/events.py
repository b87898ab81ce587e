"""What can happen to the house, and what it can want done. Frozen values, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from openbalance_hid.account.episode import Episode
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.config.schema import Config
from openbalance_hid.daemon.places import Spot
from openbalance_hid.press.gestures import Gesture
from openbalance_hid.tiles.view import KeyFace, Tone

# --- events ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeckReady:
    """A deck is open and dark. `cells`: parts of its touch strip; `screen`: it has a small one."""

    serial: str
    model: str
    key_count: int
    visual: bool = True
    dials: int = 0
    cells: int = 0
    touch_keys: int = 0
    screen: bool = False


@dataclass(frozen=True, slots=True)
class DeckLeft:
    """A deck was unplugged or lost."""

    serial: str


@dataclass(frozen=True, slots=True)
class KeyMoved:
    """A key went down or up, at monotonic `mono_s`."""

    serial: str
    key: int
    down: bool
    mono_s: float


@dataclass(frozen=True, slots=True)
class TouchKeyMoved:
    """A touch key, which has a colour and no picture, went down or up; 0 is the left one."""

    serial: str
    touch_key: int
    down: bool


@dataclass(frozen=True, slots=True)
class DialTurned:
    """A dial moved by `steps`: positive clockwise."""

    serial: str
    dial: int
    steps: int


@dataclass(frozen=True, slots=True)
class DialPushed:
    """A dial was pushed down."""

    serial: str
    dial: int


@dataclass(frozen=True, slots=True)
class CellTouched:
    """A finger tapped a cell of the touch strip, or rested on it: the deck itself tells which."""

    serial: str
    cell: int
    gesture: Gesture


@dataclass(frozen=True, slots=True)
class Swiped:
    """A finger moved over the strip: by how many pages, positive forward."""

    serial: str
    pages: int


@dataclass(frozen=True, slots=True)
class PageAsked:
    """A page asked for from outside, on every deck that has it."""

    name: str


@dataclass(frozen=True, slots=True)
class IdentifyAsked:
    """Every key is to show its number for a while."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A gesture asked for from outside, as if a finger had made it. `serial` None: the first deck."""

    key: int
    gesture: Gesture
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class NoRefresh:
    """A refresh that was asked for is not worth a poll: the last one was a moment ago, or the server wants quiet."""

    account: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """The open episodes of an account from before this start. `started_at`: of the snapshots that they belong to."""

    account: str
    started_at: datetime
    episodes: Mapping[SpikeRule, Episode]


@dataclass(frozen=True, slots=True)
class Notified:
    """The desktop was told of a level, or could not be."""

    account: str
    rule: SpikeRule
    level: Level
    delivered: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The owner has pressed the button of a notification."""

    account: str
    rule: SpikeRule
    level: Level


@dataclass(frozen=True, slots=True)
class OpenFailed:
    """The desktop could not open the page that a tap asked for."""

    serial: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class ConfigRead:
    """The owner has changed the configuration, and it is good."""

    config: Config


@dataclass(frozen=True, slots=True)
class ConfigRefused:
    """The owner has changed the configuration into one that cannot be used: the old one stays."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing but time."""


Finger = KeyMoved | TouchKeyMoved | DialTurned | DialPushed | CellTouched | Swiped
Event = (
    DeckReady
    | DeckLeft
    | Finger
    | PageAsked
    | IdentifyAsked
    | Asked
    | Snapshot
    | Recalled
    | NoRefresh
    | OpenFailed
    | Notified
    | Acknowledged
    | ConfigRead
    | ConfigRefused
    | TimePassed
)


# --- effects -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paint:
    """Put a face on a key."""

    serial: str
    key: int
    face: KeyFace


@dataclass(frozen=True, slots=True)
class PaintCell:
    """Put a face on a cell of the touch strip."""

    serial: str
    cell: int
    face: KeyFace


@dataclass(frozen=True, slots=True)
class PaintScreen:
    """Put a face on the small screen."""

    serial: str
    face: KeyFace


@dataclass(frozen=True, slots=True)
class Glow:
    """Give a touch key the colour of a tone, None: none. `text`: what it does, in words."""

    serial: str
    touch_key: int
    tone: Tone | None
    text: str


@dataclass(frozen=True, slots=True)
class Brighten:
    """Set a deck's brightness, percent."""

    serial: str
    percent: int


@dataclass(frozen=True, slots=True)
class Refresh:
    """Poll an account at once."""

    account: str


@dataclass(frozen=True, slots=True)
class Enlist:
    """Ask for these accounts and no others. `intervals_s`: of each, in seconds."""

    intervals_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Remember:
    """An episode has changed, None: is over. `started_at`: of the snapshots that it was judged by."""

    account: str
    started_at: datetime
    rule: SpikeRule
    episode: Episode | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the desktop that a level has been reached; `Notified` says what came of it."""

    account: str
    rule: SpikeRule
    level: Level
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Open:
    """Open an https address in the owner's browser; a tap on this key or cell asked for it."""

    url: str
    serial: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Complain:
    """A tile raised: for the log."""

    tile: str
    error: Exception


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that the owner should know and that stops nobody: for the log."""

    text: str


Effect = Paint | PaintCell | PaintScreen | Glow | Brighten | Refresh | Enlist | Remember | Notify | Open | Complain | Mention
