"""How a deck is turned, and the key numbers that follow from it. Pure.

A deck may be mounted turned clockwise by a quarter, a half or three quarters. Keys are numbered as the user sees them: row by
row from the top left of the turned deck. The deck itself numbers them as if it were upright ("built").
"""

from __future__ import annotations

from msgspec import Struct

ROTATIONS = (0, 90, 180, 270)  # degrees clockwise


class Orientation(Struct, frozen=True):
    """`degrees` clockwise that the deck is turned; `cols` and `rows` of the upright deck."""

    degrees: int
    cols: int
    rows: int

    @property
    def is_sideways(self) -> bool:
        """Whether columns are seen as rows."""
        return self.degrees in (90, 270)

    @property
    def is_half_turn(self) -> bool:
        """Whether the deck is upside down."""
        return self.degrees == 180

    @property
    def seen_grid(self) -> tuple[int, int]:
        """The columns and rows that the user sees."""
        return self.seen_size(self.cols, self.rows)

    def seen_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the width and height that the user sees of something on the deck."""
        return (height, width) if self.is_sideways else (width, height)

    def seen_key(self, built: int) -> int:
        """Return the number that the user sees for a key of the deck."""
        row, col = divmod(built, self.cols)
        match self.degrees:
            case 90:
                row, col = col, self.rows - 1 - row
            case 180:
                row, col = self.rows - 1 - row, self.cols - 1 - col
            case 270:
                row, col = self.cols - 1 - col, row
        return row * self.seen_grid[0] + col

    def built_key(self, seen: int) -> int:
        """Return the deck's own number of a key that the user sees."""
        cols, rows = self.seen_grid
        return Orientation((360 - self.degrees) % 360, cols, rows).seen_key(seen)

    def along(self, number: int, count: int) -> int:
        """Return the number of one of `count` parts in a row (dials, cells, pixels), seen for built or built for seen."""
        return count - 1 - number if self.is_half_turn else number
