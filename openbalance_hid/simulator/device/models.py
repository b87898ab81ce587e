"""The properties of each Stream Deck model: one frozen row per product id.

Independent of the library that drives real decks, so that a mistake on either side shows. Sources:
docs.elgato.com/streamdeck/hid (general, mini, neo, module-6, module-15_32) for reports and sizes; the notes at
gist.github.com/cliffrowley/d18a9c4569537b195f2b1eb6c68469e0 for the first Original; Plus XL and Studio are
undocumented: their rows hold what existing drivers agree on. Reports are decoded in `report_decoder`.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.errors import UsageError
from openbalance_hid.hints import hint
from openbalance_hid.text import nearest_name

VENDOR_ID = 0x0FD9  # Elgato
BMP_HEADER_BYTES = 54  # file header 14 + BITMAPINFOHEADER 40
OUTPUT_REPORT_ID = 0x02
INPUT_REPORT_ID = 0x01
UNIT_INFORMATION_ID, UNIT_INFORMATION_BYTES = 0x08, 32


class Codec(Enum):
    """The format of pictures."""

    JPEG = "jpeg"
    BMP = "bmp"
    NONE = "none"


class Rotation(Enum):
    """What the device does with a picture before it is visible (panels are mounted rotated or mirrored)."""

    NONE = "none"
    HALF = "half"  # by 180 degrees
    CLOCKWISE = "clockwise"  # by 90 degrees
    DIAGONAL = "diagonal"  # rows become columns: mirrored in the line from top left to bottom right


class InputLayout(Enum):
    """The layout of input reports, after the report id."""

    BARE = "bare"  # one byte per key
    COMMAND = "command"  # command, payload length (16 bit little-endian), payload


class TextReport(Struct, frozen=True):
    """A feature report that holds a text. `lengths`: of the report, documented one first; `starts_at`: offset of the text."""

    report_id: int
    lengths: tuple[int, ...]
    starts_at: int

    def report(self, text: str, before: bytes, length: int) -> bytes:
        """Return id, length of `before` and text (where there is room for it), `before`, and the text.

        At most `length` bytes: a host may request more than the report has, and some do.
        """
        head = bytes([self.report_id, len(before) + len(text)]).ljust(self.starts_at, b"\0")[: self.starts_at - len(before)]
        return (head + before + text.encode("ascii")).ljust(max(self.lengths), b"\0")[:length]


class CommandReport(Struct, frozen=True):
    """A feature report that is a command: its first bytes, and the report lengths that the device accepts."""

    prefix: bytes
    lengths: tuple[int, ...]


class DisplayArea(Struct, frozen=True):
    """A display beside the keys. Pixels as the user sees them. `sideways`: hosts send x and y swapped, or as they are."""

    width: int
    height: int
    rotation: Rotation
    sideways: bool = False


class DeckModel(Struct, frozen=True):
    """One product. Lengths in bytes with the report id, sizes in pixels as the user sees them."""

    name: str
    title: str
    product_id: int
    cols: int
    rows: int
    key_width: int
    key_height: int
    codec: Codec
    rotation: Rotation
    output_length: int  # of one output report; 0: the device accepts none
    page_header: int
    page_payload: int  # the most picture bytes in one report
    first_page: int
    inputs: InputLayout
    input_length: int
    serial: TextReport
    firmware: TextReport
    brightness: CommandReport | None
    reset: CommandReport | None
    counts_from_right: bool = False  # key numbers on the wire run from the right end of each row
    dials: int = 0
    touch_keys: int = 0  # numbered after the keys
    key_fill: CommandReport | None = None  # key, red, green, blue
    panel_fill: CommandReport | None = None  # panel 0, red, green, blue
    lcd: tuple[int, int] | None = None  # the one display behind all keys, strip and screen; None: size unknown
    key_gap: tuple[int, int] = (0, 0)  # pixels of the display between two keys, across and down
    touch_key_size: tuple[int, int] = (0, 0)
    strip: DisplayArea | None = None  # touch-sensitive
    screen: DisplayArea | None = None  # not touch-sensitive

    @property
    def keys(self) -> int:
        """Return the number of keys, without touch keys."""
        return self.cols * self.rows

    @property
    def beside(self) -> DisplayArea | None:
        """Return the strip or screen beside the keys."""
        return self.strip or self.screen

    def key_box(self, key: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of a key on `lcd`. ValueError: the size of the display is unknown."""
        if self.lcd is None:
            raise ValueError(f"the display of {self.name} is unknown")
        row, col = divmod(key, self.cols)
        (across, down), (gap_x, gap_y) = self.lcd, self.key_gap
        if self.beside is not None:
            down -= self.beside.height  # strip and screen are below the keys
        left = (across - self.cols * self.key_width - (self.cols - 1) * gap_x) // 2 + col * (self.key_width + gap_x)
        top = (down - self.rows * self.key_height - (self.rows - 1) * gap_y) // 2 + row * (self.key_height + gap_y)
        return left, top, left + self.key_width, top + self.key_height

    def unit_information(self, length: int) -> bytes | None:
        """Return feature report 08: id, rows, columns, size of a key and of the display. None: the model has no such report."""
        if self.lcd is None:
            return None
        sizes = b"".join(size.to_bytes(2, "little") for size in (self.key_width, self.key_height, *self.lcd))
        return (bytes([UNIT_INFORMATION_ID, self.rows, self.cols]) + sizes).ljust(UNIT_INFORMATION_BYTES, b"\0")[:length]

    @property
    def bmp_bytes(self) -> int:
        """Return the size of a BMP key picture: header and 24-bit pixels. Key widths are multiples of 4, so no row padding."""
        return BMP_HEADER_BYTES + self.key_width * self.key_height * 3


_OLD_BRIGHTNESS = CommandReport(b"\x05\x55\xaa\xd1\x01", (17, 32))
_OLD_RESET = CommandReport(b"\x0b\x63", (17, 32))

_MINI = DeckModel(
    name="mini",
    title="Stream Deck Mini",
    product_id=0x0063,
    cols=3,
    rows=2,
    key_width=80,
    key_height=80,
    codec=Codec.BMP,
    rotation=Rotation.DIAGONAL,
    output_length=1024,
    page_header=16,
    page_payload=1008,
    first_page=0,
    inputs=InputLayout.BARE,
    input_length=17,
    serial=TextReport(0x03, (17, 32), 5),
    firmware=TextReport(0x04, (17, 32), 5),
    brightness=_OLD_BRIGHTNESS,
    reset=_OLD_RESET,
)
_MINI_LATER = replace(_MINI, serial=TextReport(0x03, (32, 17), 5))  # longer serial numbers need the longer report

_ORIGINAL = DeckModel(
    name="original",
    title="Stream Deck Original",
    product_id=0x0060,
    cols=5,
    rows=3,
    key_width=72,
    key_height=72,
    codec=Codec.BMP,
    rotation=Rotation.HALF,
    output_length=8191,
    page_header=16,
    page_payload=7803,  # half of the 15 606 bytes: 54 + 2583 pixels, then 2601 pixels
    first_page=1,
    inputs=InputLayout.BARE,
    input_length=17,
    serial=TextReport(0x03, (17, 32), 5),
    firmware=TextReport(0x04, (17, 32), 5),
    brightness=_OLD_BRIGHTNESS,
    reset=_OLD_RESET,
    counts_from_right=True,
)

_MK2 = DeckModel(
    name="mk2",
    title="Stream Deck MK.2",
    product_id=0x0080,
    cols=5,
    rows=3,
    key_width=72,
    key_height=72,
    codec=Codec.JPEG,
    rotation=Rotation.HALF,
    output_length=1024,
    page_header=8,
    page_payload=1016,
    first_page=0,
    inputs=InputLayout.COMMAND,
    input_length=512,
    serial=TextReport(0x06, (32,), 2),
    firmware=TextReport(0x05, (32, 17), 6),
    brightness=CommandReport(b"\x03\x08", (32, 33, 17, 64)),  # documented: 32; clients send the others, and devices take them
    reset=CommandReport(b"\x03\x02", (32, 17, 64)),
    key_fill=CommandReport(b"\x03\x06", (32, 6)),  # some clients send no padding
    panel_fill=CommandReport(b"\x03\x05", (32, 6)),
    lcd=(480, 272),
    key_gap=(25, 25),  # gaps: measured by the authors of drivers
)
_XL = replace(
    _MK2,
    name="xl",
    title="Stream Deck XL",
    product_id=0x006C,
    cols=8,
    rows=4,
    key_width=96,
    key_height=96,
    lcd=(1024, 600),
    key_gap=(32, 39),
)
_PLUS = replace(
    _MK2,
    name="plus",
    title="Stream Deck +",
    product_id=0x0084,
    cols=4,
    rows=2,
    key_width=120,
    key_height=120,
    rotation=Rotation.NONE,
    dials=4,
    strip=DisplayArea(800, 100, Rotation.NONE),
    lcd=(800, 480),
    key_gap=(99, 40),
)

_ROWS = (
    _MINI,
    replace(_MINI_LATER, name="mini-mk2", title="Stream Deck Mini MK.2", product_id=0x0090),
    replace(_MINI_LATER, name="mini-discord", title="Stream Deck Mini Discord Edition", product_id=0x00B3),
    replace(_MINI_LATER, name="module-6", title="Stream Deck Module 6", product_id=0x00B8),
    _ORIGINAL,
    replace(_MK2, name="original-v2", title="Stream Deck Original V2", product_id=0x006D),
    _MK2,
    replace(_MK2, name="mk2-scissor", title="Stream Deck MK.2 Scissor Keys", product_id=0x00A5),
    replace(_MK2, name="module-15", title="Stream Deck Module 15", product_id=0x00B9),
    _XL,
    replace(_XL, name="xl-v2", title="Stream Deck XL V2", product_id=0x008F),
    replace(_XL, name="module-32", title="Stream Deck Module 32", product_id=0x00BA),
    replace(
        _MK2,
        name="neo",
        title="Stream Deck Neo",
        product_id=0x009A,
        cols=4,
        rows=2,
        key_width=96,
        key_height=96,
        touch_keys=2,
        touch_key_size=(96, 16),
        screen=DisplayArea(248, 58, Rotation.HALF),
        lcd=(480, 320),
        key_gap=(30, 30),
    ),
    _PLUS,
    replace(
        _PLUS,
        name="plus-xl",
        title="Stream Deck + XL",
        product_id=0x00C6,
        cols=9,
        rows=4,
        key_width=112,
        key_height=112,
        rotation=Rotation.CLOCKWISE,
        dials=6,
        strip=DisplayArea(1200, 100, Rotation.CLOCKWISE, sideways=True),
        lcd=None,
    ),
    # 80 × 120 is what one driver sends; another sends 144 × 112. Unverified: no device was available.
    replace(
        _PLUS,
        name="studio",
        title="Stream Deck Studio",
        product_id=0x00AA,
        cols=16,
        key_width=80,
        dials=2,
        strip=None,
        lcd=None,
    ),
    replace(
        _MK2,
        name="pedal",
        title="Stream Deck Pedal",
        product_id=0x0086,
        cols=3,
        rows=1,
        key_width=0,
        key_height=0,
        codec=Codec.NONE,
        rotation=Rotation.NONE,
        output_length=0,
        page_header=0,
        page_payload=0,
        brightness=None,
        reset=None,
        key_fill=None,
        panel_fill=None,
        lcd=None,
    ),
)

MODELS: Mapping[str, DeckModel] = MappingProxyType({row.name: row for row in _ROWS})


# The models that commands offer. The others are later products of the same shapes, and the Studio with its unverified key size.
OFFERED = ("mini", "original", "mk2", "xl", "neo", "plus", "plus-xl", "pedal")


def model_named(name: str) -> DeckModel:
    """Return the row of that name. Raises UsageError, which names the nearest one, for an unknown name."""
    model = MODELS.get(name)
    if model is None:
        nearest = nearest_name(name, MODELS, cutoff=0.0) or "mk2"
        raise UsageError(f"unknown model {name!r}; known: {', '.join(MODELS)}", hint("no such model", model=nearest))
    return model
