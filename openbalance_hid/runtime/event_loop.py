"""The main thread: wait on one queue until the next deadline, do one step, carry out what it wants, wait again."""

import logging
import queue
import time
from collections.abc import Callable
from datetime import UTC, datetime

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller, ScheduledCall
from openbalance_hid.app.effects import Effect, LogTileError, LogWarning
from openbalance_hid.app.events import Event, TimePassed
from openbalance_hid.runtime.sd_notify import NullServiceManager, ServiceManager

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0
NO_MANAGER = NullServiceManager()


class Stop:
    """Put into the queue to end the loop."""


Item = Event | ScheduledCall | Stop


def now() -> Moment:
    """Return this moment by the system's clocks."""
    return Moment(datetime.now(UTC), time.monotonic())


def run_loop(
    house: Controller,
    inbox: "queue.SimpleQueue[Item]",
    carry_out: Callable[[Effect], None],
    clock: Callable[[], Moment],
    tell: Callable[[], None] = lambda: None,
    manager: ServiceManager = NO_MANAGER,
) -> None:
    """Until a `Stop` comes. One failing turn is logged and does not end the loop.

    `tell`: there is something new to be told. `manager` hears that the loop turns.
    """
    hands = _Hands(house, carry_out)
    ahead: int | None = None  # how much of what was in the queue when the deadline came is still to be taken
    while True:
        now = clock()
        manager.alive(now.mono_s)
        left_s = min(house.next_deadline(), manager.next_word_s()) - now.mono_s
        if left_s > 0:
            ahead = None
        elif ahead is None:
            ahead = inbox.qsize()
        item = TimePassed() if ahead == 0 else _next(inbox, left_s)
        ahead = None if ahead is None or isinstance(item, TimePassed) else ahead - 1
        if isinstance(item, Stop):
            return
        readings = house.evaluations
        hands.turn(item, clock())
        if house.evaluations != readings:
            tell()


def _next(inbox: "queue.SimpleQueue[Item]", left_s: float) -> Item:
    try:
        return inbox.get(timeout=min(LONGEST_WAIT_S, max(0.0, left_s)))
    except queue.Empty:
        return TimePassed()


class _Hands:
    """Effects, carried out one by one: none falls with another. A kind that fails is said when that begins and when it ends."""

    def __init__(self, house: Controller, carry_out: Callable[[Effect], None]) -> None:
        self._house = house
        self._carry_out = carry_out
        self._failing: set[type[Effect]] = set()

    def turn(self, item: "Event | ScheduledCall", now: Moment) -> None:
        try:
            if callable(item):
                item(self._house, now)
                return
            effects = self._house.step(item, now)
        except Exception:
            log.exception("one turn of the main loop failed; going on")
            return
        failed = {type(effect) for effect in effects if not self._try(effect)}
        for kind in self._failing.intersection(map(type, effects)) - failed:
            log.info("%s is carried out again", kind.__name__)
        self._failing = self._failing - set(map(type, effects)) | failed

    def _try(self, effect: Effect) -> bool:
        try:
            self._do(effect)
        except Exception:
            self._house.retry(effect)
            if type(effect) not in self._failing:
                self._failing.add(type(effect))
                log.exception("%s was not carried out; going on", type(effect).__name__)
            return False
        return True

    def _do(self, effect: Effect) -> None:
        if isinstance(effect, LogTileError):
            log.error("the tile %s failed", effect.tile, exc_info=effect.error)
        elif isinstance(effect, LogWarning):
            log.warning("%s", effect.text)
        else:
            self._carry_out(effect)
