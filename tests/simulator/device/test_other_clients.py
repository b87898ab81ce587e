"""Reports that other clients send: fills, pictures of the whole display, unit information, and their lengths.

Sources: docs.elgato.com/streamdeck/hid (general) and the clients @elgato-stream-deck/core 7.6.3, rust-elgato-streamdeck,
ryankurte/rust-streamdeck, StreamDeckSharp, muesli/streamdeck and unix-streamdeck/driver.
"""

import io
import struct

import pytest
from PIL import Image, ImageDraw

from openbalance_hid.simulator.device.models import MODELS, model_named
from openbalance_hid.simulator.device.virtual_deck import FIRMWARE, VirtualDeck
from tests.simulator.device.reports import virtual

FILLS = [name for name, model in MODELS.items() if model.key_fill is not None]
WHOLE = [name for name, model in MODELS.items() if model.lcd is not None]
PADDINGS = [0, 26]
RED, BLUE = (255, 0, 0), (0, 0, 255)


def send(deck: VirtualDeck, head: bytes, picture: Image.Image, header: int = 8) -> None:
    """Send a picture as JPEG in pages. `head`: command and what follows it, up to the last page flag."""
    with io.BytesIO() as file:
        picture.save(file, "JPEG", quality=95, subsampling=0)
        data = file.getvalue()
    size = 1024 - header
    pages = [data[start : start + size] for start in range(0, len(data), size)]
    for index, payload in enumerate(pages):
        numbers = (len(payload), index) if header == 8 else (index, len(payload))
        top = b"\x02" + head + bytes([index == len(pages) - 1]) + struct.pack("<HH", *numbers)
        deck.write((top.ljust(header, b"\0") + payload).ljust(1024, b"\0"))


def is_near(pixel: object, colour: tuple[int, int, int]) -> bool:
    """JPEG changes a colour by a few steps."""
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= 6 for one, other in zip(pixel, colour, strict=True))


def middle(image: Image.Image | None) -> object:
    assert image is not None
    return image.getpixel((image.width // 2, image.height // 2))


def test_every_jpeg_model_has_colour_fills() -> None:
    assert set(FILLS) == {name for name, model in MODELS.items() if model.codec.value == "jpeg"}


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("name", FILLS)
def test_a_key_is_filled_with_a_colour(name: str, padding: int) -> None:
    deck, model = virtual(name), MODELS[name]
    last = model.keys + model.touch_keys - 1
    for key in (0, last):
        deck.send_feature(bytes([0x03, 0x06, key, *RED]) + bytes(padding))
        assert deck.glass(key).getcolors() == [(deck.glass(key).width * deck.glass(key).height, RED)]
    assert deck.glass(1).getbbox() is None
    assert not deck.showing_logo
    deck.send_feature(bytes([0x03, 0x06, last + 1, *RED]) + bytes(padding))
    assert [fault.detail for fault in deck.faults] == [f"key {last + 1}, {name} has keys 0 to {last}"]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("name", FILLS)
def test_the_whole_panel_is_filled_with_a_colour(name: str, padding: int) -> None:
    deck, model = virtual(name), MODELS[name]
    deck.send_feature(bytes([0x03, 0x05, 0, *BLUE]) + bytes(padding))
    assert {middle(deck.glass(key)) for key in range(model.keys)} == {BLUE}
    assert {middle(display) for display in (deck.strip(), deck.screen()) if display is not None} <= {BLUE}
    assert deck.faults == []


@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_of_the_whole_display_reaches_every_key(name: str) -> None:
    deck, model = virtual(name), MODELS[name]
    assert model.lcd is not None
    whole = Image.new("RGB", model.lcd)
    for key in range(model.keys):
        left, top, right, bottom = model.key_box(key)
        assert 0 <= left < right <= model.lcd[0]
        assert 0 <= top < bottom <= model.lcd[1]
        ImageDraw.Draw(whole).rectangle((left, top, right - 1, bottom - 1), (8 * key, 255 - 7 * key, 90))
    if model.beside is not None:
        ImageDraw.Draw(whole).rectangle((0, model.lcd[1] - model.beside.height, *model.lcd), RED)
    send(deck, b"\x08\x00", whole if model.rotation.value == "none" else whole.rotate(180))
    for key in range(model.keys):
        assert is_near(middle(deck.glass(key)), (8 * key, 255 - 7 * key, 90)), key
        assert deck.glass(key).size == (model.key_width, model.key_height)
    assert model.beside is None or is_near(middle(deck.strip() or deck.screen()), RED)
    assert deck.faults == []


def test_one_picture_fills_the_whole_strip_of_a_plus() -> None:
    deck = virtual("plus")
    send(deck, b"\x0b\x00", Image.new("RGB", (800, 100), RED))
    assert is_near(middle(deck.strip()), RED)
    assert deck.faults == []


def test_a_region_of_the_screen_of_a_neo_is_drawn() -> None:
    deck = virtual("neo")
    send(deck, b"\x0c" + struct.pack("<HHHH", 100, 10, 48, 40), Image.new("RGB", (48, 40), RED), header=16)
    screen = deck.screen()
    assert screen is not None
    assert screen.getbbox() == (100, 10, 148, 50)
    assert deck.faults == []


@pytest.mark.parametrize("box", [(0, 0, 1200, 100), (400, 0, 200, 100), (900, 20, 300, 50)])
@pytest.mark.parametrize("swapped", [True, False], ids=["swapped", "as they are"])
def test_the_strip_of_a_plus_xl_takes_both_orders_of_coordinates(box: tuple[int, int, int, int], swapped: bool) -> None:
    deck, (x, y, width, height) = virtual("plus-xl"), box
    numbers = (y, x, height, width) if swapped else box
    send(deck, b"\x0c" + struct.pack("<HHHH", *numbers), Image.new("RGB", (height, width), RED), header=16)
    strip = deck.strip()
    assert deck.faults == []
    assert strip is not None
    assert strip.getbbox() == (x, y, x + width, y + height)


@pytest.mark.parametrize("name", MODELS)
def test_unit_information_holds_rows_columns_and_sizes(name: str) -> None:
    deck, model = virtual(name), MODELS[name]
    if model.lcd is None:
        with pytest.raises(OSError, match="no such feature report"):
            deck.get_feature(0x08, 32)
        assert len(deck.faults) == 1
        return
    expected = (0x08, model.rows, model.cols, model.key_width, model.key_height, *model.lcd)
    report = deck.get_feature(0x08, 32)
    assert len(report) == 32
    assert struct.unpack("<BBBHHHH", report[:11]) == expected


def test_unit_information_of_an_xl_is_that_of_a_real_one() -> None:
    assert virtual("xl").get_feature(0x08, 32)[:11] == bytes.fromhex("080408 6000 6000 0004 5802")


@pytest.mark.parametrize("serial", ["A00SA1234567", "A00SA123456789"])
@pytest.mark.parametrize("name", MODELS)
def test_serial_numbers_of_12_and_14_characters_are_read(name: str, serial: str) -> None:
    deck = VirtualDeck(model_named(name), serial)
    first_generation = MODELS[name].serial.report_id == 0x03
    report = deck.get_feature(0x03 if first_generation else 0x06, 32)
    text = report[5:].split(b"\0")[0] if first_generation else report[2 : 2 + report[1]]
    assert text.decode() == serial
    if first_generation:
        assert deck.get_feature(0x03, 17)[5:].rstrip(b"\0").decode() == serial[:12]
    assert deck.faults == []


@pytest.mark.parametrize("name", MODELS)
def test_the_length_of_the_firmware_report_includes_the_checksum(name: str) -> None:
    deck = virtual(name)
    if MODELS[name].firmware.report_id == 0x05:
        report = deck.get_feature(0x05, 32)
        assert report[1] == 0x0C
        assert report[6 : 2 + report[1]].decode() == FIRMWARE
    else:
        for length in (17, 32):
            assert deck.get_feature(0x04, length)[5:].rstrip(b"\0").decode() == FIRMWARE
    assert deck.faults == []


@pytest.mark.parametrize("name", MODELS)
def test_a_request_for_more_bytes_than_a_report_has_gets_the_report(name: str) -> None:
    deck, model = virtual(name), MODELS[name]
    for layout in (model.serial, model.firmware):
        shortest, longest = min(layout.lengths), max(layout.lengths)
        assert deck.get_feature(layout.report_id, shortest + 1)[:shortest] == deck.get_feature(layout.report_id, shortest)
        assert deck.get_feature(layout.report_id, longest + 1) == deck.get_feature(layout.report_id, longest)  # rust
        assert len(deck.get_feature(layout.report_id, 64)) == longest  # unix-streamdeck
    if model.lcd is not None:
        assert len(deck.get_feature(0x08, 33)) == 32
    assert deck.faults == []


def test_an_original_takes_reports_without_their_padding() -> None:
    deck = virtual("original")
    with io.BytesIO() as file:
        Image.new("RGB", (72, 72), RED).save(file, "BMP")
        data = file.getvalue()
    for number, half in enumerate((data[:7803], data[7803:]), start=1):
        deck.write(bytes([2, 1, number, 0, number == 2, 5]) + bytes(10) + half)
    assert deck.faults == []
    assert deck.glass(0).getcolors() == [(72 * 72, RED)]


@pytest.mark.parametrize(
    ("name", "length"),
    [(name, length) for name in MODELS if name != "pedal" for length in ((17, 32, 64) if name in FILLS else (17, 32))],
)
def test_brightness_and_reset_are_taken_in_the_lengths_that_clients_send(name: str, length: int) -> None:
    deck = virtual(name)
    for later, first in ((b"\x03\x08\x2a", b"\x05\x55\xaa\xd1\x01\x2a"), (b"\x03\x02", b"\x0b\x63")):
        deck.send_feature((later if name in FILLS else first).ljust(length, b"\0"))
    assert deck.faults == []
    assert deck.brightness == 42


@pytest.mark.parametrize("name", FILLS)
def test_the_firmware_is_whole_in_a_request_for_17_bytes(name: str) -> None:
    deck = virtual(name)
    assert deck.get_feature(0x05, 17)[6:].rstrip(b"\0").decode() == FIRMWARE  # ryankurte/rust-streamdeck
    assert deck.faults == []


def test_a_mini_shows_a_picture_with_the_size_of_another_deck_in_its_header() -> None:
    deck = virtual("mini")
    with io.BytesIO() as file:
        Image.new("RGB", (72, 72)).save(file, "BMP")
        data = file.getvalue()[:54] + bytes(reversed(RED)) * 80 * 80
    pages = [data[start : start + 1008] for start in range(0, len(data), 1008)]
    for index, payload in enumerate(pages):
        last = index == len(pages) - 1
        deck.write((bytes([2, 1, index, 0, last, 1]) + bytes(10) + payload).ljust(1024, b"\0"))
    assert deck.glass(0).getcolors() == [(80 * 80, RED)]
    assert [fault.detail for fault in deck.faults] == ["72 × 72 instead of 80 × 80"]
