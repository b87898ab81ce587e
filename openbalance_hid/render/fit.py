"""Text into a width: smaller steps first, then shorter wordings, then an ellipsis. Never clipped, never too small."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple

from openbalance_hid.render import fonts
from openbalance_hid.render.fonts import ELLIPSIS, Weight
from openbalance_hid.tiles.view import Shorten

WORD_ENDS: Final = frozenset(" -_/:")
LEAST_HEAD: Final = 3  # letters kept before the ellipsis


class Fitted(NamedTuple):
    """What is drawn: printable text, its size and its advance width in pixels."""

    text: str
    size_px: int
    width_px: int


@lru_cache(maxsize=512)
def fit(
    text: str,
    room_px: int,
    sizes_px: tuple[int, ...],
    weight: Weight,
    shorten: Shorten = Shorten.END,
    variants: tuple[str, ...] = (),
) -> Fitted:
    """Return the first wording at the first size that fits into `room_px`; `sizes_px` from largest to smallest.

    Every wording is tried at every size before a shorter wording is; if none fits, the first wording is cut at the
    smallest size when it has no variants, else the shortest one. A room too narrow for one letter gives empty text.
    """
    wordings = [fonts.printable(wording) for wording in (text, *variants)]
    for wording in wordings:
        for size in sizes_px:
            width = fonts.width_px(wording, weight, size)
            if width <= room_px:
                return Fitted(wording, size, width)
    cut = shortened(wordings[-1], room_px, weight, sizes_px[-1], shorten)
    return Fitted(cut, sizes_px[-1], fonts.width_px(cut, weight, sizes_px[-1]))


def shortened(text: str, room_px: int, weight: Weight, size_px: int, shorten: Shorten) -> str:
    """Return the text with as many letters replaced by one ellipsis as needed; empty when no letter fits.

    In the middle the cut is made before a whole word of the name if it can be, because versions differ at the end:
    `cla…opus-4.1`.
    """

    def fits(candidate: str) -> bool:
        return fonts.width_px(candidate, weight, size_px) <= room_px

    if fits(text):
        return text
    if shorten is Shorten.END:
        cuts = (text[:kept].rstrip(" .,-") + ELLIPSIS for kept in range(len(text) - 1, 0, -1))
        return next(filter(fits, cuts), "")
    ends = [start + 1 for start, char in enumerate(text) if char in WORD_ENDS and start + 1 < len(text)]
    for start in ends:
        if fits(text[:LEAST_HEAD] + ELLIPSIS + text[start:]):
            heads = (text[:head].rstrip(" -") + ELLIPSIS + text[start:] for head in range(start - 1, LEAST_HEAD - 1, -1))
            return next(filter(fits, heads), text[:LEAST_HEAD] + ELLIPSIS + text[start:])
    cuts = (text[: kept // 2] + ELLIPSIS + text[len(text) - (kept - kept // 2) :] for kept in range(len(text) - 1, 0, -1))
    return next(filter(fits, cuts), "")


@lru_cache(maxsize=128)
def wrap(
    words: str, room_px: int, size_px: int, weight: Weight, most_lines: int, first_px: int | None = None
) -> tuple[str, ...] | None:
    """Return the words on as few lines as possible, at most `most_lines`, the longest line as short as can be; None: no way.

    `first_px`: the room for the first line. A line may also end behind the hyphen of a word (`openbalance-` / `hid setup`).
    """
    rooms = (room_px if first_px is None else first_px, *[room_px] * (most_lines - 1))
    for parts in (fonts.printable(words).split(), _syllables(fonts.printable(words))):
        for count in range(1, min(most_lines, len(parts)) + 1):
            fitting = [lines for lines in _splits(parts, count) if _fits(lines, rooms, weight, size_px)]
            if fitting:
                return tuple(min(fitting, key=partial(_widest, weight=weight, size_px=size_px)))
    return None


def _fits(lines: Sequence[str], rooms: Sequence[int], weight: Weight, size_px: int) -> bool:
    return all(fonts.width_px(line, weight, size_px) <= room for line, room in zip(lines, rooms, strict=False))


def _syllables(words: str) -> list[str]:
    """Return the words, a word with hyphens in several parts; each part but the last one of a word ends with its hyphen."""
    return [part for word in words.split() for part in re.findall(r"[^-]*-|[^-]+", word)]


def _splits(parts: Sequence[str], count: int) -> list[list[str]]:
    """Return all ways to put the words on `count` lines, in order."""
    if count == 1:
        return [[_joined(parts)]]
    return [
        [_joined(parts[:first]), *rest]
        for first in range(1, len(parts) - count + 2)
        for rest in _splits(parts[first:], count - 1)
    ]


def _joined(parts: Sequence[str]) -> str:
    return "".join(part if part.endswith("-") else f"{part} " for part in parts).rstrip()


def _widest(lines: Sequence[str], weight: Weight, size_px: int) -> int:
    return max(fonts.width_px(line, weight, size_px) for line in lines)
