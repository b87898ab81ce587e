"""The virtual deck: upright pictures from the library's own helper, strictness, fingers, trouble, and hidapi's manners."""

import errno
import io
import threading
from types import ModuleType
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat
from StreamDeck.ImageHelpers import PILHelper

from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport, load_hidapi
from openbalance_hid.simulator.bus import DeviceInfo, VirtualBus
from openbalance_hid.simulator.models import MODELS
from openbalance_hid.simulator.report_decoder import What
from openbalance_hid.simulator.virtual_deck import VirtualDeck

PATIENCE_S = 10.0
VISUAL = [name for name in MODELS if name != "pedal"]


def virtual(name: str = "mk2") -> VirtualDeck:
    return VirtualDeck(MODELS[name], "A00SA1234567")


def library_deck(deck: VirtualDeck) -> Any:
    """The library's own object over the deck, open, without its reading thread."""
    (found,) = find_decks(HidTransport(VirtualBus([deck])))
    found.deck.device.open()
    return found.deck


def asymmetric(size: tuple[int, int]) -> Image.Image:
    """Smooth, so that JPEG is close, and different in each of its eight orientations: red to the right, green downwards."""
    right = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (right, down, Image.new("L", size, 40)))


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of a channel, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def others(image: Image.Image) -> list[Image.Image]:
    turned = [image.transpose(turn) for turn in Image.Transpose]
    return [picture.resize(image.size) for picture in turned]


# --- pictures --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VISUAL)
def test_what_the_librarys_helper_draws_stands_upright_on_every_key(name: str) -> None:
    deck = virtual(name)
    driver = library_deck(deck)
    row = MODELS[name]
    picture = asymmetric((row.key_width, row.key_height))
    for key in (0, row.keys - 1):
        driver.set_key_image(key, PILHelper.to_native_key_format(driver, picture.copy()))
        shown = deck.glass(key)
        assert shown.size == picture.size
        assert distance(shown, picture) < 2  # of 255: quality 100, smooth picture
        assert min(distance(shown, other) for other in others(picture)) > 20
    assert deck.glass(1).getbbox() is None
    assert deck.faults == []


@pytest.mark.parametrize("name", ["mini", "original"])
def test_bmp_pictures_arrive_exactly(name: str) -> None:
    deck = virtual(name)
    driver = library_deck(deck)
    picture = asymmetric(driver.key_image_format()["size"])
    driver.set_key_image(2, PILHelper.to_native_key_format(driver, picture.copy()))
    assert deck.glass(2).tobytes() == picture.tobytes()


@pytest.mark.parametrize("name", ["plus", "plus-xl"])
def test_the_strip_stands_upright(name: str) -> None:
    deck = virtual(name)
    driver = library_deck(deck)
    width, height = driver.touchscreen_image_format()["size"]
    picture = asymmetric((width, height))
    driver.set_touchscreen_image(PILHelper.to_native_touchscreen_format(driver, picture.copy()), 0, 0, width, height)
    assert deck.strip() is not None
    assert distance(deck.strip(), picture) < 2
    assert deck.faults == []


def test_a_part_of_the_strip_changes_that_part_only() -> None:
    deck = virtual("plus")
    driver = library_deck(deck)
    with io.BytesIO() as file:
        Image.new("RGB", (200, 100), "red").save(file, "JPEG")
        driver.set_touchscreen_image(file.getvalue(), 400, 0, 200, 100)
    strip = deck.strip()
    assert strip is not None
    assert strip.getbbox() == (400, 0, 600, 100)


def test_the_screen_of_the_neo_stands_upright() -> None:
    deck = virtual("neo")
    driver = library_deck(deck)
    picture = asymmetric((248, 58))
    driver.set_screen_image(PILHelper.to_native_screen_format(driver, picture.copy()))
    assert deck.screen() is not None
    assert distance(deck.screen(), picture) < 2
    assert deck.faults == []


@pytest.mark.parametrize("name", VISUAL)
def test_the_librarys_own_blank_key_is_black_except_on_the_mini_where_it_is_broken(name: str) -> None:
    deck = virtual(name)
    library_deck(deck).set_key_image(0, None)
    broken = MODELS[name].codec.value == "bmp" and MODELS[name].key_width == 80
    assert [fault.what for fault in deck.faults] == ([What.WRONG_SIZE] if broken else [])
    assert deck.glass(0).getbbox() is None


@pytest.mark.parametrize("name", ["plus", "plus-xl"])
def test_the_librarys_own_blank_strip_lies_on_its_side(name: str) -> None:
    deck = virtual(name)
    library_deck(deck).set_touchscreen_image(None)
    assert [fault.what for fault in deck.faults] == [What.WRONG_SIZE]


def test_glass_can_be_had_as_png() -> None:
    deck = virtual("xl")
    image = Image.open(io.BytesIO(deck.glass_png(31)))
    assert (image.format, image.size) == ("PNG", (96, 96))
    with pytest.raises(IndexError):
        deck.glass_png(32)


def test_a_subscriber_hears_of_each_change_until_it_ends() -> None:
    deck = virtual()
    driver = library_deck(deck)
    heard: list[int] = []
    end = deck.subscribe(heard.append)
    driver.set_key_image(7, None)
    driver.set_brightness(30)
    driver.reset()
    end()
    end()
    driver.set_key_image(8, None)
    assert heard == [7, -1, -1]


# --- strictness ------------------------------------------------------------------------------------------------------------


def jpeg(size: tuple[int, int] = (72, 72), **options: Any) -> bytes:
    with io.BytesIO() as file:
        asymmetric(size).save(file, "JPEG", **options)
        return file.getvalue()


def page(payload: bytes, *, key: int = 0, last: int = 1, index: int = 0, length: int | None = None) -> bytes:
    count = len(payload) if length is None else length
    return (bytes([2, 7, key, last]) + count.to_bytes(2, "little") + index.to_bytes(2, "little") + payload).ljust(1024, b"\0")


NONSENSE = {
    "an empty report": ([b""], What.UNKNOWN_REPORT),
    "an unknown report id": ([b"\x09" + bytes(1023)], What.UNKNOWN_REPORT),
    "an unknown command": ([b"\x02\x44" + bytes(1022)], What.UNKNOWN_REPORT),
    "a strip picture without a strip": ([b"\x02\x0c" + bytes(1022)], What.UNKNOWN_REPORT),
    "a screen picture without a screen": ([b"\x02\x0b" + bytes(1022)], What.UNKNOWN_REPORT),
    "a report too short": ([page(jpeg(quality=1))[:1000]], What.WRONG_LENGTH),
    "a report too long": ([page(jpeg(quality=1)) + b"\0"], What.WRONG_LENGTH),
    "a second page first": ([page(b"x", index=1)], What.PAGE_ORDER),
    "a page left out": ([page(b"x", last=0), page(b"x", index=2)], What.PAGE_ORDER),
    "a page of another key": ([page(b"x", last=0), page(b"x", index=1, key=1)], What.PAGE_ORDER),
    "a picture begun before the last ended": ([page(b"x", last=0), page(b"x", key=1, last=0)], What.UNFINISHED),
    "no payload": ([page(b"")], What.PAYLOAD_LENGTH),
    "a payload longer than its report": ([page(b"x", length=1017)], What.PAYLOAD_LENGTH),
    "a key that is not there": ([page(jpeg(quality=1), key=15)], What.OUT_OF_RANGE),
    "a last page flag of 2": ([page(b"x", last=2)], What.OUT_OF_RANGE),
    "bytes that are no picture": ([page(b"GIF89a")], What.NOT_A_PICTURE),
    "a picture cut short": ([page(jpeg(quality=90)[:900])], What.NOT_A_PICTURE),
    "a progressive picture": ([page(jpeg(quality=1, progressive=True))], What.NOT_A_PICTURE),
    "a picture of another size": ([page(jpeg((80, 80), quality=1))], What.WRONG_SIZE),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_a_fault_and_the_glass_keeps_its_picture(name: str) -> None:
    reports, what = NONSENSE[name]
    deck = virtual()
    assert deck.write(page(jpeg(quality=1))) == 1024
    before = deck.glass(0).tobytes()
    for report in reports:
        assert deck.write(report) == len(report)
    assert [fault.what for fault in deck.faults] == [what]
    assert deck.faults[0].detail
    assert deck.glass(0).tobytes() == before
    assert deck.pictures_received == 1


FEATURE_NONSENSE = {
    "an unknown report": (b"\x07\x01" + bytes(30), What.UNKNOWN_REPORT),
    "an unknown command": (b"\x03\x44" + bytes(30), What.UNKNOWN_REPORT),
    "the older decks' brightness": (b"\x05\x55\xaa\xd1\x01\x32" + bytes(11), What.UNKNOWN_REPORT),
    "a brightness too long": (b"\x03\x08\x32" + bytes(40), What.WRONG_LENGTH),
    "a reset too short": (b"\x03\x02", What.WRONG_LENGTH),
    "brightness 101": (b"\x03\x08\x65" + bytes(29), What.OUT_OF_RANGE),
    "a touch key's colour without touch keys": (b"\x03\x06\x08" + bytes(29), What.UNKNOWN_REPORT),
}


@pytest.mark.parametrize("name", FEATURE_NONSENSE)
def test_a_feature_report_that_makes_no_sense_is_a_fault(name: str) -> None:
    report, what = FEATURE_NONSENSE[name]
    deck = virtual()
    deck.send_feature(report)
    assert [fault.what for fault in deck.faults] == [what]
    assert deck.brightness == 100


def test_a_colour_for_a_key_with_a_picture_is_a_fault() -> None:
    deck = virtual("neo")
    deck.send_feature(b"\x03\x06\x07\xff\xff\xff" + bytes(26))
    assert [fault.what for fault in deck.faults] == [What.OUT_OF_RANGE]


def test_asking_for_a_feature_report_that_is_not_there_fails() -> None:
    deck = virtual()
    with pytest.raises(OSError, match="no such feature report") as failed:
        deck.get_feature(0x55, 32)
    assert failed.value.errno == errno.EPIPE
    assert [fault.what for fault in deck.faults] == [What.UNKNOWN_REPORT]


def test_asking_for_a_feature_report_of_another_length_is_a_fault() -> None:
    deck = virtual()
    deck.get_feature(0x06, 31)
    assert [fault.what for fault in deck.faults] == [What.WRONG_LENGTH]


def test_a_pedal_takes_no_output_report() -> None:
    deck = virtual("pedal")
    deck.write(b"\x02" + bytes(1023))
    assert [fault.what for fault in deck.faults] == [What.UNKNOWN_REPORT]


@pytest.mark.parametrize(
    ("x", "width", "what"), [(700, 200, What.OUT_OF_RANGE), (0, 0, What.OUT_OF_RANGE), (0, 800, What.NOT_A_PICTURE)]
)
def test_a_strip_picture_has_to_lie_within_the_strip(x: int, width: int, what: What) -> None:
    deck = virtual("plus")
    words = b"".join(number.to_bytes(2, "little") for number in (x, 0, width, 100))
    deck.write((b"\x02\x0c" + words + b"\x01\x00\x00\x01\x00\x00x").ljust(1024, b"\0"))
    assert [fault.what for fault in deck.faults] == [what]


def test_a_bmp_that_ends_too_soon_is_a_fault() -> None:
    deck = virtual("mini")
    deck.write(b"\x02\x01\x00\x00\x01\x01" + bytes(1018))
    assert [fault.what for fault in deck.faults] == [What.PAYLOAD_LENGTH]


@pytest.mark.parametrize("name", VISUAL)
def test_the_empty_report_makes_a_begun_picture_forgotten(name: str) -> None:
    deck = virtual(name)
    driver = library_deck(deck)
    picture = PILHelper.to_native_key_format(driver, asymmetric(driver.key_image_format()["size"]))
    sent: list[bytes] = []
    driver.device.write = lambda payload: sent.append(bytes(payload))
    driver.set_key_image(0, picture)
    deck.write(sent[0])
    driver._reset_key_stream()
    for report in sent[-1:] + sent[:-2]:  # the empty report, then the picture from its first page
        deck.write(report)
    assert len(sent) > 2
    assert deck.faults == []


# --- fingers on the wire ---------------------------------------------------------------------------------------------------


def test_a_key_report_of_a_later_deck_is_512_bytes_with_a_length() -> None:
    deck = virtual()
    deck.press(2)
    deck.press(14)
    deck.release(2)
    assert deck.read(512, 0) == (b"\x01\x00\x0f\x00" + bytes(key == 2 for key in range(15))).ljust(512, b"\0")
    assert deck.read(19, 0)[4:] == bytes(key in (2, 14) for key in range(15))
    assert deck.read(19, 0)[4:] == bytes(key == 14 for key in range(15))
    assert deck.read(19, 0) == b""


def test_the_first_original_counts_its_keys_from_the_right() -> None:
    deck = virtual("original")
    deck.press(5)  # the left end of the second row
    assert deck.read(64, 0) == (b"\x01" + bytes(key == 9 for key in range(15))).ljust(17, b"\0")


def test_a_finger_beside_the_deck_is_a_mistake_of_the_caller() -> None:
    for call in (
        lambda: virtual().press(15),
        lambda: virtual().release(-1),
        lambda: virtual().turn(0, 1),
        lambda: virtual().push(0, True),
        lambda: virtual().touch(0, 0),
    ):
        with pytest.raises(IndexError):
            call()


# --- trouble ---------------------------------------------------------------------------------------------------------------


def test_unplugging_wakes_who_waits_and_power_up_shows_the_logo() -> None:
    deck = virtual()
    library_deck(deck).set_key_image(0, jpeg())
    epoch = deck.attach()
    ended: list[int | None] = []

    def wait() -> None:
        try:
            deck.read(19, None, epoch)
        except OSError as error:
            ended.append(error.errno)

    thread = threading.Thread(target=wait)
    thread.start()
    deck.unplug()
    thread.join(PATIENCE_S)
    assert ended == [errno.ENODEV]
    with pytest.raises(OSError, match="no such device"):
        deck.attach()
    deck.plug()
    assert deck.showing_logo
    assert deck.glass(0).getbbox() is None
    assert deck.read(19, 0) == b""


def test_a_dead_handle_stays_dead_while_a_new_one_works() -> None:
    deck = virtual()
    old = deck.attach()
    deck.kill_handle()
    with pytest.raises(OSError, match="no such device"):
        deck.write(page(jpeg(quality=1)), old)
    assert deck.write(page(jpeg(quality=1)), deck.attach()) == 1024


def test_a_stalled_deck_makes_a_write_wait_and_fail() -> None:
    deck = virtual()
    deck.stall(give_up_s=0.01)
    with pytest.raises(OSError, match="timed out"):
        deck.write(page(jpeg(quality=1)))
    assert deck.reports_received == 0
    deck.unstall()
    assert deck.write(page(jpeg(quality=1))) == 1024


def test_a_slow_deck_can_be_unplugged_in_the_middle_of_a_report() -> None:
    deck = virtual()
    deck.slow(PATIENCE_S * 100)
    failed: list[str] = []

    def write() -> None:
        try:
            deck.write(page(jpeg(quality=1)))
        except OSError as error:
            failed.append(str(error.strerror))

    thread = threading.Thread(target=write)
    thread.start()
    deck.unplug()
    thread.join(PATIENCE_S)
    assert failed == ["no such device"]


# --- the manners of hidapi -------------------------------------------------------------------------------------------------


@pytest.fixture(params=["virtual", "real"])
def module(request: pytest.FixtureRequest) -> Any:
    return VirtualBus() if request.param == "virtual" else load_hidapi()


def test_a_handle_that_is_not_open_says_so(module: VirtualBus | ModuleType) -> None:
    handle = module.device()
    for call in (
        lambda: handle.read(5, 10),
        lambda: handle.write(b"\x02"),
        lambda: handle.send_feature_report(b"\x02"),
        lambda: handle.get_feature_report(2, 3),
        lambda: handle.set_nonblocking(1),
    ):
        with pytest.raises(ValueError, match=r"^not open$"):
            call()
    handle.close()
    handle.close()
    assert isinstance(handle.error(), str)


def test_a_path_that_is_not_there_cannot_be_opened_for_no_reason(module: VirtualBus | ModuleType) -> None:
    with pytest.raises(OSError, match=r"^open failed$"):
        module.device().open_path(b"/dev/hidraw-none")


def test_nothing_is_listed_for_a_vendor_without_devices(module: VirtualBus | ModuleType) -> None:
    assert module.enumerate(0xFFFE, 0xFFFE) == []


def test_a_listing_has_the_fields_of_hidapi() -> None:
    words = str(load_hidapi().enumerate.__doc__)
    (info,) = VirtualBus([virtual()]).enumerate(0x0FD9, 0x0080)
    assert set(info) == set(DeviceInfo.__annotations__)
    assert all(f"'{name}'" in words for name in info)
    assert words.count("- '") == len(info)


def test_a_deck_that_is_gone_takes_writes_with_minus_one_and_fails_reads() -> None:
    deck = virtual()
    bus = VirtualBus([deck])
    handle = bus.device()
    handle.open_path(deck.path.encode())
    assert handle.read(19, 1) == []
    deck.unplug()
    assert handle.write(b"\x02" + bytes(1023)) == -1
    assert handle.send_feature_report(b"\x03\x02" + bytes(30)) == -1
    for call in (lambda: handle.read(19, 1000), lambda: handle.get_feature_report(6, 32)):
        with pytest.raises(OSError, match=r"^read error$"):
            call()
    assert handle.error() == "no such device"
    assert bus.enumerate() == []


def test_the_bus_says_why_a_deck_cannot_be_opened() -> None:
    deck = virtual()
    bus = VirtualBus()
    path = deck.path.encode()
    assert getattr(bus.why_not(path), "errno", None) == errno.ENOENT
    bus.plug(deck)
    assert bus.why_not(path) is None
    deck.refuse()
    assert getattr(bus.why_not(path), "errno", None) == errno.EACCES
    deck.refuse(False)
    deck.own()
    assert getattr(bus.why_not(path), "errno", None) == errno.EBUSY
