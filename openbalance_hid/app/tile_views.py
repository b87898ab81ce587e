"""What is on each key. Pure: configuration, snapshots and the time go in, views and faces come out.

A tile that fails says so on its own key and leaves the others alone; its exception is handed back for the log.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from openbalance_hid.account.alert import Alert, AlertKey, AlertKind
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import KEY_TROUBLES, Snapshot
from openbalance_hid.app.events import Cell, SmallScreen, Spot
from openbalance_hid.config.schema import DEFAULT_ACCOUNT, TileConfig
from openbalance_hid.tiles import TILES, info_screen
from openbalance_hid.tiles.actions import Action, Nothing, OpenPage, WebPage
from openbalance_hid.tiles.masked import masked
from openbalance_hid.tiles.scene import Privacy, Scene
from openbalance_hid.tiles.spike_alert import rule_of
from openbalance_hid.tiles.states import tile_error
from openbalance_hid.tiles.view import Flash, Hero, Icon, KeyFace, Line, Notice, TileView, Tone

RING_STEPS = 12  # pictures of a filling ring: one every 1/6 s at the default hold time
BLANK = TileConfig(tile="blank")
ACCOUNTLESS_TILES = frozenset(kind.name for kind in TILES.values() if not kind.has_account)
Key = TypeVar("Key", bound=Hashable)


class KeyInteraction(Struct, frozen=True):
    """What the finger is doing to a key, and what came of it."""

    pressed: bool = False
    progress: float = 0.0  # 0..1 of a hold
    refreshing: bool = False
    flash: Flash = Flash.NONE
    dimmed: bool = False  # the quiet half of a pulse


class TileInputs(Struct, frozen=True):
    """Everything that tiles may say something about."""

    snapshots: Mapping[str, Snapshot]
    alerts: Mapping[AlertKey, Alert] = field(default_factory=dict)
    runs: Mapping[str, MeterRun] = field(default_factory=dict)  # by account: the last one of its meter
    privacy: Privacy = Privacy.OFF
    pages: tuple[str, ...] = ()  # of the deck that is asked about, and the index of the one that is shown
    page: int = 0

    def on(self, pages: tuple[str, ...], page: int) -> "TileInputs":
        """The same for the tiles of one deck."""
        return replace(self, pages=pages, page=page)


def scene_of(tile: TileConfig, known: TileInputs, now: datetime, turn: int) -> Scene:
    """The situation of one key; `known` must hold the tile's account."""
    options = {**TILES[tile.tile].defaults(), **tile.options}
    scene = Scene(
        tile.tile,
        known.snapshots[tile.account],
        now,
        options,
        tile.theme,
        tile.label,
        turn,
        pages=known.pages,
        page=known.page,
        run=known.runs.get(tile.account),
        privacy=known.privacy,
    )
    if tile.tile != "spike-alert":
        return scene
    return replace(scene, alert=known.alerts.get((AlertKind.SPIKE, tile.account, rule_of(options))))


def shown_accounts(tiles: Iterable[TileConfig]) -> list[str]:
    """Return the accounts of these tiles, each once, in order."""
    return list(dict.fromkeys(tile.account for tile in tiles if tile.tile not in ACCOUNTLESS_TILES))


def views_of(
    tiles: Mapping[Key, TileConfig], known: TileInputs, now: datetime, turn: int
) -> dict[Key, tuple[TileView, Exception | None]]:
    """What each key says, with the stripe of its account where more than one shares the deck. In the order of the keys."""
    accounts = shown_accounts(tiles.values())
    views = {}
    for key, tile in tiles.items():
        view, error = view_of(tile, known, now, turn)
        striped = len(accounts) > 1 and tile.tile not in ACCOUNTLESS_TILES
        views[key] = (replace(view, stripe=accounts.index(tile.account)) if striped else view, error)
    return views


def view_of(tile: TileConfig, known: TileInputs, now: datetime, turn: int) -> tuple[TileView, Exception | None]:
    """What a tile says, or "Tile error" and the exception that it raised."""
    return _guarded(tile, lambda: masked_by(known.privacy, TILES[tile.tile].view(scene_of(tile, known, now, turn))))


def masked_by(privacy: Privacy, view: TileView) -> TileView:
    """The view as it may be seen."""
    return masked(view) if privacy is Privacy.ON else view


def screen_of(
    tiles: Mapping[Key, TileConfig], known: TileInputs, now: datetime, turn: int, theme: str
) -> tuple[TileView, Exception | None]:
    """What the small screen says: each account of the board in turn, the default one where no tile has any."""
    accounts = shown_accounts(tiles.values()) or [DEFAULT_ACCOUNT]
    account = accounts[turn % len(accounts)]
    tile = TileConfig("screen", account, theme)

    def say() -> TileView:
        scene = Scene(tile.tile, known.snapshots[account], now, theme=theme, turn=turn)
        return masked_by(known.privacy, info_screen.view(scene))

    return _guarded(tile, say)


def number_view(spot: Spot, theme: str) -> TileView:
    """What stands where while the deck is identified: the number that the configuration knows it by."""
    match spot:
        case Cell(number):
            return TileView("identify", "Strip, dial", (Hero(str(number)),), f"Strip and dial {number}", theme)
        case SmallScreen():
            return TileView("identify", "", (Hero("Keys 0, 1, 2 …"),), "keys are numbered", theme)
    return TileView("identify", "Key", (Hero(str(spot)),), f"Key {spot}", theme)


def _guarded(tile: TileConfig, say: Callable[[], TileView]) -> tuple[TileView, Exception | None]:
    try:
        return say(), None
    except Exception as error:  # noqa: BLE001 – the one place round a tile
        return tile_error(tile.tile, tile.theme), error


def with_refused_config(view: TileView) -> TileView:
    """The view of the deck's last corner while the owner's latest configuration cannot be used."""
    told = "configuration error, see status"
    if not view.blocks:
        return replace(view, blocks=(Notice(Icon.WARNING, "Config error", Tone.WARN, "see status"),), text=told)
    line = Line("Config error", Tone.WARN, Icon.WARNING, variants=("Config",))
    return replace(view, trouble=line, text=f"{view.text}, {told}")


def face_of(view: TileView, touch: KeyInteraction) -> KeyFace:
    """The view with the finger's work on it; the ring goes in steps, so that equal faces stay equal."""
    ring = ring_step(touch.progress) / RING_STEPS
    if view.pulse and touch.dimmed:
        view = replace(view, attention=False)
    return KeyFace(view, touch.pressed, ring if touch.pressed else 0.0, touch.refreshing, touch.flash)


def ring_step(progress: float) -> int:
    """Whole steps of the ring, 0 to `RING_STEPS`; a rounding error short of a step is the step, or time would stand still."""
    return int(progress * RING_STEPS + 1e-6)


def tap_of(tile: TileConfig, snapshot: Snapshot) -> Action:
    """What a tap on a tile does: while a new key is wanted it leads to where one is made."""
    if tile.tile not in TILES:
        return Nothing()
    tap = TILES[tile.tile].tap
    wants_key = snapshot.health in KEY_TROUBLES and tile.tile not in ACCOUNTLESS_TILES
    return (
        OpenPage(WebPage.MANAGEMENT_KEYS)
        if wants_key and (isinstance(tap, OpenPage) or snapshot.credits.value is None)
        else tap
    )
