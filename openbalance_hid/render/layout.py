"""The position of everything: a face and a size in, boxes out. Pure, so that tests can check it.

From top to bottom: the title (during and just after a refresh, its state instead), the blocks, the page dots. The texts of the
usual tiles are on baselines that all keys have (`type_scale`); other blocks share the free height evenly. When the blocks do
not fit, all step down the scale together; after that the title goes, then the lowest block: what remains is never clipped and
never overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.render import fonts, type_scale
from openbalance_hid.render.blocks import LEVELS, Piece, arrange, words_with_icon
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.items import Box, DotItem, PlacedItem, Role, TextItem, moved
from openbalance_hid.render.type_scale import Scale, scale_of
from openbalance_hid.tiles.view import (
    Age,
    Bars,
    Block,
    Figure,
    Flash,
    Gauge,
    Hero,
    Icon,
    KeyFace,
    Line,
    Notice,
    Row,
    TileView,
    Tone,
)


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
    icon_tone: Tone | None = None  # None: as the text
    variants: tuple[str, ...] = ()  # shorter wordings


REFRESHING = Heading("Updating", Icon.REFRESH, Tone.ACCENT)
DONE = Heading("Updated", Icon.CHECK, Tone.GOOD)
FAILED = Heading("Failed", Icon.WARNING, Tone.ALARM)


def heading_of(face: KeyFace) -> Heading:
    """Return the state of a manual refresh, else the tile's title: with the sign of a trouble that another tile describes."""
    if face.flash is not Flash.NONE:
        return DONE if face.flash is Flash.DONE else FAILED
    if face.refreshing:
        return REFRESHING
    view = face.view
    if view.is_quiet and view.trouble is not None:
        return Heading(view.title, view.trouble.icon, icon_tone=view.trouble.tone, variants=view.short_titles)
    return Heading(view.title, variants=view.short_titles)


def shown_blocks(view: TileView) -> tuple[Block, ...]:
    """Return the blocks that are drawn: a trouble is on the lowest line, in place of the last block where there are many."""
    if view.is_quiet:
        return tuple(replace(block, words="", detail="") if isinstance(block, Notice) else block for block in view.blocks)
    if view.trouble is None:
        return view.blocks
    kept = [block for index, block in enumerate(view.blocks) if index < 2 and not (index and isinstance(block, Row | Figure))]
    return (*kept, view.trouble)


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

    blocks = shown_blocks(view)
    if scale.is_flat and len(blocks) > 1:
        middle = (safe.left + safe.right) // 2
        left = Box(safe.left, top, middle - scale.gap * 2, bottom)
        right = Box(middle + scale.gap * 2, top, safe.right - beside_title, bottom)
        first, lost_left = _column(heading, blocks[:1], left, scale, 0, 0)
        second, lost_right = _column(Heading(""), blocks[1:], right, scale, 0, 0)
        return Layout(safe, (*first, *second, *marks), lost_left + lost_right)
    items, dropped = _column(heading, blocks, Box(safe.left, top, safe.right, bottom), scale, beside_title, scale.dot)
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
            placed = _placed(blocks[:kept], area._replace(top=area.top + used), scale)
            if placed is not None:
                pieces, tops = placed
                items = [moved(item, area.left, area.top) for item in title.items if with_title]
                below = [moved(item, area.left, y) for piece, y in zip(pieces, tops, strict=True) for item in piece.items]
                return items + below, len(blocks) - kept
    return [], len(blocks)


def _placed(blocks: Sequence[Block], area: Box, scale: Scale) -> tuple[list[Piece], list[int]] | None:
    """Return the pieces and where each begins; None where they do not fit at any level.

    On the shared baselines a hero keeps its size: the same digits are as large as on the neighbouring keys. The lines below it
    get smaller first.
    """
    levels = 0 if _baselines_of(blocks) is None else LEVELS if isinstance(blocks[0], Hero) else 1
    for level in range(levels):
        if (found := _on_lines(blocks, area, scale, level)) is not None:
            return found
    tries = ((cut_too, level) for cut_too in (False, True) for level in range(LEVELS))
    return next((found for cut_too, level in tries if (found := _shared_out(blocks, area, scale, level, cut_too))), None)


def _on_lines(blocks: Sequence[Block], area: Box, scale: Scale, level: int) -> tuple[list[Piece], list[int]] | None:
    """Return the pieces on the baselines that all keys have; None where they do not fit at this level."""
    width = area.right - area.left
    pieces = [arrange(block, width, scale, 0 if isinstance(block, Hero) else level) for block in blocks]
    tops = _on_baselines(blocks, pieces, area, scale, level)
    return None if tops is None else (pieces, tops)


def _shared_out(
    blocks: Sequence[Block], area: Box, scale: Scale, level: int, cut_too: bool
) -> tuple[list[Piece], list[int]] | None:
    """Return the pieces with the free height shared out between them; None where they do not fit at this level."""
    width = area.right - area.left
    pieces = [arrange(block, width, scale, level) for block in blocks]
    taken = sum(piece.height for piece in pieces)
    has_title = area.top > scale.margin
    if taken + scale.space(level) * max(0, len(pieces) - (not has_title)) > area.height:
        return None
    if not cut_too and any(piece.cut for piece in pieces):
        return None
    free = area.height - taken - scale.space(0) * len(pieces)
    for index, piece in enumerate(pieces):
        if piece.stretch and free > 0:
            pieces[index] = arrange(blocks[index], width, scale, level, piece.height + min(free, piece.stretch))
            free -= pieces[index].height - piece.height
    return pieces, _evenly(pieces, area)


def _on_baselines(blocks: Sequence[Block], pieces: list[Piece], area: Box, scale: Scale, level: int) -> list[int] | None:
    """Return where each piece begins, so that its text is on the lines that all keys have; None where they are too near.

    A chart takes all the room between its neighbours.
    """
    fractions = _baselines_of(blocks)
    if fractions is None or scale.is_flat:
        return None
    tops = [round(scale.height * fraction) - piece.baseline for fraction, piece in zip(fractions, pieces, strict=True)]
    for index, block in enumerate(blocks):
        if isinstance(block, Bars):
            start = tops[index - 1] + pieces[index - 1].height
            end = tops[index + 1] - scale.space(1) if index + 1 < len(tops) else area.bottom
            pieces[index] = arrange(block, area.right - area.left, scale, level, end - start)
            tops[index] = end - pieces[index].height
    ends = [top + piece.height for top, piece in zip(tops, pieces, strict=True)]
    fits = all(end <= top for end, top in zip(ends, tops[1:], strict=False))
    return tops if fits and tops[0] >= area.top and ends[-1] <= area.bottom else None


def _baselines_of(blocks: Sequence[Block]) -> Sequence[float] | None:
    """Return the baseline of each block as a fraction of the key's height; None for blocks that no tile has together."""
    match blocks:
        case [Hero()]:
            return (type_scale.HERO_BASELINE,)
        case [Hero(), Bars() | Line() | Gauge()]:
            return type_scale.HERO_BASELINE, type_scale.LINE_BASELINES[0]
        case [Hero(), Bars() | Line() | Gauge(), Line()]:
            return type_scale.HERO_BASELINE, *type_scale.LINE_BASELINES
        case [Row()] | [Row(), Row()]:
            return type_scale.ROW_BASELINES[: len(blocks)]
        case [Row(), Line()]:
            return type_scale.ROW_BASELINES[0], type_scale.LINE_BASELINES[1]
        case [Figure()] | [Figure(), Figure()]:
            return type_scale.FIGURE_BASELINES[: len(blocks)]
        case [Figure(), Line()]:
            return type_scale.HERO_BASELINE, type_scale.LINE_BASELINES[1]
    return None


def _evenly(pieces: Sequence[Piece], area: Box) -> list[int]:
    """Return where each piece begins, with the free height shared out evenly."""
    spare = area.height - sum(piece.height for piece in pieces)
    tops, y, slots = [], area.top, len(pieces) + 1
    for index, piece in enumerate(pieces):
        y += spare * (index + 1) // slots - spare * index // slots
        tops.append(y)
        y += piece.height
    return tops


def _title(heading: Heading, width_px: int, beside_px: int, scale: Scale) -> Piece:
    """Return the heading over a width of which `beside_px` on the right belong to the age dot.

    In the middle if it fits there; else as far left as the dot needs; then without its icon, because the word matters
    more; cut only when all that is not enough.
    """
    if not heading.text:
        return Piece((), 0)
    whole = {fonts.printable(wording) for wording in (heading.text, *heading.variants)}
    beside_dot = width_px - beside_px
    tries = ((heading.icon, beside_px, beside_dot - beside_px), (heading.icon, 0, beside_dot), (None, 0, beside_dot))
    piece = Piece((), 0)
    for icon, left_px, room_px in tries:
        sizes, tones = scale.sizes(type_scale.CAPTION), (heading.icon_tone or heading.tone, heading.tone)
        piece = words_with_icon(heading.text, icon, room_px, sizes, Weight.TEXT, tones, Role.TITLE, variants=heading.variants)
        piece = piece._replace(items=tuple(moved(item, left_px, 0) for item in piece.items))
        if any(isinstance(item, TextItem) and item.text in whole for item in piece.items):
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
