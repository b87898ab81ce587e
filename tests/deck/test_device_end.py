"""A surface over a virtual deck, at its end: how a deck is lost, and how it is left."""

import pytest

from openbalance_hid.deck.events import DeckLost, KeyEvent
from openbalance_hid.simulator.device.models import MODELS
from tests.deck.rig import SERIAL, MakeRig, Rig, flat, is_plain, plain
from tests.waiting import PATIENCE_S

# --- loss ------------------------------------------------------------------------------------------------------------------


def lost_once(rig: Rig) -> DeckLost:
    """The loss, when everything that could report it again has ended."""
    lost = rig.next(DeckLost)
    for surface in rig.surfaces:
        assert surface.wait_released(PATIENCE_S)
        surface._deck.read_thread.join(PATIENCE_S)
        assert surface._writer is not None
        surface._writer.join(PATIENCE_S)
        assert not surface._writer.is_alive()
    assert rig.count(DeckLost) == 0
    return lost


def test_unplugging_an_idle_deck_is_reported_once(rig: Rig) -> None:
    surface = rig.open()
    rig.deck.unplug()
    assert lost_once(rig) == DeckLost(SERIAL, f"lost deck at {rig.deck.path}: no such device")
    assert surface.is_lost
    surface.close()


def test_unplugging_in_the_middle_of_a_picture_is_reported_once(rig: Rig) -> None:
    surface = rig.open()
    rig.hang_in_a_write(surface, plain(surface, "red"))
    rig.deck.unplug()
    assert "no such device" in lost_once(rig).reason
    surface.show(0, plain(surface, "blue"))
    assert not surface.flush(0)
    surface.close()


def test_a_deck_that_hangs_is_lost_and_holds_up_no_other(make_rig: MakeRig) -> None:
    hung, other = make_rig(serial="HUNG"), make_rig(serial="OTHER")
    hung_surface, other_surface = hung.open(), other.open()
    hung.hang_in_a_write(hung_surface, plain(hung_surface, "red"))
    other_surface.show(0, plain(other_surface, "blue"))
    assert other_surface.flush(PATIENCE_S)
    assert is_plain(other.deck.glass(0), "blue")
    hung.deck.unstall()
    assert hung_surface.flush(PATIENCE_S)
    hung.deck.stall(give_up_s=0.01)
    hung_surface.show(0, plain(hung_surface, "white"))
    assert hung.next(DeckLost) == DeckLost("HUNG", f"lost deck at {hung.deck.path}: connection timed out")
    assert not hung_surface.flush(0)


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

    surface = rig.surface(emit)
    surface.open()
    rig.deck.press(0)
    assert rig.next(DeckLost).reason == f"lost deck at {rig.deck.path}: the reader ended"
    surface.close()


def test_nonsense_from_the_device_does_not_end_the_reader(make_rig: MakeRig) -> None:
    for model in ("mk2", "original", "plus", "plus-xl", "studio"):
        rig = make_rig(model)
        rig.open()
        for report in (b"\x01", b"\x01\x02", b"\x01\x03\xff\xff\xff", b"\x01\x7f" + bytes(510)):
            rig.deck.send_raw(report)
        rig.deck.press(1)
        assert rig.next(KeyEvent) is not None
        assert rig.count(DeckLost) == 0


# --- leaving ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [name for name in MODELS if name != "pedal"])
def test_closing_leaves_every_key_black(make_rig: MakeRig, model: str) -> None:
    rig = make_rig(model)
    surface = rig.open()
    for key in range(surface.key_count):
        surface.show(key, plain(surface, "red"))
    assert surface.flush(PATIENCE_S)
    surface.close("black", black=plain(surface, "black"))
    assert all(is_plain(rig.deck.glass(key), "black") for key in range(surface.key_count))
    assert rig.deck.pictures_received == 2 * surface.key_count
    assert rig.deck.faults == []
    assert rig.count(DeckLost) == 0


@pytest.mark.parametrize(("model", "size"), [("plus", (800, 100)), ("plus-xl", (100, 1200)), ("neo", (248, 58))])
def test_closing_leaves_strip_and_screen_and_touch_keys_black_too(make_rig: MakeRig, model: str, size: tuple[int, int]) -> None:
    rig = make_rig(model)
    surface = rig.open()
    red, black = flat(size, "red", "JPEG"), flat(size, "black", "JPEG")
    surface.show_strip(red)
    surface.show_screen(red)
    for touch_key in range(surface.touch_key_count):
        surface.light(touch_key, (255, 255, 255))
    assert surface.flush(PATIENCE_S)
    assert is_plain(rig.deck.strip() or rig.deck.screen(), "red")
    surface.close("black", black=plain(surface, "black"), black_strip=black, black_screen=black)
    assert is_plain(rig.deck.strip() or rig.deck.screen(), "black")
    assert all(is_plain(rig.deck.glass(surface.key_count + number), "black") for number in range(surface.touch_key_count))
    assert not rig.deck.showing_logo
    assert rig.deck.faults == []


def test_a_strip_without_a_black_picture_makes_closing_leave_the_logo(make_rig: MakeRig) -> None:
    rig = make_rig("plus")
    surface = rig.open()
    surface.show_strip(flat((800, 100), "red", "JPEG"))
    assert surface.flush(PATIENCE_S)
    surface.close("black", black=plain(surface, "black"))
    assert rig.deck.showing_logo
    assert is_plain(rig.deck.strip(), "black")


def test_closing_can_leave_the_logo(rig: Rig) -> None:
    surface = rig.open()
    surface.show(0, plain(surface, "red"))
    assert surface.flush(PATIENCE_S)
    assert not rig.deck.showing_logo
    surface.close("logo")
    assert rig.deck.showing_logo
    assert is_plain(rig.deck.glass(0), "black")


def test_closing_can_keep_the_glass_as_it_is_and_writes_nothing(rig: Rig) -> None:
    surface = rig.open()
    surface.show(0, plain(surface, "red"))
    assert surface.flush(PATIENCE_S)
    received = rig.deck.reports_received
    surface.close("keep")
    assert rig.deck.reports_received == received
    assert is_plain(rig.deck.glass(0), "red")


def test_without_a_black_picture_closing_leaves_the_logo_rather_than_live_numbers(rig: Rig) -> None:
    surface = rig.open()
    surface.show(0, plain(surface, "red"))
    assert surface.flush(PATIENCE_S)
    surface.close("black")
    assert rig.deck.showing_logo


def test_closing_twice_and_showing_afterwards_is_harmless(rig: Rig) -> None:
    surface = rig.open()
    surface.close("black", black=plain(surface, "black"))
    received = rig.deck.reports_received
    surface.close("logo")
    surface.show(0, plain(surface, "red"))
    surface.set_brightness(10)
    assert rig.deck.reports_received == received
    assert rig.count(DeckLost) == 0


def test_a_hung_deck_does_not_hold_up_the_end(rig: Rig) -> None:
    surface = rig.open()
    rig.hang_in_a_write(surface, plain(surface, "red"))
    surface.close("black", black=plain(surface, "black"))  # comes back although the write is still hanging
    assert rig.deck.hosts_waiting == 1
    rig.deck.unstall()
    assert surface.wait_released(PATIENCE_S)
    assert rig.count(DeckLost) == 0


def test_a_closed_deck_can_be_opened_by_the_next_surface(rig: Rig) -> None:
    rig.open().close("logo")
    second = rig.open()
    second.show(0, plain(second, "red"))
    assert second.flush(PATIENCE_S)
    assert is_plain(rig.deck.glass(0), "red")


def test_no_event_comes_after_closing(rig: Rig) -> None:
    surface = rig.open()
    surface.close("logo")
    rig.deck.press(0)
    assert surface.wait_released(PATIENCE_S)
    surface._on_key(None, 0, True)  # as from a reader that had the report in hand when the deck was closed
    assert rig.count(KeyEvent) == 0
