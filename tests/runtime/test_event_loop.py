"""The loop carries things in order, survives a failing turn, and ends on request."""

import logging
import queue
from datetime import timedelta

import pytest

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Paint
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import DeckArrived
from openbalance_hid.errors import AlreadyRunningError
from openbalance_hid.runtime.event_loop import now, run_loop
from openbalance_hid.runtime.inbox import Stop
from tests.build import snapshot


def played(*items):
    inbox = queue.SimpleQueue()
    for item in (*items, Stop()):
        inbox.put(item)
    done = []
    run_loop(Controller(Config(), {"default": snapshot()}, now()), inbox, done.append, now)
    return done


def test_effects_are_carried_out_in_order():
    done = played(DeckArrived("A", "mini", 6))
    assert [effect.key for effect in done if isinstance(effect, Paint)] == list(range(6))


def test_a_question_is_answered_between_two_events():
    seen = []
    played(
        lambda controller, at: seen.append(len(controller.key_tiles)),
        DeckArrived("A", "mini", 6),
        lambda controller, at: seen.append(len(controller.key_tiles)),
    )
    assert seen == [0, 1]


def test_a_failing_turn_is_logged_and_the_loop_goes_on(caplog):
    def bad(controller, at):
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        done = played(bad, DeckArrived("A", "mini", 6))
    assert done
    assert "going on" in caplog.text


def test_what_could_not_be_drawn_is_drawn_as_soon_as_it_can_be_and_said_once(caplog):
    caplog.set_level(logging.INFO, "openbalance_hid")
    inbox, done, troubles, time_s = queue.SimpleQueue(), [], [3], [0.0]
    begun = now()
    controller = Controller(Config(), {"default": snapshot()}, begun)

    def carry_out(effect):
        if isinstance(effect, Paint) and effect.key == 4:
            if troubles[0]:
                troubles[0] -= 1
                raise OSError(24, "too many open files")
            inbox.put(Stop())
        done.append(effect)

    def clock():
        time_s[0] += 0.4
        return Moment(begun.utc + timedelta(seconds=time_s[0]), begun.mono_s + time_s[0])

    inbox.put(DeckArrived("A", "mini", 6))
    run_loop(controller, inbox, carry_out, clock)
    assert [effect.key for effect in done if isinstance(effect, Paint)] == [0, 1, 2, 3, 5, 4]
    assert troubles == [0]
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Paint was not carried out; going on", "Paint is carried out again"]


def test_the_local_time_follows_the_time_zone_of_now(monkeypatch):
    hours = []
    try:
        for zone in ("UTC+1", "UTC-9"):
            monkeypatch.setenv("TZ", zone)
            hours.append(now().utc.astimezone().utcoffset())
    finally:
        monkeypatch.undo()
        now()
    assert hours == [timedelta(hours=-1), timedelta(hours=9)]


def test_maintenance_runs_at_each_turn_and_what_it_raises_ends_the_loop():
    inbox, times = queue.SimpleQueue(), []

    def maintain(at_s):
        times.append(at_s)
        if len(times) == 2:
            raise AlreadyRunningError("another daemon is running")

    for _ in range(3):
        inbox.put(lambda controller, at: None)
    with pytest.raises(AlreadyRunningError):
        run_loop(Controller(Config(), {"default": snapshot()}, now()), inbox, print, now, maintain=maintain)
    assert len(times) == 2
