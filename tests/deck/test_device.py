"""An open deck on a virtual one: how it is opened, which events it emits, and what its display shows."""

import threading
from typing import Any

import pytest

from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.device_events import (
    CELL_PX,
    DeckArrived,
    DialPushed,
    DialTurned,
    KeyEvent,
    StripTouched,
    TouchKeyEvent,
    TouchKind,
)
from openbalance_hid.errors import DeckBusyError, DeckGoneError, DeckRefusedError
from openbalance_hid.simulator.device.models import MODELS
from tests.deck.rig import SERIAL, MakeRig, Rig, flat, is_plain, plain
from tests.waiting import PATIENCE_S

# --- opening ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_an_opened_deck_reports_its_model_serial_and_firmware(make_rig: MakeRig, model: str) -> None:
    rig = make_rig(model)
    device = rig.open()
    arrived = rig.next(DeckArrived)
    assert (arrived.serial, arrived.model, arrived.title, arrived.path) == (SERIAL, model, MODELS[model].title, rig.deck.path)
    assert (arrived.key_count, arrived.visual) == (MODELS[model].keys, MODELS[model].key_width > 0)
    assert arrived.cells == (MODELS[model].strip.width // CELL_PX if MODELS[model].strip is not None else 0)
    assert (arrived.dials, arrived.touch_keys) == (MODELS[model].dials, MODELS[model].touch_keys)
    assert arrived.screen is (MODELS[model].screen is not None)
    assert device.serial == SERIAL
    assert device.firmware == "1.00.004"
    assert (device.key_count, device.cols, device.rows) == (MODELS[model].keys, MODELS[model].cols, MODELS[model].rows)
    assert device.is_visual == (model != "pedal")
    assert rig.deck.faults == []


def test_the_serial_is_complete_although_the_library_cuts_it_on_some_models(make_rig: MakeRig) -> None:
    rig = make_rig("plus")
    device = rig.open()
    assert rig.found[0].deck.get_serial_number() == SERIAL[3:]
    assert device.serial == SERIAL


def test_threads_have_the_serial_of_their_deck_in_their_names(rig: Rig) -> None:
    rig.open()
    rig.deck.press(0)
    rig.next(KeyEvent)
    names = {thread.name for thread in threading.enumerate()}
    assert f"deck-writer-{SERIAL}" in names
    assert f"deck-reader-{SERIAL}" in names


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (lambda deck: deck.refuse(), DeckRefusedError),
        (lambda deck: deck.own(), DeckBusyError),
        (lambda deck: deck.unplug(), DeckGoneError),
        (lambda deck: deck.stall(timeout_s=0.01), DeckGoneError),
    ],
    ids=["refused", "busy", "gone", "hung"],
)
def test_a_deck_that_cannot_be_opened_raises_and_emits_nothing(rig: Rig, trouble: Any, error: type[Exception]) -> None:
    device = rig.device()
    trouble(rig.deck)
    with pytest.raises(error, match=f"cannot open deck at {rig.deck.path}: "):
        device.open()
    assert rig.events.empty()
    device.close()
    assert device.wait_released(PATIENCE_S)


def test_a_busy_deck_can_be_opened_once_it_is_free(rig: Rig) -> None:
    rig.deck.own()
    device = rig.device()
    with pytest.raises(DeckBusyError):
        device.open()
    rig.deck.own(False)
    rig.open()
    assert rig.next(DeckArrived).serial == SERIAL


# --- input events ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_every_key_arrives_under_the_users_number(make_rig: MakeRig, model: str) -> None:
    rig = make_rig(model)
    device = rig.open()
    for key in range(device.key_count):
        rig.deck.press(key)
        assert rig.next(KeyEvent) == KeyEvent(SERIAL, key, True, 42.0)
        rig.deck.release(key)
        assert rig.next(KeyEvent) == KeyEvent(SERIAL, key, False, 42.0)


def test_two_keys_at_once_are_two_presses(rig: Rig) -> None:
    rig.open()
    rig.deck.press(1)
    rig.deck.press(7)
    rig.deck.release(1)
    seen = [rig.next(KeyEvent) for _ in range(3)]
    assert [(event.key, event.down) for event in seen] == [(1, True), (7, True), (1, False)]


def test_touch_keys_of_the_neo_are_no_keys(make_rig: MakeRig) -> None:
    rig = make_rig("neo")
    rig.open()
    rig.deck.press(9)
    assert rig.next(TouchKeyEvent) == TouchKeyEvent(SERIAL, 1, True, 42.0)
    assert rig.count(KeyEvent) == 0


@pytest.mark.parametrize("model", ["plus", "plus-xl", "studio"])
def test_dials_turn_both_ways_and_are_pushed(make_rig: MakeRig, model: str) -> None:
    rig = make_rig(model)
    rig.open()
    last = MODELS[model].dials - 1
    rig.deck.turn(last, 3)
    rig.deck.turn(0, -2)
    rig.deck.push(1, True)
    rig.deck.push(1, False)
    assert rig.next(DialTurned) == DialTurned(SERIAL, last, 3, 42.0)
    assert rig.next(DialTurned) == DialTurned(SERIAL, 0, -2, 42.0)
    assert rig.next(DialPushed) == DialPushed(SERIAL, 1, True, 42.0)
    assert rig.next(DialPushed) == DialPushed(SERIAL, 1, False, 42.0)


@pytest.mark.parametrize("model", ["plus", "plus-xl"])
def test_the_strip_reports_tap_hold_and_drag(make_rig: MakeRig, model: str) -> None:
    rig = make_rig(model)
    rig.open()
    rig.deck.touch(700, 99)
    rig.deck.touch(3, 4, long=True)
    rig.deck.drag(10, 20, 600, 30)
    assert rig.next(StripTouched) == StripTouched(SERIAL, TouchKind.TAP, 700, 99, 700, 99, 42.0)
    assert rig.next(StripTouched) == StripTouched(SERIAL, TouchKind.HOLD, 3, 4, 3, 4, 42.0)
    assert rig.next(StripTouched) == StripTouched(SERIAL, TouchKind.DRAG, 10, 20, 600, 30, 42.0)


# --- pictures --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [name for name in MODELS if name != "pedal"])
def test_every_key_shows_its_own_picture(make_rig: MakeRig, model: str) -> None:
    rig = make_rig(model)
    device = rig.open()
    colours = ["red", "lime", "blue", "white", "yellow", "cyan", "magenta"]
    for key in range(device.key_count):
        device.show(key, plain(device, colours[key % 7]))
    assert device.flush(PATIENCE_S)
    assert [is_plain(rig.deck.glass(key), colours[key % 7]) for key in range(device.key_count)] == [True] * device.key_count
    assert device.images_sent == rig.deck.pictures_received == device.key_count
    assert rig.deck.faults == []


def test_bytes_that_are_shown_already_are_not_sent(rig: Rig) -> None:
    device = rig.open()
    device.show(4, plain(device, "red"))
    assert device.flush(PATIENCE_S)
    reports = device.reports_sent
    device.show(4, plain(device, "red"))
    assert device.flush(PATIENCE_S)
    assert (device.reports_sent, device.images_sent, device.images_skipped) == (reports, 1, 1)
    device.show(4, plain(device, "blue"))
    assert device.flush(PATIENCE_S)
    assert is_plain(rig.deck.glass(4), "blue")


def test_the_newest_picture_of_a_key_wins_while_the_deck_is_slow(rig: Rig) -> None:
    device = rig.open()
    rig.hang_in_a_write(device, plain(device, "red"))
    for colour in ("lime", "blue", "white"):
        device.show(0, plain(device, colour))
    rig.deck.unstall()
    assert device.flush(PATIENCE_S)
    assert is_plain(rig.deck.glass(0), "white")
    assert rig.deck.pictures_received == 2
    assert device.images_skipped == 2


def test_going_back_to_the_picture_that_is_being_sent_sends_nothing_more(rig: Rig) -> None:
    device = rig.open()
    rig.hang_in_a_write(device, plain(device, "red"))
    device.show(0, plain(device, "blue"))
    device.show(0, plain(device, "red"))
    rig.deck.unstall()
    assert device.flush(PATIENCE_S)
    assert is_plain(rig.deck.glass(0), "red")
    assert rig.deck.pictures_received == 1


def test_keys_shown_by_many_threads_never_mix_their_pages(make_rig: MakeRig) -> None:
    rig = make_rig("mini")
    device = rig.open()
    pictures = [plain(device, colour) for colour in ("red", "lime", "blue")]

    def show_all() -> None:
        for picture in pictures * 3:
            for key in range(device.key_count):
                device.show(key, picture)

    threads = [threading.Thread(target=show_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert device.flush(PATIENCE_S)
    assert rig.deck.faults == []


def draw_as_another_program(rig: Rig) -> None:
    """Draw on the same deck, dim it and leave: the device under test notices nothing of it."""
    other = DeckDevice(rig.find(), lambda _: None)
    other.open()
    other.set_brightness(7)
    for key in range(other.key_count):
        other.show(key, plain(other, "magenta"))
    assert other.flush(PATIENCE_S)
    other.close("keep")


def test_a_repaint_replaces_what_another_program_has_drawn_and_dimmed(rig: Rig) -> None:
    device = rig.open()
    device.set_brightness(60)
    for key in range(device.key_count):
        device.show(key, plain(device, "lime"))
    assert device.flush(PATIENCE_S)
    draw_as_another_program(rig)
    device.show(0, plain(device, "lime"))
    assert device.flush(PATIENCE_S)
    assert is_plain(rig.deck.glass(0), "magenta"), "the device believes that the key is lime"
    device.repaint()
    assert device.flush(PATIENCE_S)
    assert [is_plain(rig.deck.glass(key), "lime") for key in range(device.key_count)] == [True] * device.key_count
    assert rig.deck.brightness == 60
    assert rig.deck.faults == []


def test_parts_that_are_repainted_one_by_one_are_all_repainted_in_turn(make_rig: MakeRig) -> None:
    rig = make_rig("plus")
    device = rig.open()
    device.set_brightness(60)
    for key in range(device.key_count):
        device.show(key, plain(device, "lime"))
    device.show_strip(flat(device.strip_format["size"], "lime", "JPEG"), 0, device.strip_format["size"][0])
    assert device.flush(PATIENCE_S)
    draw_as_another_program(rig)
    for done in range(device.key_count):
        device.repaint_next()
        assert device.flush(PATIENCE_S)
        assert sum(is_plain(rig.deck.glass(key), "lime") for key in range(device.key_count)) == done + 1
        assert rig.deck.brightness == 60
    strips = rig.deck.pictures_received
    device.repaint_next()
    assert device.flush(PATIENCE_S)
    assert rig.deck.pictures_received == strips + 1


def test_a_repaint_in_turn_sends_nothing_before_anything_was_shown(rig: Rig) -> None:
    device = rig.open()
    reports = rig.deck.reports_received
    device.repaint_next()
    assert device.flush(PATIENCE_S)
    assert rig.deck.reports_received == reports


def test_a_key_that_the_deck_does_not_have_is_refused(rig: Rig) -> None:
    device = rig.open()
    for key in (-1, device.key_count):
        with pytest.raises(IndexError):
            device.show(key, b"")


def test_a_pedal_ignores_pictures_and_brightness(make_rig: MakeRig) -> None:
    rig = make_rig("pedal")
    device = rig.open()
    device.show(0, b"anything")
    device.set_brightness(10)
    assert device.flush(PATIENCE_S)
    assert rig.deck.reports_received == 0


@pytest.mark.parametrize(("asked", "given"), [(70, 70), (0, 0), (100, 100), (120, 100), (-5, 0), (0.5, 0), (49.6, 50)])
def test_brightness_is_whole_percent_within_its_range(rig: Rig, asked: float, given: int) -> None:
    device = rig.open()
    assert device.set_brightness(asked) == given
    assert device.flush(PATIENCE_S)
    assert rig.deck.brightness == given


def test_touch_keys_show_their_colour_and_a_missing_strip_is_ignored(make_rig: MakeRig) -> None:
    rig = make_rig("neo")
    device = rig.open()
    device.light(1, (10, 20, 30))
    device.show_strip(b"no strip here")
    assert device.flush(PATIENCE_S)
    assert rig.deck.glass(9).getpixel((0, 0)) == (10, 20, 30)
    with pytest.raises(IndexError):
        device.light(2, (0, 0, 0))
    assert rig.deck.faults == []


def test_a_picture_that_answers_an_input_is_sent_before_all_others(rig: Rig) -> None:
    device = rig.open()
    rig.hang_in_a_write(device, plain(device, "red"))
    for key in range(1, 6):
        device.show(key, plain(device, "green"))
    device.show(4, plain(device, "white"), first=True)
    rig.deck.unstall()
    assert device.flush(PATIENCE_S)
    keys = list(dict.fromkeys(report[2] for report in rig.deck.outputs if report[:2] == b"\x02\x07"))
    assert keys == [0, 4, 1, 2, 3, 5]
    assert is_plain(rig.deck.glass(4), "white")
