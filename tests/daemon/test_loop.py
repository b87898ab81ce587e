"""The loop carries things in order, survives a failing turn, and ends when told."""

import logging
import queue

from openbalance_hid.config.schema import Config
from openbalance_hid.daemon.events import DeckReady, Paint
from openbalance_hid.daemon.house import House
from openbalance_hid.daemon.loop import Stop, run_loop
from openbalance_hid.daemon.moment import now
from tests.build import snapshot


def played(*items):
    inbox = queue.SimpleQueue()
    for item in (*items, Stop()):
        inbox.put(item)
    done = []
    run_loop(House(Config(), {"default": snapshot()}, now()), inbox, done.append, now)
    return done


def test_effects_are_carried_out_in_order():
    done = played(DeckReady("A", "mini", 6))
    assert [effect.key for effect in done if isinstance(effect, Paint)] == list(range(6))


def test_a_question_is_answered_between_two_events():
    seen = []
    played(
        lambda house, at: seen.append(len(house.boards)),
        DeckReady("A", "mini", 6),
        lambda house, at: seen.append(len(house.boards)),
    )
    assert seen == [0, 1]


def test_a_failing_turn_is_logged_and_the_loop_goes_on(caplog):
    def bad(house, at):
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        done = played(bad, DeckReady("A", "mini", 6))
    assert done
    assert "going on" in caplog.text
