"""Which colour a tone has: two small tables, and the contrast that they must have.

A deck's panel is darker and bluer than a monitor, so neighbours in a table are far apart and nothing hangs on a near-black
difference. Every tone reaches 7 : 1 against its background, because any of them can colour a hero number (WCAG 2.2, 1.4.6);
`muted` carries small words only and reaches 4.5 : 1. Colour is never alone: a word or a shape has the same meaning.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct

from openbalance_hid.tiles.view import Tone

Rgb = tuple[int, int, int]


class Theme(Struct, frozen=True):
    """One table of colours, sRGB 0..255."""

    name: str
    background: Rgb
    surface: Rgb  # the empty part of a bar, the edge of a pressed key: decoration, never the only sign of anything
    ink: Rgb
    muted: Rgb
    good: Rgb
    warn: Rgb
    alarm: Rgb
    accent: Rgb
    warn_fill: Rgb  # the whole tile, when it calls for the eye
    alarm_fill: Rgb
    stale: Rgb  # digits that are too old to trust
    stripes: tuple[Rgb, ...]  # account edges; the number of pieces differs as well

    def colour(self, tone: Tone) -> Rgb:
        """Return the colour of a tone."""
        colour: Rgb = getattr(self, tone)
        return colour

    @property
    def column(self) -> Rgb:
        """A column of a chart that is not the one to look at: quieter than `muted`, still 3 : 1."""
        return blend(self.background, self.muted, 0.7)


DARK: Final = Theme(
    name="dark",
    background=(8, 10, 14),
    surface=(52, 60, 73),
    ink=(248, 250, 252),
    muted=(173, 184, 199),
    good=(74, 222, 128),
    warn=(255, 184, 46),
    alarm=(255, 107, 97),
    accent=(104, 178, 255),
    warn_fill=(255, 184, 46),
    alarm_fill=(255, 96, 82),
    stale=(150, 160, 174),
    stripes=((104, 178, 255), (255, 184, 46), (196, 148, 255), (74, 222, 128), (255, 133, 186), (94, 224, 224)),
)

LIGHT: Final = Theme(
    name="light",
    background=(244, 245, 247),
    surface=(203, 209, 217),
    ink=(14, 18, 24),
    muted=(74, 83, 96),
    good=(4, 88, 46),
    warn=(118, 68, 0),
    alarm=(164, 12, 24),
    accent=(8, 72, 158),
    warn_fill=(255, 178, 36),
    alarm_fill=(170, 10, 26),
    stale=(76, 84, 95),
    stripes=((8, 72, 158), (150, 84, 0), (104, 44, 168), (4, 104, 54), (164, 24, 96), (0, 98, 106)),
)


def theme_named(name: str) -> Theme:
    """Return the theme `dark` or `light`; anything else is dark, so that a drawing never fails."""
    return LIGHT if name == "light" else DARK


@lru_cache(maxsize=16)
def inverted(theme: Theme, tone: Tone) -> Theme:
    """Return the colours of a tile with attention: filled with its tone, everything on it black or white."""
    fill = {Tone.WARN: theme.warn_fill, Tone.ALARM: theme.alarm_fill}.get(tone, theme.colour(tone))
    on_fill: Rgb = (0, 0, 0) if contrast((0, 0, 0), fill) >= contrast((255, 255, 255), fill) else (255, 255, 255)
    return Theme(
        name=theme.name,
        background=fill,
        surface=blend(fill, on_fill, 0.22),
        ink=on_fill,
        muted=on_fill,
        good=on_fill,
        warn=on_fill,
        alarm=on_fill,
        accent=on_fill,
        warn_fill=fill,
        alarm_fill=fill,
        stale=on_fill,
        stripes=(on_fill,),
    )


def blend(below: Rgb, above: Rgb, share: float) -> Rgb:
    """Return the mix of `share` (0..1) of `above` over `below`, in sRGB as a panel mixes them."""
    red, green, blue = (round(low + (high - low) * share) for low, high in zip(below, above, strict=True))
    return red, green, blue


def luminance(colour: Rgb) -> float:
    """Return the relative luminance, 0 (black) to 1 (white). Source: WCAG 2.2, definition of relative luminance."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio, 1 to 21. Source: WCAG 2.2, definition of contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _linear(share: float) -> float:
    if share <= 0.04045:
        return share / 12.92
    return float(((share + 0.055) / 1.055) ** 2.4)
