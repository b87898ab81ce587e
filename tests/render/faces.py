"""Faces of every state a tile can be in, and ways to make any face at all. Shared by the tests of this room."""

from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.tiles.view import (
    Age,
    Bars,
    Figure,
    Flash,
    Gauge,
    Hero,
    Icon,
    KeyFace,
    Line,
    Notice,
    Row,
    Shorten,
    TileView,
    Tone,
)

SQUARES = ((72, 72), (80, 80), (96, 96), (112, 112), (120, 120))
SIZES = (*SQUARES, (80, 120), (144, 112), (200, 100), (248, 58))
THEMES = ("dark", "light")


def view(title, *blocks, **more):
    return TileView("tile", title, blocks, f"{title} in words", **more)


DAY = Line("$1.94 today", variants=("today",))
DOWN = Line("16 % less", Tone.GOOD, Icon.DOWN)
UP = Line("120 % more", Tone.ALARM, Icon.UP)
LOW = Line("Low", Tone.WARN, Icon.WARNING)
VERY_LOW = Line("Very low", Tone.ALARM, Icon.WARNING)
RATIO = Line("~9.8× usual", Tone.INK, strong=True)
BALANCE = view("Balance", Hero("$74.25"), DAY, DOWN)
TOP = view("Models 30 d", Row("sonnet-4.5", "$12.30", 1.0), Row("gpt-5-mini", "$4.10", 0.34), page=(0, 3))
MONTH = view("Spent 30 d", Hero("$60.12"), Bars((0.3, 0.5, 0.9, None, 1.0, 0.0, 0.45), (*[Tone.MUTED] * 6, Tone.ACCENT)))
DRIVER = Line("opus-4.1", Tone.INK, shorten=Shorten.MIDDLE)
CRITICAL = view("Pace 24 h", Hero("Critical", Tone.ALARM, Icon.WARNING), RATIO, DRIVER)
SPIKE = view("Pace 24 h", Hero("Spike", Tone.WARN, Icon.WARNING), RATIO, DRIVER)
NORMAL = view("Pace 24 h", Hero("Normal", Tone.GOOD, Icon.CHECK), Gauge(0.3, Tone.GOOD, 0.75), Line("1.2× of 3×"))
NOTICES = {
    "preparing": view("Balance", Notice(Icon.HOURGLASS, "Preparing…", Tone.MUTED)),
    "set up": view("Balance", Notice(Icon.KEY, "Set up", Tone.ACCENT, "openbalance-hid setup")),
    "not management": view("Balance", Notice(Icon.KEY, "Not a Management key", Tone.ALARM)),
    "rejected": view("Balance", Notice(Icon.LOCK, "Key rejected", Tone.ALARM)),
    "offline": view("Balance", Notice(Icon.OFFLINE, "Offline", Tone.WARN, "hold to retry")),
    "slow down": view("Balance", Notice(Icon.CLOCK, "Slow down", Tone.WARN)),
    "server error": view("Balance", Notice(Icon.CLOUD, "API error", Tone.WARN)),
    "no activity": view("30 days", Notice(Icon.CLOCK, "No activity yet", Tone.MUTED)),
    "gathering": view("Spike", Notice(Icon.HOURGLASS, "Gathering baseline", Tone.MUTED, "2/3")),
    "tile error": view("", Notice(Icon.BUG, "Tile error", Tone.ALARM, "see the log")),
}
STATES = {
    "balance": KeyFace(BALANCE),
    "more spent": KeyFace(view("Balance", Hero("$74.25"), DAY, UP)),
    "same": KeyFace(view("Balance", Hero("$74.25"), DAY, Line("same", Tone.MUTED, Icon.LEVEL))),
    "negative": KeyFace(view("Balance", Hero("-$2.40", Tone.ALARM), DAY, UP)),
    "low": KeyFace(view("Balance", Hero("$74.25", Tone.WARN), DAY, LOW)),
    "very low": KeyFace(view("Balance", Hero("$74.25", Tone.ALARM), DAY, VERY_LOW)),
    "unknown": KeyFace(view("Used 30d", Hero("—"))),
    "top": KeyFace(TOP),
    "top, next page": KeyFace(replace(TOP, page=(1, 3))),
    "month": KeyFace(MONTH),
    "normal": KeyFace(NORMAL),
    "spike": KeyFace(SPIKE),
    "critical": KeyFace(CRITICAL),
    "spike calls": KeyFace(replace(SPIKE, attention=True)),
    "critical calls": KeyFace(replace(CRITICAL, attention=True)),
    "last good": KeyFace(replace(BALANCE, trouble=Line("Offline", Tone.WARN, Icon.OFFLINE))),
    "old": KeyFace(replace(BALANCE, age=Age.OLD)),
    "stale": KeyFace(replace(BALANCE, age=Age.STALE)),
    "first account": KeyFace(replace(BALANCE, stripe=0)),
    "second account": KeyFace(replace(BALANCE, stripe=1)),
    "pressed": KeyFace(BALANCE, pressed=True),
    "held": KeyFace(BALANCE, pressed=True, ring=0.5),
    "refreshing": KeyFace(BALANCE, refreshing=True),
    "done": KeyFace(BALANCE, flash=Flash.DONE),
    "failed": KeyFace(BALANCE, flash=Flash.FAILED),
    "runway": KeyFace(view("Runway", Hero("≈ 9 d"), Gauge(0.42, Tone.GOOD), Line("till 7–12 Dec"))),
    "usage": KeyFace(view("Left", Figure("", "$74.25"), Figure("Today", "$2.40"))),
    "limit": KeyFace(view("Keys today", Row("ci", "$0.30", 0.46, Tone.GOOD, "46 %"), Row("laptop", "$0.66", 1.0))),
    **{name: KeyFace(notice) for name, notice in NOTICES.items()},
}


def themed(face, theme):
    return replace(face, view=replace(face.view, theme=theme))


tones, icons = st.sampled_from(Tone), st.none() | st.sampled_from(Icon)
texts = st.text(max_size=40) | st.text("abcgpqyMWi19$.,-/ ", max_size=60)
shares = st.floats(-0.5, 1.5)
heroes = st.builds(Hero, texts, tones, icons)
lines = st.builds(Line, texts, tones, icons, st.booleans(), st.sampled_from(Shorten), st.lists(texts, max_size=2).map(tuple))
blocks = st.one_of(
    heroes,
    lines,
    st.builds(Row, texts, texts, st.none() | shares, tones, texts, st.lists(texts, max_size=4).map(tuple)),
    st.builds(Figure, texts, texts, tones),
    st.builds(Bars, st.lists(st.none() | shares, max_size=14).map(tuple), st.lists(tones, max_size=14).map(tuple)),
    st.builds(Gauge, shares, tones, st.none() | shares),
    st.builds(Notice, st.sampled_from(Icon), texts, tones, texts),
)
views = st.builds(
    TileView,
    st.just("tile"),
    texts,
    st.lists(blocks, max_size=5).map(tuple),
    st.just("words"),
    theme=st.sampled_from(THEMES),
    age=st.sampled_from(Age),
    attention=st.booleans(),
    page=st.none() | st.tuples(st.integers(0, 12), st.integers(0, 12)),
    stripe=st.none() | st.integers(0, 9),
    short_titles=st.lists(texts, max_size=2).map(tuple),
    trouble=st.none() | lines,
    is_quiet=st.booleans(),
)
faces = st.builds(
    KeyFace, views, st.booleans(), st.floats(0, 1).map(lambda share: round(share, 2)), st.booleans(), st.sampled_from(Flash)
)
sizes = st.sampled_from(SIZES)
