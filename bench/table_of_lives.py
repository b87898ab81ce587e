"""The lives by which the spike rule is measured, each with what is required of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.lives import KNOWN_DAYS, Life, Runaway, Verdict, episodes, first_at, hours_above_normal, rises
from bench.spending import by_day, grown, heartbeat, job, office, sessions, steady, sunday_request, together, weekday
from openbalance_hid.account.spike import Level

WEEK = timedelta(days=7)
DAY_LANES, WEEK_LANE = ("24h", "1h", "6h"), ("7d",)
NEVER = 10_000.0  # minutes, days or USD: the level was not reached

Measure = Callable[[Life, Sequence[Verdict]], float]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One number of a life, and what it is at most: its mean over the seeds."""

    unit: str
    measure: Measure
    at_most: float


@dataclass(frozen=True, slots=True)
class Row:
    """A life and what is required of it."""

    life: Life
    requirements: tuple[Requirement, ...]


def _rises(at_most: float) -> Requirement:
    return Requirement("ambers", lambda _, seen: rises(seen), at_most)


def _misses() -> Requirement:
    return Requirement("missed ambers", lambda _, seen: not rises(seen), 0)


def _rises_later() -> Requirement:
    return Requirement(
        "ambers after the first week", lambda life, seen: rises([v for v in seen if v.at >= life.watched + WEEK]), 0
    )


def _hours(at_most: float, lanes: Sequence[str] = DAY_LANES) -> Requirement:
    return Requirement(f"hours above Normal ({lanes[0]})", lambda _, seen: hours_above_normal(seen, lanes), at_most)


def _episodes(at_most: float, lanes: Sequence[str]) -> Requirement:
    return Requirement(f"episodes ({lanes[0]})", lambda _, seen: episodes(seen, lanes), at_most)


def _red_hours() -> Requirement:
    return Requirement("hours of red", lambda _, seen: sum(v.level is Level.CRITICAL for v in seen) / 4, 0)


def _minutes_to(level: Level, at_most: float) -> Requirement:
    return Requirement(f"minutes to {level.name.lower()}", lambda life, seen: _since_runaway(life, seen, level)[0], at_most)


def _usd_to(level: Level, at_most: float) -> Requirement:
    return Requirement(f"USD gone at {level.name.lower()}", lambda life, seen: _since_runaway(life, seen, level)[1], at_most)


def _since_runaway(life: Life, seen: Sequence[Verdict], level: Level) -> tuple[float, float]:
    assert life.runaway is not None
    starts = life.watched + life.runaway.starts
    found = first_at([each for each in seen if each.at >= starts], level)
    return (NEVER, NEVER) if found is None else ((found.at - starts) / timedelta(minutes=1), found.gone_usd)


def _days_to_leak(at_most: float) -> Requirement:
    def days(life: Life, seen: Sequence[Verdict]) -> float:
        found = next((each for each in seen if each.verdict.week is not None), None)
        return NEVER if found is None else (found.at - life.watched) / timedelta(days=1)

    return Requirement("days to the lane 7d", days, at_most)


def _green_while_held() -> Requirement:
    def polls(life: Life, seen: Sequence[Verdict]) -> float:
        assert life.runaway is not None
        begins = life.watched + life.runaway.starts
        held = [each for each in seen if begins <= each.at <= begins + timedelta(hours=24)]
        amber = next((number for number, each in enumerate(held) if each.level > Level.NORMAL), None)
        return NEVER if amber is None else sum(each.level <= Level.NORMAL for each in held[amber:])

    return Requirement("green polls while the window holds it", polls, 0)


def _laptop(at: datetime) -> bool:
    """Open from 15:00 to 02:00 UTC, from Monday to Friday."""
    evening = at - timedelta(hours=15)
    return evening.hour < 11 and evening.weekday() < 5


def _runaway(name: str, spends: object, runaway: Runaway, days: int = 2, **more: object) -> Life:
    return Life(name, spends, runaway, watched_days=days, **more)  # type: ignore[arg-type]  # passed on as they are


NIGHTLY = job(5.0, 2, 20)
HOUR = timedelta(hours=1)
TABLE: tuple[Row, ...] = (
    Row(Life("office, 8 h", office(6.0)), (_rises(0.7),)),
    Row(Life("heavy-tailed, 10 h", office(6.0, 0.85, 9, 10, weekends=True)), (_rises(2.4),)),
    Row(Life("coder, 3 h a day at changing hours", sessions(9.0, 3)), (_rises(1.0),)),
    Row(Life("nightly job, $5 in 20 min", NIGHTLY, sampled_days=0), (_rises(2.0), _rises_later())),
    Row(
        Life("nightly job and $3 of office work", together(NIGHTLY, office(3.0, 0.25)), sampled_days=0),
        (_rises(2.0), _rises_later()),
    ),
    Row(Life("office and $0.001 every hour", together(office(6.0), heartbeat(0.001))), (_rises(0.7),)),
    Row(Life("Mondays $30, other days $3", weekday(3.0, 30.0)), (_rises(0.0),)),
    *(
        Row(
            Life(f"growth to {times} times", grown(steady(8.0), times, KNOWN_DAYS)),
            (_episodes(1.0, DAY_LANES), _hours(60.0), _episodes(1.0, WEEK_LANE)),
        )
        for times in (3, 4)
    ),
    Row(Life("new account, $0.5 to $10 a day", by_day((0.5, 1, 2, 4, 8, 10)), known_days=0), (_hours(48.0), _red_hours())),
    Row(Life("$0.20 a day, one of $0.90", by_day([0.2] * (KNOWN_DAYS + 5) + [0.9, 0.2])), (_rises(0.0),)),
    Row(
        Life("$0.20 a day, one of $1.50", by_day([0.2] * (KNOWN_DAYS + 5) + [1.5, 0.2])), (_rises(1.0), _misses(), _red_hours())
    ),
    Row(
        _runaway(
            "runaway $20/h from 03:04, account of $15", office(15.0, 0.25), Runaway(27 * HOUR + HOUR / 15, 20.0, 12 * HOUR)
        ),
        (
            _minutes_to(Level.SPIKE, 75.0),
            _usd_to(Level.SPIKE, 25.0),
            _minutes_to(Level.CRITICAL, 120.0),
            _usd_to(Level.CRITICAL, 40.0),
        ),
    ),
    Row(
        _runaway("runaway of one average day an hour, in office hours", office(8.0, 0.25), Runaway(34 * HOUR, 8.0, 6 * HOUR)),
        (_usd_to(Level.SPIKE, 1.2 * 8.0),),
    ),
    Row(
        _runaway(
            "runaway $6/h on a Monday, one request on Sunday",
            together(office(8.0, 0.25), sunday_request(0.02)),
            Runaway(10 * HOUR + HOUR / 15, 6.0, 6 * HOUR),
        ),
        (_minutes_to(Level.SPIKE, 75.0), _usd_to(Level.SPIKE, 8.0)),
    ),
    Row(Life("leak, 2 times for a week", grown(steady(8.0, 0.1), 2.0, KNOWN_DAYS, 7), watched_days=9), (_days_to_leak(7.0),)),
    Row(Life("leak, 2.5 times for a week", grown(steady(8.0, 0.1), 2.5, KNOWN_DAYS, 7), watched_days=9), (_days_to_leak(5.0),)),
    Row(
        _runaway(
            "runaway at 19:30 UTC, laptop asleep 02:00 to 15:00 and at the weekend",
            office(8.0, 0.25, 15, 8),
            Runaway(19.5 * HOUR, 7.0, 6.5 * HOUR),
            published_after=timedelta(minutes=40),
            is_awake=_laptop,
        ),
        (_green_while_held(),),
    ),
)
