"""What can be pointed at on a deck. Names, nothing else."""

from msgspec import Struct


class Cell(Struct, frozen=True):
    """One part of the touch strip, from 0 on the left; a dial stands below each."""

    number: int


class SmallScreen(Struct, frozen=True):
    """The small screen of the Neo."""


Spot = int | Cell | SmallScreen  # an int is a key, row by row from the top left, from 0
Place = tuple[str, Spot]  # serial number of the deck, and where on it
