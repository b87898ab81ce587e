"""What a tile says: content and tone, never pixels or colours.

A tile returns a `TileView`; the board puts the state of the finger on it and makes a `KeyFace`; `render` decides everything
that is visible. All values are frozen and hashable, so that an equal face is never drawn twice.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Tone(Enum):
    """What a word or shape means; the theme picks its colour."""

    INK = "ink"
    MUTED = "muted"
    GOOD = "good"
    WARN = "warn"
    ALARM = "alarm"
    ACCENT = "accent"


class Icon(Enum):
    """Shapes that `render` draws as vectors."""

    CHECK = "check"
    WARNING = "warning"
    UP = "up"
    DOWN = "down"
    LEVEL = "level"
    REFRESH = "refresh"
    KEY = "key"
    OFFLINE = "offline"
    CLOCK = "clock"
    FUEL = "fuel"
    LOCK = "lock"
    CLOUD = "cloud"
    HOURGLASS = "hourglass"
    BUG = "bug"
    PAGE = "page"
    PLAY = "play"
    STOP = "stop"
    EYE = "eye"
    EYE_OFF = "eye-off"


class Shorten(Enum):
    """How a text that does not fit at the smallest size is cut: an ellipsis in the middle or at the end."""

    MIDDLE = "middle"
    END = "end"


class Hero(Struct, frozen=True):
    """The one thing to read from an arm's length: a number (`$74.25`), or an icon and a word (`✓ Normal`)."""

    text: str
    tone: Tone = Tone.INK
    icon: Icon | None = None


class Line(Struct, frozen=True):
    """One line of text. `strong`: value size instead of caption size. May have an icon before it."""

    text: str
    tone: Tone = Tone.MUTED
    icon: Icon | None = None
    strong: bool = False
    shorten: Shorten = Shorten.END
    variants: tuple[str, ...] = ()  # shorter wordings, longest first, tried before anything is cut


class Row(Struct, frozen=True):
    """A name on the left, an amount on the right, a share bar below them."""

    name: str
    amount: str
    share: float | None = None  # 0..1 of the total; None: no bar
    tone: Tone = Tone.ACCENT  # of the bar


class Bars(Struct, frozen=True):
    """A bar chart, oldest first. Heights as shares 0..1 of the tallest; None: unknown (drawn as a gap mark)."""

    shares: tuple[float | None, ...]
    tones: tuple[Tone, ...] = ()  # one a bar; empty: accent for all


class Gauge(Struct, frozen=True):
    """A horizontal gauge filled from the left. `share` 0..1."""

    share: float
    tone: Tone = Tone.ACCENT


class Notice(Struct, frozen=True):
    """A whole-tile state: an icon over one or two words (`Set up`, `Offline`)."""

    icon: Icon
    words: str
    tone: Tone = Tone.INK
    detail: str = ""  # one caption line below: what to do


Block = Hero | Line | Row | Bars | Gauge | Notice


class Age(Enum):
    """How old the data on the tile is: `OLD` (a corner dot) from 2 refresh intervals, `STALE` (grey digits) from 4."""

    FRESH = "fresh"
    OLD = "old"
    STALE = "stale"


class TileView(Struct, frozen=True):
    """What one tile says now. `text` is the same in words: for the accessible name, `status` and screen readers."""

    tile: str
    title: str  # small heading; empty: none
    blocks: tuple[Block, ...]  # top to bottom
    text: str
    theme: str = "dark"
    age: Age = Age.FRESH
    attention: bool = False  # call for the eye: inverted colours
    pulse: bool = False  # and louder: the inverted colours come and go
    page: tuple[int, int] | None = None  # (index from 0, count) of a cycling tile, as dots
    trouble: Line | None = None  # stands in the title's place, on tiles that have no other line for it
    sign: Icon | None = None  # before the title, where two tiles would have the same one
    stripe: int | None = None  # number of the account, drawn as a coloured edge; None: one account only


class Flash(Enum):
    """How a refresh asked for by hand ended, shown for a moment."""

    NONE = "none"
    DONE = "done"
    FAILED = "failed"


class KeyFace(Struct, frozen=True):
    """A tile as it stands on its key: the view and what the finger is doing."""

    view: TileView
    pressed: bool = False
    ring: float = 0.0  # 0..1: how far a hold has come; quantised by the board
    refreshing: bool = False
    flash: Flash = Flash.NONE
