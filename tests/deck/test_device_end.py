"""An open deck on a virtual one, at its end: how it is lost, and what its display shows afterwards."""

import pytest

from openbalance_hid.deck.device_events import DeckLost, KeyEvent
from openbalance_hid.simulator.device.models import MODELS
from tests.deck.rig import SERIAL, MakeRig, Rig, flat, is_plain, plain
from tests.waiting import PATIENCE_S, until_no_thread

# --- loss ------------------------------------------------------------------------------------------------------------------


def lost_once(rig: Rig) -> DeckLost:
    """Return the loss, after the end of every thread that could report it again."""
    lost = rig.next(DeckLost)
    for device in rig.devices:
        assert device.wait_released(PATIENCE_S)
        until_no_thread(f"deck-reader-{device.serial}")
        until_no_thread(f"deck-writer-{device.serial}")
    assert rig.count(DeckLost) == 0
    return lost


def test_unplugging_an_idle_deck_is_reported_once(rig: Rig) -> None:
    device = rig.open()
    rig.deck.unplug()
    assert lost_once(rig) == DeckLost(SERIAL, f"lost deck at {rig.deck.path}: no such device")
    assert device.is_lost
    device.close()


def test_unplugging_in_the_middle_of_a_picture_is_reported_once(rig: Rig) -> None:
    device = rig.open()
    rig.hang_in_a_write(device, plain(device, "red"))
    rig.deck.unplug()
    assert "no such device" in lost_once(rig).reason
    device.show(0, plain(device, "blue"))
    assert not device.flush(0)
    device.close()


def test_a_deck_that_hangs_is_lost_and_delays_no_other(make_rig: MakeRig) -> None:
    hung, other = make_rig(serial="HUNG"), make_rig(serial="OTHER")
    hung_device, other_device = hung.open(), other.open()
    hung.hang_in_a_write(hung_device, plain(hung_device, "red"))
    other_device.show(0, plain(other_device, "blue"))
    assert other_device.flush(PATIENCE_S)
    assert is_plain(other.deck.glass(0), "blue")
    hung.deck.unstall()
    assert hung_device.flush(PATIENCE_S)
    hung.deck.stall(timeout_s=0.01)
    hung_device.show(0, plain(hung_device, "white"))
    assert hung.next(DeckLost) == DeckLost("HUNG", f"lost deck at {hung.deck.path}: connection timed out")
    assert not hung_device.flush(0)


def test_after_a_suspend_the_deck_is_lost_and_opens_again_at_the_same_path(rig: Rig) -> None:
    first = rig.open()
    first.show(0, plain(first, "red"))
    assert first.flush(PATIENCE_S)
    rig.deck.kill_handle()
    lost_once(rig)
    first.close()
    second = rig.open()
    second.show(0, plain(second, "red"))
    assert second.flush(PATIENCE_S)
    assert is_plain(rig.deck.glass(0), "red")


def test_a_reader_that_dies_of_a_bug_is_a_loss_too(rig: Rig) -> None:
    def emit(event: object) -> None:
        if isinstance(event, KeyEvent):
            raise RuntimeError("a bug")
        rig.events.put(event)

    device = rig.device(emit)
    device.open()
    rig.deck.press(0)
    assert rig.next(DeckLost).reason == f"lost deck at {rig.deck.path}: the reader ended"
    device.close()


def test_invalid_reports_from_the_device_do_not_end_the_reader(make_rig: MakeRig) -> None:
    for model in ("mk2", "original", "plus", "plus-xl", "studio"):
        rig = make_rig(model)
        rig.open()
        for report in (b"\x01", b"\x01\x02", b"\x01\x03\xff\xff\xff", b"\x01\x7f" + bytes(510)):
            rig.deck.send_raw(report)
        rig.deck.press(1)
        assert rig.next(KeyEvent) is not None
        assert rig.count(DeckLost) == 0


# --- closing ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [name for name in MODELS if name != "pedal"])
def test_closing_leaves_every_key_black(make_rig: MakeRig, model: str) -> None:
    rig = make_rig(model)
    device = rig.open()
    for key in range(device.key_count):
        device.show(key, plain(device, "red"))
    assert device.flush(PATIENCE_S)
    device.close("black", black=plain(device, "black"))
    assert all(is_plain(rig.deck.glass(key), "black") for key in range(device.key_count))
    assert rig.deck.pictures_received == 2 * device.key_count
    assert rig.deck.faults == []
    assert rig.count(DeckLost) == 0


@pytest.mark.parametrize(("model", "size"), [("plus", (800, 100)), ("plus-xl", (100, 1200)), ("neo", (248, 58))])
def test_closing_leaves_strip_and_screen_and_touch_keys_black_too(make_rig: MakeRig, model: str, size: tuple[int, int]) -> None:
    rig = make_rig(model)
    device = rig.open()
    red, black = flat(size, "red", "JPEG"), flat(size, "black", "JPEG")
    device.show_strip(red)
    device.show_screen(red)
    for touch_key in range(device.touch_key_count):
        device.light(touch_key, (255, 255, 255))
    assert device.flush(PATIENCE_S)
    assert is_plain(rig.deck.strip() or rig.deck.screen(), "red")
    device.close("black", black=plain(device, "black"), black_strip=black, black_screen=black)
    assert is_plain(rig.deck.strip() or rig.deck.screen(), "black")
    assert all(is_plain(rig.deck.glass(device.key_count + number), "black") for number in range(device.touch_key_count))
    assert not rig.deck.showing_logo
    assert rig.deck.faults == []


def test_a_strip_without_a_black_picture_makes_closing_leave_the_logo(make_rig: MakeRig) -> None:
    rig = make_rig("plus")
    device = rig.open()
    device.show_strip(flat((800, 100), "red", "JPEG"))
    assert device.flush(PATIENCE_S)
    device.close("black", black=plain(device, "black"))
    assert rig.deck.showing_logo
    assert is_plain(rig.deck.strip(), "black")


def test_closing_can_leave_the_logo(rig: Rig) -> None:
    device = rig.open()
    device.show(0, plain(device, "red"))
    assert device.flush(PATIENCE_S)
    assert not rig.deck.showing_logo
    device.close("logo")
    assert rig.deck.showing_logo
    assert is_plain(rig.deck.glass(0), "black")


def test_closing_can_keep_the_glass_as_it_is_and_writes_nothing(rig: Rig) -> None:
    device = rig.open()
    device.show(0, plain(device, "red"))
    assert device.flush(PATIENCE_S)
    received = rig.deck.reports_received
    device.close("keep")
    assert rig.deck.reports_received == received
    assert is_plain(rig.deck.glass(0), "red")


def test_without_a_black_picture_closing_leaves_the_logo_rather_than_live_numbers(rig: Rig) -> None:
    device = rig.open()
    device.show(0, plain(device, "red"))
    assert device.flush(PATIENCE_S)
    device.close("black")
    assert rig.deck.showing_logo


def test_closing_twice_and_showing_afterwards_is_harmless(rig: Rig) -> None:
    device = rig.open()
    device.close("black", black=plain(device, "black"))
    received = rig.deck.reports_received
    device.close("logo")
    device.show(0, plain(device, "red"))
    device.set_brightness(10)
    assert rig.deck.reports_received == received
    assert rig.count(DeckLost) == 0


def test_a_hung_deck_does_not_delay_the_end(rig: Rig) -> None:
    device = rig.open()
    rig.hang_in_a_write(device, plain(device, "red"))
    device.close("black", black=plain(device, "black"))  # returns although the write still hangs
    assert rig.deck.hosts_waiting == 1
    rig.deck.unstall()
    assert device.wait_released(PATIENCE_S)
    assert rig.count(DeckLost) == 0


def test_a_closed_deck_can_be_opened_again(rig: Rig) -> None:
    rig.open().close("logo")
    second = rig.open()
    second.show(0, plain(second, "red"))
    assert second.flush(PATIENCE_S)
    assert is_plain(rig.deck.glass(0), "red")


def test_no_event_comes_after_closing(rig: Rig) -> None:
    device = rig.open()
    device.close("logo")
    rig.deck.press(0)
    assert device.wait_released(PATIENCE_S)
    (found,) = rig.found
    found.deck.key_callback(found.deck, 0, True)  # as from a reader that had the report when the deck was closed
    assert rig.count(KeyEvent) == 0
