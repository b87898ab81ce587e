"""The view of each tile, and the face of each key. Pure: from configuration, snapshots and the time.

A tile that fails shows "Tile error" on its own key only; its exception is returned for the log.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from openbalance_hid.account.alert import Alert, AlertKey, AlertKind
from openbalance_hid.account.key_switching import KeySwitch
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import KEY_TROUBLES, Snapshot
from openbalance_hid.app.events import Cell, SmallScreen, Spot
from openbalance_hid.config.schema import DEFAULT_ACCOUNT, TileConfig
from openbalance_hid.tiles import TILES, info_screen
from openbalance_hid.tiles.actions import Action, Nothing, OpenPage, WebPage, action_named
from openbalance_hid.tiles.balance import limit_of
from openbalance_hid.tiles.command import NAME as COMMAND_TILE
from openbalance_hid.tiles.command import TileCommand, command_of
from openbalance_hid.tiles.masked import masked
from openbalance_hid.tiles.plugin_view import PluginResult, plugin_view
from openbalance_hid.tiles.program_output import CommandState
from openbalance_hid.tiles.scene import Privacy, Scene
from openbalance_hid.tiles.spike_alert import rule_of
from openbalance_hid.tiles.states import said_once, tile_error
from openbalance_hid.tiles.view import Flash, Hero, Icon, KeyFace, Line, Notice, TileView, Tone

_ALERT_WORDS = {
    AlertKind.SPIKE: "spike",
    AlertKind.BALANCE: "balance",
    AlertKind.BUDGET: "budget",
    AlertKind.KEY: "key",
    AlertKind.STALE: "old data",
}
RING_STEPS = 12  # pictures of a filling ring: one every 1/6 s at the default hold time
BLANK = TileConfig(tile="blank")
_ACCOUNTLESS = frozenset(kind.name for kind in TILES.values() if not kind.has_account)
Key = TypeVar("Key", bound=Hashable)
KnownViews = dict[tuple[TileConfig, tuple[str, ...], int], tuple[TileView, Exception | None]]  # by tile, pages, page


class KeyInteraction(Struct, frozen=True):
    """The press on a key, and the mark that one has left."""

    pressed: bool = False
    progress: float = 0.0  # 0..1 of a hold
    refreshing: bool = False
    flash: Flash = Flash.NONE
    dimmed: bool = False  # the quiet half of a pulse


class TileInputs(Struct, frozen=True):
    """Everything that tiles can show."""

    snapshots: Mapping[str, Snapshot]
    alerts: Mapping[AlertKey, Alert] = field(default_factory=dict)
    runs: Mapping[str, MeterRun] = field(default_factory=dict)  # by account: the last one of its meter
    privacy: Privacy = Privacy.OFF
    pages: tuple[str, ...] = ()  # of the deck, and the index of the page that is shown
    page: int = 0
    switches: Mapping[tuple[str, str], KeySwitch] = field(default_factory=dict)  # by account and hash of the key
    switchable: frozenset[str] = frozenset()  # accounts whose keys may be disabled
    plugins: Mapping[TileConfig, PluginResult] = field(default_factory=dict)  # answers of tiles of other packages
    commands: Mapping[TileCommand, CommandState] = field(default_factory=dict)

    def on(self, pages: tuple[str, ...], page: int) -> "TileInputs":
        """Return the inputs for the tiles of one deck."""
        return replace(self, pages=pages, page=page)


def scene_of(tile: TileConfig, inputs: TileInputs, now: datetime, turn: int) -> Scene:
    """Return the situation of one tile; `inputs` must have the tile's account."""
    options = {**(TILES[tile.tile].defaults() if tile.plugin is None else {}), **tile.options}
    scene = Scene(
        tile.tile,
        inputs.snapshots[tile.account],
        now,
        options,
        tile.theme,
        tile.label,
        turn,
        pages=inputs.pages,
        page=inputs.page,
        run=inputs.runs.get(tile.account),
        privacy=inputs.privacy,
        may_switch=tile.account in inputs.switchable,
    )
    if tile.tile == COMMAND_TILE:
        return replace(scene, command=inputs.commands.get(command_of(options)))
    if tile.tile == "key-switch":
        return replace(scene, switches={key: each for (name, key), each in inputs.switches.items() if name == tile.account})
    if tile.tile != "spike-alert":
        return scene
    return replace(scene, alert=inputs.alerts.get((AlertKind.SPIKE, tile.account, rule_of(options))))


def has_account(tile: TileConfig) -> bool:
    """Return whether a tile shows something about its account."""
    return tile.tile not in _ACCOUNTLESS if tile.plugin is None else tile.plugin.shows_account


def shown_accounts(tiles: Iterable[TileConfig]) -> list[str]:
    """Return the accounts of these tiles, each once, in order."""
    return list(dict.fromkeys(tile.account for tile in tiles if has_account(tile)))


def views_of(
    tiles: Mapping[Key, TileConfig], inputs: TileInputs, now: datetime, turn: int, known: KnownViews | None = None
) -> dict[Key, tuple[TileView, Exception | None]]:
    """Return the view of each key, in order. Where accounts share the deck, each view has the stripe of its account.

    A trouble that all tiles of an account have is in words on one of them. `known`: the views of this moment on other decks,
    which is added to; a tile that several decks have is evaluated once.
    """
    accounts = shown_accounts(tiles.values())
    views = {}
    known = {} if known is None else known
    for key, tile in tiles.items():
        here = (tile, inputs.pages, inputs.page)
        if here not in known:
            known[here] = view_of(tile, inputs, now, turn)
        view, error = known[here]
        striped = len(accounts) > 1 and has_account(tile)
        views[key] = (replace(view, stripe=accounts.index(tile.account)) if striped else view, error)
    for account in accounts:
        keys = [key for key, tile in tiles.items() if tile.account == account and has_account(tile)]
        for key, view in zip(keys, said_once([views[key][0] for key in keys]), strict=True):
            views[key] = (view, views[key][1])
    return views


def view_of(tile: TileConfig, inputs: TileInputs, now: datetime, turn: int) -> tuple[TileView, Exception | None]:
    """Return the view of a tile, or "Tile error" and the exception that it raised."""

    def evaluate() -> TileView:
        scene = scene_of(tile, inputs, now, turn)
        if tile.plugin is not None:
            return plugin_view(scene, tile.plugin, inputs.plugins.get(tile))
        return TILES[tile.tile].view(scene)

    return _guarded(tile, lambda: masked_by(inputs.privacy, evaluate()))


def masked_by(privacy: Privacy, view: TileView) -> TileView:
    """Return the view with its amounts masked, if they are."""
    return masked(view) if privacy is Privacy.ON else view


def screen_of(
    tiles: Mapping[Key, TileConfig], inputs: TileInputs, now: datetime, turn: int, theme: str
) -> tuple[TileView, Exception | None]:
    """Return the view of the small screen: the accounts of the deck in turn; without any, the default one."""
    accounts = shown_accounts(tiles.values()) or [DEFAULT_ACCOUNT]
    account = accounts[turn % len(accounts)]
    tile = TileConfig("screen", account, theme)

    def evaluate() -> TileView:
        balances = (each for each in tiles.values() if each.tile == "balance" and each.account == account)
        limits = {"low_usd": tuple(limit_of(each.options) for each in balances)}  # as the deck's own balance tiles
        scene = Scene(tile.tile, inputs.snapshots[account], now, limits, theme=theme, turn=turn)
        return masked_by(inputs.privacy, info_screen.view(scene))

    return _guarded(tile, evaluate)


def number_view(spot: Spot, theme: str) -> TileView:
    """Return what a place shows while the deck is identified: its number in the configuration."""
    match spot:
        case Cell(number):
            return TileView("identify", "Strip, dial", (Hero(str(number)),), f"Strip and dial {number}", theme)
        case SmallScreen():
            return TileView("identify", "", (Hero("Keys 0, 1, 2 …"),), "keys are numbered", theme)
    return TileView("identify", "Key", (Hero(str(spot)),), f"Key {spot}", theme)


def _guarded(tile: TileConfig, evaluate: Callable[[], TileView]) -> tuple[TileView, Exception | None]:
    try:
        return evaluate(), None
    except Exception as error:  # noqa: BLE001 – a tile must not stop the others
        return tile_error(tile.tile, tile.theme), error


def with_refused_config(view: TileView) -> TileView:
    """Return the view of the last key while the latest configuration has errors."""
    return _with_note(view, ("Config error", "Config"), "see status", "configuration error, see status")


def with_alert(view: TileView, kind: AlertKind) -> TileView:
    """Return the view of the last key while the user may not have seen the notification of an alert."""
    words = _ALERT_WORDS[kind]
    if view.blocks:
        return _with_note(view, (f"Alert: {words}", "Alert"), "", f"alert: {words}, see alerts")
    return _with_note(view, ("Alert",), words, f"alert: {words}, see alerts")


def _with_note(view: TileView, words: tuple[str, ...], detail: str, text: str) -> TileView:
    """Return the view with a note on its lowest line, or as a notice if the key is dark. `words`: longest first."""
    if not view.blocks:
        return replace(view, blocks=(Notice(Icon.WARNING, words[0], Tone.WARN, detail),), text=text)
    line = Line(words[0], Tone.WARN, Icon.WARNING, variants=words[1:])
    return replace(view, trouble=line, text=f"{view.text}, {text}")


def face_of(view: TileView, interaction: KeyInteraction) -> KeyFace:
    """Return the view with the press on it. The ring grows in steps, so that equal faces stay equal."""
    ring = ring_step(interaction.progress) / RING_STEPS
    if view.pulse and interaction.dimmed:
        view = replace(view, attention=False)
    return KeyFace(view, interaction.pressed, ring if interaction.pressed else 0.0, interaction.refreshing, interaction.flash)


def ring_step(progress: float) -> int:
    """Return the whole steps of the ring, 0 to `RING_STEPS`. The tolerance keeps a rounding error from repeating a deadline."""
    return int(progress * RING_STEPS + 1e-6)


def tap_of(tile: TileConfig, snapshot: Snapshot) -> Action:
    """Return what a tap on a tile does. While a new key is needed, it opens the page to make one."""
    if tile.plugin is not None:
        return action_named(tile.plugin.tap)
    if tile.tile not in TILES:
        return Nothing()
    tap = TILES[tile.tile].tap
    wants_key = snapshot.health in KEY_TROUBLES and snapshot.origin is None and has_account(tile)
    return (
        OpenPage(WebPage.MANAGEMENT_KEYS)
        if wants_key and (isinstance(tap, OpenPage) or snapshot.credits.value is None)
        else tap
    )
