"""The loop of the main thread: wait for an event or the next deadline, make one step, run its effects, wait again."""

import logging
import queue
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller, ScheduledCall
from openbalance_hid.app.effects import Effect
from openbalance_hid.app.events import Event, TimePassed
from openbalance_hid.deck.device_events import InputEvent
from openbalance_hid.errors import AlreadyRunningError
from openbalance_hid.runtime.inbox import Inbox, Item, Stop
from openbalance_hid.runtime.paint_backlog import PaintBacklog
from openbalance_hid.runtime.sd_notify import NullServiceManager, ServiceManager

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 50.0  # `maintain` notices changes within a minute
PAINT_SLICE_S = 0.02  # of drawing, while other events than inputs wait
GAP_S = 1.0  # between two rounds of maintenance: a busy loop has hundreds of turns a second
NO_MANAGER = NullServiceManager()


def now() -> Moment:
    """Return this moment by the system's clocks; its local time is by the time zone that is set now, not at the start."""
    time.tzset()
    return Moment(datetime.now(UTC), time.monotonic())


def run_loop(
    controller: Controller,
    items: "queue.SimpleQueue[Item]",
    run_effect: Callable[[Effect], None],
    clock: Callable[[], Moment],
    notify: Callable[[], None] = lambda: None,
    manager: ServiceManager = NO_MANAGER,
    maintain: Callable[[float], None] = lambda _: None,
) -> None:
    """Run until a `Stop` arrives. A step that fails is logged and does not end the loop.

    `notify` is called when clients may read something new, `manager.alive` and `maintain` at each turn, with monotonic seconds;
    what `maintain` raises ends the loop.
    """
    inbox = Inbox(items)
    turns = _Turns(controller, run_effect, inbox)
    ahead: int | None = None  # items that were in the queue at the deadline, and are taken before `TimePassed`
    while True:
        now = clock()
        manager.alive(now.mono_s)
        left_s = min(controller.next_deadline(), manager.next_message_s()) - now.mono_s
        if left_s > 0:
            ahead = None
        elif ahead is None:
            ahead = len(inbox)
        if turns.has_paints and left_s > 0 and not inbox:
            turns.paint()
            continue
        item, count = (TimePassed(), 0) if ahead == 0 else _next(inbox, left_s)
        ahead = None if ahead is None or isinstance(item, TimePassed) else max(0, ahead - count)
        if isinstance(item, Stop):
            return
        evaluations = controller.evaluations
        turns.run(item, clock())
        if controller.evaluations != evaluations:
            notify()
        maintain(now.mono_s)


def _next(inbox: Inbox, left_s: float) -> tuple[Item, int]:
    try:
        return inbox.get(min(LONGEST_WAIT_S, left_s))
    except queue.Empty:
        return TimePassed(), 0


class _Turns:
    """Makes steps and runs their effects one by one. A failing kind of effect is logged when that starts and when it ends."""

    def __init__(self, controller: Controller, run: Callable[[Effect], None], inbox: Inbox) -> None:
        self._controller = controller
        self._run_effect = run
        self._inbox = inbox
        self._paints = PaintBacklog()
        self._failing: set[type[Effect]] = set()
        self._run_kinds: set[type[Effect]] = set()  # since the last time that everything was drawn
        self._failed: set[type[Effect]] = set()

    @property
    def has_paints(self) -> bool:
        """Whether something is still to be drawn."""
        return bool(self._paints)

    def run(self, item: "Event | ScheduledCall", now: Moment) -> None:
        """Make a step, run its effects, and draw until an input comes, or for a while if anything else waits."""
        try:
            if callable(item):
                item(self._controller, now)
                return
            if isinstance(item, InputEvent):
                self._paints.nearest = item.serial
            effects = self._controller.step(item, now)
        except Exception:
            log.exception("one step of the main loop failed; going on")
            return
        for effect in self._paints.take(effects):
            self._carry_out(effect)
        self.paint()

    def paint(self) -> None:
        """Draw until an input comes, or for a while if anything else waits."""
        end_s = time.monotonic() + PAINT_SLICE_S
        due_s = max(end_s, self._controller.next_deadline()) if self._paints else end_s  # a picture does not change it
        while self._paints:
            self._carry_out(self._paints.next())
            now_s = time.monotonic()
            if self._inbox.has_input or now_s >= due_s or (now_s >= end_s and len(self._inbox)):
                return
        for kind in self._failing & self._run_kinds - self._failed:
            log.info("%s is carried out again", kind.__name__)
        self._failing = self._failing - self._run_kinds | self._failed
        self._run_kinds, self._failed = set(), set()

    def _carry_out(self, effect: Effect) -> None:
        self._run_kinds.add(type(effect))
        try:
            self._run_effect(effect)
        except Exception:
            self._controller.retry(effect)
            self._failed.add(type(effect))
            if type(effect) not in self._failing:
                self._failing.add(type(effect))
                log.exception("%s was not carried out; going on", type(effect).__name__)


class Maintenance:
    """Calls each of `checks`, by name, which are fast and idempotent. Used by the main thread only."""

    def __init__(self, checks: Mapping[str, Callable[[], object]]) -> None:
        self._checks = checks
        self._next_at_s = float("-inf")
        self._failing: set[str] = set()

    def run(self, now_s: float) -> None:
        """Check everything, unless that was done just before. Raises AlreadyRunningError only, which ends the daemon."""
        if now_s < self._next_at_s:
            return
        self._next_at_s = now_s + GAP_S
        for name, check in self._checks.items():
            try:
                check()
            except AlreadyRunningError:
                raise
            except Exception:
                if name not in self._failing:
                    log.exception("the check of %s failed; it is tried again", name)
                self._failing.add(name)
            else:
                self._failing.discard(name)
