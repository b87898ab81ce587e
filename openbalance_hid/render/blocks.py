"""One block into items: how a hero, a line, a row, a chart, a gauge looks, given the room it has across. Pure.

Each arrangement starts at the origin; `layout` moves it into place. `level` 0 is the preferred size; higher levels are
tried when the blocks of a view do not fit on top of each other.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from openbalance_hid.render import fonts, type_scale
from openbalance_hid.render.fit import Fitted, fit, wrap
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.items import Box, ColumnItem, IconItem, MeterItem, PlacedItem, Role, TextItem, moved
from openbalance_hid.render.notice import arrange_notice
from openbalance_hid.render.type_scale import Scale
from openbalance_hid.tiles.view import Bars, Block, Gauge, Hero, Icon, Line, Notice, Row, Shorten, Tone

LEVELS: Final = len(type_scale.HERO)


class Piece(NamedTuple):
    """An arranged block: its items from y = 0 on, its height, and how much taller it may be made."""

    items: tuple[PlacedItem, ...]
    height: int
    stretch: int = 0
    cut: bool = False  # words were left out


def arrange(block: Block, room_px: int, scale: Scale, level: int, height_px: int = 0) -> Piece:
    """Return the block arranged `room_px` wide. `height_px`: what a chart is to be stretched to."""
    if isinstance(block, Line):
        return _line(block, room_px, scale, level)
    # Everything but single lines of text is inset: the ring of a hold is near, and corners are round.
    inset = scale.px(0.035 if isinstance(block, Hero) else 0.02)
    piece = _inset(block, room_px - 2 * inset, scale, level, height_px)
    return piece._replace(items=tuple(moved(item, inset, 0) for item in piece.items))


def _inset(block: Hero | Row | Bars | Gauge | Notice, room_px: int, scale: Scale, level: int, height_px: int) -> Piece:
    match block:
        case Hero():
            sizes, tones = scale.sizes(type_scale.HERO, level), (block.tone, block.tone)
            return words_with_icon(block.text, block.icon, room_px, sizes, Weight.HERO, tones, Role.HERO)
        case Row():
            return _row(block, room_px, scale, level)
        case Bars():
            return _bars(block, room_px, scale, height_px)
        case Gauge():
            height = scale.px(0.13, 8)
            return Piece((MeterItem(Box(0, 0, room_px, height), block.share, block.tone),), height)
    items, height, cut = arrange_notice(block, room_px, scale, level)
    return Piece(items, height, cut=cut)


def text_item(fitted: Fitted, left: int, baseline: int, weight: Weight, tone: Tone, role: Role) -> TextItem:
    """Return a fitted text at a place, with the box of its ink."""
    top = baseline - fonts.ascent_px(fitted.text, weight, fitted.size_px)
    bottom = baseline + fonts.descent_px(fitted.text, weight, fitted.size_px)
    box = Box(left, top, left + fitted.width_px, bottom)
    return TextItem(box, fitted.text, fitted.size_px, weight, tone, role, baseline)


def icon_px(size_px: int) -> int:
    """Return the side of an icon beside a text of this size: a little taller than its capitals."""
    return fonts.cap_px(size_px) + max(1, round(size_px * 0.12))


def beside_px(icon: Icon | None, size_px: int) -> int:
    """Return what an icon takes of the width of a line of this size, with the blank behind it."""
    return icon_px(size_px) + max(2, round(size_px * 0.22)) if icon is not None else 0


def words_with_icon(
    text: str,
    icon: Icon | None,
    room_px: int,
    sizes_px: tuple[int, ...],
    weight: Weight,
    tones: tuple[Tone, Tone],
    role: Role,
    shorten: Shorten = Shorten.END,
    variants: tuple[str, ...] = (),
) -> Piece:
    """Return an icon (or none) and its words side by side, centred in the room. `tones`: of the icon, of the words."""
    wordings = [fonts.printable(wording) for wording in (text, *variants)]
    size, beside = next(
        (
            (size, beside_px(icon, size))
            for wording in wordings
            for size in sizes_px
            if fonts.width_px(wording, weight, size) + beside_px(icon, size) <= room_px
        ),
        (sizes_px[-1], beside_px(icon, sizes_px[-1])),
    )
    fitted = fit(text, max(0, room_px - beside), (size,), weight, shorten, variants)
    left = (room_px - beside - fitted.width_px) // 2
    baseline = fonts.ascent_px(fitted.text, weight, size)
    item = text_item(fitted, left + beside, baseline, weight, tones[1], role)
    if icon is None:
        return Piece((item,), item.box.bottom)
    side = icon_px(size)
    top = baseline - (fonts.cap_px(size) + side) // 2
    picture = IconItem(Box(left, top, left + side, top + side), icon, tones[0], role)
    if top < 0:
        return Piece((moved(picture, 0, -top), moved(item, 0, -top)), item.box.bottom - top)
    return Piece((picture, item), max(item.box.bottom, picture.box.bottom))


def _line(line: Line, room_px: int, scale: Scale, level: int) -> Piece:
    steps, weight = (type_scale.VALUE, Weight.STRONG) if line.strong else (type_scale.LABEL, Weight.TEXT)
    role = Role.FIGURE if line.strong else Role.WORDS
    sizes = scale.sizes(steps, level)
    tones = (line.tone, line.tone)
    piece = words_with_icon(line.text, line.icon, room_px, sizes, weight, tones, role, line.shorten, line.variants)
    shown = next(item.text for item in piece.items if isinstance(item, TextItem))
    if line.shorten is Shorten.END and shown not in map(fonts.printable, (line.text, *line.variants)):
        return _two_lines(line, room_px, sizes[-1], weight, role) or piece
    return piece


def _two_lines(line: Line, room_px: int, size_px: int, weight: Weight, role: Role) -> Piece | None:
    """Return a line that no size holds, on up to two lines at the smallest, without its icon if need be; None: not even so."""
    for icon in dict.fromkeys((line.icon, None)):
        beside = beside_px(icon, size_px)
        lines = wrap((line.text, *line.variants)[-1], room_px - beside, size_px, weight, 2)
        if lines is None:
            continue
        items: tuple[PlacedItem, ...] = ()
        height = 0
        for number, text in enumerate(lines):
            sign = icon if number == 0 else None
            one = words_with_icon(text, sign, room_px, (size_px,), weight, (line.tone,) * 2, role)
            items += tuple(moved(item, 0, height) for item in one.items)
            height += one.height
        return Piece(items, height)
    return None


def _row(row: Row, room_px: int, scale: Scale, level: int) -> Piece:
    """Return the name over bar and amount; where the key is wide, name and amount over the bar."""
    sizes = scale.sizes(type_scale.LABEL, level)
    amount = fit(row.amount, room_px, sizes, Weight.STRONG)
    if scale.is_wide:
        return _wide_row(row, amount, room_px, scale)
    name = fit(row.name, room_px, sizes, Weight.TEXT, Shorten.MIDDLE)
    baseline = fonts.ascent_px(name.text, Weight.TEXT, name.size_px)
    name_item = text_item(name, 0, baseline, Weight.TEXT, Tone.INK, Role.WORDS)
    baseline = name_item.box.bottom + fonts.ascent_px(amount.text, Weight.STRONG, amount.size_px)
    amount_item = text_item(amount, room_px - amount.width_px, baseline, Weight.STRONG, Tone.INK, Role.FIGURE)
    items: tuple[PlacedItem, ...] = (name_item, amount_item)
    length, thick = room_px - amount.width_px - scale.px(0.07, 4), scale.px(0.083, 5)
    if row.share is not None and length >= scale.px(0.15):
        top = baseline - (fonts.cap_px(amount.size_px) + thick) // 2
        items += (MeterItem(Box(0, top, length, top + thick), row.share, row.tone),)
    return Piece(items, amount_item.box.bottom)


def _wide_row(row: Row, amount: Fitted, room_px: int, scale: Scale) -> Piece:
    between = scale.px(0.08, 4)
    name = fit(row.name, max(0, room_px - amount.width_px - between), (amount.size_px,), Weight.TEXT, Shorten.MIDDLE)
    baseline = max(
        fonts.ascent_px(amount.text, Weight.STRONG, amount.size_px), fonts.ascent_px(name.text, Weight.TEXT, name.size_px)
    )
    name_item = text_item(name, 0, baseline, Weight.TEXT, Tone.INK, Role.WORDS)
    amount_item = text_item(amount, room_px - amount.width_px, baseline, Weight.STRONG, Tone.INK, Role.FIGURE)
    bottom = max(name_item.box.bottom, amount_item.box.bottom)
    if row.share is None:
        return Piece((name_item, amount_item), bottom)
    top, thick = bottom + scale.px(0.015), scale.px(0.06, 4)
    bar = MeterItem(Box(0, top, room_px, top + thick), row.share, row.tone)
    return Piece((name_item, amount_item, bar), bar.box.bottom)


def _bars(bars: Bars, room_px: int, scale: Scale, height_px: int) -> Piece:
    """Return columns of equal width on whole pixels, centred; an unknown day is a short mark, no spend a thin foot."""
    least, most = scale.px(0.17, 10), scale.px(0.46, 24)
    height = max(least, min(height_px, most))
    count = max(1, len(bars.shares))
    pitch = max(2, (room_px + scale.px(0.035, 1)) // count)
    between = max(1, round(pitch * 0.28))
    width = max(1, pitch - between)
    left = (room_px - (pitch * count - between)) // 2
    foot = scale.px(0.028, 2)
    items: list[PlacedItem] = []
    for index, share in enumerate(bars.shares[: room_px // 2]):
        tone = bars.tones[index] if index < len(bars.tones) else Tone.ACCENT
        tall = foot if share is None else max(foot, round(height * min(1.0, max(0.0, share))))
        x = left + index * pitch
        items.append(ColumnItem(Box(x, height - tall, x + width, height), tone, share is not None))
    return Piece(tuple(items), height, most - height)
