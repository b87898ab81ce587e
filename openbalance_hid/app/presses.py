"""The keys that are down on all decks, and the marks that presses leave: waiting for a refresh, or how one ended. Pure.

What a press becomes is decided in `gestures`, what a gesture does in `input_handling`. Times are monotonic seconds.
"""

from collections.abc import Iterable, Iterator

from openbalance_hid.app.events import Place
from openbalance_hid.app.gestures import Gesture, Gestures
from openbalance_hid.app.tile_views import RING_STEPS, KeyInteraction, ring_step
from openbalance_hid.tiles.view import Flash

FLASH_S = 0.6  # how long the end of a refresh is shown
_UNTOUCHED = KeyInteraction()


class KeyMarks:
    """The marks of all keys."""

    def __init__(self) -> None:
        self._waiting: dict[Place, tuple[str, int]] = {}  # account that the key refreshes, and its polls at that time
        self._flashes: dict[Place, tuple[Flash, float]] = {}  # how it ended, and until when that is shown

    def wait(self, place: Place, account: str, polls: int) -> None:
        """Mark a key that has requested a refresh, after so many polls of its account."""
        self._waiting[place] = (account, polls)

    def is_answered(self, account: str, polls: int) -> bool:
        """Return whether a key waits for a poll of this account that is over now."""
        return any(name == account and polls > before for name, before in self._waiting.values())

    def end(self, account: str, flash: Flash, now_s: float) -> list[Place]:
        """Show on the keys that requested it how the refresh of an account ended, and return them."""
        places = [place for place, (name, _) in self._waiting.items() if name == account]
        for place in places:
            del self._waiting[place]
            self.flash(place, flash, now_s + FLASH_S)
        return places

    def flash(self, place: Place, flash: Flash, until_s: float) -> None:
        """Show a result on a key until then."""
        self._flashes[place] = (flash, until_s)

    def pass_time(self, now_s: float) -> None:
        """Remove what has been shown for long enough."""
        self._flashes = {place: flash for place, flash in self._flashes.items() if flash[1] > now_s}

    def clear(self, places: Iterable[Place]) -> None:
        """Remove the marks of these keys."""
        for place in places:
            self._waiting.pop(place, None)
            self._flashes.pop(place, None)

    def has(self, place: Place) -> bool:
        """Return whether the key has a mark."""
        return place in self._waiting or place in self._flashes

    def is_waiting(self, place: Place) -> bool:
        """Return whether the key shows that it refreshes."""
        return place in self._waiting

    def shown(self, place: Place) -> Flash:
        """Return how the last refresh of the key ended, while that is shown."""
        return self._flashes[place][0] if place in self._flashes else Flash.NONE

    def places(self) -> set[Place]:
        """Return every key that has a mark."""
        return {*self._waiting, *self._flashes}

    def deadlines(self) -> list[float]:
        """Return when each flash ends."""
        return [until_s for _, until_s in self._flashes.values()]


class Presses:
    """`hold_s`: from then on a press is a hold."""

    def __init__(self, hold_s: float) -> None:
        self.marks = KeyMarks()
        self._gestures: Gestures[Place] = Gestures(hold_s)

    def set_hold_s(self, hold_s: float) -> None:
        """Change the time of a hold. If it differs, presses under way are dropped: they began under the old one."""
        if hold_s != self._gestures.hold_s:
            self._gestures = Gestures(hold_s)

    def press(self, place: Place, at_s: float, cancelled: bool = False, least_hold_s: float = 0.0) -> None:
        """Note that a key went down; `cancelled`: whatever follows, its press completes no gesture."""
        self._gestures = self._gestures.press(place, at_s, cancelled, least_hold_s)

    def release(self, place: Place, at_s: float) -> None:
        """Note that a key went up."""
        self._gestures = self._gestures.release(place, at_s)

    def due(self, until_s: float) -> Iterator[tuple[Place, Gesture]]:
        """Yield the gestures that are due by then, in order; what one of them does may cancel the next."""
        while True:
            self._gestures, done = self._gestures.next_due(until_s)
            if done is None:
                return
            yield done

    def is_down(self, place: Place) -> bool:
        """Return whether a key is down, and its press not cancelled."""
        return self._gestures.is_down(place)

    def held(self) -> list[Place]:
        """Return the keys that are down for longer than a hold."""
        return [place for place, press in self._gestures.presses.items() if press.held and self.is_down(place)]

    def cancel(self, places: set[Place]) -> None:
        """Cancel presses and drop marks: these places show something else now."""
        self._gestures = self._gestures.cancel(places)
        self.marks.clear(places)

    def clear(self, places: set[Place]) -> None:
        """Drop presses and marks: these places are gone."""
        self._gestures = self._gestures.clear(places)
        self.marks.clear(places)

    def interaction(self, place: Place, now_s: float) -> KeyInteraction:
        """Return what a key shows of its press and marks."""
        if place not in self._gestures.presses and not self.marks.has(place):
            return _UNTOUCHED
        return KeyInteraction(
            pressed=self.is_down(place),
            progress=self._gestures.progress(place, now_s),
            refreshing=self.marks.is_waiting(place),
            flash=self.marks.shown(place),
        )

    def deadlines(self, now_s: float) -> list[float]:
        """Return when a gesture is due, a ring has its next step, or a flash ends."""
        due_s = self._gestures.next_deadline()
        usual_s = self._gestures.hold_s
        steps = [
            press.since_s + (ring_step(self._gestures.progress(place, now_s)) + 1) * press.hold_s(usual_s) / RING_STEPS
            for place, press in self._gestures.presses.items()
            if self.is_down(place) and not press.held
        ]
        return [*([] if due_s is None else [due_s]), *steps, *self.marks.deadlines()]
