"""The bytes for the decks: turned and flipped as the library does it, sharp in colour, small; the caller's picture stays."""

import io
import statistics

import pytest
from PIL import Image, ImageChops, JpegImagePlugin
from StreamDeck.Devices.StreamDeckMini import StreamDeckMini
from StreamDeck.Devices.StreamDeckNeo import StreamDeckNeo
from StreamDeck.Devices.StreamDeckOriginal import StreamDeckOriginal
from StreamDeck.Devices.StreamDeckOriginalV2 import StreamDeckOriginalV2
from StreamDeck.Devices.StreamDeckPlus import StreamDeckPlus
from StreamDeck.Devices.StreamDeckPlusXL import StreamDeckPlusXL
from StreamDeck.Devices.StreamDeckStudio import StreamDeckStudio
from StreamDeck.Devices.StreamDeckXL import StreamDeckXL
from StreamDeck.ImageHelpers import PILHelper

from openbalance_hid.render.draw import draw
from openbalance_hid.render.encode import PictureFormat, black, encode
from tests.render.faces import STATES

MODELS = (
    StreamDeckMini,
    StreamDeckNeo,
    StreamDeckOriginal,
    StreamDeckOriginalV2,
    StreamDeckPlus,
    StreamDeckPlusXL,
    StreamDeckStudio,
    StreamDeckXL,
)
REPORT_PAYLOAD = 1016  # bytes: a report of 1024 less its header of 8


def decoded(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def library_format(model):
    """The format as the library states it for a model, without a device."""
    return model.key_image_format(model)  # reads class attributes only


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [(False, False), (True, False), (False, True), (True, True)])
def test_turns_and_flips_are_those_of_the_library_pixel_for_pixel(flip, rotation):
    mapping = {"size": (80, 120), "format": "BMP", "flip": flip, "rotation": rotation}
    image = draw(STATES["balance"], 80, 120)
    theirs = PILHelper._to_native_format(image.copy(), mapping)
    assert decoded(encode(image, PictureFormat.of(mapping))).tobytes() == decoded(theirs).tobytes()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_model_gets_its_own_format(model):
    mapping = library_format(model)
    image = draw(STATES["top"], *mapping["size"])
    ours, theirs = encode(image, PictureFormat.of(mapping)), PILHelper._to_native_format(image.copy(), mapping)
    assert Image.open(io.BytesIO(ours)).format == mapping["format"] == Image.open(io.BytesIO(theirs)).format
    assert Image.open(io.BytesIO(ours)).size == Image.open(io.BytesIO(theirs)).size
    difference = ImageChops.difference(decoded(ours), decoded(theirs)).convert("L")
    mean = sum(level * number for level, number in enumerate(difference.histogram())) / (image.width * image.height)
    assert mean < 3  # of 255: only what JPEG does; a wrong turn makes it ten times that


def test_colour_keeps_its_full_resolution():
    data = encode(draw(STATES["negative"], 72, 72), PictureFormat(72, 72, "JPEG"))
    assert JpegImagePlugin.get_sampling(Image.open(io.BytesIO(data))) == 0


def test_bitmaps_have_24_bits():
    data = encode(draw(STATES["negative"], 80, 80), PictureFormat(80, 80, "BMP"))
    assert int.from_bytes(data[28:30], "little") == 24
    assert len(data) == 54 + 80 * 80 * 3


def test_a_tile_of_72_px_takes_about_three_reports():
    reports = []
    for face in STATES.values():
        data = encode(draw(face, 72, 72), PictureFormat(72, 72, "JPEG", flip_x=True, flip_y=True))
        reports.append(-(-len(data) // REPORT_PAYLOAD))
    assert statistics.median(reports) <= 3
    assert max(reports) <= 5


def test_the_callers_picture_is_left_as_it_was():
    image = draw(STATES["balance"], 96, 96).convert("RGBA")
    before = (image.mode, image.size, image.tobytes())
    encode(image, PictureFormat(72, 72, "JPEG", True, True, 90))
    assert (image.mode, image.size, image.tobytes()) == before


def test_a_picture_of_another_size_is_scaled():
    assert decoded(encode(draw(STATES["balance"], 96, 96), PictureFormat(72, 72, "JPEG"))).size == (72, 72)


def test_the_same_picture_gives_the_same_bytes():
    one, other = (encode(draw(STATES["top"], 72, 72), PictureFormat(72, 72, "JPEG")) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("codec", ["JPEG", "BMP"])
def test_black_is_black_and_of_the_right_size(codec):
    image = decoded(black(PictureFormat(80, 120, codec, rotation=90)))
    assert image.size == (120, 80)
    assert image.getcolors() == [(80 * 120, (0, 0, 0))]
