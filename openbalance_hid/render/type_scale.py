"""The grid and the type scale: every size on a key as a fraction of its side. No blocks and no colours here.

The panels of 96 px and 72 px keys are about equally large, so everything scales with the side and a key
looks the same on every model. `side` is the shorter edge: wide strips and tall Studio keys use the same sizes with more room.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct

SMALLEST_TEXT_PX: Final = 11  # below this the condensed letters close up; looked at on all sizes from 8 to 14

# Three sizes, by the length of the text, so that the same digits have the same size on neighbouring keys: `$74.25`, `$12,345`,
# `✓ Normal`. The smaller ones are for what no tile shows by itself: a label in place of a number, an amount beyond a million.
HERO: Final = (0.32, 0.25, 0.208, 0.18, 0.153, 0.142)
FIGURE: Final = HERO[1:]
FLAT_HERO: Final = (0.5, 0.42, 0.34, 0.27, 0.2)  # on the screen of the Neo, beside its lines
FLAT_LINE: Final = (0.225, 0.19)
NOTICE: Final = (0.225, 0.205, 0.185, 0.167, 0.153, 0.142)
VALUE: Final = (0.195, 0.18, 0.167, 0.153, 0.142)
LABEL: Final = (0.15, 0.142)
CAPTION: Final = (0.158, 0.142)
# Baselines of a key with a hero, as fractions of its height from the top: hero, first and second line below. A row of keys has
# its words and numbers on the same lines.
HERO_BASELINE: Final = 0.53
LINE_BASELINES: Final = (0.735, 0.905)
ROW_BASELINES: Final = (0.36, 0.69)  # of the names in a ranking
FIGURE_BASELINES: Final = (0.44, 0.915)
SPACE: Final = (0.065, 0.055, 0.045, 0.035, 0.03, 0.02, 0.0)


class Scale(Struct, frozen=True):
    """The sizes for one width and height, all in pixels."""

    width: int
    height: int
    side: int

    def px(self, fraction: float, least: int = 1) -> int:
        """Return a length on the grid: `fraction` of the side, in whole pixels, not below `least`."""
        return max(least, round(self.side * fraction))

    def sizes(self, steps: tuple[float, ...], level: int = 0) -> tuple[int, ...]:
        """Return the text sizes of one step list from `level` on, largest first, none below the smallest readable size."""
        chosen = steps[min(level, len(steps) - 1) :]
        return tuple(dict.fromkeys(self.px(step, SMALLEST_TEXT_PX) for step in chosen))

    @property
    def margin(self) -> int:
        """The safe area starts here, above and below: inside the ring, clear of the rounded corners of the glass."""
        return self.px(0.056, 4)

    @property
    def side_margin(self) -> int:
        """The safe area starts here, left and right. Single lines use it all; cells of a strip are neighbours."""
        return self.px(0.09 if self.is_wide else 0.03, 2)

    @property
    def ring(self) -> int:
        return self.px(0.042, 3)

    @property
    def thin_ring(self) -> int:
        return self.px(0.028, 2)

    @property
    def corner(self) -> int:
        return self.px(0.15, 6)

    @property
    def gap(self) -> int:
        return self.px(0.04, 2)

    def space(self, level: int) -> int:
        """Return the least distance between two blocks at a level: it gives way before the letters do."""
        return self.px(SPACE[min(level, len(SPACE) - 1)])

    @property
    def dot(self) -> int:
        return self.px(0.085, 5)

    @property
    def is_wide(self) -> bool:
        """Return whether a name, its amount and more fit side by side: strip cells and the screen of the Neo."""
        return self.width >= 1.6 * self.height

    @property
    def is_flat(self) -> bool:
        """Whether there is no room for three lines: the screen of the Neo lays its blocks out in two columns."""
        return self.width >= 3 * self.height


@lru_cache(maxsize=32)
def scale_of(width: int, height: int) -> Scale:
    """Return the scale for a picture of this size, pixels."""
    return Scale(width, height, min(width, height))
