"""Masks with smooth edges: round corners, pills, and a band along an edge. Cached: callers must not draw on them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from PIL import Image, ImageChops, ImageDraw

OVERSAMPLING: Final = 4


@lru_cache(maxsize=256)
def pill(width: int, height: int) -> Image.Image:
    """Return the mask of a rectangle with round shorter sides."""
    return rounded(width, height, min(width, height) / 2)


@lru_cache(maxsize=64)
def rounded(width: int, height: int, radius: float) -> Image.Image:
    """Return the mask of a rectangle with round corners."""
    big = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING))
    corners = (0, 0, width * OVERSAMPLING - 1, height * OVERSAMPLING - 1)
    ImageDraw.Draw(big).rounded_rectangle(corners, radius * OVERSAMPLING, fill=255)
    return big.reduce(OVERSAMPLING)


@lru_cache(maxsize=128)
def outline(width: int, height: int, corner: int, thick: int, share: float) -> Image.Image:
    """Return the mask of a `thick` px band on a rounded edge: the first `share` of it, clockwise from the top middle."""
    inner = Image.new("L", (width, height), 255)
    inner.paste(ImageChops.invert(rounded(width - 2 * thick, height - 2 * thick, max(1, corner - thick))), (thick, thick))
    band = ImageChops.multiply(inner, rounded(width, height, corner))
    if share >= 1:
        return band
    part = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING))
    outer = _way(width * OVERSAMPLING / 2, height * OVERSAMPLING / 2, share)
    # Back along the inner edges of the corners, so that the end is cut square on the sides and radially in the corners.
    deep = max(corner, thick) * OVERSAMPLING
    inner_way = [
        (min(max(x, deep), width * OVERSAMPLING - deep), min(max(y, deep), height * OVERSAMPLING - deep)) for x, y in outer
    ]
    ImageDraw.Draw(part).polygon([*outer, *reversed(inner_way)], fill=255)
    return ImageChops.multiply(band, part.reduce(OVERSAMPLING))


def _way(half_width: float, half_height: float, share: float) -> list[tuple[float, float]]:
    """Return the points along the edge of a picture, the first `share` of the way clockwise from the top middle."""
    around = 4 * (half_width + half_height)
    return [_on_edge(share * around * step / 64, half_width, half_height) for step in range(65)]


def _on_edge(way: float, half_width: float, half_height: float) -> tuple[float, float]:
    """Return the point after `way` along a rectangle's edge, clockwise from the top middle."""
    right, bottom = 2 * half_width, 2 * half_height
    for length, point in (
        (half_width, lambda gone: (half_width + gone, 0.0)),
        (bottom, lambda gone: (right, gone)),
        (right, lambda gone: (right - gone, bottom)),
        (bottom, lambda gone: (0.0, bottom - gone)),
        (half_width, lambda gone: (gone, 0.0)),
    ):
        if way <= length or math.isclose(way, length):
            return point(way)
        way -= length
    return half_width, 0.0
