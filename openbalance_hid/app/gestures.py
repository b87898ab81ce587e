"""Taps and holds, as a table of states with time as an argument.

    state      event     when                     gesture   next state
    UP         down      –                        –         DOWN
    DOWN       time      held for hold_s          HOLD      HELD
    DOWN       up        before hold_s            –         RELEASED
    RELEASED   down      within BOUNCE_S          –         DOWN, since the first down
    RELEASED   time      BOUNCE_S after the up    TAP       UP
    HELD       up        –                        –         ENDED
    ENDED      down      within BOUNCE_S          –         HELD
    ENDED      time      BOUNCE_S after the up    –         UP
    any        cancel    what it shows changed    –         as HELD: no gesture until the next press
    any        clear     deck gone                –         UP

A hold fires once, while the key is still down; the release after it is no tap. Contacts bounce: down, up and down within 5 to
20 ms is one press (reported of the decks of several vendors), so a tap waits for BOUNCE_S. Each key has a state of its own. No
thread, no clock: `next_due` is called when `next_deadline` has come, and before each event.
"""

from collections.abc import Hashable
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

BOUNCE_S = 0.05

Key = TypeVar("Key", bound=Hashable)


class Gesture(Enum):
    """What a press was."""

    TAP = "tap"
    HOLD = "hold"


class Press(Struct, frozen=True):
    """One key, from its press until `BOUNCE_S` after its release. Times: monotonic seconds."""

    since_s: float
    held: bool = False  # the hold has fired
    cancelled: bool = False  # completes no gesture
    released_s: float | None = None  # None: the key is down
    least_hold_s: float = 0.0  # a hold of this key takes at least so long

    def hold_s(self, usual_s: float) -> float:
        """Return how long a hold of this key takes."""
        return max(usual_s, self.least_hold_s)

    def due_s(self, hold_s: float) -> float | None:
        """Return when time alone changes the state; None: never."""
        if self.released_s is not None:
            return self.released_s + BOUNCE_S
        return None if self.held or self.cancelled else self.since_s + self.hold_s(hold_s)


class Gestures(Struct, Generic[Key], frozen=True):
    """All keys that are down, or were a moment ago. Frozen: each method returns the next state."""

    hold_s: float
    presses: dict[Key, Press] = field(default_factory=dict)

    def press(self, key: Key, now_s: float, cancelled: bool = False, least_hold_s: float = 0.0) -> "Gestures[Key]":
        """Return the state after a key went down: a new press, or the last one continued. `cancelled`: without a gesture.

        A second press without a release changes nothing.
        """
        before = self.presses.get(key)
        if before is not None:
            return self._with(key, replace(before, released_s=None))
        return self._with(key, Press(now_s, cancelled=cancelled, least_hold_s=least_hold_s))

    def release(self, key: Key, now_s: float) -> "Gestures[Key]":
        """Return the state after a key went up. A release without a press changes nothing."""
        press = self.presses.get(key)
        return self if press is None or press.released_s is not None else self._with(key, replace(press, released_s=now_s))

    def next_due(self, now_s: float) -> "tuple[Gestures[Key], tuple[Key, Gesture] | None]":
        """Return the state after the first gesture that is due at `now_s`, and that gesture; None: there is none.

        Only one, because what it does may cancel the next.
        """
        state = self
        while (key := state._first_due(now_s)) is not None:
            press = state.presses[key]
            if press.released_s is None:
                return state._with(key, replace(press, held=True)), (key, Gesture.HOLD)
            state = state.clear({key})
            if not (press.held or press.cancelled):
                return state, (key, Gesture.TAP)
        return state, None

    def cancel(self, keys: "set[Key]") -> "Gestures[Key]":
        """Return the state in which the presses of `keys` complete no gesture."""
        return replace(
            self, presses={key: replace(each, cancelled=True) if key in keys else each for key, each in self.presses.items()}
        )

    def clear(self, keys: "set[Key]") -> "Gestures[Key]":
        """Return the state without `keys`: they are up."""
        return replace(self, presses={key: press for key, press in self.presses.items() if key not in keys})

    def is_down(self, key: Key) -> bool:
        """Return whether the key is down, and its press not cancelled."""
        press = self.presses.get(key)
        return press is not None and press.released_s is None and not press.cancelled

    def next_deadline(self) -> float | None:
        """Return the monotonic seconds at which time alone changes the state; None: never."""
        return min((at_s for press in self.presses.values() if (at_s := press.due_s(self.hold_s)) is not None), default=None)

    def progress(self, key: Key, now_s: float) -> float:
        """Return the progress of a press to its hold, 0..1; 0 when the key is up."""
        if not self.is_down(key):
            return 0.0
        press = self.presses[key]
        return 1.0 if press.held else min(1.0, max(0.0, (now_s - press.since_s) / press.hold_s(self.hold_s)))

    def _first_due(self, now_s: float) -> Key | None:
        due = {key: at_s for key, press in self.presses.items() if (at_s := press.due_s(self.hold_s)) is not None}
        first = min(due, key=lambda key: due[key], default=None)
        return first if first is not None and due[first] <= now_s else None

    def _with(self, key: Key, press: Press) -> "Gestures[Key]":
        return replace(self, presses={**self.presses, key: press})
