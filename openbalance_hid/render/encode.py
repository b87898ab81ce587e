"""A picture into the bytes that a model of deck takes: orientation, codec, quality. Nothing about the deck itself.

The library's own helper saves JPEG at quality 100 with halved colour resolution and shrinks the caller's picture in place.
Here colour keeps its full resolution (coloured figures stay sharp), the Huffman tables are optimised, and no more is kept
than the eye sees, because each 1016 bytes are one more HID report.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

from msgspec import Struct
from PIL import Image

# How coarsely JPEG keeps each frequency, 8 × 8, lowest first. The tables of the standard are made for photographs: they drop
# the high frequencies, of which the edges of letters consist, and keep even grounds finer than any panel shows. Nearly level
# tables keep letters sharper in fewer bytes: at 72 px the structural similarity of quality 91 in the bytes of quality 85
# (`bench/` has the row). Chosen by eye, too: red, green and amber figures enlarged three times, beside the picture itself.
LUMA: Final = tuple(round(9 + 0.35 * (row + column)) for row in range(8) for column in range(8))
CHROMA: Final = (16,) * 64
_FLIPS: Final = {
    (True, False): Image.Transpose.FLIP_LEFT_RIGHT,
    (False, True): Image.Transpose.FLIP_TOP_BOTTOM,
    (True, True): Image.Transpose.ROTATE_180,
}


class PictureFormat(Struct, frozen=True):
    """The picture format of a key, strip or screen. Width and height in pixels of the upright picture, before it is rotated."""

    width: int
    height: int
    codec: str  # "JPEG" or "BMP"
    flip_x: bool = False  # left to right, after the turn
    flip_y: bool = False  # top to bottom, after the turn
    rotation: int = 0  # degrees counter-clockwise

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> PictureFormat:
        """Return the format from the dictionary of the library's `key_image_format()`, `screen_image_format()` and so on."""
        width, height = mapping["size"]
        flip_x, flip_y = mapping["flip"]
        return cls(int(width), int(height), str(mapping["format"]), bool(flip_x), bool(flip_y), int(mapping["rotation"]))


def encode(image: Image.Image, picture: PictureFormat) -> bytes:
    """Return the picture in the deck's own orientation and codec. An image of another size is scaled; `image` stays.

    Turned first, flipped then: the order of the library's `PILHelper`.
    """
    if image.mode != "RGB":
        image = image.convert("RGB")
    if image.size != (picture.width, picture.height):
        image = image.resize((picture.width, picture.height), Image.Resampling.LANCZOS)
    if picture.rotation:
        image = image.rotate(picture.rotation, expand=True)
    if (turn := _FLIPS.get((picture.flip_x, picture.flip_y))) is not None:
        image = image.transpose(turn)
    with BytesIO() as out:
        out.name = f"picture.{picture.codec}"  # Pillow imports the codec of a name only, but five codecs for a format
        if picture.codec == "JPEG":
            image.save(out, qtables=[LUMA, CHROMA], subsampling=0, optimize=True)
        else:
            image.save(out)
        return out.getvalue()


@lru_cache(maxsize=16)
def black(picture: PictureFormat) -> bytes:
    """Return an all black picture. (The library's blank key of the Mini carries the wrong size in its header.)"""
    return encode(Image.new("RGB", (picture.width, picture.height)), picture)
