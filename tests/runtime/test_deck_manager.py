"""Decks that come, go, refuse and hang: the right words, the right events, and nobody waits for anybody."""

import queue
import threading
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from openbalance_hid.config.load import parse
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, KeyEvent
from openbalance_hid.deck.products import claimed_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.tiles.view import Hero, KeyFace, TileView
from tests.waiting import PATIENCE_S, until

FACE = KeyFace(TileView("balance", "Balance", (Hero("$74.25"),), "Balance $74.25"))


class Bus(VirtualBus):
    """Counts how often it was asked why a deck does not open: once for each try that failed."""

    def __init__(self, decks) -> None:
        super().__init__(decks)
        self.asked_why: list[bytes] = []

    def open_error(self, path: bytes) -> OSError | None:
        self.asked_why.append(path)
        return super().open_error(path)


class Desk:
    """Decks of a bus, with the events that they send to the main thread."""

    def __init__(self, *decks: VirtualDeck, uses=lambda _: True) -> None:
        self.bus = Bus(decks)
        self.events: queue.SimpleQueue = queue.SimpleQueue()
        self.decks = DeckManager(HidTransport(self.bus), self.events.put, scan_interval_s=0.02, uses=uses)
        self.decks.start()

    def next(self):
        return self.events.get(timeout=PATIENCE_S)

    def shows(self, deck: VirtualDeck, key: int) -> bool:
        """Wait until a key shows more than black and the logo of a deck that no program has opened."""
        before = (b"\0" * len(LOGO), LOGO)
        return deck.wait_until(lambda: deck.glass(key).tobytes() not in before, PATIENCE_S)


def arrived(event) -> DeckArrived:
    """The event without what only a log line shows."""
    assert event.title
    assert event.path
    return replace(event, title="", path="")


def lost(event, serial: str) -> bool:
    return isinstance(event, DeckLost) and event.serial == serial


def made(serial: str = "A1", model: str = "mk2") -> VirtualDeck:
    return VirtualDeck(model_named(model), serial)


LOGO = made().glass(0).tobytes()


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    opened: list[Desk] = []
    yield opened
    for desk in opened:
        desk.decks.stop("black")
        assert not desk.bus.misuse


def test_a_deck_is_taken_painted_and_heard(desks):
    deck = made()
    desks.append(desk := Desk(deck))
    assert arrived(desk.next()) == DeckArrived("A1", "mk2", 15)
    desk.decks.show("A1", 4, FACE, PictureCache())
    assert desk.shows(deck, 4)
    deck.press(7)
    moved = desk.next()
    assert isinstance(moved, KeyEvent)
    assert (moved.serial, moved.key, moved.down) == ("A1", 7, True)
    assert deck.faults == []


def test_a_deck_that_appears_later_is_taken(desks):
    desks.append(desk := Desk())
    desk.bus.plug(made("LATE"))
    assert arrived(desk.next()) == DeckArrived("LATE", "mk2", 15)


def test_an_unplugged_deck_leaves_and_comes_back(desks):
    deck = made()
    desks.append(desk := Desk(deck))
    desk.next()
    deck.unplug()
    assert lost(desk.next(), "A1")
    desk.bus.plug(deck)
    assert arrived(desk.next()) == DeckArrived("A1", "mk2", 15)
    assert [count.reconnects for count in desk.decks.counts()] == [1]


def test_a_handle_that_died_in_a_suspend_is_opened_again(desks):
    deck = made()
    desks.append(desk := Desk(deck))
    desk.next()
    deck.kill_handle()
    assert lost(desk.next(), "A1")
    assert arrived(desk.next()) == DeckArrived("A1", "mk2", 15)


def test_a_glass_that_a_suspend_cleared_is_painted_again_though_the_handle_lives(desks):
    deck = made()
    desks.append(desk := Desk(deck))
    desk.next()
    desk.decks.set_brightness("A1", 40)
    desk.decks.show("A1", 4, FACE, PictureCache())
    assert desk.shows(deck, 4)
    deck.lose_pictures()
    assert deck.showing_logo
    assert deck.brightness == 100
    desk.decks.repaint_all()
    assert desk.shows(deck, 4)
    assert deck.brightness == 40
    assert [count.reconnects for count in desk.decks.counts()] == [0]


@pytest.mark.parametrize(
    ("trouble", "words"), [(VirtualDeck.refuse, "permission denied"), (VirtualDeck.own, "another program is using it")]
)
def test_a_deck_that_cannot_be_opened_is_said_once_and_taken_when_free(desks, caplog, trouble, words):
    deck = made()
    trouble(deck)
    desks.append(desk := Desk(deck))
    until(lambda: any(words in str(count.trouble) for count in desk.decks.counts()))
    tried = len(desk.bus.asked_why)
    until(lambda: len(desk.bus.asked_why) >= tried + 2)  # tried again quietly
    trouble(deck, False)
    assert arrived(desk.next()) == DeckArrived("A1", "mk2", 15)
    assert [count.trouble for count in desk.decks.counts()] == [None]
    assert sum(words in record.message for record in caplog.records) == 1


def trouble(desk: Desk) -> list[tuple[str, bool, str | None, str]]:
    return [(count.serial, count.connected, count.trouble, count.hint) for count in desk.decks.counts()]


def test_a_deck_that_is_not_used_is_not_opened_until_a_configuration_uses_it(desks):
    deck, other = made(), made("B2")
    config = parse('[[decks]]\nserial = "A1"\nuse = false\n', "c.toml")
    desks.append(desk := Desk(deck, other, uses=config.uses))
    assert arrived(desk.next()).serial == "B2"
    left = ("A1", False, "left to other software by the configuration", "openbalance-hid config edit")
    assert left in trouble(desk)
    assert deck.reports_received == 0
    desk.decks.adopt_use(Config().uses, "black")
    assert arrived(desk.next()).serial == "A1"
    desk.decks.adopt_use(parse('use_decks = "named"\n[[decks]]\nserial = "B2"\n', "c.toml").uses, "black")
    assert lost(desk.next(), "A1")
    until(lambda: left in trouble(desk))
    assert [device.serial for device in desk.decks.devices().values()] == ["B2"]


def test_a_released_deck_can_be_opened_by_others_until_it_is_taken_back(desks):
    deck = made()
    desks.append(desk := Desk(deck))
    desk.next()
    desk.decks.show("A1", 4, FACE, PictureCache())
    assert desk.shows(deck, 4)
    assert desk.decks.release("a1", "black") == desk.decks.released() == ["A1"]
    assert lost(desk.next(), "A1")
    until(lambda: trouble(desk) == [("A1", False, "released for other software", "openbalance-hid take")])
    assert deck.wait_until(lambda: deck.glass(4).getbbox() is None, PATIENCE_S), "no number that looks live is left"
    deck.unplug()
    until(lambda: trouble(desk) == [])
    desk.bus.plug(deck)
    until(lambda: trouble(desk) != [])
    assert trouble(desk)[0][2] == "released for other software"
    assert desk.decks.take("B2", "black") == []
    assert desk.decks.take(None, "black") == ["A1"]
    assert desk.decks.released() == []
    assert arrived(desk.next()).serial == "A1"
    desk.decks.show("A1", 4, FACE, PictureCache())
    assert desk.shows(deck, 4)


def test_a_deck_that_is_released_and_taken_at_once_is_opened_again(desks):
    deck = made()
    desks.append(desk := Desk(deck))
    desk.next()
    for _ in range(20):
        assert desk.decks.release(None, "black") == ["A1"]
        assert desk.decks.take(None, "black") == ["A1"]
        assert lost(desk.next(), "A1")
        assert arrived(desk.next()).serial == "A1"


def test_a_deck_that_a_libusb_program_has_claimed_is_counted_with_the_reason(tmp_path):
    interface = tmp_path / "bus/usb/devices/1-1/1-1:1.0"
    interface.mkdir(parents=True)
    for file, text in {"idVendor": "0fd9", "idProduct": "0084", "busnum": "1", "devnum": "5", "serial": "B2"}.items():
        (interface.parent / file).write_text(f"{text}\n")
    (tmp_path / "usbfs").mkdir()
    (interface / "driver").symlink_to(tmp_path / "usbfs")
    decks = DeckManager(HidTransport(VirtualBus([])), lambda _: None, claimed=lambda: claimed_decks(tmp_path))
    (count,) = decks.counts()
    assert (count.model, count.serial, count.connected) == ("plus", "B2", False)
    assert (count.trouble, count.hint) == ("in use by another program (libusb)", "openbalance-hid doctor")
    (interface / "driver").unlink()
    assert decks.counts() == (), "the program has left"


def test_a_stalled_deck_is_lost_and_stops_no_other(desks):
    stalled, healthy = made("BAD"), made("GOOD")
    desks.append(desk := Desk(stalled, healthy))
    assert {desk.next().serial, desk.next().serial} == {"BAD", "GOOD"}
    stalled.stall()
    painter = PictureCache()
    desk.decks.show("BAD", 0, FACE, painter)
    desk.decks.show("GOOD", 0, FACE, painter)
    assert desk.shows(healthy, 0)
    assert lost(desk.next(), "BAD")
    stalled.unstall()
    assert arrived(desk.next()) == DeckArrived("BAD", "mk2", 15)


def test_painting_a_deck_that_has_gone_is_nothing(desks):
    desks.append(desk := Desk())
    desk.decks.show("GONE", 0, FACE, PictureCache())
    desk.decks.set_brightness("GONE", 50)


def test_what_the_deck_does_not_have_is_not_painted(desks):
    # Another model with the same serial number can be open before the main thread has heard of it.
    deck = made("A1", "mini")
    desks.append(desk := Desk(deck))
    desk.next()
    pictures = PictureCache()
    desk.decks.show(deck.serial, 14, FACE, pictures)
    desk.decks.show_cell(deck.serial, 0, FACE, pictures)
    desk.decks.show_screen(deck.serial, FACE, pictures)
    desk.decks.light_touch_key(deck.serial, 0, (1, 2, 3))
    assert pictures.drawn == 0
    assert deck.faults == []


def test_a_pedal_is_heard_and_never_painted(desks):
    deck = made("P", "pedal")
    desks.append(desk := Desk(deck))
    assert arrived(desk.next()) == DeckArrived("P", "pedal", 3, visual=False)
    desk.decks.show("P", 0, FACE, PictureCache())
    deck.press(1)
    assert desk.next().key == 1
    assert deck.faults == []


def test_on_exit_no_number_is_left_on_the_glass(desks):
    deck = made()
    desks.append(desk := Desk(deck))
    desk.next()
    desk.decks.show("A1", 0, FACE, PictureCache())
    assert desk.shows(deck, 0)
    desk.decks.stop("black")
    assert deck.glass(0).getextrema() == ((0, 0), (0, 0), (0, 0))


def test_an_equal_face_is_drawn_and_sent_once(desks):
    deck, painter = made(), PictureCache()
    desks.append(desk := Desk(deck))
    desk.next()
    desk.decks.show("A1", 0, FACE, painter)
    assert desk.shows(deck, 0)
    sent = deck.reports_received
    for _ in range(20):
        desk.decks.show("A1", 0, FACE, painter)
    desk.decks.show("A1", 1, FACE, painter)
    assert desk.shows(deck, 1)
    assert painter.drawn == 1
    assert deck.reports_received - sent <= sent


@pytest.mark.parametrize("is_left", [False, True])
def test_a_deck_goes_dark_also_where_no_thread_can_be_started(desks, monkeypatch, is_left: bool):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    deck = made()
    desks.append(desk := Desk(deck))
    desk.next()
    desk.decks.show("A1", 0, FACE, PictureCache())
    assert desk.shows(deck, 0)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        if is_left:
            desk.decks.adopt_use(lambda _: False, "black")
        else:
            desk.decks.stop("black")
    assert deck.glass(0).getextrema() == ((0, 0), (0, 0), (0, 0))
