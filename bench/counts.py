"""How often each thing is measured: enough for a steady median, or just once to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Chosen so that everything together takes some minutes on two cores."""

    starts: int = 9  # processes started of each kind
    warm_ups: int = 1  # of these, not counted: byte code and the system's file cache
    presses: int = 64
    idle_windows: int = 3
    idle_window_s: float = 10.0
    faces: int | None = None  # distinct faces to draw; None: all that there are
    draws: int = 3  # of each face
    users: int = 40  # made up, of each habit
    decks: tuple[int, ...] = (1, 4, 16, 64)
    repaints: int = 5
    life_hours: int = 97  # virtual ones; of these the last are to be flat
    flat_hours: int = 24


FULL = Counts()
ONCE = Counts(
    starts=1,
    warm_ups=0,
    presses=2,
    idle_windows=1,
    idle_window_s=0.2,
    faces=4,
    draws=1,
    users=1,
    decks=(1, 2),
    repaints=1,
    life_hours=2,
    flat_hours=1,
)
