"""The pictures of users: drawn in their own colours and proportions, and no trouble when they cannot be decoded."""

from io import BytesIO

import pytest
from PIL import Image

from openbalance_hid.render.draw import draw
from openbalance_hid.render.icons import picture_image
from openbalance_hid.tiles.view import Icon, IconPicture, KeyFace, Notice, TileView


def png(width: int, height: int, mode: str = "RGBA", colour: object = (255, 0, 0, 255)) -> IconPicture:
    with BytesIO() as out:
        Image.new(mode, (width, height), colour).save(out, "PNG")
        return IconPicture(f"/{width}x{height}.png", out.getvalue())


def face(icon: Icon | IconPicture) -> KeyFace:
    return KeyFace(TileView("command", "", (Notice(icon, "Light"),), "Light"))


def reds(image: Image.Image) -> int:
    return sum(count for count, (red, green, blue) in image.getcolors(1 << 20) if red > 180 and green < 80 and blue < 80)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (16, 16), (256, 256), (1024, 4), (3, 700)])
def test_a_picture_of_any_proportions_fills_its_square(width, height):
    image = picture_image(png(width, height), 24)
    assert image is not None
    assert image.size == (24, 24)
    left, top, right, bottom = image.getbbox()
    assert max(right - left, bottom - top) == 24


@pytest.mark.parametrize(
    ("mode", "colour"), [("RGB", (255, 0, 0)), ("P", 0), ("L", 200), ("LA", (200, 255)), ("1", 1), ("I;16", 40000)]
)
def test_every_kind_of_png_is_drawn(mode, colour):
    assert picture_image(png(8, 8, mode, colour), 16) is not None
    assert draw(face(png(8, 8, mode, colour)), 72, 72).size == (72, 72)


def test_a_picture_with_16_bits_a_pixel_keeps_its_brightness():
    assert picture_image(png(8, 8, "I;16", 0x4000), 16).getpixel((8, 8)) == (0x40, 0x40, 0x40, 255)


@pytest.mark.parametrize("size", [(72, 72), (96, 96), (120, 120)])
def test_a_picture_is_on_the_key_in_its_own_colours(size):
    assert reds(draw(face(png(32, 32)), *size)) > 200
    assert reds(draw(face(Icon.LIGHT), *size)) == 0


def test_a_transparent_picture_shows_the_ground():
    assert draw(face(png(32, 32, colour=(255, 0, 0, 0))), 72, 72).getpixel((36, 20)) == draw(
        KeyFace(TileView("command", "", (Notice(Icon.LIGHT, "Light"),), "Light")), 72, 72
    ).getpixel((2, 36))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", png(8, 8).png[:45], png(1025, 1).png])
def test_a_picture_that_cannot_be_decoded_is_a_warning(content):
    broken = IconPicture("/broken.png", content)
    assert picture_image(broken, 16) is None
    assert draw(face(broken), 72, 72).tobytes() != draw(face(Icon.LIGHT), 72, 72).tobytes()


def test_the_content_of_a_picture_is_in_no_log_or_error():
    assert repr(png(4, 4)) == "IconPicture('/4x4.png')"
