"""What days of life cost: memory that does not grow, a glass that is left alone, and few questions to OpenRouter."""

import itertools
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.child import Child
from bench.counts import Counts
from bench.neighbours.costs import costs_of, has_costs
from bench.owner import owner_of
from bench.table import Centre, Goal, Row
from bench.virtual import VirtualClock
from openbalance_hid.openrouter.client import Client
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import credits_

MODEL = "mk2"
HOUR_S = 3600.0
DAY_H = 24
POLLS_AN_HOUR = 4
LIBRARY = "the library as shipped"
PLAIN = "`/credits` and `/activity` every 15 minutes"
STILL = "[dim]\nafter_minutes = 0\noff_after_minutes = 0\n[[decks]]\n" + "".join(
    f'[[decks.keys]]\nkey = {key}\ntile = "{tile}"\n'
    for key, tile in enumerate(("balance", "usage", "runway", "privacy", "meter"))
)
MEMORY_GOAL_MIB = 40.0
REQUESTS_GOAL = 110.0


def rows(counts: Counts) -> list[Row]:
    """One life of some days, an hour of another in which nothing happens, and the library's process beside them."""
    with Child("bench.child_library", MODEL) as library:
        library.ask("settle")
        each_time = library.ask("repaint")
        library_mib = costs_of(library.pid).private_mib if has_costs() else None
    told = _live(counts)
    still_reports = _still_hour()
    rows = [
        Row(
            "requests to OpenRouter in a day, the refresh interval as it comes",
            "requests",
            tuple(told.requests),
            PLAIN,
            (float(_plain_requests(counts.life_hours)),),
            Goal(at_most=REQUESTS_GOAL),
            "whole days of virtual life, the first hour apart; today by model, the keys and their days are in it.",
        ),
        Row(
            "a snapshot that changes nothing on the glass: pictures drawn",
            "pictures",
            (told.drawn_again,),
            LIBRARY,
            (each_time["pictures"],),
            Goal(at_most=0),
            "each of ten; the peer is a program that puts every key's picture on the deck when it has asked.",
        ),
        Row(
            "a snapshot that changes nothing on the glass: reports",
            "reports",
            (told.reports_again,),
            LIBRARY,
            (each_time["reports"],),
            Goal(at_most=0),
        ),
        Row(
            "an hour in which nothing happens: reports",
            "reports",
            (still_reports,),
            LIBRARY,
            (POLLS_AN_HOUR * each_time["reports"],),
            Goal(at_most=0),
            "virtual time, four polls of an account that spends nothing, five tiles of which none turns its page.",
        ),
    ]
    return rows if library_mib is None else [*_memory(told, library_mib, counts), *rows]


@dataclass(slots=True)
class Told:
    """What a life told: memory at the end of each hour, requests of each day after the first hour."""

    private_kib: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    drawn_again: float = 0
    reports_again: float = 0


def _memory(told: Told, library_mib: float, counts: Counts) -> Iterator[Row]:
    first_mib = told.private_kib[0] / 1024
    yield Row(
        "private memory after an hour of virtual life, one deck",
        "MiB",
        (first_mib,),
        LIBRARY,
        (library_mib,),
        Goal(at_most=MEMORY_GOAL_MIB),
        "house, poller, history and deck of `run` round a clock of their own, the simulated deck in the same process. The peer "
        "is the library with Pillow and one callback, which asks nobody and remembers nothing.",
    )
    last = told.private_kib[-counts.flat_hours - 1 :]
    grown = [after - before for before, after in itertools.pairwise(last)]
    noise_kib = 2 * statistics.stdev(grown) / len(grown) ** 0.5 if len(grown) > 1 else 0.0
    yield Row(
        "growth of private memory in a day of virtual life, once the caches are full",
        "KiB an hour",
        tuple(grown),
        "",
        (),
        Goal(at_most=max(noise_kib, 1.0)),
        f"the last {counts.flat_hours} of {counts.life_hours} hours. Flat: the mean of the hours is within two standard errors "
        f"of 0 ({noise_kib:.1f} KiB). Until then the bounded caches of pictures, letters and layouts fill up: {first_mib:.1f} "
        f"MiB after an hour, {last[0] / 1024:.1f} before that day, {last[-1] / 1024:.1f} after it.",
        Centre.MEAN,
    )


def _live(counts: Counts) -> Told:
    """Some days of an ordinary account with the ordinary keys; then ten snapshots in which nothing is new."""
    clock, told = VirtualClock(), Told()
    with _account(clock) as (sample, env), Child("bench.child_life", MODEL, env=env) as child:
        for hour in range(1, counts.life_hours + 1):
            _until(hour * HOUR_S, child, clock)
            if has_costs():
                told.private_kib.append(1024 * costs_of(child.pid).private_mib)
            if hour % DAY_H == 1 or hour == counts.life_hours:
                if hour > 1:
                    told.requests.append(len(sample.requests))
                sample.requests.clear()
        before = child.ask("costs")
        child.ask("news 10")
        after = child.ask("costs")
    told.drawn_again, told.reports_again = (float(after[name] - before[name]) / 10 for name in ("drawn", "reports"))
    return told


def _still_hour() -> float:
    clock = VirtualClock()
    with _account(clock, STILL) as (sample, env), Child("bench.child_life", MODEL, env=env) as child:
        sample.instead["/credits"] = credits_(sample.state())
        _until(HOUR_S / 2, child, clock)
        before = child.ask("costs")
        _until(1.5 * HOUR_S, child, clock)
        return float(child.ask("costs")["reports"] - before["reports"])


def _until(end_s: float, child: Child, clock: VirtualClock) -> None:
    """Lives on to the first poll from there on, which is not asked yet."""
    while clock.passed_s < end_s:
        child.ask("poll")
        clock.passed_s = child.ask("pass")["poll_s"]
    child.ask("costs")  # settled


def _plain_requests(hours: int) -> int:
    """Of a day, or of the hours lived when they are fewer: asked of the same account."""
    with SampleAccount() as sample:
        for _ in range(POLLS_AN_HOUR * min(DAY_H, hours)):
            with Client(Secret(sample.key), sample.url) as client:
                client.credits()
                client.activity()
        return len(sample.requests)


@contextmanager
def _account(clock: VirtualClock, config: str = "") -> Iterator[tuple[SampleAccount, Mapping[str, str]]]:
    with SampleAccount(clock=clock.utc) as sample, owner_of(sample, config) as env:
        yield sample, env
