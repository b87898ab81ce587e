"""Which decks come and go: looks at the bus, each compared with the one before.

Only paths are compared and nothing is opened. A deck whose handle died in a suspend, or that was replugged between two looks,
keeps its path: whoever loses it calls `forget`, and the next look offers it again. When the next look is due is decided here:
at once when the system says that something changed, soon for a deck that was forgotten, else after an interval.

macOS wants every hidapi call that opens or enumerates on one thread; there, this thread is to become the one that opens too.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from openbalance_hid.deck.events import DeckFound, DeckVanished, HotplugEvent
from openbalance_hid.deck.products import find_decks
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.errors import DeckError

log = logging.getLogger(__name__)

SCAN_INTERVAL_S = 2.0  # a deck that is plugged in shows its tiles within 2 s
SAFETY_INTERVAL_S = 30.0  # where changes are announced, for the one that is not
FIRST_RETRY_S = 0.25  # a replugged deck is back by then; doubles at each try of the same deck, up to the interval


class ChangeSource(Protocol):
    """Announces that something changed on the bus, not what; `kernel_events` has the one of Linux."""

    @property
    def listening(self) -> bool: ...
    def start(self, on_change: Callable[[], None]) -> None: ...
    def stop(self) -> None: ...


def pause_s(interval_s: float, announced: bool, tries: Iterable[int]) -> float:
    """Seconds from one look to the next. `tries`: how often each deck that waits for a new try was forgotten, from 1."""
    longest_s = max(interval_s, SAFETY_INTERVAL_S) if announced else interval_s
    retries_s = [min(interval_s, FIRST_RETRY_S * 2.0 ** min(tried - 1, 16)) for tried in tries]
    return min([longest_s, *retries_s])


class Hotplug:
    """Looks at the bus on a thread of its own; `emit` gets the events there, and looks wait while it works."""

    def __init__(
        self,
        transport: HidTransport,
        emit: Callable[[HotplugEvent], None],
        interval_s: float = SCAN_INTERVAL_S,
        after_first_look: Callable[[], None] = lambda: None,
        changes: ChangeSource | None = None,
    ) -> None:
        """`after_first_look` is called once, on the thread, when everything that the first look found has been emitted.

        `changes` is started after the first pause, because the first pictures need the processor more, and stopped with this.
        """
        self._after_first_look = after_first_look
        self._transport = transport
        self._emit = emit
        self._interval_s = interval_s
        self._changes = changes
        self._changed = threading.Condition()  # of everything below
        self._known: set[str] = set()
        self._forgotten: set[str] = set()  # not looked at since
        self._tries: dict[str, int] = {}  # path -> how often it was forgotten without having stayed for a whole pause
        self._surprised = False  # the last look saw what nobody had announced
        self._trusting = False  # changes are announced, and none was missed since the last announcement
        self._nudged = False
        self._stopping = False
        self._in_trouble = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins with a look at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="deck-hotplug", daemon=True)
            self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Ends and joins the thread, and stops `changes`. May be called twice, and before `start`."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)
        if self._changes is not None:
            self._changes.stop()

    def forget(self, path: str) -> None:
        """Offers the deck at `path` as found again, if it is there: soon, and more slowly each time that it is forgotten."""
        with self._changed:
            if path in self._known:
                self._known.discard(path)
                self._forgotten.add(path)
                self._tries[path] = self._tries.get(path, 0) + 1
                self._changed.notify_all()

    def nudge(self) -> None:
        """Looks now rather than at the end of the pause."""
        with self._changed:
            self._nudged = True
            self._changed.notify_all()

    def scan(self) -> list[HotplugEvent]:
        """One look at the bus: what vanished, then what was found since the last look. Raises DeckError."""
        found = {deck.path: deck for deck in find_decks(self._transport)}
        with self._changed:
            gone = self._known - found.keys()
            new = [deck for path, deck in found.items() if path not in self._known]
            stayed = self._known & found.keys()
            self._tries = {path: tried for path, tried in self._tries.items() if path in found and path not in stayed}
            self._surprised = bool(gone) or any(deck.path not in self._forgotten for deck in new)
            self._forgotten.clear()
            self._known = set(found)
        return [*(DeckVanished(path) for path in sorted(gone)), *(DeckFound(deck) for deck in new)]

    def pause_s(self) -> float:
        """Seconds from the last look to the next, as things stand now."""
        with self._changed:
            announced = self._trusting and not self._in_trouble and self._changes is not None and self._changes.listening
            return pause_s(self._interval_s, announced, [self._tries[path] for path in self._forgotten])

    def _run(self) -> None:
        asked = first = True
        while not self._stopping:
            self.look(asked)
            if first:
                self._after_first_look()
            asked = self._wait()
            if first and not self._stopping:
                self._listen()
                asked = True  # for what came before
            first = False

    def _listen(self) -> None:
        if self._changes is not None:
            self._changes.start(self._announced)
            with self._changed:
                self._trusting = True

    def _announced(self) -> None:
        """On the thread of `changes`."""
        with self._changed:
            self._trusting = True
        self.nudge()

    def _wait(self) -> bool:
        """Until the next look is due; whether somebody asked for it."""
        with self._changed:
            began_s = time.monotonic()
            while not (self._stopping or self._nudged):
                left_s = began_s + self.pause_s() - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            asked, self._nudged = self._nudged, False
            return asked

    def look(self, asked: bool = True) -> None:
        """One look and what follows from it; for who has not called `start`. `asked`: it was nudged, not merely due."""
        try:
            events = self.scan()
            if not asked:
                self._judge()
            for event in events:
                self._pass_on(event)
        except DeckError as error:
            if not self._in_trouble:
                log.warning("cannot look for decks: %s", error)
            self._in_trouble = True
            return
        except Exception:
            log.exception("a scan for decks failed")
            return
        if self._in_trouble:
            log.info("looking for decks works again")
        self._in_trouble = False

    def _pass_on(self, event: HotplugEvent) -> None:
        try:
            self._emit(event)
        except Exception:  # one deck's; the others are to hear of theirs
            log.exception("a deck that came or went was not taken note of")
            if isinstance(event, DeckFound):
                self.forget(event.found.path)

    def _judge(self) -> None:
        """Trusts announcements no longer when a look that nobody asked for found what none had announced."""
        with self._changed:
            if self._surprised and self._trusting and not self._nudged:
                self._trusting = False
                log.debug("a change was not announced; looking every %g s until one is", self._interval_s)
