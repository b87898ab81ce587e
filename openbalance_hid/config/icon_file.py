"""Read the PNG file that a tile names as its icon: within limits, and whole. It is decoded where it is drawn.

The format: a signature, then chunks of length, type, content and CRC (PNG specification, third edition, section 5).
"""

from __future__ import annotations

import stat
import struct
import zlib
from pathlib import Path

from openbalance_hid.tiles.view import LARGEST_ICON_PX, IconPicture

LARGEST_BYTES = 256 * 1024
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_icon(path: str) -> IconPicture | str:
    """Return the picture in a PNG file, or a clause: why it cannot be used."""
    file = Path(path)
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return "this is not a file"
        with file.open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return "there is no such file"
    except (OSError, ValueError) as error:
        return f"it cannot be read: {((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()}"
    if len(content) > LARGEST_BYTES:
        return f"this is larger than {LARGEST_BYTES // 1024} KiB"
    if not content.startswith(_SIGNATURE):
        return "this is not a PNG file"
    size = _size(content)
    if size is None:
        return "this is a damaged PNG file"
    if not all(0 < side <= LARGEST_ICON_PX for side in size):
        return f"this has {size[0]} × {size[1]} px, not 1 × 1 to {LARGEST_ICON_PX} × {LARGEST_ICON_PX}"
    return IconPicture(path, content)


def _size(content: bytes) -> tuple[int, int] | None:
    """Return width and height; None for a file that is cut or altered."""
    size, at = None, len(_SIGNATURE)
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content) or zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            return None
        if kind == b"IHDR" and length == 13:
            width, height = struct.unpack_from(">II", content, at + 8)
            size = (width, height)
        if kind == b"IEND":
            return size
        at = end
    return None
