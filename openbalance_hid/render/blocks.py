"""One block into items: how a hero, a line, a row, a chart, a gauge looks, given the room it has across. Pure.

Each arrangement starts at the origin; `layout` moves it into place. `level` 0 is the preferred size; higher levels are
tried when the blocks of a view do not fit on top of each other.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from openbalance_hid.render import fonts, type_scale
from openbalance_hid.render.fit import Fitted, fit, wrap
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.items import (
    BarItem,
    Box,
    ColumnItem,
    IconItem,
    MeterItem,
    PlacedItem,
    Role,
    RuleItem,
    TextItem,
    moved,
)
from openbalance_hid.render.notice import STEPS, arrange_notice
from openbalance_hid.render.type_scale import Scale
from openbalance_hid.tiles.view import (
    Bars,
    Block,
    Figure,
    Gauge,
    Hero,
    Icon,
    IconPicture,
    Line,
    Notice,
    RankedRow,
    Row,
    Shorten,
    Tone,
)

LEVELS: Final = len(STEPS)


class Piece(NamedTuple):
    """An arranged block: its items from y = 0 on, its height, and how much taller it may be made.

    `baseline`: of its first line of text; of a gauge its lower edge. It is what keys in a row have in common.
    """

    items: tuple[PlacedItem, ...]
    height: int
    baseline: int = 0
    stretch: int = 0
    cut: bool = False  # words were left out


def arrange(block: Block, room_px: int, scale: Scale, level: int, height_px: int = 0) -> Piece:
    """Return the block arranged `room_px` wide. `height_px`: what a chart is to be stretched to."""
    if isinstance(block, Line):
        return _line(block, room_px, scale, level)
    # Everything but single lines of text is inset: the ring of a hold is near, and corners are round.
    inset = 0 if isinstance(block, Hero | Figure) else scale.px(0.02)
    piece = _inset(block, room_px - 2 * inset, scale, level, height_px)
    return piece._replace(items=tuple(moved(item, inset, 0) for item in piece.items))


def _inset(block: Hero | Figure | Row | Bars | Gauge | Notice, room_px: int, scale: Scale, level: int, height_px: int) -> Piece:
    match block:
        case Hero():
            steps = type_scale.FLAT_HERO if scale.is_flat else type_scale.HERO
            sizes, tones = scale.sizes(steps, level), (block.tone, block.tone)
            return words_with_icon(block.text, block.icon, room_px, sizes, Weight.HERO, tones, Role.HERO)
        case Row():
            return _row(block, room_px, scale, level)
        case Bars():
            return _bars(block, room_px, scale, height_px)
        case Figure():
            return _figure(block, room_px, scale, level)
        case Gauge():
            height = scale.px(0.125, 8)
            return Piece((MeterItem(Box(0, 0, room_px, height), block.share, block.tone, block.mark),), height, height)
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


def beside_px(icon: Icon | IconPicture | None, size_px: int) -> int:
    """Return what an icon takes of the width of a line of this size, with the blank behind it."""
    return icon_px(size_px) + max(2, round(size_px * 0.22)) if icon is not None else 0


def words_with_icon(
    text: str,
    icon: Icon | IconPicture | None,
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
        return Piece((item,), item.box.bottom, baseline)
    side = icon_px(size)
    top = baseline - (fonts.cap_px(size) + side) // 2
    picture = IconItem(Box(left, top, left + side, top + side), icon, tones[0], role)
    if top < 0:
        return Piece((moved(picture, 0, -top), moved(item, 0, -top)), item.box.bottom - top, baseline - top)
    return Piece((picture, item), max(item.box.bottom, picture.box.bottom), baseline)


def _line(line: Line, room_px: int, scale: Scale, level: int) -> Piece:
    steps, weight = (type_scale.VALUE, Weight.STRONG) if line.strong else (type_scale.LABEL, Weight.TEXT)
    steps = type_scale.FLAT_LINE if scale.is_flat else steps
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
        return Piece(items, height, fonts.ascent_px(lines[0], weight, size_px))
    return None


def _figure(figure: Figure, room_px: int, scale: Scale, level: int) -> Piece:
    """Return the number, with its heading and a rule above where it has one."""
    sizes = scale.sizes(type_scale.FIGURE, level)
    number = words_with_icon(figure.text, None, room_px, sizes, Weight.HERO, (figure.tone,) * 2, Role.HERO)
    if not figure.heading:
        return number
    rule = RuleItem(Box(room_px // 8, 0, room_px - room_px // 8, scale.px(0.014)))
    tones = (Tone.MUTED, Tone.MUTED)
    heading = words_with_icon(figure.heading, None, room_px, scale.sizes(type_scale.CAPTION), Weight.TEXT, tones, Role.WORDS)
    top = rule.box.height + scale.px(0.028)
    below = top + heading.height
    items = (rule, *(moved(item, 0, top) for item in heading.items), *(moved(item, 0, below) for item in number.items))
    return Piece(items, below + number.height, below + number.baseline)


def _row(row: Row, room_px: int, scale: Scale, level: int) -> Piece:
    """Return the name over bar and amount; where the key is wide, name and amount over the bar.

    The amount column is as wide as the widest amount of the tile, so that all its bars have one length.
    """
    sizes = scale.sizes(type_scale.LABEL, level)
    widest = max((fit(text, room_px, sizes, Weight.STRONG) for text in (row.amount, *row.column)), key=_by_length)
    amount = fit(row.amount, room_px, (widest.size_px,), Weight.STRONG)
    if scale.is_wide:
        return _wide_row(row, amount, widest.width_px, room_px, scale)
    items, bottom, baseline = _name_line(row, room_px, sizes, scale)
    amount_baseline = bottom + fonts.ascent_px(amount.text, Weight.STRONG, amount.size_px)
    amount_item = text_item(amount, room_px - amount.width_px, amount_baseline, Weight.STRONG, Tone.INK, Role.FIGURE)
    items += (amount_item,)
    length, thick = room_px - widest.width_px - scale.px(0.07, 4), scale.px(0.083, 5)
    if row.share is not None and length >= scale.px(0.15):
        top = amount_baseline - (fonts.cap_px(amount.size_px) + thick + 1) // 2
        items += (_bar(row, Box(0, top, length, top + thick)),)
    return Piece(items, amount_item.box.bottom, baseline)


def _by_length(fitted: Fitted) -> tuple[int, int]:
    return -fitted.size_px, fitted.width_px


def _bar(row: Row, box: Box) -> BarItem | MeterItem:
    """Return the gauge of a limit, or a bar whose length is the share; never shorter than it is thick."""
    share = min(1.0, max(0.0, row.share or 0.0))
    if row.note:
        return MeterItem(box, share, row.tone)
    return BarItem(box._replace(right=box.left + max(box.height // 2, round(box.width * share))), row.tone)


def _name_line(
    row: Row, room_px: int, sizes: tuple[int, ...], scale: Scale, above_px: int = 0
) -> tuple[tuple[PlacedItem, ...], int, int]:
    """Return the name, with its note at the right, where the line ends below, and its baseline, at least at `above_px`.

    A note that the bar shows as well is left out where the name needs its place.
    """
    shorten, variants = (row.shorten, row.variants) if isinstance(row, RankedRow) else (Shorten.MIDDLE, ())
    note = fit(row.note, room_px // 2, sizes, Weight.STRONG)
    beside = note.width_px + scale.px(0.05, 3) if note.text else 0
    name = fit(row.name, room_px - beside, sizes, Weight.TEXT, shorten, variants)
    if row.is_note_in_bar and name.text != fonts.printable(row.name):
        note, name = Fitted("", note.size_px, 0), fit(row.name, room_px, sizes, Weight.TEXT, shorten, variants)
    baseline = max(fonts.ascent_px(name.text, Weight.TEXT, name.size_px), above_px)
    baseline = max(baseline, fonts.ascent_px(note.text, Weight.STRONG, note.size_px))
    name_item = text_item(name, 0, baseline, Weight.TEXT, Tone.INK, Role.WORDS)
    if not note.text:
        return (name_item,), name_item.box.bottom, baseline
    note_item = text_item(note, room_px - note.width_px, baseline, Weight.STRONG, row.tone, Role.FIGURE)
    return (name_item, note_item), max(name_item.box.bottom, note_item.box.bottom), baseline


def _wide_row(row: Row, amount: Fitted, column_px: int, room_px: int, scale: Scale) -> Piece:
    between = scale.px(0.08, 4)
    above = fonts.ascent_px(amount.text, Weight.STRONG, amount.size_px)
    left, bottom, baseline = _name_line(row, max(0, room_px - column_px - between), (amount.size_px,), scale, above)
    amount_item = text_item(amount, room_px - amount.width_px, baseline, Weight.STRONG, Tone.INK, Role.FIGURE)
    bottom = max(bottom, amount_item.box.bottom)
    if row.share is None:
        return Piece((*left, amount_item), bottom, baseline)
    top, thick = bottom + scale.px(0.015), scale.px(0.06, 4)
    bar = _bar(row, Box(0, top, room_px, top + thick))
    return Piece((*left, amount_item, bar), top + thick, baseline)


def _bars(bars: Bars, room_px: int, scale: Scale, height_px: int) -> Piece:
    """Return columns of equal width on whole pixels, centred; an unknown day is a short mark, no spend a thin foot.

    A column of an inexact value is pale with a clear top, in charts without gaps between their columns, too.
    """
    least, most = scale.px(0.12, 8), scale.px(0.46, 24)
    height = max(least, min(height_px, most))
    count = max(1, len(bars.shares))
    pitch = max(2, (room_px + scale.px(0.035, 1)) // count)
    is_dense = pitch < scale.px(0.06, 4)  # many columns: one outline without gaps, and nothing where a value is not known
    between = 0 if is_dense else max(1, round(pitch * 0.28))
    width = max(1, pitch - between)
    left = (room_px - (pitch * count - between)) // 2
    foot = scale.px(0.028, 2)
    items: list[PlacedItem] = []
    for index, share in enumerate(bars.shares[: room_px // 2]):
        tone = bars.tones[index] if index < len(bars.tones) else Tone.ACCENT
        if is_dense and share is None:
            continue
        tall = foot if share is None else max(foot, round(height * min(1.0, max(0.0, share))))
        x = left + index * pitch
        top_px = foot if index < len(bars.inexact) and bars.inexact[index] else 0
        items.append(ColumnItem(Box(x, height - tall, x + width, height), tone, share is not None, top_px))
    if bars.line is not None:
        y = min(height - foot, round(height * (1 - min(1.0, max(0.0, bars.line)))))
        items.append(ColumnItem(Box(0, y, room_px, y + max(1, scale.px(0.014))), Tone.WARN))
    return Piece(tuple(items), height, stretch=most - height)
