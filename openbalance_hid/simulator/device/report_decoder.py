"""Decoder of output reports: reports in, pictures or faults out. Pure.

No thread, no clock, no state but the picture in progress. Written from the device's documentation (see `models`); it shares no
code with the library that sends the reports. It imports Pillow because a picture that does not decode is a fault, too.
"""

import io
import struct
from dataclasses import dataclass, field
from enum import StrEnum

from PIL import Image, UnidentifiedImageError

from openbalance_hid.simulator.device.models import OUTPUT_REPORT_ID, Codec, DeckModel, DisplayArea, Rotation

KEY_COMMAND = 0x07
LCD_COMMAND = 0x08  # one picture for the whole display
WINDOW_COMMAND = 0x0B  # one picture for the whole strip or screen
REGION_COMMAND = 0x0C  # a part of the strip or screen
BMP_COMMAND = 0x01
REGION_HEADER = 16
_BMP_SIZE_AT = 18  # offset of width and height in the header of a BMP

_TRANSPOSE = {
    Rotation.HALF: Image.Transpose.ROTATE_180,
    Rotation.CLOCKWISE: Image.Transpose.ROTATE_270,  # Pillow rotates counter-clockwise
    Rotation.DIAGONAL: Image.Transpose.TRANSPOSE,
}


class FaultKind(StrEnum):
    """The kinds of invalid reports."""

    UNKNOWN_REPORT = "unknown report"
    WRONG_LENGTH = "wrong length"
    PAGE_ORDER = "page out of order"
    PAYLOAD_LENGTH = "wrong payload length"
    UNFINISHED = "unfinished picture"
    OUT_OF_RANGE = "out of range"
    NOT_A_PICTURE = "not a picture"
    WRONG_SIZE = "wrong size"


@dataclass(frozen=True, slots=True)
class Fault:
    """One invalid report of the host; `detail` holds the numbers."""

    what: FaultKind
    detail: str


class PictureTarget(StrEnum):
    """The part of the deck that shows a picture."""

    KEY = "key"
    STRIP = "strip"
    SCREEN = "screen"
    LCD = "lcd"  # the whole display: keys, and strip or screen


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """A key (numbered row by row from the top left), or a box (x, y, width, height) of strip or screen, upright."""

    target: PictureTarget
    key: int = -1
    box: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __str__(self) -> str:
        x, y, width, height = self.box
        return f"key {self.key}" if self.target is PictureTarget.KEY else f"{self.target.value} {width} × {height} at {x}, {y}"


@dataclass(frozen=True, slots=True)
class PicturePage:
    """One decoded output report."""

    place: PicturePlace
    index: int
    last: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A complete picture, upright as the user sees it (RGB)."""

    place: PicturePlace
    image: Image.Image


@dataclass(slots=True)
class PictureStream:
    """Assembles pictures from pages. Not thread-safe: the deck holds the lock."""

    model: DeckModel
    _place: PicturePlace | None = None
    _pages: list[bytes] = field(default_factory=list)

    def clear(self) -> None:
        """Drop an incomplete picture, as the device does on an empty report and on power-up."""
        self._place = None
        self._pages.clear()

    def feed(self, report: bytes) -> list[Picture | Fault]:
        """Decode an output report; return the picture that it completes, faults, or an empty list."""
        page = read_page(self.model, report)
        if page is None:
            self.clear()
            return []
        if isinstance(page, Fault):
            return [page]
        first = self.model.first_page if page.place.target is PictureTarget.KEY else 0
        found: list[Picture | Fault] = []
        if page.index == first and self._place is not None:
            found.append(Fault(FaultKind.UNFINISHED, f"{page.place} begins before the last page of {self._place}"))
            self.clear()
        expected = first + len(self._pages)
        if page.index != expected or self._place not in (None, page.place):
            instead = f"expected page {expected} of {self._place or page.place}"
            self.clear()
            return [*found, Fault(FaultKind.PAGE_ORDER, f"page {page.index} of {page.place}, {instead}")]
        self._place = page.place
        self._pages.append(page.payload)
        if page.last:
            data = b"".join(self._pages)
            self.clear()
            found += _finish(self.model, page.place, data)
        return found


def read_page(model: DeckModel, report: bytes) -> PicturePage | Fault | None:
    """Return the decoded report; None for the empty report, which resets the stream."""
    if model.output_length == 0:
        return Fault(FaultKind.UNKNOWN_REPORT, f"{model.name} takes no output report, got {len(report)} bytes")
    if not report or report[0] != OUTPUT_REPORT_ID:
        return Fault(FaultKind.UNKNOWN_REPORT, f"report id {report[0]:#04x}" if report else "an empty report")
    if len(report) not in (model.output_length, model.page_header + model.page_payload):  # some clients send no padding
        return Fault(FaultKind.WRONG_LENGTH, f"{len(report)} bytes instead of {model.output_length}")
    if not any(report[1:]):
        return None
    if model.codec is Codec.BMP:
        return _read_bmp_page(model, report)
    return _read_jpeg_page(model, report)


def _read_bmp_page(model: DeckModel, report: bytes) -> PicturePage | Fault:
    """Decode 02 01, page, 0, last page flag, key from 1, ten zeros; then picture bytes, padded in the last page."""
    if report[1] != BMP_COMMAND:
        return Fault(FaultKind.UNKNOWN_REPORT, f"command {report[1]:#04x}")
    key = report[5] - 1
    if not 0 <= key < model.keys:
        return Fault(FaultKind.OUT_OF_RANGE, f"key {report[5]}, {model.name} has keys 1 to {model.keys} here")
    if report[4] > 1:
        return Fault(FaultKind.OUT_OF_RANGE, f"last page flag {report[4]}")
    if model.counts_from_right:
        row, col = divmod(key, model.cols)
        key = row * model.cols + model.cols - 1 - col
    payload = report[model.page_header : model.page_header + model.page_payload]
    return PicturePage(PicturePlace(PictureTarget.KEY, key), report[2], report[4] == 1, payload)


def _read_jpeg_page(model: DeckModel, report: bytes) -> PicturePage | Fault:
    """Decode a page of a key, of the whole strip or screen, or of the whole display.

    Bytes: 02, command, key, last page flag, payload length, page (16 bit little-endian each); then picture bytes.
    """
    command = report[1]
    if command == REGION_COMMAND and model.beside is not None:
        return _read_region_page(model, model.beside, report)
    if command == KEY_COMMAND:
        if report[2] >= model.keys:
            return Fault(FaultKind.OUT_OF_RANGE, f"key {report[2]}, {model.name} has keys 0 to {model.keys - 1}")
        place = PicturePlace(PictureTarget.KEY, report[2])
    elif command == WINDOW_COMMAND and model.beside is not None:
        place = PicturePlace(_beside(model), box=(0, 0, model.beside.width, model.beside.height))
    elif command == LCD_COMMAND and model.lcd is not None:
        place = PicturePlace(PictureTarget.LCD, box=(0, 0, *model.lcd))
    else:
        return Fault(FaultKind.UNKNOWN_REPORT, f"command {command:#04x}")
    return _page(place, model.page_header, report, last=report[3], length=_u16(report, 4), index=_u16(report, 6))


def _beside(model: DeckModel) -> PictureTarget:
    return PictureTarget.STRIP if model.strip is not None else PictureTarget.SCREEN


def _read_region_page(model: DeckModel, area: DisplayArea, report: bytes) -> PicturePage | Fault:
    """Decode a page of a part of the strip or screen.

    Bytes: 02 0C, x, y, width, height (16 bit each), last page flag, page, payload length (16 bit each), 0; then picture bytes.
    """
    x, y, width, height = (_u16(report, at) for at in (2, 4, 6, 8))
    if area.sideways and _fits(area, y, x, height, width):  # tried first: verified with a real Plus XL
        x, y, width, height = y, x, height, width
    if not _fits(area, x, y, width, height):
        return Fault(FaultKind.OUT_OF_RANGE, f"{width} × {height} at {x}, {y}, outside of {area.width} × {area.height}")
    place = PicturePlace(_beside(model), box=(x, y, width, height))
    return _page(place, REGION_HEADER, report, last=report[10], length=_u16(report, 13), index=_u16(report, 11))


def _fits(area: DisplayArea, x: int, y: int, width: int, height: int) -> bool:
    return width > 0 and height > 0 and x + width <= area.width and y + height <= area.height


def _page(place: PicturePlace, header: int, report: bytes, *, last: int, length: int, index: int) -> PicturePage | Fault:
    if last > 1:
        return Fault(FaultKind.OUT_OF_RANGE, f"last page flag {last}")
    if not 0 < length <= len(report) - header:
        return Fault(FaultKind.PAYLOAD_LENGTH, f"{length} bytes announced, room for {len(report) - header}")
    return PicturePage(place, index, last == 1, report[header : header + length])


def _u16(report: bytes, at: int) -> int:
    return int.from_bytes(report[at : at + 2], "little")


def _finish(model: DeckModel, place: PicturePlace, data: bytes) -> list[Picture | Fault]:
    """Return the picture that arrived, a fault, or both: a BMP with a wrong size in its header is shown nevertheless."""
    faults: list[Picture | Fault] = []
    if place.target is PictureTarget.KEY:
        size, rotation = (model.key_width, model.key_height), model.rotation
        if model.codec is Codec.BMP:
            if len(data) < model.bmp_bytes:
                return [Fault(FaultKind.PAYLOAD_LENGTH, f"{len(data)} bytes of {model.bmp_bytes}")]
            data = data[: model.bmp_bytes]  # the end of the last page is padding
    elif place.target is PictureTarget.LCD or model.beside is None:
        size, rotation = (place.box[2], place.box[3]), model.rotation
    else:
        size, rotation = (place.box[2], place.box[3]), model.beside.rotation
    sent_size = size if rotation not in (Rotation.CLOCKWISE, Rotation.DIAGONAL) else size[::-1]
    image = decode(model.codec, data, sent_size)
    if isinstance(image, Fault) and image.what is FaultKind.WRONG_SIZE and model.codec is Codec.BMP:
        faults.append(image)
        image = decode(model.codec, _with_bmp_size(data, sent_size), sent_size)
    if isinstance(image, Fault):
        return [image]
    return [*faults, Picture(place, image if rotation is Rotation.NONE else image.transpose(_TRANSPOSE[rotation]))]


def _with_bmp_size(data: bytes, size: tuple[int, int]) -> bytes:
    """Return the BMP with `size` in its header: a Mini takes its pixels without looking there (seen with muesli/streamdeck)."""
    return data[:_BMP_SIZE_AT] + struct.pack("<ii", *size) + data[_BMP_SIZE_AT + 8 :]


def decode(codec: Codec, data: bytes, size: tuple[int, ...]) -> Image.Image | Fault:
    """Return the RGB image as sent, or the fault. `size`: required width and height in pixels, before rotation."""
    try:
        image = Image.open(io.BytesIO(data), formats=[codec.value.upper()])
        if image.size != size:
            return Fault(FaultKind.WRONG_SIZE, f"{image.width} × {image.height} instead of {size[0]} × {size[1]}")
        if image.info.get("progressive"):
            return Fault(FaultKind.NOT_A_PICTURE, "progressive JPEG, which the documentation does not mention")
        if image.mode == "CMYK":
            return Fault(FaultKind.NOT_A_PICTURE, "JPEG of four colours (CMYK) instead of three")
        if codec is Codec.BMP and image.mode != "RGB":
            return Fault(FaultKind.NOT_A_PICTURE, f"BMP of mode {image.mode} instead of 24 bit")
        return image.convert("RGB")  # loads the pixels: a truncated picture fails here
    except UnidentifiedImageError:  # its text has the address of an object
        return Fault(FaultKind.NOT_A_PICTURE, f"{len(data)} bytes are no {codec.value.upper()}")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return Fault(FaultKind.NOT_A_PICTURE, f"{len(data)} bytes: {error}")
