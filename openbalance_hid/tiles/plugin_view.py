"""The key of a tile of another package: its scene, its content checked, or the words of its trouble. Pure.

Whatever a package returns, only plain values of bounded size reach the rest of the program.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.pace import is_prepaid
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spend import used_usd
from openbalance_hid.secret import mask_keys
from openbalance_hid.text import single_line
from openbalance_hid.tiles.interface import PluginBlock, PluginScene, PluginView
from openbalance_hid.tiles.plugin import PluginTile, PluginTrouble
from openbalance_hid.tiles.scene import Scene
from openbalance_hid.tiles.states import STATES, TileState, notice_view, plain_notice, trouble, value_view
from openbalance_hid.tiles.view import Bars, Gauge, Icon, Row, TileView, Tone

PERIODS = ("today", "7d", "30d", "month", "all")
MOST_BLOCKS = 6
LONGEST_TEXT = 200  # characters of any one text
MOST_PARTS = 100  # bars of a chart, variants of a line

NOT_LOADED = TileState("Not loaded", Icon.BUG, Tone.ALARM, "see doctor")
WRONG_VERSION = TileState("Wrong version", Icon.BUG, Tone.ALARM, "see doctor")
SAME_NAME = TileState("Same name twice", Icon.BUG, Tone.ALARM, "see doctor")
RAISES = TileState("Tile error", Icon.BUG, Tone.ALARM, "see the log")
WRONG_CONTENT = TileState("Bad content", Icon.BUG, Tone.ALARM, "see doctor")
NO_ANSWER = TileState("No answer", Icon.HOURGLASS, Tone.WARN, "see doctor")

_STATES: Mapping[PluginTrouble, TileState] = MappingProxyType(
    {
        PluginTrouble.NOT_LOADED: NOT_LOADED,
        PluginTrouble.WRONG_VERSION: WRONG_VERSION,
        PluginTrouble.SAME_NAME: SAME_NAME,
        PluginTrouble.RAISES: RAISES,
        PluginTrouble.WRONG_CONTENT: WRONG_CONTENT,
        PluginTrouble.NO_ANSWER: NO_ANSWER,
    }
)


class PluginResult(Struct, frozen=True):
    """The last answer of a tile, or its trouble, with the reason in one line."""

    view: PluginView | None = None
    trouble: PluginTrouble | None = None
    problem: str = ""


def plugin_scene(scene: Scene) -> PluginScene:
    """Return the part of a scene that other packages see."""
    snapshot = scene.snapshot
    known = snapshot.credits.value
    balance = Amount(
        known.balance_usd if known is not None and is_prepaid(snapshot) else None, measured_at=snapshot.credits.measured_at
    )
    return PluginScene(
        scene.now,
        MappingProxyType(dict(scene.options)),
        scene.turn,
        snapshot.account,
        snapshot.health.value,
        balance,
        MappingProxyType({period: used_usd(snapshot, period, scene.now) for period in PERIODS}),
    )


def plugin_view(scene: Scene, tile: PluginTile, result: PluginResult | None) -> TileView:
    """Return the view of a tile of another package. `result` None: it has not answered yet."""
    title = scene.label if scene.label is not None else tile.name
    wrong = tile.trouble or (result.trouble if result is not None else None)
    if wrong is not None:
        return plain_notice(scene, title, _STATES[wrong])
    if result is None or result.view is None:
        return plain_notice(scene, title, STATES[Health.PREPARING])
    view = result.view
    title = view.title if scene.label is None else title
    text = view.text or _words(title, view)
    if not tile.shows_account:
        return TileView(scene.tile, title, view.blocks, text, scene.theme, attention=view.attention)
    measured = scene.snapshot.credits
    health = trouble(scene, measured)
    if measured.value is None:
        return notice_view(scene, title or tile.name, health)
    shown = value_view(scene, title, view.blocks, (text,), measured.measured_at, trouble=health)
    return replace(shown, attention=view.attention)


def checked_view(found: object) -> PluginView:
    """Return the content as plain values. ValueError, with the reason in one line, if it is no content or too much."""
    if type(found) is not PluginView:
        raise ValueError(f"it returned a value of type {type(found).__name__[:40]}, not a TileView")
    if not isinstance(found.blocks, tuple | list) or len(found.blocks) > MOST_BLOCKS:
        raise ValueError(f"its blocks are not a tuple of at most {MOST_BLOCKS}")
    if type(found.attention) is not bool:
        raise ValueError("its attention is not True or False")
    title, text = _checked_text("title", found.title), _checked_text("text", found.text)
    return PluginView(title, tuple(map(_checked_block, found.blocks)), text, found.attention)


def _checked_text(name: str, text: object) -> str:
    if type(text) is not str or len(text) > LONGEST_TEXT:
        raise ValueError(f"its {name} is not a text of at most {LONGEST_TEXT} characters")
    return mask_keys(single_line(text))


def _checked_block(block: object) -> PluginBlock:
    kind = type(block)
    if kind not in get_args(PluginBlock):
        raise ValueError(f"one of its blocks is of type {kind.__name__[:40]}")
    values = {name: _plain(kind.__name__, name, value) for name, value in asdict(cast(Struct, block)).items()}
    try:
        made = cast(PluginBlock, msgspec.convert(msgspec.to_builtins(values), kind))
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"a {kind.__name__} is wrong: {single_line(str(error))[:LONGEST_TEXT]}") from error
    return _within_bounds(made)


def _plain(kind: str, name: str, value: object) -> object:
    """Return a field with its texts made printable. ValueError if it is too long."""
    match value:
        case str() if type(value) is str or isinstance(value, Tone):
            return _checked_text(f"{kind}.{name}", str(value))
        case tuple() | list():
            if len(value) > MOST_PARTS:
                raise ValueError(f"its {kind}.{name} has more than {MOST_PARTS} parts")
            return [_plain(kind, name, each) for each in value]
    return value


def _within_bounds(block: PluginBlock) -> PluginBlock:
    """Return the block with every share from 0 to 1."""
    match block:
        case Gauge():
            return replace(block, share=_share(block.share), mark=_share_or_none(block.mark))
        case Row():
            return replace(block, share=_share_or_none(block.share))
        case Bars():
            return replace(block, shares=tuple(map(_share_or_none, block.shares)), line=_share_or_none(block.line))
    return block


def _share(value: float) -> float:
    if math.isnan(value):
        raise ValueError("a share is not a number")
    return min(1.0, max(0.0, value))


def _share_or_none(value: float | None) -> float | None:
    return None if value is None else _share(value)


def _words(title: str, view: PluginView) -> str:
    """Return the words of a key whose package gives none."""
    parts: list[Any] = [title]
    for block in view.blocks:
        parts += [getattr(block, name, "") for name in ("heading", "name", "text", "amount")]
    return " ".join(part for part in parts if part)
