"""Cables, sleep and firmware that fails: each story ends with the right tiles on the right deck, and nothing fires late."""

import logging
from collections.abc import Callable, Iterator

import pytest
from StreamDeck.Devices.StreamDeckOriginalV2 import StreamDeckOriginalV2

from openbalance_hid.app.effects import OpenUrl, Refresh
from openbalance_hid.app.events import ConfigReloaded, PageRequested, TimePassed
from openbalance_hid.app.gestures import BOUNCE_S
from openbalance_hid.config.load import parse
from openbalance_hid.deck.device_events import DeckLost, KeyEvent
from openbalance_hid.deck.transport import STUCK_S
from openbalance_hid.simulator.device.models import MODELS, Codec
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from tests.torture.app_harness import SOON_S, AppHarness
from tests.torture.faulty_deck import comes_out, fails, fails_as_feature, made
from tests.waiting import PATIENCE_S

FOR_EVER_S = 3600.0


@pytest.fixture
def new_app() -> Iterator[Callable[..., AppHarness]]:
    built: list[AppHarness] = []

    def build(*decks: VirtualDeck, **more: object) -> AppHarness:
        built.append(AppHarness(*decks, **more))  # type: ignore[arg-type]
        return built[-1]

    yield build
    for each in built:
        each.end()


def fired(app: AppHarness) -> list[object]:
    return [effect for effect in app.done if isinstance(effect, OpenUrl | Refresh)]


def said(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.message for record in caplog.records)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_is_painted_pressed_pulled_out_put_to_sleep_and_left_dark(new_app, name: str):
    deck = made("M1", name)
    whole = new_app(deck)
    assert whole.is_right(deck)
    deck.press(1)
    whole.until_received(2)
    whole.wait(0.1)
    deck.release(1)
    whole.until_received(3)
    deck.press(2)
    whole.until_received(4)
    whole.wait(2.1)
    opened, asked = fired(whole)
    assert {type(opened), type(asked)} == {OpenUrl, Refresh}
    deck.unplug()  # in the middle of a press
    whole.settle()
    whole.wait(3.0)
    whole.bus.plug(deck)
    whole.wait(SOON_S)
    assert whole.is_right(deck)
    deck.kill_handle()
    whole.settle()
    whole.wait(SOON_S)
    assert whole.is_right(deck)
    assert fired(whole) == [opened, asked]
    whole.stop("black")
    assert deck.faults == []
    keys = [deck.glass(key) for key in range(deck.model.keys + deck.model.touch_keys) if deck.model.codec is not Codec.NONE]
    parts = [*keys, *(part for part in (deck.strip(), deck.screen()) if part is not None)]
    assert [part.getbbox() for part in parts] == [None] * len(parts)


def test_a_key_that_is_down_when_the_cable_comes_out_fires_nothing_then_or_later(new_app):
    deck = made()
    whole = new_app(deck)
    deck.press(0)
    whole.until_received(2)
    deck.unplug()
    whole.settle()
    deck.plug()
    whole.wait(10.0)
    deck.release(0)
    whole.wait(10.0)
    assert fired(whole) == []
    assert whole.is_right(deck)


@pytest.mark.parametrize("report", range(12))
def test_a_cable_pulled_at_any_report_costs_only_that_opening(new_app, report: int):
    deck, other = made(), made("B2", "mini")
    deck.planned_faults = [*[None] * report, comes_out]
    whole = new_app(other, deck)
    assert whole.is_right(other)
    assert not whole.controller.decks.keys() - {"B2"}
    deck.plug()
    whole.wait(SOON_S)
    assert whole.is_right(deck)
    assert whole.is_right(other)


@pytest.mark.parametrize("path", ["virtual:A1", "virtual:elsewhere"])
def test_a_deck_that_is_replugged_before_anybody_looks_shows_its_tiles_soon(new_app, path: str):
    deck = made()
    whole = new_app(deck)
    whole.tell(PageRequested("main"))
    deck.unplug()
    deck.path = path
    deck.plug()
    whole.settle()
    whole.wait(SOON_S)
    assert whole.is_right(deck)
    whole.until_open(1)


def test_a_deck_that_the_bus_lost_first_is_lost_and_its_key_is_up(new_app, caplog):
    deck = made()
    whole = new_app(deck)
    deck.press(0)
    whole.until_received(2)
    whole.bus.decks.remove(deck)  # no error comes: reads wait on, as on a node whose device has gone
    whole.wait(SOON_S)
    assert isinstance(whole.heard[-1], DeckLost)
    whole.wait(5.0)
    assert fired(whole) == []
    assert said(caplog, "lost deck at virtual:A1: unplugged") == 1


def test_another_deck_at_the_same_path_gets_its_own_tiles(new_app):
    first, second = made("A1"), made("B2")
    second.path = first.path
    config = parse(
        '[[decks]]\nserial = "B2"\nbrightness = 40\n[[decks.keys]]\nkey = 3\ntile = "runway"\n[[decks]]\nbrightness = 60\n', "x"
    )
    whole = new_app(first, config=config)
    first.press(3)
    whole.until_received(2)
    first.unplug()
    whole.bus.decks[:] = [second]
    whole.settle()
    whole.wait(SOON_S)
    assert whole.is_right(second)
    assert whole.controller.key_tiles["B2"][3].tile == "runway"
    assert second.brightness == 40
    assert "A1" not in whole.controller.decks
    whole.wait(5.0)
    assert fired(whole) == []


def test_two_decks_of_one_model_each_show_and_do_their_own(new_app):
    left, right = made("A1"), made("B2")
    config = parse('[[decks]]\nserial = "A1"\n[[decks.keys]]\nkey = 0\ntile = "runway"\n', "x")
    whole = new_app(left, right, config=config)
    assert whole.is_right(left)
    assert whole.is_right(right)
    assert [whole.controller.key_tiles[name][0].tile for name in ("A1", "B2")] == ["runway", "balance"]
    left.unplug()
    whole.settle()
    whole.wait(SOON_S)
    assert whole.is_right(right)
    left.plug()
    whole.wait(SOON_S)
    assert whole.is_right(left)


@pytest.mark.parametrize("serial", ["A1", ""])
def test_decks_that_say_the_same_serial_number_are_two_decks_all_the_same(new_app, serial: str):
    first, second = made(serial), made(serial, "mini")
    first.path, second.path = "virtual:one", "virtual:two"
    config = parse('[[decks]]\nserial = "A1"\n[[decks.keys]]\nkey = 0\ntile = "runway"\n' if serial else "", "x")
    whole = new_app(first, second, config=config)
    names = [f"{serial}", f"2:{serial}"]
    by_model = {panel.shape.model: name for name, panel in whole.controller.decks.items()}
    assert sorted(by_model.values()) == sorted(names)
    assert whole.is_right(first, by_model["mk2"])
    assert whole.is_right(second, by_model["mini"])
    assert len({whole.controller.key_tiles[name][0] for name in names}) == 1, "one entry serves both"
    second.press(0)
    whole.until_received(3)
    moved = whole.heard[-1]
    assert isinstance(moved, KeyEvent)
    assert moved.serial == by_model["mini"]
    first.unplug()
    whole.settle()
    whole.wait(1.0)
    assert whole.is_right(second, by_model["mini"])
    first.plug()
    whole.wait(SOON_S)
    assert whole.is_right(first, by_model["mk2"])
    assert sorted(count.serial for count in whole.decks.counts()) == sorted(names)


def test_after_a_resume_light_and_every_key_are_sent_again_and_it_is_said_once(new_app, caplog):
    caplog.set_level(logging.INFO)
    deck, other = made(), made("B2", "mini")
    whole = new_app(deck, other)
    deck.press(0)
    whole.until_received(3)
    images, reports = deck.pictures_received, other.reports_received
    whole.sleep(8 * 3600)
    deck.kill_handle()
    whole.settle()
    whole.wait(SOON_S)
    assert deck.brightness == 70
    assert deck.pictures_received >= images + deck.model.keys
    assert whole.is_right(deck)
    assert whole.is_right(other)
    assert other.reports_received - reports <= 2 * deck.model.keys * 20
    assert (said(caplog, "lost deck at virtual:A1"), said(caplog, "A1 is back")) == (1, 1)
    whole.wait(5.0)
    assert fired(whole) == []


def test_a_report_that_is_never_taken_costs_one_deck_and_one_thread(new_app, caplog):
    caplog.set_level(logging.INFO)
    deck, other = made(), made("B2", "mini")
    whole = new_app(deck, other, config=parse('[[decks]]\n[[decks.pages]]\nname = "a"\n[[decks.pages]]\nname = "b"\n', "x"))
    deck.stall(timeout_s=FOR_EVER_S)
    whole.tell(PageRequested("b"))
    whole.decks.set_brightness("A1", 33)
    assert deck.wait_until(lambda: deck.hosts_waiting == 1, PATIENCE_S)
    whole.move(whole.now.mono_s + STUCK_S)
    deck.press(0)  # so that the reader need not come to the end of its wait
    whole.until_received(3)
    deck.release(0)
    while not isinstance(whole.heard[-1], DeckLost):
        whole.until_received(len(whole.heard) + 1)
    whole.wait(60.0)  # many looks, while the report still hangs
    assert len(whole.bus.open_handles) == 2, "one of them in the hands of the writer that hangs"
    assert whole.is_right(other)
    deck.unstall()
    whole.settle()
    whole.wait(SOON_S)
    assert whole.is_right(deck)
    assert (said(caplog, "it has not answered for 3 s"), said(caplog, "A1 is back")) == (1, 1)
    assert fired(whole) == []


def test_a_deck_that_hangs_while_opening_delays_no_other_and_is_reported(new_app):
    deck, other = made(), made("B2", "mini")
    deck.stall(timeout_s=FOR_EVER_S)
    whole = new_app(deck)
    assert [count.trouble for count in whole.decks.counts()] == ["it has not answered yet"]
    whole.bus.plug(other)
    whole.wait(SOON_S)
    assert whole.is_right(other)
    deck.unstall()
    whole.settle()
    whole.wait(SOON_S)
    assert whole.is_right(deck)


@pytest.mark.parametrize("times", [1, 4])
def test_a_feature_report_that_fails_is_a_loss_and_everything_is_sent_again(new_app, caplog, times: int):
    caplog.set_level(logging.INFO)
    deck, other = made(), made("B2", "mini")
    whole = new_app(deck, other)
    deck.planned_faults = [fails_as_feature] * times
    whole.decks.set_brightness("A1", 33)
    whole.settle()
    whole.wait(10.0)
    deck.planned_faults = []
    whole.wait(SOON_S)
    assert whole.is_right(deck)
    assert whole.is_right(other)
    assert said(caplog, "lost deck") == said(caplog, "A1 is back")


@pytest.mark.parametrize("question", range(3))
def test_a_deck_that_does_not_say_who_it_is_is_asked_again_and_again_and_said_once(new_app, caplog, question: int):
    deck = made()
    deck.planned_faults = [*[None] * question, *[fails] * 20]
    whole = new_app(deck)
    whole.wait(10.0)
    tried = 20 - len([fault for fault in deck.planned_faults if fault])
    assert 3 <= tried <= 20
    deck.planned_faults = []
    whole.wait(SOON_S)
    assert whole.is_right(deck)
    assert said(caplog, "cannot open deck at virtual:A1") == 1


def test_an_unexpected_error_while_opening_costs_no_other_deck_and_no_handle(new_app, caplog, monkeypatch):
    def surprise(_deck: object) -> str:
        raise IndexError("list index out of range")

    odd, plain = made("A1"), made("B2", "mini")
    with monkeypatch.context() as patch:
        patch.setattr(StreamDeckOriginalV2, "get_serial_number", surprise)
        whole = new_app(odd, plain)
        whole.wait(10.0)
        assert whole.is_right(plain)
        whole.until_open(1)
        assert [count.trouble for count in whole.decks.counts() if count.path == odd.path] == [
            "cannot open deck at virtual:A1: IndexError: list index out of range"
        ]
    whole.wait(SOON_S)
    assert whole.is_right(odd)
    assert said(caplog, "cannot open deck") == 1


def test_a_deck_found_as_the_app_is_closed_shows_nothing_that_looks_live(new_app):
    deck = made()
    whole = new_app()
    whole.bus.plug(deck)
    whole.stop()
    whole.decks.look()
    whole.settle()
    assert whole.heard == []
    assert whole.decks.counts() == ()


def test_a_tap_stays_a_tap_though_the_loop_was_late(new_app):
    deck = made()
    whole = new_app(deck)
    deck.press(0)
    deck.release(0)
    whole.until_queued(2)
    whole.move(whole.now.mono_s + 5.0)  # the main thread was held up for so long
    whole.until_received(3)
    whole.wait(BOUNCE_S)
    assert [type(each) for each in fired(whole)] == [OpenUrl]


def test_a_deck_that_hangs_at_the_end_does_not_leave_the_others_alight(new_app):
    hung, other = made(), made("B2", "mini")
    whole = new_app(hung, other)
    hung.stall(timeout_s=FOR_EVER_S)
    whole.stop()
    assert [other.glass(key).getbbox() for key in range(other.model.keys)] == [None] * other.model.keys


def test_brightness_set_while_the_deck_is_dark_is_what_the_next_press_brings(new_app):
    deck = made()
    whole = new_app(deck, config=parse("[dim]\nafter_minutes = 1\noff_after_minutes = 2\n", "x"))
    whole.wait(130.0)
    assert deck.brightness == 0
    whole.tell(ConfigReloaded(parse("[dim]\nafter_minutes = 1\noff_after_minutes = 2\n[[decks]]\nbrightness = 33\n", "x")))
    whole.settle()
    assert deck.brightness == 0
    deck.press(0)
    whole.settle()
    assert deck.brightness == 33
    deck.release(0)
    whole.settle()
    assert fired(whole) == []


def test_a_start_paints_every_key_again_whatever_the_one_before_left_there(new_app):
    deck = made()
    new_app(deck).stop("keep")
    assert deck.glass(0).getbbox() is not None
    landed = deck.pictures_received
    assert new_app(deck).is_right(deck)
    assert deck.pictures_received == landed + deck.model.keys


def test_a_sleep_and_a_clock_that_is_set_move_no_finger_and_no_light(new_app):
    deck = made()
    whole = new_app(deck)
    deck.press(0)
    whole.settle()
    for seconds in (8 * 3600.0, -86_400.0, 86_400.0):
        whole.sleep(seconds)
        whole.tell(TimePassed())
    assert deck.brightness == 70
    deck.release(0)
    whole.settle()
    whole.wait(BOUNCE_S)
    assert [type(each) for each in fired(whole)] == [OpenUrl]
