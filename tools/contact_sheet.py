"""Contact sheets: many faces side by side with a name below each, at real size or enlarged, for the eye of a reviewer.

The caller chooses the faces and groups them by theme and tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from openbalance_hid.render import fonts
from openbalance_hid.render.draw import draw
from openbalance_hid.render.fit import fit, wrap
from openbalance_hid.render.fonts import Weight
from openbalance_hid.render.theme import Rgb
from openbalance_hid.tiles.view import KeyFace

TABLE: Final = (34, 36, 40)  # neither theme's background, so that both kinds of key are visible
INK: Final = (214, 219, 227)
QUIET: Final = (158, 166, 178)
RULE: Final = (70, 75, 83)
GAP_PX: Final = 12

EDGE_PX: Final = 28  # round a panel
ROOM_PX: Final = 1360  # width of a row of cells; about 14 keys of 72 px
CELL_LEAST_PX: Final = 86  # narrower cells leave no room for their names
TITLE_PX, NAME_PX, CAPTION_PX = 26, 17, 13
LINE_PX: Final = 15  # from one line of a caption to the next
TITLE_ROOM_PX, NAME_ROOM_PX, GROUP_GAP_PX = 52, 34, 10


@dataclass(frozen=True, slots=True)
class Group:
    """One tile's cells, each a caption and a face."""

    name: str
    subtitle: str
    cells: tuple[tuple[str, KeyFace], ...]


@dataclass(frozen=True, slots=True)
class SheetPanel:
    """One theme's groups under a heading."""

    title: str
    subtitle: str
    groups: tuple[Group, ...]


def contact_sheet(panels: Sequence[SheetPanel], width: int, height: int) -> Image.Image:
    """Return an RGB image of all panels, one below the other; each face as on a key of that size, not enlarged."""
    pitch = max(width, CELL_LEAST_PX) + GAP_PX
    columns = max(1, min(ROOM_PX // pitch, max(len(group.cells) for panel in panels for group in panel.groups)))
    row_px = height + GAP_PX + 2 * LINE_PX + 6
    rooms = [
        TITLE_ROOM_PX
        + sum(NAME_ROOM_PX + GROUP_GAP_PX + row_px * len(list(_rows(group, columns))) for group in panel.groups)
        + EDGE_PX
        for panel in panels
    ]
    whole = Image.new("RGB", (2 * EDGE_PX + columns * pitch - GAP_PX, sum(rooms) + EDGE_PX), TABLE)
    top = EDGE_PX
    for panel, room in zip(panels, rooms, strict=True):
        y = top
        _heading(whole, panel.title, panel.subtitle, y + TITLE_PX, TITLE_PX)
        y += TITLE_ROOM_PX
        for group in panel.groups:
            whole.paste(RULE, (EDGE_PX, y - 6, whole.width - EDGE_PX, y - 5))
            _heading(whole, group.name, group.subtitle, y + NAME_PX, NAME_PX)
            y += NAME_ROOM_PX
            for row in _rows(group, columns):
                for column, (caption, face) in enumerate(row):
                    left = EDGE_PX + column * pitch
                    whole.paste(draw(face, width, height), (left, y))
                    _caption(whole, caption, left, y + height + 4, pitch - GAP_PX)
                y += row_px
            y += GROUP_GAP_PX
        top += room
    return whole


def compact_sheet(groups: Sequence[Group], size_px: int, columns: int) -> Image.Image:
    """Return an RGB image of small groups side by side, each in the first row that has room for it; no subtitles."""
    pitch, row_px = size_px + GAP_PX, NAME_ROOM_PX + size_px + 2 * LINE_PX + GAP_PX
    rows: list[list[Group]] = []
    for group in groups:
        row = next((row for row in rows if sum(len(each.cells) for each in row) + len(group.cells) <= columns), None)
        if row is None:
            rows.append(row := [])
        row.append(group)
    whole = Image.new("RGB", (2 * EDGE_PX + columns * pitch - GAP_PX, 2 * EDGE_PX + len(rows) * row_px - GAP_PX), TABLE)
    for number, row in enumerate(rows):
        left, top = EDGE_PX, EDGE_PX + number * row_px
        for group in row:
            _write(whole, group.name, left, top + NAME_PX, Weight.STRONG, NAME_PX, INK)
            for caption, face in group.cells:
                whole.paste(draw(face, size_px, size_px), (left, top + NAME_ROOM_PX - 8))
                _caption(whole, caption, left, top + NAME_ROOM_PX - 8 + size_px + 4, size_px)
                left += pitch
    return whole


def _rows(group: Group, columns: int) -> Iterator[tuple[tuple[str, KeyFace], ...]]:
    for start in range(0, len(group.cells), columns):
        yield group.cells[start : start + columns]


def _heading(whole: Image.Image, name: str, subtitle: str, baseline: int, size_px: int) -> None:
    end = _write(whole, name, EDGE_PX, baseline, Weight.STRONG, size_px, INK)
    _write(whole, subtitle, end + GAP_PX, baseline, Weight.TEXT, CAPTION_PX, QUIET)


def _caption(whole: Image.Image, caption: str, left: int, top: int, room: int) -> None:
    """Write up to two lines below a face, from its left edge."""
    lines = wrap(caption, room, CAPTION_PX, Weight.TEXT, 2) or (fit(caption, room, (CAPTION_PX,), Weight.TEXT).text,)
    for number, line in enumerate(lines):
        _write(whole, line, left, top + CAPTION_PX + number * LINE_PX, Weight.TEXT, CAPTION_PX, INK)


def _write(whole: Image.Image, text: str, left: int, baseline: int, weight: Weight, size_px: int, colour: Rgb) -> int:
    """Write the text, and return where it ends, in pixels."""
    run = fonts.run(fonts.printable(text), weight, size_px)
    whole.paste(colour, (left - run.left_px, baseline - run.baseline_px), run.mask)
    return left + fonts.width_px(fonts.printable(text), weight, size_px)
