"""Which deck is written next: answers to inputs first, and few decks at the same time."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from openbalance_hid.deck.device_events import KeyEvent
from openbalance_hid.deck.input_precedence import GIVES_WAY_S, WRITTEN_AT_ONCE, InputPrecedence
from tests.deck.rig import Rig, is_plain, plain
from tests.waiting import PATIENCE_S

NOT_URGENT = lambda: False  # noqa: E731
DECK, ANOTHER = object(), object()


class ExpectedInput(InputPrecedence):
    """As if the picture of an input on another deck were expected for ever. `waits`: a deck waits for its turn."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.waits = threading.Event()
        self.begin(ANOTHER)

    def turn(self, deck: object, is_urgent: Callable[[], bool]) -> AbstractContextManager[None]:
        self.waits.set()
        return super().turn(deck, is_urgent)


def test_an_answer_does_not_wait_for_another_picture_of_its_deck(rig: Rig) -> None:
    precedence = ExpectedInput()
    device = rig.open(precedence)
    device.show(1, plain(device, "green"))
    assert precedence.waits.wait(PATIENCE_S)
    device.show(4, plain(device, "white"), first=True)
    assert device.flush(PATIENCE_S)
    keys = list(dict.fromkeys(report[2] for report in rig.deck.outputs if report[:2] == b"\x02\x07"))
    assert keys == [4, 1]


def test_a_deck_that_wakes_is_bright_before_its_answer(rig: Rig) -> None:
    precedence = ExpectedInput()
    device = rig.open(precedence)
    device.set_brightness(80)
    assert precedence.waits.wait(PATIENCE_S)
    device.show(4, plain(device, "white"), first=True)
    assert device.flush(PATIENCE_S)
    assert rig.deck.brightness == 80
    assert is_plain(rig.deck.glass(4), "white")


@pytest.mark.parametrize("act", ["press", "release"])
def test_the_deck_of_an_input_shows_at_once_what_follows(rig: Rig, act: str) -> None:
    precedence = InputPrecedence(lambda: 0.0)  # as if the other decks waited for ever
    device = rig.open(precedence)
    rig.deck.press(3)
    rig.next(KeyEvent)
    if act == "release":
        precedence.end()
        rig.deck.release(3)
        rig.next(KeyEvent)
    device.show(3, plain(device, "white"))
    assert device.flush(PATIENCE_S)
    assert is_plain(rig.deck.glass(3), "white")


@pytest.mark.parametrize("answer", ["white", "green"], ids=["replaced", "already shown"])
def test_an_answer_that_is_replaced_before_it_was_sent_keeps_its_place(rig: Rig, answer: str) -> None:
    precedence = InputPrecedence(lambda: 0.0)
    device = rig.open(precedence)
    device.show(4, plain(device, "green"))
    assert device.flush(PATIENCE_S)
    rig.hang_in_a_write(device, plain(device, "red"))
    precedence.begin(ANOTHER)
    for key in (1, 2):
        device.show(key, plain(device, "blue"))
    device.show(4, plain(device, "yellow"), first=True)
    device.show(4, plain(device, answer))
    sent = len(rig.deck.outputs)
    precedence.end()
    rig.deck.unstall()
    assert device.flush(PATIENCE_S)
    keys = list(dict.fromkeys(report[2] for report in rig.deck.outputs[sent:] if report[:2] == b"\x02\x07"))
    assert keys == ([4, 1, 2] if answer == "white" else [1, 2])
    assert is_plain(rig.deck.glass(4), answer)


def test_an_answer_that_is_shown_already_leaves_another_one_first(rig: Rig) -> None:
    precedence = ExpectedInput()
    precedence.end()
    device = rig.open(precedence)
    device.show(3, plain(device, "green"))
    assert device.flush(PATIENCE_S)
    rig.hang_in_a_write(device, plain(device, "red"))
    precedence.begin(ANOTHER)
    device.show(4, plain(device, "white"), first=True)
    device.show(3, plain(device, "green"), first=True)
    rig.deck.unstall()
    assert device.flush(PATIENCE_S), "as something urgent: another deck is expected for ever"
    assert is_plain(rig.deck.glass(4), "white")


def test_other_pictures_wait_while_the_answer_to_an_input_is_expected() -> None:
    precedence, order, released = InputPrecedence(lambda: 0.0), [], threading.Event()  # as if the answer came at once

    def other() -> None:
        with precedence.turn(DECK, NOT_URGENT):
            order.append("other")
        released.set()

    precedence.begin(ANOTHER)
    thread = threading.Thread(target=other)
    thread.start()
    with precedence.turn(ANOTHER, lambda: True):
        order.append("answer")
    precedence.end()
    assert released.wait(PATIENCE_S)
    thread.join()
    assert order == ["answer", "other"]


def test_other_pictures_wait_for_no_answer_that_never_comes() -> None:
    times_s = iter([0.0, 0.0, GIVES_WAY_S])  # of the input, and of the other picture
    precedence = InputPrecedence(lambda: next(times_s))
    precedence.begin(ANOTHER)
    with precedence.turn(DECK, NOT_URGENT):
        assert next(times_s, None) is None


def test_a_deck_with_one_input_after_the_other_does_not_stop_the_others() -> None:
    now_s = iter(step / 1000 for step in range(10_000))
    precedence, inputs = InputPrecedence(lambda: next(now_s)), []

    def another_input() -> bool:
        precedence.begin(ANOTHER)
        inputs.append(True)
        return False

    with precedence.turn(DECK, another_input):
        assert 1 < len(inputs) < 100


def test_decks_that_hang_do_not_stop_the_others() -> None:
    precedence, gate, inside = InputPrecedence(), threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        with precedence.turn(DECK, NOT_URGENT):
            inside.release()
            gate.wait(PATIENCE_S)

    threads = [threading.Thread(target=hang) for _ in range(WRITTEN_AT_ONCE + 1)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=PATIENCE_S), "one more than may be written at once"
    gate.set()
    for thread in threads:
        thread.join()
