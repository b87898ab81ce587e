"""The virtual deck: upright pictures from the library's own helper, input reports, faults."""

import errno
import io
import threading

import pytest
from PIL import Image, ImageChops, ImageStat
from StreamDeck.ImageHelpers import PILHelper

from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.report_decoder import FaultKind
from tests.simulator.device.reports import VISUAL, asymmetric, jpeg, library_deck, page, virtual
from tests.waiting import PATIENCE_S


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of a channel, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def others(image: Image.Image) -> list[Image.Image]:
    turned = [image.transpose(turn) for turn in Image.Transpose]
    return [picture.resize(image.size) for picture in turned]


# --- pictures --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VISUAL)
def test_pictures_of_the_librarys_helper_are_upright_on_every_key(name: str) -> None:
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
def test_the_strip_is_upright(name: str) -> None:
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


def test_the_screen_of_the_neo_is_upright() -> None:
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
    assert [fault.what for fault in deck.faults] == ([FaultKind.WRONG_SIZE] if broken else [])
    assert deck.glass(0).getbbox() is None


@pytest.mark.parametrize("name", ["plus", "plus-xl"])
def test_the_librarys_own_blank_strip_lies_on_its_side(name: str) -> None:
    deck = virtual(name)
    library_deck(deck).set_touchscreen_image(None)
    assert [fault.what for fault in deck.faults] == [FaultKind.WRONG_SIZE]


def test_a_key_picture_is_available_as_png() -> None:
    deck = virtual("xl")
    image = Image.open(io.BytesIO(deck.glass_png(31)))
    assert (image.format, image.size) == ("PNG", (96, 96))
    with pytest.raises(IndexError):
        deck.glass_png(32)


def test_a_subscriber_gets_each_change_until_it_unsubscribes() -> None:
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


# --- input reports ---------------------------------------------------------------------------------------------------------


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


def test_an_unknown_key_dial_or_strip_raises_index_error() -> None:
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


def test_unplugging_wakes_waiting_reads_and_power_up_shows_the_logo() -> None:
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


def test_an_old_handle_stays_invalid_while_a_new_one_works() -> None:
    deck = virtual()
    old = deck.attach()
    deck.kill_handle()
    with pytest.raises(OSError, match="no such device"):
        deck.write(page(jpeg(quality=1)), old)
    assert deck.write(page(jpeg(quality=1)), deck.attach()) == 1024


def test_a_stalled_deck_makes_a_write_wait_and_fail() -> None:
    deck = virtual()
    deck.stall(timeout_s=0.01)
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
