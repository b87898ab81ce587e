"""How often each row is measured: enough for a stable median, or once to check that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleSizes:
    """Sizes with which the whole table takes some minutes on two cores."""

    starts: int = 9  # counted starts of each process
    warm_ups: int = 1  # uncounted starts before: byte code and file cache
    presses: int = 64
    idle_windows: int = 3
    idle_window_s: float = 10.0
    minutes: int = 3
    minute_s: float = 60.0
    faces: int | None = None  # distinct faces to draw; None: all
    draws: int = 3  # of each face
    lives: int | None = None  # of the table of lives; None: all
    users: int = 20  # simulated, of each life
    decks: tuple[int, ...] = (1, 4, 16, 64)
    hanging_accounts: tuple[int, ...] = (1, 10, 50)
    accounts: tuple[int, ...] = (1, 10, 100, 200)
    start_window_s: float = 15.0
    polls: int = 4
    keys: int = 5000
    poll_window_s: float = 11.0  # a refresh is throttled to one in 10 s
    pulsing_decks: tuple[int, ...] = (1, 4, 16, 32)
    turned_decks: tuple[int, ...] = (1, 4, 16, 32)
    long_history: tuple[int, int] = (3650, 300)  # days and models
    activity_days: int = 30  # in one answer, of 1,500 rows each
    reads: int = 7  # of that answer, in turns with the peer
    five_years_days: int = 5 * 365
    two_years_days: int = 730
    repaints: int = 5
    life_hours: int = 145  # virtual hours; memory must not grow in the last `flat_hours`
    flat_hours: int = 24
    day_hours: int = 24  # virtual, with everything on
    switches: int = 20
    fault_orders: int = 10_000


FULL = SampleSizes()
ONCE = SampleSizes(
    starts=1,
    warm_ups=0,
    presses=2,
    idle_windows=1,
    idle_window_s=0.2,
    minutes=1,
    minute_s=0.2,
    faces=4,
    draws=1,
    lives=2,
    users=1,
    decks=(1, 2),
    hanging_accounts=(1,),
    accounts=(1,),
    start_window_s=2.0,
    polls=1,
    keys=200,
    poll_window_s=0.5,
    pulsing_decks=(1,),
    turned_decks=(1,),
    long_history=(30, 10),
    activity_days=1,
    reads=1,
    five_years_days=10,
    two_years_days=10,
    repaints=1,
    life_hours=2,
    flat_hours=1,
    day_hours=1,
    switches=2,
    fault_orders=20,
)
