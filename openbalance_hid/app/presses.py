"""The fingers on all decks: presses that are under way, and the marks that they have left. Pure.

What a press becomes is `press.gestures`', what comes of a gesture the house's.
"""

from collections.abc import Iterable

from openbalance_hid.app.gestures import Gesture, Gestures
from openbalance_hid.app.marks import KeyMarks
from openbalance_hid.app.places import Place
from openbalance_hid.app.tile_views import RING_STEPS, KeyInteraction, ring_step


class Presses:
    """`hold_s`: from then on a press is a hold. Times are monotonic seconds."""

    def __init__(self, hold_s: float) -> None:
        self.marks = KeyMarks()
        self._presses: Gestures[Place] = Gestures(hold_s)

    def adopt(self, hold_s: float) -> None:
        """Another time makes a hold: what is down comes to nothing, as it was begun under the old one."""
        if hold_s != self._presses.hold_s:
            self._presses = Gestures(hold_s)

    def press(self, place: Place, at_s: float) -> None:
        """A key goes down."""
        self._presses = self._presses.press(place, at_s)

    def release(self, place: Place, at_s: float) -> Iterable[tuple[Place, Gesture]]:
        """A key goes up: what that makes of its press."""
        self._presses, done = self._presses.release(place, at_s)
        return done

    def due(self, until_s: float) -> Iterable[tuple[Place, Gesture]]:
        """The holds that have come due by then."""
        self._presses, held = self._presses.due(until_s)
        return held

    def is_on(self, place: Place) -> bool:
        """Whether a finger is there that still means something."""
        return place in self._presses.down

    def resting(self) -> list[Place]:
        """Where a finger has stayed for longer than a hold."""
        return [place for place, press in self._presses.down.items() if press.held]

    def let_go(self, places: set[Place]) -> None:
        """Presses, waits and marks there come to nothing: something else stands there now, or nothing."""
        self._presses = self._presses.clear(places)
        self.marks.clear(places)

    def touch(self, place: Place, now_s: float) -> KeyInteraction:
        """What is to be seen of them on a key."""
        return KeyInteraction(
            pressed=self.is_on(place),
            progress=self._presses.progress(place, now_s),
            refreshing=self.marks.is_waiting(place),
            flash=self.marks.shown(place),
        )

    def deadlines(self, now_s: float) -> list[float]:
        """When a hold comes due, a ring has its next step, or a mark goes away by itself."""
        steps = [
            press.since_s + (ring_step(self._presses.progress(place, now_s)) + 1) * self._presses.hold_s / RING_STEPS
            for place, press in self._presses.down.items()
            if not press.held
        ]
        return [*steps, *self.marks.deadlines()]
