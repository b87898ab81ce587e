"""The parts of a laid-out picture: its position and kind, in whole pixels. No colour, no drawing."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.render.fonts import Weight
from openbalance_hid.tiles.view import Icon, IconPicture, Tone


class Box(NamedTuple):
    """A rectangle in pixels, origin top left; `right` and `bottom` are just outside."""

    left: int
    top: int
    right: int
    bottom: int

    def moved(self, dx: int, dy: int) -> Box:
        return Box(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def overlaps(self, other: Box) -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: Box) -> bool:
        return self.left <= other.left and other.right <= self.right and self.top <= other.top and other.bottom <= self.bottom

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


class Role(Enum):
    """What a text is for. Figures turn grey when their data is too old."""

    TITLE = "title"
    HERO = "hero"
    FIGURE = "figure"
    WORDS = "words"


class TextItem(Struct, frozen=True):
    """A run of text. The box reaches from the tallest letter to the lowest tail."""

    box: Box
    text: str
    size_px: int
    weight: Weight
    tone: Tone
    role: Role
    baseline: int


class IconItem(Struct, frozen=True):
    """An icon, as large as its square box."""

    box: Box
    icon: Icon | IconPicture
    tone: Tone
    role: Role = Role.WORDS


class MeterItem(Struct, frozen=True):
    """A gauge: a track, filled from the left to `share`, and a line across it at `mark` (both 0..1)."""

    box: Box
    share: float
    tone: Tone
    mark: float | None = None


class BarItem(Struct, frozen=True):
    """A bar of a ranking: its whole box is filled. It has no track, because it is not a part of anything."""

    box: Box
    tone: Tone


class RuleItem(Struct, frozen=True):
    """A thin line between two parts of a tile: decoration."""

    box: Box


class ColumnItem(Struct, frozen=True):
    """One column of a chart; `known` false: the mark of a day that is not known. `top_px`: of a pale column, its clear top."""

    box: Box
    tone: Tone
    known: bool = True
    top_px: int = 0  # 0: all of it is clear


class DotItem(Struct, frozen=True):
    """A round mark: the page shown (`on`, wider) or another one, or the age of the data (`tone` warn)."""

    box: Box
    tone: Tone
    on: bool


PlacedItem = TextItem | IconItem | MeterItem | BarItem | RuleItem | ColumnItem | DotItem


def moved(item: PlacedItem, dx: int, dy: int) -> PlacedItem:
    """Return the same item, `dx` further right and `dy` further down."""
    if isinstance(item, TextItem):
        return replace(item, box=item.box.moved(dx, dy), baseline=item.baseline + dy)
    return replace(item, box=item.box.moved(dx, dy))
