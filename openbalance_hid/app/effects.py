"""What the controller returns for the runtime to do. Frozen values, nothing else; what it takes is in `events`."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from openbalance_hid.account.alert import Alert
from openbalance_hid.account.alert_notice import AlertNotice
from openbalance_hid.account.key_switching import KeySwitch
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.events import KeySwitchRequested, Spot
from openbalance_hid.config.broker_options import PublishConfig, SourceConfig
from openbalance_hid.config.listen_address import ListenAddress
from openbalance_hid.config.schema import AlertSink, Config, FrozenMap, TileConfig
from openbalance_hid.history.records import Record
from openbalance_hid.mqtt.snapshot_schema import SummaryPart
from openbalance_hid.tiles.actions import WebPage
from openbalance_hid.tiles.interface import PluginScene
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


class SetRotation(Struct, frozen=True):
    """Number the keys of a deck and turn its pictures as it is turned: by `degrees` clockwise. Nothing is drawn by that."""

    serial: str
    degrees: int


class AdoptDeckUse(Struct, frozen=True):
    """Open the decks that this configuration uses, and close those that it leaves to other software."""

    config: Config


class Repaint(Struct, frozen=True):
    """Send a deck its brightness and everything that it shows once more: another program may have drawn on it."""

    serial: str


class RepaintNext(Struct, frozen=True):
    """Send a deck its brightness and one part of what it shows once more, each part in turn."""

    serial: str


class ReportAction(Struct, frozen=True):
    """What a press, hold or turn on a deck did, in a few words: for pages that show a virtual deck."""

    serial: str
    text: str


class Refresh(Struct, frozen=True):
    """Poll an account now."""

    account: str


class SetAccounts(Struct, frozen=True):
    """Poll these accounts and no others. `intervals_s`: of each, in seconds; `sources`: of those without a key."""

    intervals_s: Mapping[str, float]
    sources: Mapping[str, SourceConfig] = FrozenMap()


class Publish(Struct, frozen=True):
    """Publish a snapshot for other desks. `masks_names`: without the names of models, providers and keys."""

    snapshot: Snapshot
    summary: SummaryPart
    masks_names: bool


class AdoptPublish(Struct, frozen=True):
    """Publish to this broker from now on, these accounts; None: to none."""

    publish: PublishConfig | None
    accounts: tuple[str, ...]


class WatchSessionLock(Struct, frozen=True):
    """Watch the lock of the user's session from now on, or no longer."""

    wanted: bool


class ServeMetrics(Struct, frozen=True):
    """Serve metrics on this address from now on, and on no other; None: on none."""

    address: ListenAddress | None


class Store(Struct, frozen=True):
    """Write a record to the history. `started_at`: of the snapshots that it was made from.

    `account` None: a setting of the whole program.
    """

    account: str | None
    started_at: datetime | None
    record: Record


class SetPollInterval(Struct, frozen=True):
    """Poll an account at least this often, and once now; None: at its own interval again."""

    account: str
    seconds: float | None


class WantFreeQuota(Struct, frozen=True):
    """Request the quota of free models of an account, too; not `wanted`: no longer."""

    account: str
    wanted: bool


class SendAlert(Struct, frozen=True):
    """Notify the user of an alert; `AlertDelivered` reports the result.

    `level`: the present one. A button opens `page`; without a page, buttons acknowledge the alert and open the activity page,
    and after a confirmation `stop` disables the key that drives it.
    """

    alert: Alert
    level: int
    title: str
    text: str
    page: WebPage | None = None
    urgent: bool = False
    stop: KeySwitchRequested | None = None
    stop_name: str = ""  # of the key that `stop` disables


class ShowMessage(Struct, frozen=True):
    """Show the user how a request from a notification has ended."""

    title: str
    text: str


class SendToSink(Struct, frozen=True):
    """Send a message about an alert to a web address or a program; `SinkReported` reports the result."""

    sink: AlertSink
    notice: AlertNotice


class SwitchKey(Struct, frozen=True):
    """Disable or enable an API key; `KeySwitchEnded` reports the result. `read_first`: what is known of it is old."""

    switch: KeySwitch
    read_first: bool


class StartProgram(Struct, frozen=True):
    """Run a program of a `command` tile; `ProgramEnded` reports its end.

    `program`: absolute path and arguments; `limit_s` None: it keeps printing, and `ProgramPrinted` has each line; `prints`:
    its output is wanted.
    """

    run: int
    program: tuple[str, ...]
    limit_s: float | None
    prints: bool


class StopProgram(Struct, frozen=True):
    """End a run, with everything that it has started. Idempotent."""

    run: int


class OpenUrl(Struct, frozen=True):
    """Open an https address in the user's browser, for a tap on this key or cell."""

    url: str
    serial: str
    spot: Spot


class EvaluatePlugin(Struct, frozen=True):
    """Evaluate a tile of another package; `PluginEvaluated` reports its answer."""

    tile: TileConfig
    scene: PluginScene


class LogTileError(Struct, frozen=True):
    """Log the exception of a tile."""

    tile: str
    error: Exception


class LogWarning(Struct, frozen=True):
    """Log a warning."""

    text: str


Effect = (
    Paint
    | PaintCell
    | PaintScreen
    | LightTouchKey
    | SetBrightness
    | SetRotation
    | AdoptDeckUse
    | Repaint
    | RepaintNext
    | ReportAction
    | Refresh
    | SetAccounts
    | Publish
    | AdoptPublish
    | WatchSessionLock
    | ServeMetrics
    | Store
    | SetPollInterval
    | WantFreeQuota
    | SendAlert
    | ShowMessage
    | SendToSink
    | SwitchKey
    | StartProgram
    | StopProgram
    | OpenUrl
    | EvaluatePlugin
    | LogTileError
    | LogWarning
)
