"""The exact bytes that each model receives for a known picture, a brightness and a reset.

The expected bytes come from docs.elgato.com/streamdeck/hid and, for models that are missing there (Plus XL, Studio), from what
other drivers agree on; not from the library or the simulator. They include what a device ignores: padding, an extra byte.
"""

import pytest

from openbalance_hid.simulator.device.models import MODELS
from tests.deck.rig import Rig, plain
from tests.waiting import PATIENCE_S

# name: keys, length of the brightness report
LATER = {
    "original-v2": (15, 33),
    "mk2": (15, 33),
    "mk2-scissor": (15, 33),
    "module-15": (15, 33),
    "xl": (32, 33),
    "xl-v2": (32, 33),
    "module-32": (32, 33),
    "neo": (8, 33),
    "plus": (8, 32),
    "plus-xl": (36, 32),
    "studio": (32, 32),
}
MINIS = ("mini", "mini-mk2", "mini-discord", "module-6")
OLD_ORDERS = [b"\x05\x55\xaa\xd1\x01\x28" + bytes(11), b"\x0b\x63" + bytes(15)]


def sent(rig: Rig, key: int, picture: bytes) -> list[bytes]:
    """Return the output reports for the picture on that key, without the first, which ends a picture left unfinished."""
    device = rig.open()
    device.show(key, picture)
    device.set_brightness(40)
    assert device.flush(PATIENCE_S)
    device.close("logo")
    assert device.reports_sent == rig.deck.reports_received == len(rig.deck.outputs) + len(rig.deck.features)
    first, *pages = rig.deck.outputs
    assert first == b"\x02" + bytes(len(first) - 1)
    return pages


def test_every_model_has_a_test() -> None:
    assert {*LATER, *MINIS, "original", "pedal"} == set(MODELS)


@pytest.mark.parametrize("name", LATER)
def test_a_later_deck_gets_pages_of_1016_bytes_with_length_and_number(make_rig, name: str) -> None:
    keys, length = LATER[name]
    rig = make_rig(name)
    picture = plain(rig.device(), "red").ljust(2000, b"\0")  # bytes after the end of a JPEG are ignored
    for key in (0, keys - 1):
        rig.deck.outputs.clear()
        rig.deck.features.clear()
        rig.deck.reports_received = 0
        assert sent(rig, key, picture) == [
            b"\x02\x07" + bytes([key]) + b"\x00\xf8\x03\x00\x00" + picture[:1016],
            b"\x02\x07" + bytes([key]) + b"\x01\xd8\x03\x01\x00" + picture[1016:] + bytes(1024 - 8 - 984),
        ]
        assert rig.deck.features == [b"\x03\x08\x28" + bytes(length - 3), b"\x03\x02" + bytes(30)]


@pytest.mark.parametrize("name", MINIS)
def test_a_mini_gets_twenty_pages_counted_from_zero_with_keys_from_one(make_rig, name: str) -> None:
    rig = make_rig(name)
    picture = plain(rig.device(), "red")
    pages = sent(rig, 5, picture)
    assert [page[:16] for page in pages] == [bytes([2, 1, index, 0, index == 19, 6]) + bytes(10) for index in range(20)]
    assert b"".join(page[16:] for page in pages) == picture.ljust(20 * 1008, b"\0")
    assert rig.deck.features == OLD_ORDERS


def test_the_first_original_gets_two_pages_from_one_with_keys_from_the_right(make_rig) -> None:
    rig = make_rig("original")
    picture = plain(rig.device(), "red")
    first, second = sent(rig, 0, picture)
    assert first == b"\x02\x01\x01\x00\x00\x05" + bytes(10) + picture[:7803] + bytes(372)
    assert second == b"\x02\x01\x02\x00\x01\x05" + bytes(10) + picture[7803:] + bytes(372)
    assert rig.deck.features == OLD_ORDERS


def test_the_pedal_is_sent_nothing(make_rig) -> None:
    rig = make_rig("pedal")
    device = rig.open()
    device.show(0, b"picture")
    device.set_brightness(40)
    device.close("logo")
    assert (rig.deck.outputs, rig.deck.features) == ([], [])


@pytest.mark.parametrize(
    ("name", "place"),
    [("plus", "c800 0000 c800 6400"), ("plus-xl", "0000 c800 6400 c800")],  # x, y, width, height; the XL's lies on its side
)
def test_a_part_of_the_strip_is_sent_with_its_position_in_pages_of_1008_bytes(make_rig, name: str, place: str) -> None:
    rig = make_rig(name)
    device = rig.open()
    rig.deck.outputs.clear()
    picture = bytes(range(256)) * 5
    device.show_strip(picture, 200, 200)
    assert device.flush(PATIENCE_S)
    head = b"\x02\x0c" + bytes.fromhex(place)
    assert rig.deck.outputs == [
        head + b"\x00\x00\x00\xf0\x03\x00" + picture[:1008],
        head + b"\x01\x01\x00\x10\x01\x00" + picture[1008:] + bytes(1024 - 16 - 272),
    ]


def test_the_neo_gets_a_screen_picture_without_a_key_number_and_touch_key_colours(make_rig) -> None:
    rig = make_rig("neo")
    device = rig.open()
    rig.deck.outputs.clear()
    device.show_screen(b"\xff" * 10)
    device.light(1, (1, 2, 3))
    assert device.flush(PATIENCE_S)
    assert rig.deck.outputs == [b"\x02\x0b\x00\x01\x0a\x00\x00\x00" + b"\xff" * 10 + bytes(1024 - 18)]
    assert rig.deck.features == [b"\x03\x06\x09\x01\x02\x03" + bytes(26)]
