"""Taps and holds, as a table of states with time as an argument.

    state      event     when                 gesture   next state
    UP         down      –                    –         DOWN
    DOWN       time      held for hold_s      HOLD      HELD
    DOWN       up        before hold_s        TAP       UP
    DOWN       up        hold_s or later      HOLD      UP
    HELD       up        –                    –         UP
    any        clear     deck gone            –         UP

A hold fires once, while the key is still down; the release after it is no tap. Each key has a state of its own. No thread, no
clock: `due` is called when `next_deadline` has come.
"""

from collections.abc import Hashable
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

Key = TypeVar("Key", bound=Hashable)


class Gesture(Enum):
    """What a press was."""

    TAP = "tap"
    HOLD = "hold"


class Press(Struct, frozen=True):
    """One key that is down. `since_s`: monotonic seconds."""

    since_s: float
    held: bool = False  # the hold has fired


class Gestures(Struct, Generic[Key], frozen=True):
    """All keys that are down. Frozen: each method returns the next state and the completed (key, gesture) pairs."""

    hold_s: float
    down: dict[Key, Press] = field(default_factory=dict)

    def press(self, key: Key, now_s: float) -> "Gestures[Key]":
        """Return the state after a key went down; a second press without a release changes nothing."""
        return self if key in self.down else replace(self, down={**self.down, key: Press(now_s)})

    def release(self, key: Key, now_s: float) -> "tuple[Gestures[Key], tuple[tuple[Key, Gesture], ...]]":
        """Return the state after a key went up. A release without a press changes nothing."""
        press = self.down.get(key)
        if press is None:
            return self, ()
        state = replace(self, down={each: other for each, other in self.down.items() if each != key})
        if press.held:
            return state, ()
        return state, ((key, Gesture.HOLD if now_s >= press.since_s + self.hold_s else Gesture.TAP),)

    def due(self, now_s: float) -> "tuple[Gestures[Key], tuple[tuple[Key, Gesture], ...]]":
        """Return the state at `now_s`, and the holds that have fired since."""
        ripe = [key for key, press in self.down.items() if not press.held and now_s >= press.since_s + self.hold_s]
        if not ripe:
            return self, ()
        down = {key: replace(press, held=True) if key in ripe else press for key, press in self.down.items()}
        return replace(self, down=down), tuple((key, Gesture.HOLD) for key in ripe)

    def clear(self, keys: "set[Key]") -> "Gestures[Key]":
        """Return the state without `keys`: their presses complete no gesture."""
        return replace(self, down={key: press for key, press in self.down.items() if key not in keys})

    def next_deadline(self) -> float | None:
        """Return the monotonic seconds at which the next hold fires; None without one."""
        return min((press.since_s + self.hold_s for press in self.down.values() if not press.held), default=None)

    def progress(self, key: Key, now_s: float) -> float:
        """Return the progress of a press to its hold, 0..1; 0 when the key is up."""
        press = self.down.get(key)
        if press is None:
            return 0.0
        return 1.0 if press.held else min(1.0, max(0.0, (now_s - press.since_s) / self.hold_s))
