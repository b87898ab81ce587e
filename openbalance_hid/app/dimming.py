"""The brightness of one deck: the configured one, less when it is idle, 0 at night. Pure and frozen.

    awake     touched less than `after_minutes` ago             the configured brightness
    dimmed    from `after_minutes` on                           at most `to_percent`
    off       from `off_after_minutes` on                       0
    night     in its hours, untouched for `after_minutes`       0, also right after the start
    switched  off by a command or an action, until a press      0
    locked    with `on_lock`, until the session is open again   0, whatever is pressed

It dims slowly and brightens at once. A deck below `READABLE` percent (and below the configured brightness) is dark: the press
that wakes it does nothing else. Above that, a press wakes the deck and has its effect.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.app.clock import Moment
from openbalance_hid.config.schema import DimConfig

READABLE = 20  # percent; by eye on the drawn decks: below it small text cannot be read in daylight
FADE_S = 2.0
FADE_STEPS = 10
AWAKE_AT_NIGHT_MINUTES = 10  # after a press, where dimming is off


class Lock(Enum):
    """State of the user's session."""

    OPEN = "open"
    ASKED = "asked"  # a lock was requested: its end may never be reported, so a press on the deck ends it
    LOCKED = "locked"


class Fade(Struct, frozen=True):
    """From one percentage to a lower one, started at monotonic `began_s`."""

    begin: int
    end: int
    began_s: float

    def step(self, now_s: float) -> int:
        """Return the whole steps done. The tolerance keeps a rounding error from repeating a deadline forever."""
        return min(FADE_STEPS, int((now_s - self.began_s) * FADE_STEPS / FADE_S + 1e-6))

    def percent(self, now_s: float) -> int:
        return self.begin - (self.begin - self.end) * self.step(now_s) // FADE_STEPS


class Dimmer(Struct, frozen=True):
    """`idle_from_s`: monotonic, when the deck was plugged in or, if `touched`, last touched. `zone` None: the system's."""

    dim: DimConfig
    wanted: int  # percent, by configuration or dial
    idle_from_s: float
    percent: int  # what the deck has now
    touched: bool = False
    zone: tzinfo | None = None
    fade: Fade | None = None
    lock: Lock = Lock.OPEN
    switched_off: bool = False

    @classmethod
    def begin(cls, dim: DimConfig, wanted: int, now: Moment, zone: tzinfo | None = None, lock: Lock = Lock.OPEN) -> Dimmer:
        """Return the state of a deck that was just connected: bright, except at night and while the session is locked."""
        fresh = cls(dim, wanted, now.mono_s, wanted, zone=zone, lock=lock)
        return replace(fresh, percent=fresh.goal(now))

    @property
    def is_dark(self) -> bool:
        """Whether a press only wakes the deck."""
        return self._is_shut or self.switched_off or self.percent < min(READABLE, self.wanted)

    @property
    def is_awake(self) -> bool:
        """Whether it has the configured brightness."""
        return self.percent >= self.wanted and not self.switched_off

    @property
    def name(self) -> str:
        """`awake`, `dimmed` or `off`."""
        return "awake" if self.is_awake else "dimmed" if self.percent else "off"

    def woken(self, now: Moment) -> Dimmer:
        """Return the state after an input: the configured brightness, unless the session is locked."""
        if self._is_shut and self.lock is Lock.LOCKED:
            return self
        return replace(
            self,
            idle_from_s=now.mono_s,
            touched=True,
            percent=self.wanted,
            fade=None,
            lock=Lock.OPEN,
            switched_off=False,
        )

    def off(self) -> Dimmer:
        """Return the state after the deck was switched off: dark at once, until it is woken."""
        return replace(self, percent=0, fade=None, switched_off=True)

    def on(self, now: Moment, percent: int | None = None) -> Dimmer:
        """Return the state after the deck was switched on, with another brightness if one is given."""
        wanted = self.wanted if percent is None else percent
        return replace(self, wanted=wanted, switched_off=False).woken(now)

    def with_lock(self, lock: Lock, now: Moment) -> Dimmer:
        """Return the state with this lock. Unlocking restarts the idle time, but is not a touch of the deck."""
        opens = self._is_shut and lock is Lock.OPEN
        return replace(self, lock=lock, idle_from_s=now.mono_s if opens else self.idle_from_s)

    def wanting(self, percent: int) -> Dimmer:
        """Return the state with another brightness. While the deck is dimmed or off it only takes effect later."""
        return replace(self, wanted=percent, percent=percent if self.is_awake else min(self.percent, percent))

    def at(self, now: Moment) -> Dimmer:
        """Return the state at `now`."""
        goal = self.goal(now)
        if goal >= self.percent:
            return replace(self, percent=goal, fade=None)
        fade = self.fade if self.fade is not None and self.fade.end == goal else Fade(self.percent, goal, now.mono_s)
        return replace(self, percent=fade.percent(now.mono_s), fade=fade)

    def goal(self, now: Moment) -> int:
        """Return the brightness at the end of a fade, percent."""
        idle_s = now.mono_s - self.idle_from_s + 1e-6
        if self._is_shut or self.switched_off:
            return 0
        if _is_over(self.dim.off_after_minutes, idle_s) or (self._is_night(now) and not self._is_up(idle_s)):
            return 0
        return min(self.wanted, self.dim.to_percent) if _is_over(self.dim.after_minutes, idle_s) else self.wanted

    def deadlines(self, now: Moment) -> list[float]:
        """Return the future monotonic seconds at which the brightness may change."""
        minutes = (self.dim.after_minutes, self.dim.off_after_minutes, self.dim.night and self._night_minutes)
        marks = [self.idle_from_s + 60.0 * each for each in minutes if each]
        if self.dim.night is not None:
            local = self._local(now).replace(tzinfo=None)
            for bound in self.dim.night:
                left = datetime.combine(local.date(), bound) - local
                marks.append(now.mono_s + (left % timedelta(days=1) or timedelta(days=1)).total_seconds())
        if self.fade is not None:
            marks.append(self.fade.began_s + (self.fade.step(now.mono_s) + 1) * FADE_S / FADE_STEPS)
        return [mark for mark in marks if mark > now.mono_s]

    @property
    def _is_shut(self) -> bool:
        return self.dim.on_lock and self.lock is not Lock.OPEN

    @property
    def _night_minutes(self) -> int:
        return self.dim.after_minutes or AWAKE_AT_NIGHT_MINUTES

    def _is_up(self, idle_s: float) -> bool:
        """Return whether the deck was touched recently."""
        return self.touched and not _is_over(self._night_minutes, idle_s)

    def _is_night(self, now: Moment) -> bool:
        """Return whether it is night by local time, which includes summer time."""
        if self.dim.night is None:
            return False
        begin, end = self.dim.night
        at = self._local(now).time()
        return begin <= at < end if begin < end else at >= begin or at < end

    def _local(self, now: Moment) -> datetime:
        return now.utc.astimezone(self.zone)


def _is_over(minutes: int, idle_s: float) -> bool:
    """Return whether the idle time is over. 0 minutes: never."""
    return bool(minutes) and idle_s >= 60.0 * minutes
