"""Encoded pictures of faces, each drawn once. Used by the main thread only.

A module of its own, because it is all that the main thread needs of the drawing.
"""

from collections import OrderedDict
from collections.abc import Mapping

from msgspec.structs import replace

from openbalance_hid.render.draw import draw
from openbalance_hid.render.encode import PictureFormat, encode
from openbalance_hid.tiles.view import KeyFace

KEPT = 256  # pictures of 2 to 8 kB: a deck of 32 keys with all its pressed looks, below 2 MB


class PictureCache:
    """A bounded cache of encoded pictures, by face and format."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[tuple[KeyFace, PictureFormat], bytes] = OrderedDict()
        self.drawn = 0

    def picture(self, face: KeyFace, key_format: Mapping[str, object]) -> bytes:
        """Return the face, encoded as the library's `key_image_format()` requires."""
        face = replace(face, view=replace(face.view, text=""))  # never drawn; it changes each minute with the age
        wanted = (face, PictureFormat.of(key_format))
        if (known := self._pictures.pop(wanted, None)) is not None:
            self._pictures[wanted] = known  # the newest again
            return known
        made = encode(draw(face, wanted[1].width, wanted[1].height), wanted[1])
        self.drawn += 1
        self._pictures[wanted] = made
        if len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        return made
