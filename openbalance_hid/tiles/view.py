"""The content of a tile: words, shapes and tone, never pixels or colours.

A tile returns a `TileView`; `app` adds the state of the key and makes a `KeyFace`; `render` decides everything that is visible.
All values are frozen and hashable, so that an equal face is never drawn twice.
"""

from __future__ import annotations

from enum import Enum, StrEnum

from msgspec import Struct

from openbalance_hid.account.snapshot import Health


class Tone(StrEnum):
    """The meaning of a word or shape; the value is the name of its colour in a theme."""

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
    BELL = "bell"
    HOME = "home"
    LIGHT = "light"
    MAIL = "mail"
    MICROPHONE = "microphone"
    MUSIC = "music"
    PAUSE = "pause"
    POWER = "power"
    TERMINAL = "terminal"


LARGEST_ICON_PX = 1024  # side of a user's picture: a small file can hold a huge one


class IconPicture(Struct, frozen=True):
    """An icon of the user's: a PNG file, and what is in it. Drawn in its own colours."""

    path: str
    png: bytes

    def __repr__(self) -> str:
        return f"IconPicture({self.path!r})"


class Shorten(Enum):
    """Where a text that does not fit at the smallest size is cut: an ellipsis in the middle or at the end."""

    MIDDLE = "middle"
    END = "end"


class Hero(Struct, frozen=True):
    """The one thing to read from an arm's length: a number (`$74.25`), or an icon and a word (`✓ Normal`)."""

    text: str
    tone: Tone = Tone.INK
    icon: Icon | IconPicture | None = None


class Line(Struct, frozen=True):
    """One line of text. `strong`: value size instead of caption size. May have an icon before it."""

    text: str
    tone: Tone = Tone.MUTED
    icon: Icon | None = None
    strong: bool = False
    shorten: Shorten = Shorten.END
    variants: tuple[str, ...] = ()  # shorter wordings, longest first, tried before anything is cut


class Row(Struct, frozen=True):
    """A name over a bar and an amount. A share bar is the spend against the leader's; a gauge is the used part of a limit."""

    name: str
    amount: str
    share: float | None = None  # 0..1 of the leader, or of the limit; None: no bar
    tone: Tone = Tone.ACCENT  # of the bar
    note: str = ""  # behind the name: percent of the limit, or why the key may not be used; makes the bar a gauge
    column: tuple[str, ...] = ()  # the amounts of all rows and pages: as wide as the widest, so that all bars are of one length
    is_note_in_bar: bool = False  # the gauge shows the same: the note is left out where the name needs the line


class RankedRow(Row, frozen=True):
    """A row of which the name has shorter wordings, so that no two names look the same once they are cut."""

    shorten: Shorten = Shorten.MIDDLE
    variants: tuple[str, ...] = ()  # longest first, tried before anything is cut


class Bars(Struct, frozen=True):
    """A bar chart, oldest first. Heights as shares 0..1 of the tallest; None: unknown (drawn as a gap mark)."""

    shares: tuple[float | None, ...]
    tones: tuple[Tone, ...] = ()  # one a bar; empty: accent for all
    line: float | None = None  # height of a line across the chart, 0..1
    inexact: tuple[bool, ...] = ()  # one a bar: approximate (`~`) or at least (`≥`), drawn pale with a clear top; empty: none


class Gauge(Struct, frozen=True):
    """A horizontal gauge filled from the left. `share` and `mark` (a line across it) 0..1."""

    share: float
    tone: Tone = Tone.ACCENT
    mark: float | None = None


class Figure(Struct, frozen=True):
    """A number of medium size below its own small heading, for a tile with two numbers. Empty heading: it is the title."""

    heading: str
    text: str
    tone: Tone = Tone.INK


class Notice(Struct, frozen=True):
    """A whole-tile state: an icon over one or two words (`Set up`, `Offline`); without words a small sign."""

    icon: Icon | IconPicture
    words: str
    tone: Tone = Tone.INK
    detail: str = ""  # one caption line below: what to do


Block = Hero | Figure | Line | Row | Bars | Gauge | Notice


class Age(Enum):
    """How old the data on the tile is: `OLD` (a corner dot) from 2 refresh intervals, `STALE` (grey digits) from 4."""

    FRESH = "fresh"
    OLD = "old"
    STALE = "stale"


class TileView(Struct, frozen=True):
    """The content of one tile. `text` is the accessible text, for `status` and screen readers."""

    tile: str
    title: str  # small heading; empty: none
    blocks: tuple[Block, ...]  # top to bottom
    text: str
    theme: str = "dark"
    age: Age = Age.FRESH
    attention: bool = False  # inverted colours
    pulse: bool = False  # the inverted colours alternate with the normal ones
    page: tuple[int, int] | None = None  # (index from 0, count) of a cycling tile, as dots
    short_titles: tuple[str, ...] = ()  # shorter wordings of the title
    trouble: Line | None = None  # on the lowest line, in place of the last block
    health: Health = Health.OK  # the trouble that is shown, as `trouble` or as a notice
    is_quiet: bool = False  # another tile of the deck has the words of the trouble: here only its sign
    stripe: int | None = None  # number of the account, drawn as a coloured edge; None: one account only


class Flash(Enum):
    """The result of a manual refresh, shown for a moment."""

    NONE = "none"
    DONE = "done"
    FAILED = "failed"


class KeyFace(Struct, frozen=True):
    """A tile on its key: the view and the state of the key."""

    view: TileView
    pressed: bool = False
    ring: float = 0.0  # 0..1: progress of a hold, in steps
    refreshing: bool = False
    flash: Flash = Flash.NONE
