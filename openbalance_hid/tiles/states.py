"""The states of every tile: nothing known yet, trouble with the key or the connection, and the age of the data.

An error never replaces a good value, nor the name of a tile. A tile without a value shows the trouble as a notice; a tile with
a value shows it on its lowest line, and the age of the value as a dot, then as grey digits. A trouble that all tiles of an
account on a deck share has its words on one of them (`said_once`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.endpoints import STALE_INTERVALS, intervals_old
from openbalance_hid.account.snapshot import KEY_TROUBLES, Health, OriginProblem, Reading, Snapshot
from openbalance_hid.account.spend import counted_after
from openbalance_hid.account.utc_days import CLOCKS_APART_S, utc_now
from openbalance_hid.hints import hint
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.view import Age, Block, Icon, Line, Notice, TileView, Tone

PREPARING_TIME = timedelta(seconds=60)  # "Preparing…" for so long, then the real reason
OLD_INTERVALS = 2


class TileState(Struct, frozen=True):
    """One row of the table: the words on the key, and what helps in a few words."""

    words: str
    icon: Icon
    tone: Tone
    detail: str = ""
    short: str = ""  # used where the words do not fit beside a value


STATES = {
    Health.PREPARING: TileState("Preparing…", Icon.HOURGLASS, Tone.MUTED),
    Health.NO_KEY: TileState("Set up", Icon.KEY, Tone.ACCENT, hint("no key is stored", "the key")),
    Health.NOT_MANAGEMENT_KEY: TileState("Not a Management key", Icon.KEY, Tone.ALARM, short="Wrong key"),
    Health.KEY_REJECTED: TileState("Key rejected", Icon.LOCK, Tone.ALARM, short="Rejected"),
    Health.OFFLINE: TileState("Offline", Icon.OFFLINE, Tone.WARN, "hold to retry"),
    Health.RATE_LIMITED: TileState("Slow down", Icon.CLOCK, Tone.WARN),
    Health.SERVER_ERROR: TileState("API error", Icon.CLOUD, Tone.WARN),
}
WRONG_CLOCK = TileState("Clock?", Icon.CLOCK, Tone.WARN, "set the clock")  # in place of `Offline`
SEE_KEYS = "see: keys"  # the command that lists API keys, and says what is missing
NO_SUCH_KEY = TileState("No such key", Icon.KEY, Tone.WARN, SEE_KEYS)
KEY_NOT_READ = TileState("Key not read", Icon.KEY, Tone.WARN, SEE_KEYS)
OF_THE_ACCOUNT = (*KEY_TROUBLES, Health.OFFLINE)
# In place of `API error`, where this machine has no key and cannot use the latest message of the publisher.
ORIGIN_PROBLEMS = {
    OriginProblem.NEWER: TileState("Newer format", Icon.WARNING, Tone.WARN, "update this machine", short="New format"),
    OriginProblem.OLDER: TileState("Older format", Icon.WARNING, Tone.WARN, "update the publisher", short="Old format"),
    OriginProblem.FOREIGN: TileState("Not a snapshot", Icon.WARNING, Tone.WARN, "wrong topic?", short="No data"),
}
ON_PUBLISHER = "on the publisher"  # what helps with a key that another machine has


def trouble(scene: Scene, reading: Reading[Any]) -> Health:
    """Return the trouble of a reading now; `Health.OK` without one.

    A trouble of the account (key, connection) comes before one of a single endpoint. While nothing is known, a missing network
    is "Preparing…" for 60 s: a machine that has just started often has none.
    """
    snapshot = scene.snapshot
    not_requested = (
        reading.health is Health.PREPARING and snapshot.health is not Health.OK
    )  # a poll cycle ends at its first refusal
    of_account = snapshot.health in OF_THE_ACCOUNT or (snapshot.origin is not None and snapshot.origin.problem is not None)
    health = snapshot.health if not_requested or of_account else reading.health
    waiting = scene.now - snapshot.started_at < PREPARING_TIME
    if reading.value is None and health is Health.OFFLINE and waiting:
        return Health.PREPARING
    if reading.value is None and health is Health.PREPARING and not waiting and snapshot.health is not Health.OK:
        return Health.OFFLINE
    return health


def trouble_of_spend(scene: Scene, period: str, spent: Amount) -> Health:
    """Return the trouble of the spend of a period: of the balance, else of what an amount that is not whole lacks."""
    snapshot = scene.snapshot
    health = trouble(scene, snapshot.credits)
    if period == "all" or spent.is_whole or health is not Health.OK:
        return health
    lacking = (snapshot.today,) if period in ("today", "day") else (snapshot.activity, snapshot.today)
    return next((found for each in lacking if (found := trouble(scene, each)) not in (Health.OK, Health.PREPARING)), health)


def notice_view(scene: Scene, title: str, health: Health, short_titles: tuple[str, ...] = ()) -> TileView:
    """Return the notice of a trouble, which fills the key."""
    state = _state(scene.snapshot, health)
    notice = plain_notice(scene, title, state, short_titles)
    return replace(notice, health=health if health in STATES else Health.PREPARING)


def plain_notice(scene: Scene, title: str, state: TileState, short_titles: tuple[str, ...] = ()) -> TileView:
    """Return a notice in any words, which fills the key."""
    text = f"{title}: {state.words}" + (f", {state.detail}" if state.detail else "")
    notice = Notice(state.icon, state.words, state.tone, state.detail)
    return TileView(scene.tile, title, (notice,), text, scene.theme, short_titles=short_titles)


def value_view(
    scene: Scene,
    title: str,
    blocks: Sequence[Block],
    text: Sequence[str | Line | None],
    measured_at: datetime | None,
    *,
    trouble: Health = Health.OK,
    page: tuple[int, int] | None = None,
    short_titles: tuple[str, ...] = (),
) -> TileView:
    """Return the view of a tile that has a value, measured at `measured_at` (None: it does not age).

    `text`: the parts of the accessible text, in order; a part that is None is left out. Then come the trouble and the age of
    old data.
    """
    line = trouble_line(scene.snapshot, trouble)
    spoken = ", ".join(read_out(part) for part in (*text, line) if part is not None)
    return TileView(
        scene.tile,
        title,
        tuple(blocks),
        spoken + age_words(scene.snapshot, measured_at, scene.now),
        scene.theme,
        shown_age(scene.snapshot, measured_at, scene.now),
        page=page,
        short_titles=short_titles,
        trouble=line,
        health=trouble if line is not None else Health.OK,
    )


def read_out(part: str | Line) -> str:
    """Return the words of a line for the accessible text, with the arrow that only the picture would show."""
    if isinstance(part, str):
        return part
    arrow = {Icon.UP: "▲ ", Icon.DOWN: "▼ "}.get(part.icon, "") if part.icon is not None else ""
    return arrow + part.text


def said_once(views: Sequence[TileView]) -> tuple[TileView, ...]:
    """Return the views of an account on a deck: a trouble that all of them share has words on one, the others show its sign.

    The one is the first balance tile, else the first tile. If it has no value beside the words, they fill it with their colour.
    """
    troubles = {view.health for view in views}
    if len(views) < 2 or len(troubles) != 1 or troubles == {Health.OK}:
        return tuple(views)
    loud = next((index for index, view in enumerate(views) if view.tile == "balance"), 0)
    return tuple(_loud(view) if index == loud else replace(view, is_quiet=True) for index, view in enumerate(views))


def _loud(view: TileView) -> TileView:
    """Return the view filled with the colour of its notice, if that is a warning or an alarm."""
    calls = any(isinstance(block, Notice) and block.tone in (Tone.WARN, Tone.ALARM) for block in view.blocks)
    return replace(view, attention=True) if calls else view


def _state(snapshot: Snapshot, health: Health) -> TileState:
    origin = snapshot.origin
    if origin is not None and origin.problem is not None and health is Health.SERVER_ERROR:
        return ORIGIN_PROBLEMS[origin.problem]
    if origin is not None and health in (Health.NO_KEY, Health.KEY_REJECTED):  # the words of the third fill the key
        return replace(STATES[health], detail=ON_PUBLISHER)
    if health is Health.OFFLINE and snapshot.wrong_clock:
        return WRONG_CLOCK
    return STATES.get(health, STATES[Health.PREPARING])


def trouble_line(snapshot: Snapshot, health: Health) -> Line | None:
    """Return the words of a trouble beside a value; None without one, and before the first poll."""
    if health in (Health.OK, Health.PREPARING):
        return None
    state = _state(snapshot, health)
    return Line(state.words, state.tone, state.icon, variants=(state.short,) if state.short else ())


def shown_age(snapshot: Snapshot, measured_at: datetime | None, now: datetime) -> Age:
    """Return the age of a reading as a tile shows it; None, which is no reading, is fresh."""
    if measured_at is None:
        return Age.FRESH
    intervals = intervals_old(snapshot, measured_at, now)
    return Age.STALE if intervals >= STALE_INTERVALS else Age.OLD if intervals >= OLD_INTERVALS else Age.FRESH


def absent_key(keys: Reading[Any]) -> TileState:
    """Return why a configured API key is not in `keys`: some of a workspace may not have been read."""
    return KEY_NOT_READ if keys.message is not None else NO_SUCH_KEY


def true_until(snapshot: Snapshot, reading: Reading[Any]) -> datetime | None:
    """Return when a rarely requested reading was last valid: at the last poll, unless more was spent since."""
    polled_at = snapshot.credits.measured_at
    if reading.measured_at is None or polled_at is None:
        return polled_at or reading.measured_at
    return reading.measured_at if counted_after(snapshot, reading.measured_at) else polled_at


def faded(line: Line, age: Age) -> Line:
    """Return the line without its tone once the data is stale: an old trend is neither good nor bad."""
    return replace(line, tone=Tone.MUTED) if age is Age.STALE else line


def age_words(snapshot: Snapshot, measured_at: datetime | None, now: datetime) -> str:
    """Return `, 70 m old` for the accessible text of old data; empty while it is fresh."""
    if measured_at is None or shown_age(snapshot, measured_at, now) is Age.FRESH:
        return ""
    return f", {age_text(snapshot, measured_at, now)}"


def age_text(snapshot: Snapshot, measured_at: datetime, now: datetime) -> str:
    """Return `70 m old`."""
    seconds = (utc_now(snapshot, now) - measured_at).total_seconds()
    return f"{words.age(seconds)} old" if seconds >= -CLOCKS_APART_S else "age unknown"


def tile_error(tile: str, theme: str) -> TileView:
    """Return the view of a tile with a bug; the log has the traceback."""
    return TileView(tile, "", (Notice(Icon.BUG, "Tile error", Tone.ALARM, "see the log"),), "Tile error, see the log", theme)
