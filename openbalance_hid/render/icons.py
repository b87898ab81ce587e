"""The icons, as vectors on a 24 × 24 grid, drawn eight times too large and averaged down. No font is used.

The pictures of users, from PNG files, are here too.

Each is one colour with generous strokes (2.6 units and more), because the smallest is 10 px high on a 72 px key. To add
one, write a function here and its row in the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from openbalance_hid.tiles.view import LARGEST_ICON_PX, Icon, IconPicture

GRID: Final = 24
OVERSAMPLING: Final = 8

Point = tuple[float, float]


class Pen:
    """Draws in grid units on an oversized mask: `on` adds, `on=False` cuts out."""

    def __init__(self, size_px: int) -> None:
        self._side = size_px * OVERSAMPLING
        self._unit = self._side / GRID
        self.mask = Image.new("L", (self._side, self._side))
        self._draw = ImageDraw.Draw(self.mask)

    def _at(self, point: Point) -> Point:
        return point[0] * self._unit, point[1] * self._unit

    def stroke(self, points: Sequence[Point], width: float, on: bool = True) -> None:
        """Draw a line with round joints and ends."""
        fill, radius = 255 * on, width * self._unit / 2
        scaled = [self._at(point) for point in points]
        self._draw.line(scaled, fill=fill, width=round(width * self._unit))
        for x, y in scaled:
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def arc(self, centre: Point, radius: float, start_deg: float, end_deg: float, width: float, on: bool = True) -> None:
        """Draw part of a circle, clockwise from 3 o'clock, with round ends."""
        steps = max(2, round((end_deg - start_deg) / 6))
        turns = [math.radians(start_deg + (end_deg - start_deg) * step / steps) for step in range(steps + 1)]
        self.stroke([(centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn)) for turn in turns], width, on)

    def disc(self, centre: Point, radius: float, on: bool = True) -> None:
        x, y = self._at(centre)
        r = radius * self._unit
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=255 * on)

    def shape(self, points: Sequence[Point], on: bool = True, rounding: float = 0.0) -> None:
        """Draw a filled polygon; `rounding` grows it by half that with round corners."""
        self._draw.polygon([self._at(point) for point in points], fill=255 * on)
        if rounding:
            self.stroke([*points, points[0]], rounding, on)

    def box(self, left: float, top: float, right: float, bottom: float, radius: float, on: bool = True) -> None:
        corners = (*self._at((left, top)), *self._at((right, bottom)))
        self._draw.rounded_rectangle(corners, radius * self._unit, fill=255 * on)

    def done(self) -> Image.Image:
        return self.mask.reduce(OVERSAMPLING)


@lru_cache(maxsize=256)
def icon_mask(icon: Icon, size_px: int) -> Image.Image:
    """Return the icon as a mask (mode L), `size_px` square. Cached: callers must not draw on it."""
    pen = Pen(size_px)
    _SHAPES[icon](pen)
    return pen.done()


@lru_cache(maxsize=64)
def picture_image(picture: IconPicture, size_px: int) -> Image.Image | None:
    """Return a user's picture with its transparency (mode RGBA), centred in a square; None if it cannot be decoded. Cached."""
    try:
        with Image.open(BytesIO(picture.png), formats=("PNG",)) as found:
            if max(found.size) > LARGEST_ICON_PX:  # before anything decodes it
                return None
            grey = found.convert("I").point(lambda value: value / 256).convert("L") if found.mode.startswith("I") else found
            image = grey.convert("RGBA")
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, MemoryError):
        return None
    share = size_px / max(image.size)
    small = image.resize((max(1, round(image.width * share)), max(1, round(image.height * share))), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (size_px, size_px))
    square.paste(small, ((size_px - small.width) // 2, (size_px - small.height) // 2))
    return square


def _check(pen: Pen) -> None:
    pen.stroke([(3.4, 12.8), (9.4, 18.8), (20.6, 6.2)], 4.2)


def _warning(pen: Pen) -> None:
    pen.shape([(12, 3.6), (21.6, 20.2), (2.4, 20.2)], rounding=3.2)
    pen.stroke([(12, 8.8), (12, 13.6)], 3.0, on=False)
    pen.disc((12, 18.0), 1.75, on=False)


def _up(pen: Pen) -> None:
    pen.shape([(12, 5.6), (20.6, 18.4), (3.4, 18.4)], rounding=2.4)


def _down(pen: Pen) -> None:
    pen.shape([(12, 18.4), (20.6, 5.6), (3.4, 5.6)], rounding=2.4)


def _level(pen: Pen) -> None:
    pen.box(3, 6.4, 21, 10.4, 2)
    pen.box(3, 13.6, 21, 17.6, 2)


def _refresh(pen: Pen) -> None:
    pen.arc((12, 12.4), 7.8, -20, 130, 3.2)
    pen.arc((12, 12.4), 7.8, 160, 310, 3.2)
    pen.shape([(21.8, 3.0), (21.8, 11.8), (13.4, 9.4)], rounding=0.8)
    pen.shape([(2.2, 21.8), (2.2, 13.0), (10.6, 15.4)], rounding=0.8)


def _key(pen: Pen) -> None:
    pen.disc((7.6, 12), 6.4)
    pen.disc((7.0, 12), 2.4, on=False)
    pen.stroke([(12, 12), (21.2, 12)], 3.6)
    pen.stroke([(20.6, 12), (20.6, 17)], 3.2)
    pen.stroke([(16.2, 12), (16.2, 15.6)], 3.0)


def _offline(pen: Pen) -> None:
    centre = (12.0, 19.6)
    pen.disc(centre, 2.5)
    pen.arc(centre, 7.6, 222, 318, 3.0)
    pen.arc(centre, 13.6, 222, 318, 3.0)
    pen.stroke([(4.6, 2.8), (21.0, 20.6)], 6.0, on=False)
    pen.stroke([(4.0, 3.2), (20.4, 21.0)], 2.8)


def _clock(pen: Pen) -> None:
    pen.disc((12, 12), 10.2)
    pen.disc((12, 12), 7.3, on=False)
    pen.stroke([(12, 7.6), (12, 12.4), (15.4, 14.4)], 2.7)


def _fuel(pen: Pen) -> None:
    pen.box(3, 2.6, 14.6, 21.6, 2.2)
    pen.box(5.8, 5.6, 11.8, 10.4, 0.8, on=False)
    pen.stroke([(15, 12.6), (17.2, 13.4), (17.2, 17.6), (20.6, 17.6), (20.6, 8.4), (17.4, 5.2)], 2.5)


def _lock(pen: Pen) -> None:
    pen.arc((12, 8.6), 5.0, 180, 360, 3.0)
    pen.stroke([(7, 8.6), (7, 12)], 3.0)
    pen.stroke([(17, 8.6), (17, 12)], 3.0)
    pen.box(3.4, 10.4, 20.6, 22, 2.6)
    pen.stroke([(12, 15.2), (12, 17.6)], 3.0, on=False)


def _cloud(pen: Pen) -> None:
    pen.disc((7.0, 14.2), 5.4)
    pen.disc((13.2, 10.6), 7.0)
    pen.disc((18.2, 14.8), 4.8)
    pen.box(7, 12, 18.4, 19.6, 2)
    pen.stroke([(12.6, 8.0), (12.6, 12.2)], 2.8, on=False)
    pen.disc((12.6, 16.2), 1.7, on=False)


def _hourglass(pen: Pen) -> None:
    pen.stroke([(5.4, 3.2), (18.6, 3.2)], 3.0)
    pen.stroke([(5.4, 20.8), (18.6, 20.8)], 3.0)
    pen.shape(
        [
            (7.2, 4),
            (16.8, 4),
            (16.8, 7.2),
            (12.9, 12),
            (16.8, 16.8),
            (16.8, 20),
            (7.2, 20),
            (7.2, 16.8),
            (11.1, 12),
            (7.2, 7.2),
        ],
        rounding=1.4,
    )
    pen.shape([(9.2, 5.6), (14.8, 5.6), (14.8, 6.8), (9.2, 6.8)], on=False)
    pen.shape([(12, 13.6), (14.6, 17), (9.4, 17)], on=False, rounding=0.6)


def _bug(pen: Pen) -> None:
    for side in (-1, 1):
        pen.stroke([(12, 13.6), (12 + side * 9.6, 13.6)], 2.3)
        pen.stroke([(12, 11.4), (12 + side * 8.0, 9.2), (12 + side * 9.2, 6.2)], 2.3)
        pen.stroke([(12, 16.4), (12 + side * 8.0, 17.8), (12 + side * 9.0, 21.0)], 2.3)
        pen.stroke([(12, 6.8), (12 + side * 4.2, 2.4)], 2.1)
    pen.box(5.8, 8.6, 18.2, 22.6, 6.2)
    pen.disc((12, 8.0), 4.4)
    pen.stroke([(6.4, 10.9), (17.6, 10.9)], 1.5, on=False)
    pen.stroke([(12, 11.4), (12, 22)], 1.7, on=False)


def _page(pen: Pen) -> None:
    pen.box(2.4, 4.4, 15.4, 21.6, 2.4)
    pen.box(7.0, 1.6, 22.0, 18.4, 3.0, on=False)
    pen.box(8.6, 2.4, 21.6, 17.2, 2.4)
    pen.stroke([(13.4, 6.4), (16.8, 9.8), (13.4, 13.2)], 2.6, on=False)


def _play(pen: Pen) -> None:
    pen.shape([(6.4, 4.8), (19.2, 12), (6.4, 19.2)], rounding=3.0)


def _stop(pen: Pen) -> None:
    pen.box(3.4, 3.4, 20.6, 20.6, 2.8)


def _eye(pen: Pen) -> None:
    pen.shape(_LIDS, rounding=2.0)
    pen.disc((12, 12), 5.0, on=False)
    pen.disc((12, 12), 2.9)


def _eye_off(pen: Pen) -> None:
    pen.shape(_LIDS, rounding=2.0)
    pen.shape([(12 + (x - 12) * 0.74, 12 + (y - 12) * 0.62) for x, y in _LIDS], on=False)
    pen.stroke([(6.0, 2.4), (21.6, 18.0)], 3.4, on=False)
    pen.stroke([(3.6, 3.8), (20.2, 20.4)], 3.2)


def _bell(pen: Pen) -> None:
    pen.disc((12, 10), 6.6)
    pen.shape([(5.4, 10), (18.6, 10), (18.6, 14.6), (20.6, 17.6), (3.4, 17.6), (5.4, 14.6)], rounding=1.2)
    pen.stroke([(12, 2.6), (12, 5)], 2.6)
    pen.disc((12, 20.4), 2.4)


def _home(pen: Pen) -> None:
    pen.shape([(12, 3.6), (21, 11.8), (3, 11.8)], rounding=2.4)
    pen.box(5.2, 10.6, 18.8, 21.2, 1.6)
    pen.box(9.8, 14.4, 14.2, 21.4, 0.6, on=False)


def _light(pen: Pen) -> None:
    pen.disc((12, 9.4), 7.4)
    pen.box(8.4, 13, 15.6, 17.8, 1.0)
    pen.stroke([(9.2, 20.6), (14.8, 20.6)], 2.6)


def _mail(pen: Pen) -> None:
    pen.box(2.2, 4.6, 21.8, 19.4, 2.4)
    pen.stroke([(3.4, 7.4), (12, 13.4), (20.6, 7.4)], 2.4, on=False)


def _microphone(pen: Pen) -> None:
    pen.box(8.2, 2.2, 15.8, 14.6, 3.8)
    pen.arc((12, 10.6), 7.6, 10, 170, 2.6)
    pen.stroke([(12, 18.4), (12, 21.2)], 2.6)
    pen.stroke([(8.4, 21.2), (15.6, 21.2)], 2.6)


def _music(pen: Pen) -> None:
    pen.disc((7.0, 18.2), 3.8)
    pen.disc((17.6, 16.4), 3.8)
    pen.stroke([(9.4, 18), (9.4, 5.6), (20, 3.6), (20, 16.2)], 2.6)
    pen.stroke([(9.4, 8.0), (20, 6.0)], 3.0)


def _pause(pen: Pen) -> None:
    pen.box(4.6, 3.8, 10.2, 20.2, 1.6)
    pen.box(13.8, 3.8, 19.4, 20.2, 1.6)


def _power(pen: Pen) -> None:
    pen.disc((12, 12), 10.4)
    pen.arc((12, 12.6), 5.2, -40, 220, 2.2, on=False)
    pen.stroke([(12, 4.6), (12, 11.4)], 2.4, on=False)


def _terminal(pen: Pen) -> None:
    pen.box(2.2, 3.4, 21.8, 20.6, 2.6)
    pen.stroke([(6.4, 8.4), (10.4, 12), (6.4, 15.6)], 2.6, on=False)
    pen.stroke([(12.6, 16), (17.4, 16)], 2.6, on=False)


# The two lids of an eye, from corner to corner and back: parts of two circles.
_LIDS: Final = tuple(
    (12 + 12.4 * math.sin(math.radians(turn)), 12 + side * (12.4 * math.cos(math.radians(turn)) - 6.2))
    for side, turns in ((-1, range(-56, 57, 8)), (1, range(56, -57, -8)))
    for turn in turns
)


_SHAPES: Final[dict[Icon, Callable[[Pen], None]]] = {
    Icon.CHECK: _check,
    Icon.WARNING: _warning,
    Icon.UP: _up,
    Icon.DOWN: _down,
    Icon.LEVEL: _level,
    Icon.REFRESH: _refresh,
    Icon.KEY: _key,
    Icon.OFFLINE: _offline,
    Icon.CLOCK: _clock,
    Icon.FUEL: _fuel,
    Icon.LOCK: _lock,
    Icon.CLOUD: _cloud,
    Icon.HOURGLASS: _hourglass,
    Icon.BUG: _bug,
    Icon.PAGE: _page,
    Icon.PLAY: _play,
    Icon.STOP: _stop,
    Icon.EYE: _eye,
    Icon.EYE_OFF: _eye_off,
    Icon.BELL: _bell,
    Icon.HOME: _home,
    Icon.LIGHT: _light,
    Icon.MAIL: _mail,
    Icon.MICROPHONE: _microphone,
    Icon.MUSIC: _music,
    Icon.PAUSE: _pause,
    Icon.POWER: _power,
    Icon.TERMINAL: _terminal,
}
