"""The order in which the main thread takes what waits: inputs first, decks in their order, snapshots together."""

import queue
from itertools import pairwise

import pytest

from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Effect, LightTouchKey, Paint, Repaint
from openbalance_hid.app.events import PageRequested, SnapshotBatch
from openbalance_hid.config.load import parse
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, KeyEvent
from openbalance_hid.runtime.event_loop import now, run_loop
from openbalance_hid.runtime.inbox import MOST_SNAPSHOTS, Inbox, Item, Stop
from openbalance_hid.runtime.paint_backlog import PaintBacklog
from openbalance_hid.tiles.view import KeyFace, TileView
from tests.build import snapshot

PRESS = KeyEvent("A", 0, True, 0.0)
PAGE = PageRequested("other")
FACE = KeyFace(TileView("blank", "", (), ""))


def order(*items: Item) -> list[Item]:
    """Return the items in the order in which they are taken."""
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    inbox, taken = Inbox(waiting), []
    while inbox:
        taken.append(inbox.get(0.0)[0])
    return taken


def test_an_input_is_taken_before_everything_else() -> None:
    assert order(PAGE, snapshot(), PRESS, PAGE, KeyEvent("A", 0, False, 1.0)) == [
        PRESS,
        KeyEvent("A", 0, False, 1.0),
        PAGE,
        snapshot(),
        PAGE,
    ]


def test_an_input_does_not_overtake_the_arrival_or_the_loss_of_a_deck() -> None:
    arrived, lost = DeckArrived("A", "mini", 6), DeckLost("A")
    assert order(PAGE, arrived, PRESS, lost, PRESS, PAGE) == [PAGE, arrived, PRESS, lost, PRESS, PAGE]


def test_the_end_is_taken_in_its_turn() -> None:
    stop = Stop()
    assert order(PAGE, stop, PAGE) == [PAGE, stop, PAGE]


def test_snapshots_that_wait_are_taken_together_in_their_order() -> None:
    one, two = snapshot(account="one"), snapshot(account="two")
    assert order(one, two, PAGE, two) == [SnapshotBatch((one, two)), PAGE, two]
    sizes = [len(each.snapshots) for each in order(*[one] * (2 * MOST_SNAPSHOTS + 2)) if isinstance(each, SnapshotBatch)]
    assert sizes == [MOST_SNAPSHOTS, MOST_SNAPSHOTS, 2]


def test_tiles_are_evaluated_once_for_all_snapshots_that_wait() -> None:
    accounts = [f"a{number}" for number in range(20)]
    config = parse("".join(f"[accounts.{name}]\n" for name in accounts), "config.toml")
    controller = Controller(config, {name: snapshot(account=name) for name in ("default", *accounts)}, now())
    controller.step(DeckArrived("A", "mini", 6), now())
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    for name in accounts:
        waiting.put(snapshot(account=name))
    waiting.put(Stop())
    before = controller.evaluations
    run_loop(controller, waiting, lambda _: None, now)
    assert controller.evaluations == before + 1
    assert controller.steps == 2


def paint(serial: str, key: int) -> Effect:
    return Paint(serial, key, FACE)


def test_the_newest_pictures_are_drawn_first_and_each_place_once() -> None:
    backlog = PaintBacklog()
    assert backlog.take([Repaint("A"), paint("A", 0), paint("A", 1), LightTouchKey("A", 0, None, "")]) == [Repaint("A")]
    backlog.take([paint("A", 1)])
    drawn = [backlog.next() for _ in range(len(backlog))]
    assert drawn == [paint("A", 1), paint("A", 0), LightTouchKey("A", 0, None, "")]
    with pytest.raises(KeyError):
        backlog.next()


def test_the_deck_that_was_used_last_is_drawn_first() -> None:
    backlog = PaintBacklog()
    backlog.nearest = "C"
    backlog.take([paint(serial, key) for serial in "ABCD" for key in range(2)])
    drawn = [backlog.next() for _ in range(len(backlog))]
    assert [effect.serial for effect in drawn] == [*"CC", *"AABBDD"]


def test_a_press_is_answered_before_the_pictures_of_a_page_that_is_being_turned() -> None:
    decks = [f"D{number}" for number in range(8)]
    text = '[[decks]]\n[[decks.keys]]\nkey = 0\ntile = "today"\n[[decks.pages]]\nname = "other"\n'
    text += "".join(f'[[decks.pages.keys]]\nkey = {key}\ntile = "today"\nlabel = "{key}"\n' for key in range(6))
    controller = Controller(parse(text, "config.toml"), {"default": snapshot()}, now())
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    drawn: list[Paint] = []

    def draw(effect: Effect) -> None:
        if isinstance(effect, Paint):
            drawn.append(effect)
            if len(drawn) == 6 * len(decks) + 3:  # of the page that was turned three are drawn
                waiting.put(KeyEvent("D6", 4, True, now().mono_s))
            if len(drawn) == 2 * 6 * len(decks):
                waiting.put(Stop())

    for serial in decks:
        waiting.put(DeckArrived(serial, "mini", 6))
    waiting.put(PAGE)
    run_loop(controller, waiting, draw, now)
    of_the_page = drawn[6 * len(decks) :]
    assert [effect.serial for effect in of_the_page[:3]] == ["D0"] * 3
    assert (of_the_page[3].serial, of_the_page[3].key, of_the_page[3].face.pressed) == ("D6", 4, True)
    assert all(effect.serial != "D6" or effect.key != 4 for effect in of_the_page[4:]), "it is not drawn twice"
    assert sorted({(effect.serial, effect.key) for effect in of_the_page}) == [
        (serial, key) for serial in decks for key in range(6)
    ]
    assert all(one.serial <= two.serial for one, two in pairwise(of_the_page[4:]))
