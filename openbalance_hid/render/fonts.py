"""The typeface: runs of text measured and turned into masks. The only file that uses the font package.

IBM Plex Sans Condensed, chosen by eye from seven families at 72, 96 and 120 px in both themes: its figures are tabular by
default (no shaping library needed), it stays open at 11 px, its `1`, `l` and `I` differ, and being condensed it puts a fifth
more letters on a key than the others. SIL Open Font License, static files, a plain wheel.

Letters are on whole pixels and all figures have the same advance, so numbers do not jump when a digit changes and stems stay
sharp. Pillow's basic layout is used everywhere: it gives the same picture with and without libraqm.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from fontpkg_ibm_plex_sans_condensed import ROOT
from PIL import Image, ImageDraw, ImageFont

ELLIPSIS: Final = "…"
UNKNOWN_GLYPH: Final = "·"  # replaces each character that the font lacks: emoji, CJK
CLOSER_FROM_PX: Final = 20  # smaller figures would touch
TAILS: Final = frozenset("gjpqyQ@()/|[]{}_")
LONGEST_RUN: Final = 400  # characters looked at; no key shows a fifth of that


class Weight(StrEnum):
    """The three weights in use; the value is the file's name part."""

    TEXT = "Medium"
    STRONG = "SemiBold"
    HERO = "Bold"


class GlyphRun(NamedTuple):
    """A run of text as a mask. The ink starts `left_px` before the run's origin; the baseline is `baseline_px` from the top."""

    mask: Image.Image  # mode L; shared, never drawn upon
    left_px: int
    baseline_px: int


@lru_cache(maxsize=96)
def _font(weight: Weight, size_px: int) -> ImageFont.FreeTypeFont:
    name = f"IBMPlexSansCondensed-{weight.value}.ttf"
    return ImageFont.truetype(str(ROOT / "files" / name), size_px, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _advance_px(char: str, weight: Weight, size_px: int) -> int:
    """Return the advance of a character in whole pixels."""
    natural = round(_font(weight, size_px).getlength(char))
    return natural if char == " " else natural - _closer_px(weight, size_px)


def _closer_px(weight: Weight, size_px: int) -> int:
    """Return how much closer than in the font the large figures of a hero are."""
    return round(size_px * 0.035) if weight is Weight.HERO and size_px >= CLOSER_FROM_PX else 0


@lru_cache(maxsize=2048)
def _has_glyph(char: str) -> bool:
    """Return whether the font has more for a character than its `.notdef` box (a private-use code point shows that box)."""
    font = _font(Weight.TEXT, 24)
    return char == " " or bytes(font.getmask(char)) != bytes(font.getmask("\U0010fffd"))


@lru_cache(maxsize=512)
def printable(text: str) -> str:
    """Return the text with all white space as single blanks, invisible characters dropped, and `·` for what the font lacks."""
    kept = []
    for char in unicodedata.normalize("NFC", text[:LONGEST_RUN]):
        if char.isspace():
            kept.append(" ")
        elif unicodedata.category(char) in ("Cc", "Cf", "Cs", "Mn", "Me"):
            continue
        else:
            kept.append(char if _has_glyph(char) else UNKNOWN_GLYPH)
    return " ".join("".join(kept).split())


@lru_cache(maxsize=1024)
def width_px(text: str, weight: Weight, size_px: int) -> int:
    """Return the width of a printable text, in pixels."""
    return sum(_advance_px(char, weight, size_px) for char in text) + (_closer_px(weight, size_px) if text else 0)


@lru_cache(maxsize=4096)
def _ink_px(char: str, weight: Weight, size_px: int) -> tuple[int, int]:
    """Return how far the ink of one character reaches above and below the baseline, in pixels."""
    _, top, _, bottom = _font(weight, size_px).getbbox(char, anchor="ls")
    return -int(top), int(bottom)


@lru_cache(maxsize=512)
def ascent_px(text: str, weight: Weight, size_px: int) -> int:
    """Return pixels from the baseline to the top of a text's box: the tallest common letter (0.78 em), or what rises above it.

    The same for nearly all texts, so that neighbours share their baselines; `É` and the like take more.
    """
    return max(-(-size_px * 78 // 100), max((_ink_px(char, weight, size_px)[0] for char in text), default=0))


def cap_px(size_px: int) -> int:
    """Return pixels from the baseline to the top of capitals and figures. Measured: 0.70 em."""
    return round(size_px * 0.70)


@lru_cache(maxsize=512)
def descent_px(text: str, weight: Weight, size_px: int) -> int:
    """Return pixels from the baseline to the bottom of a text's box: 0.22 em with tails, else 0.16 em, or its ink."""
    usual = -(-size_px * (22 if any(char in TAILS for char in text) else 16) // 100)
    return max(usual, max((_ink_px(char, weight, size_px)[1] for char in text), default=0))


@lru_cache(maxsize=512)
def run(text: str, weight: Weight, size_px: int) -> GlyphRun:
    """Return the mask of a printable text. Cached: callers must not draw on it."""
    pad, up, down = _room_px(size_px)
    mask = Image.new("L", (width_px(text, weight, size_px) + 2 * pad, up + down))
    x = pad
    for char in text:
        glyph = _glyph(char, weight, size_px)
        if glyph is not None:
            left, top, letter = glyph
            mask.paste(255, (x + left, up + top), letter)
        x += _advance_px(char, weight, size_px)
    return GlyphRun(mask, pad, up)


@lru_cache(maxsize=2048)
def _glyph(char: str, weight: Weight, size_px: int) -> tuple[int, int, Image.Image] | None:
    """Return where the ink of one character starts, from its origin on the baseline, and its mask; None without ink."""
    pad, up, down = _room_px(size_px)
    mask = Image.new("L", (_advance_px(char, weight, size_px) + 2 * pad + size_px, up + down))
    ImageDraw.Draw(mask).text((pad, up), char, fill=255, font=_font(weight, size_px), anchor="ls")
    box = mask.getbbox()
    return None if box is None else (box[0] - pad, box[1] - up, mask.crop(box))


def _room_px(size_px: int) -> tuple[int, int, int]:
    """Return the pixels that are kept free beside, above and below the baseline of a run."""
    return 2 + size_px // 8, size_px + size_px // 4, size_px // 2
