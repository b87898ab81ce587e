"""A whole-tile notice into items: an icon over one or two words; beside them where the picture is wide. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from openbalance_hid.render import fonts, type_scale
from openbalance_hid.render.fit import fit, wrap
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.items import Box, IconItem, PlacedItem, Role, TextItem, moved
from openbalance_hid.render.type_scale import Scale
from openbalance_hid.tiles.view import Notice, Tone


class NoticeStep(NamedTuple):
    """One way to lay a notice out, from roomy to tight."""

    icon: float  # side, as a fraction of the key's; 0: as tall as the words, before their first line
    words: int  # level in the scale of sizes
    lines: int
    detail_lines: int


SIGN: Final = 0.18  # side of an icon without words, as a fraction of the key's

STEPS: Final = (
    NoticeStep(0.33, 1, 2, 1),
    NoticeStep(0.29, 2, 2, 1),
    NoticeStep(0.27, 3, 2, 1),
    NoticeStep(0.0, 1, 3, 1),
    NoticeStep(0.0, 1, 2, 2),
    NoticeStep(0.0, 2, 3, 1),
    NoticeStep(0.0, 2, 3, 2),
    NoticeStep(0.0, 3, 3, 2),
    NoticeStep(0.0, 4, 3, 2),
    NoticeStep(0.0, 5, 3, 2),
    NoticeStep(0.0, 5, 3, 0),
    NoticeStep(0.0, 5, 2, 0),
)


def arrange_notice(notice: Notice, room_px: int, scale: Scale, level: int) -> tuple[tuple[PlacedItem, ...], int, bool]:
    """Return the items from y = 0 on, their height in pixels, and whether something had to be left out."""
    step = STEPS[min(level, len(STEPS) - 1)]
    if not notice.words:  # a small sign: another key has the words
        side = scale.px(SIGN, 13)
        left = (room_px - side) // 2
        return (IconItem(Box(left, 0, left + side, side), notice.icon, notice.tone),), side, False
    if step.icon and not scale.is_wide:
        return _icon_above(notice, room_px, scale, step)
    return _icon_beside(notice, room_px, scale, step)


def _icon_above(notice: Notice, room_px: int, scale: Scale, step: NoticeStep) -> tuple[tuple[PlacedItem, ...], int, bool]:
    side = scale.px(step.icon, 14)
    texts, cut = _texts(notice, room_px, room_px, scale, step)
    items, height = _written(texts, room_px, side + scale.px(0.02, 1))
    left = (room_px - side) // 2
    return (IconItem(Box(left, 0, left + side, side), notice.icon, notice.tone), *items), height, cut


def _icon_beside(notice: Notice, room_px: int, scale: Scale, step: NoticeStep) -> tuple[tuple[PlacedItem, ...], int, bool]:
    """Return the icon before the first line; on a wide key, where it is larger, before all lines."""
    if scale.is_wide:
        side, between = scale.px(step.icon or 0.3, 14), scale.px(0.07, 4)
        texts, cut = _texts(notice, room_px - side - between, room_px - side - between, scale, step)
        items, height = _written(texts, room_px - side - between, 0)
        whole = max(height, side)
        lines_px = max((item.box.width for item in items), default=0)
        left = (room_px - side - between - lines_px) // 2
        shift = left + side + between - min((item.box.left for item in items), default=0)
        lines = tuple(moved(item, shift, (whole - height) // 2) for item in items)
        top = (whole - side) // 2
        return (IconItem(Box(left, top, left + side, top + side), notice.icon, notice.tone), *lines), whole, cut
    size = scale.sizes(type_scale.NOTICE, step.words)[0]
    side = fonts.cap_px(size) + max(2, round(size * 0.2))
    beside = side + max(2, round(size * 0.25))
    texts, cut = _texts(notice, room_px, room_px - beside, scale, step)
    items, height = _written(texts, room_px, 0)
    if not items:
        return (), 0, True
    first = items[0]
    left = (room_px - beside - first.box.width) // 2
    middle = first.baseline - fonts.cap_px(first.size_px) // 2
    top = middle - side // 2
    icon = IconItem(Box(left, top, left + side, top + side), notice.icon, notice.tone)
    moved_items = (moved(first, left + beside - first.box.left, 0), *items[1:])
    if top < 0:
        return (moved(icon, 0, -top), *(moved(item, 0, -top) for item in moved_items)), height - top, cut
    return (icon, *moved_items), height, cut


class _Text(NamedTuple):
    text: str
    size_px: int
    weight: Weight
    tone: Tone


def _texts(notice: Notice, room_px: int, first_px: int, scale: Scale, step: NoticeStep) -> tuple[list[_Text], bool]:
    """Return the lines of words and detail, and whether any were left out. `first_px`: room for the first line."""
    tone = Tone.MUTED if notice.tone is Tone.MUTED else Tone.INK
    size = scale.sizes(type_scale.NOTICE, step.words)[0]
    lines = wrap(notice.words, room_px, size, Weight.STRONG, step.lines, first_px)
    cut = lines is None
    if lines is None:
        lines = (fit(notice.words, first_px, (size,), Weight.STRONG).text,)
    texts = [_Text(line, size, Weight.STRONG, tone) for line in lines if line]
    if not notice.detail:
        return texts, cut
    for small in scale.sizes(type_scale.CAPTION):
        detail = wrap(notice.detail, room_px, small, Weight.TEXT, step.detail_lines)
        if detail is not None:  # half a command is useless: whole or not at all
            return [*texts, *(_Text(line, small, Weight.TEXT, Tone.MUTED) for line in detail)], cut
    return texts, True


def _written(texts: list[_Text], room_px: int, y: int) -> tuple[tuple[TextItem, ...], int]:
    """Return the lines below each other, each in the middle, from `y` on, and where they end."""
    items = []
    for text, size_px, weight, tone in texts:
        width = fonts.width_px(text, weight, size_px)
        x = (room_px - width) // 2
        baseline = y + fonts.ascent_px(text, weight, size_px)
        bottom = baseline + fonts.descent_px(text, weight, size_px)
        items.append(TextItem(Box(x, y, x + width, bottom), text, size_px, weight, tone, Role.WORDS, baseline))
        y = bottom
    return tuple(items), y
