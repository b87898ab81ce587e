"""A whole-tile notice into items: an icon over one or two words; beside them where the picture is wide. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from openbalance_hid.render import fonts, type_scale
from openbalance_hid.render.fit import fit, wrap
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.items import Box, IconItem, PlacedItem, Role, TextItem
from openbalance_hid.render.type_scale import Scale
from openbalance_hid.tiles.view import Notice, Tone


class NoticeStep(NamedTuple):
    """One way to lay a notice out, from roomy to tight."""

    icon: float  # side, as a fraction of the key's
    words: int  # level in the scale of values
    lines: int
    detail: bool
    merged: bool = False  # the detail goes on in the line of the words


STEPS: Final = (
    NoticeStep(0.36, 0, 2, True),
    NoticeStep(0.32, 1, 2, True),
    NoticeStep(0.29, 2, 2, True),
    NoticeStep(0.26, 3, 2, True),
    NoticeStep(0.29, 2, 2, False, merged=True),
    NoticeStep(0.26, 3, 2, False, merged=True),
    NoticeStep(0.29, 2, 3, False),
    NoticeStep(0.26, 3, 3, False),
    NoticeStep(0.22, 5, 3, False),
    NoticeStep(0.20, 5, 3, False),  # "Not a Management key" below a title with tails, at 72 px
    NoticeStep(0.20, 5, 2, False),
)


def arrange_notice(notice: Notice, room_px: int, scale: Scale, level: int) -> tuple[tuple[PlacedItem, ...], int, bool]:
    """Return the items from y = 0 on, their height in pixels, and whether something had to be left out."""
    step = STEPS[min(level, len(STEPS) - 1)]
    side = scale.px(step.icon, 14)
    between = scale.px(0.07, 4)
    words_room = room_px - side - between if scale.is_wide else room_px
    said = f"{notice.words} {notice.detail}" if step.merged and notice.detail else notice.words
    lines, size, cut = _words(said, words_room, scale, step)
    tone = Tone.MUTED if notice.tone is Tone.MUTED else Tone.INK
    texts = [(line, size, Weight.STRONG, tone) for line in lines]
    told = not notice.detail or step.merged
    if step.detail and notice.detail:
        detail = fit(notice.detail, words_room, scale.sizes(type_scale.CAPTION), Weight.TEXT)
        if detail.text == fonts.printable(notice.detail):  # half a command is useless: whole or not at all
            texts.append((detail.text, detail.size_px, Weight.TEXT, Tone.MUTED))
            told = True

    wide = scale.is_wide
    left = side + between if wide else 0
    items: list[PlacedItem] = []
    y = 0 if wide else side + scale.px(0.02, 1)
    for text, size_px, weight, shade in texts:
        width = fonts.width_px(text, weight, size_px)
        x = left if wide else (room_px - width) // 2
        baseline = y + fonts.ascent_px(text, weight, size_px)
        bottom = baseline + fonts.descent_px(text, weight, size_px)
        items.append(TextItem(Box(x, y, x + width, bottom), text, size_px, weight, shade, Role.WORDS, baseline))
        y = bottom
    height = max(y, side)
    if wide and items:
        # The group of icon and words is in the middle of the space.
        shift = (room_px - max(item.box.right for item in items)) // 2
        items = [_shifted(item, shift, (height - y) // 2) for item in items if isinstance(item, TextItem)]
        icon_at = (shift, (height - side) // 2)
    else:
        icon_at = ((room_px - side) // 2, 0)
    icon = IconItem(Box(icon_at[0], icon_at[1], icon_at[0] + side, icon_at[1] + side), notice.icon, notice.tone)
    return (icon, *items), height, cut or not told


def _words(words: str, room_px: int, scale: Scale, step: NoticeStep) -> tuple[tuple[str, ...], int, bool]:
    """Return the lines, their size and whether they were cut: the largest size that fits, else the smallest."""
    sizes = scale.sizes(type_scale.NOTICE, step.words)
    for size in sizes:
        lines = wrap(words, room_px, size, Weight.STRONG, step.lines)
        if lines is not None:
            return lines, size, False
    cut = fit(words, room_px, sizes[-1:], Weight.STRONG)
    return ((cut.text,) if cut.text else ()), cut.size_px, True


def _shifted(item: TextItem, dx: int, dy: int) -> TextItem:
    return TextItem(item.box.moved(dx, dy), item.text, item.size_px, item.weight, item.tone, item.role, item.baseline + dy)
