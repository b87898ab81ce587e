"""The main thread: wait on one queue until the next deadline, do one step, carry out what it wants, wait again."""

import logging
import queue
from collections.abc import Callable

from openbalance_hid.daemon.events import Complain, Effect, Event, Mention, TimePassed
from openbalance_hid.daemon.house import House
from openbalance_hid.daemon.moment import Moment
from openbalance_hid.daemon.service_manager import Manager, NoManager

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0
NO_MANAGER = NoManager()


class Stop:
    """Put into the queue to end the loop."""


Inquiry = Callable[[House, Moment], None]  # a question of the control socket, answered on the main thread


def run_loop(
    house: House,
    inbox: "queue.SimpleQueue[Event | Inquiry | Stop]",
    carry_out: Callable[[Effect], None],
    clock: Callable[[], Moment],
    tell: Callable[[], None] = lambda: None,
    manager: Manager = NO_MANAGER,
) -> None:
    """Until a `Stop` comes. One failing turn is logged and does not end the loop.

    `tell`: there is something new to be told. `manager` hears that the loop turns.
    """
    while True:
        now = clock()
        manager.alive(now.mono_s)
        due_s = min(house.next_deadline(now), manager.next_word_s())
        try:
            item = inbox.get(timeout=min(LONGEST_WAIT_S, max(0.0, due_s - now.mono_s)))
        except queue.Empty:
            item = TimePassed()
        if isinstance(item, Stop):
            return
        readings = house.readings
        try:
            _turn(house, item, carry_out, clock())
        except Exception:
            log.exception("one turn of the main loop failed; going on")
        if house.readings != readings:
            tell()


def _turn(house: House, item: "Event | Inquiry", carry_out: Callable[[Effect], None], now: Moment) -> None:
    if callable(item):
        item(house, now)
        return
    for effect in house.step(item, now):
        if isinstance(effect, Complain):
            log.error("the tile %s failed", effect.tile, exc_info=effect.error)
        elif isinstance(effect, Mention):
            log.warning("%s", effect.text)
        else:
            carry_out(effect)
