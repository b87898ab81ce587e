"""What crosses the wall from the deck to the daemon: frozen, made on the deck's own threads, put into one queue.

`mono_s` is the monotonic clock at the moment the report was read, in seconds. Keys count row by row from the top left, from 0,
as the user sees the deck: one that is turned numbers its keys, dials and pixels accordingly.
Nothing here says what a press means.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from openbalance_hid.deck.products import FoundDeck


CELL_PX = 200  # width of a cell of the strip, above each dial: 4 on the Plus (800 px), 6 on the Plus XL (1200 px)


class DeckFound(Struct, frozen=True):
    """The scan sees a deck that it did not see before; it has not been opened."""

    found: FoundDeck


class DeckVanished(Struct, frozen=True):
    """The scan no longer sees it."""

    path: str


class DeckArrived(Struct, frozen=True):
    """A deck is open and dark. `visual`: its keys have displays; `cells`: of its strip; `screen`: a small one."""

    serial: str
    model: str  # slug, as in `products`
    key_count: int
    visual: bool = True
    dials: int = 0
    cells: int = 0
    touch_keys: int = 0
    screen: bool = False
    title: str = ""
    path: str = ""

    @property
    def only_half_turns(self) -> bool:
        """Whether it has parts below its keys, so that it can be turned by 180 degrees, but not by 90."""
        return bool(self.dials or self.cells or self.touch_keys or self.screen)


class DeckLost(Struct, frozen=True):
    """An open deck was unplugged, hangs, or its handle died; said once for each opening. Keys that were down are up."""

    serial: str
    reason: str = ""  # one line, lower case


class KeyEvent(Struct, frozen=True):
    """A key went down or up."""

    serial: str
    key: int
    down: bool
    mono_s: float


class TouchKeyEvent(Struct, frozen=True):
    """A touch key of the Neo (a colour, no picture) was touched or let go; 0 is the left one."""

    serial: str
    touch_key: int
    down: bool
    mono_s: float


class DialTurned(Struct, frozen=True):
    """A dial moved by `steps`: positive clockwise."""

    serial: str
    dial: int
    steps: int
    mono_s: float


class DialPushed(Struct, frozen=True):
    """A dial was pushed down or let go."""

    serial: str
    dial: int
    down: bool
    mono_s: float


class TouchKind(Enum):
    """A touch of the strip: a tap, a hold or a drag."""

    TAP = "tap"
    HOLD = "hold"
    DRAG = "drag"


class StripTouched(Struct, frozen=True):
    """A touch on the strip. Pixels from its top left; the `out` pair is where a drag left it, else where it began."""

    serial: str
    touch: TouchKind
    x_px: int
    y_px: int
    x_out_px: int
    y_out_px: int
    mono_s: float


HotplugEvent = DeckFound | DeckVanished
InputEvent = KeyEvent | TouchKeyEvent | DialTurned | DialPushed | StripTouched
SurfaceEvent = DeckArrived | DeckLost | InputEvent
