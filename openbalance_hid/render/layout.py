"""The position of everything: a face and a size in, boxes out. Pure, so that tests can check it.

From top to bottom: the title (during and just after a refresh, its state instead), the blocks with the free
height shared out evenly between them, the page dots. When the blocks do not fit, all step down the scale together; after
that the title goes, then the lowest block: what remains is never clipped and never overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from openbalance_hid.render import fonts, type_scale
from openbalance_hid.render.blocks import LEVELS, Piece, arrange, words_with_icon
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.items import Box, DotItem, PlacedItem, Role, TextItem, moved
from openbalance_hid.render.type_scale import Scale, scale_of
from openbalance_hid.tiles.view import Age, Block, Flash, Icon, KeyFace, TileView, Tone


class Layout(Struct, frozen=True):
    """The items of one picture and the area they keep to. `dropped`: blocks there was no room for."""

    safe: Box
    items: tuple[PlacedItem, ...]
    dropped: int = 0


class Heading(Struct, frozen=True):
    """What is in the place of the title."""

    text: str
    icon: Icon | None = None
    tone: Tone = Tone.MUTED
    variants: tuple[str, ...] = ()  # shorter wordings


REFRESHING = Heading("Updating", Icon.REFRESH, Tone.ACCENT)
DONE = Heading("Updated", Icon.CHECK, Tone.GOOD)
FAILED = Heading("Failed", Icon.WARNING, Tone.ALARM)


def heading_of(face: KeyFace) -> Heading:
    """Return the state of a manual refresh, else the tile's trouble, else its title."""
    if face.flash is not Flash.NONE:
        return DONE if face.flash is Flash.DONE else FAILED
    if face.refreshing:
        return REFRESHING
    view, trouble = face.view, face.view.trouble
    if trouble is None:
        return Heading(view.title, view.sign)
    return Heading(trouble.text, trouble.icon, trouble.tone, trouble.variants)


@lru_cache(maxsize=64)  # for the pressed looks of the faces that are shown: finished pictures are kept elsewhere
def lay_out(view: TileView, heading: Heading, width: int, height: int) -> Layout:
    """Return all items of a view in a picture of `width` × `height` pixels."""
    scale = scale_of(width, height)
    margin = scale.margin
    stripe = scale.px(0.028, 2) if view.stripe is not None else 0
    safe = Box(scale.side_margin + stripe, margin, width - scale.side_margin, height - margin)
    marks: list[PlacedItem] = []
    top, bottom = safe.top, safe.bottom
    beside_title = 0
    if view.age is not Age.FRESH:
        dot = Box(safe.right - scale.dot, safe.top, safe.right, safe.top + scale.dot)
        marks.append(DotItem(dot, Tone.WARN, on=True))
        beside_title = scale.dot + scale.gap
    if view.page is not None and view.page[1] > 1:
        dots = _page_dots(view.page, safe, scale)
        marks.extend(dots)
        bottom = dots[0].box.top

    if scale.is_flat and len(view.blocks) > 1:
        title = _title(heading, safe.width, beside_title, scale)
        marks += [moved(item, safe.left, top) for item in title.items]
        top += max(title.height, scale.dot if beside_title else 0)
        middle = (safe.left + safe.right) // 2
        left = Box(safe.left, top, middle - scale.gap * 2, bottom)
        right = Box(middle + scale.gap * 2, top, safe.right, bottom)
        first, lost_left = _column(Heading(""), view.blocks[:1], left, scale, 0, 0)
        second, lost_right = _column(Heading(""), view.blocks[1:], right, scale, 0, 0)
        return Layout(safe, (*first, *second, *marks), lost_left + lost_right)
    items, dropped = _column(heading, view.blocks, Box(safe.left, top, safe.right, bottom), scale, beside_title, scale.dot)
    return Layout(safe, (*items, *marks), dropped)


def _column(
    heading: Heading, blocks: Sequence[Block], area: Box, scale: Scale, beside_title: int, dot_px: int
) -> tuple[list[PlacedItem], int]:
    """Return the title and blocks, one below the other, in an area, and how many blocks were dropped."""
    title = _title(heading, area.width, beside_title, scale)
    below_dot = dot_px + scale.gap if beside_title else 0
    for kept in range(len(blocks), -1, -1):
        for with_title in (True, False):
            used = (title.height if with_title and title.items else 0) or below_dot
            for cut_too, level in ((cut_too, level) for cut_too in (False, True) for level in range(LEVELS)):
                pieces = [arrange(block, area.width, scale, level) for block in blocks[:kept]]
                needed = sum(piece.height for piece in pieces) + scale.space(level) * max(0, kept - (not used))
                if needed <= area.height - used and (cut_too or not any(piece.cut for piece in pieces)):
                    items = [moved(item, area.left, area.top) for item in title.items if with_title]
                    inner = Box(area.left, area.top + used, area.right, area.bottom)
                    return items + _stack(blocks[:kept], pieces, inner, scale, level), len(blocks) - kept
    return [], len(blocks)


def _stack(blocks: Sequence[Block], pieces: list[Piece], area: Box, scale: Scale, level: int) -> list[PlacedItem]:
    """Return the pieces spread over the height: charts grow first, then the gaps grow evenly."""
    free = area.height - sum(piece.height for piece in pieces) - scale.space(0) * len(pieces)
    for index, piece in enumerate(pieces):
        if piece.stretch and free > 0:
            taller = arrange(blocks[index], area.width, scale, level, piece.height + min(free, piece.stretch))
            free -= taller.height - piece.height
            pieces[index] = taller
    spare = area.height - sum(piece.height for piece in pieces)
    items: list[PlacedItem] = []
    y, slots = area.top, len(pieces) + 1
    for index, piece in enumerate(pieces):
        gap = spare * (index + 1) // slots - spare * index // slots
        y += gap
        items += [moved(item, area.left, y) for item in piece.items]
        y += piece.height
    return items


def _title(heading: Heading, width_px: int, beside_px: int, scale: Scale) -> Piece:
    """Return the heading over a width of which `beside_px` on the right belong to the age dot.

    In the middle if it fits there; else as far left as the dot needs; then without its icon, because the word matters
    more; cut only when all that is not enough.
    """
    if not heading.text:
        return Piece((), 0)
    wordings = {fonts.printable(wording) for wording in (heading.text, *heading.variants)}
    beside_dot = width_px - beside_px
    tries = ((heading.icon, beside_px, beside_dot - beside_px), (heading.icon, 0, beside_dot), (None, 0, beside_dot))
    piece = Piece((), 0)
    for icon, left_px, room_px in tries:
        sizes, tones = scale.sizes(type_scale.CAPTION), (heading.tone, heading.tone)
        text, variants = heading.text, heading.variants
        piece = words_with_icon(text, icon, room_px, sizes, Weight.TEXT, tones, Role.TITLE, variants=variants)
        piece = piece._replace(items=tuple(moved(item, left_px, 0) for item in piece.items))
        if any(isinstance(item, TextItem) and item.text in wordings for item in piece.items):
            break
    return piece


def _page_dots(page: tuple[int, int], safe: Box, scale: Scale) -> list[DotItem]:
    """Return the dots in the middle of the bottom edge; the page shown is a longer one, so that its shape differs too."""
    index, count = page
    side, wide, between = scale.px(0.045, 3), scale.px(0.125, 8), scale.px(0.05, 3)
    most = max(2, (safe.width - wide) // (side + between))
    count = min(count, most)
    index = min(max(index, 0), count - 1)
    x = (safe.left + safe.right - (wide + (count - 1) * (side + between))) // 2
    dots = []
    for number in range(count):
        width = wide if number == index else side
        box = Box(x, safe.bottom - side, x + width, safe.bottom)
        dots.append(DotItem(box, Tone.INK if number == index else Tone.MUTED, on=number == index))
        x += width + between
    return dots
