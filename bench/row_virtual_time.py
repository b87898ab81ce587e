"""The costs of days in virtual time: memory, reports to an unchanged display, and requests to OpenRouter."""

import itertools
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.child import Child
from bench.neighbours.costs import costs_of, has_costs
from bench.sample_sizes import SampleSizes
from bench.table import Centre, Goal, Row
from bench.user_environment import environment_for
from bench.virtual_clock import VirtualClock
from openbalance_hid.openrouter.client import Client
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import credits_

MODEL = "mk2"
HOUR_S = 3600.0
DAY_H = 24
POLLS_PER_HOUR = 4
LIBRARY = "the library as shipped"
PLAIN = "`/credits` and `/activity` every 15 minutes"
UNCHANGING = "[dim]\nafter_minutes = 0\noff_after_minutes = 0\n[[decks]]\nrest = 'blank'\n" + "".join(
    f'[[decks.keys]]\nkey = {key}\ntile = "{tile}"\n'
    for key, tile in enumerate(("balance", "usage", "runway", "privacy", "meter"))
)
MEMORY_GOAL_MIB = 27.0
REQUESTS_GOAL = 110.0
REPAINT_GOAL = 180.0  # reports: one key a minute, as a picture of two reports, and the brightness


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows: some virtual days, an hour without any change, and the process of the library."""
    with Child("bench.child_library", MODEL) as library:
        library.request("settle")
        repaint = library.request("repaint")
        library_mib = costs_of(library.pid).private_mib if has_costs() else None
    measured = _run_days(sizes)
    unchanging_reports = _unchanging_hour()
    rows = [
        Row(
            "requests to OpenRouter in a day, the refresh interval as it comes",
            "requests",
            tuple(measured.requests),
            PLAIN,
            (float(_plain_requests(sizes.life_hours)),),
            Goal(at_most=REQUESTS_GOAL),
            "whole days of virtual life, the first hour apart; today by model, the keys and their days are in it.",
        ),
        Row(
            "a snapshot that changes nothing on the glass: pictures drawn",
            "pictures",
            (measured.drawn_repeated,),
            LIBRARY,
            (repaint["pictures"],),
            Goal(at_most=0),
            "each of ten; the peer is a program that sends every key's picture after each poll.",
        ),
        Row(
            "a snapshot that changes nothing on the glass: reports",
            "reports",
            (measured.reports_repeated,),
            LIBRARY,
            (repaint["reports"],),
            Goal(at_most=0),
        ),
        Row(
            "an hour in which nothing happens: reports",
            "reports",
            (unchanging_reports,),
            LIBRARY,
            (POLLS_PER_HOUR * repaint["reports"],),
            Goal(at_most=REPAINT_GOAL),
            "virtual time, four polls of an account that spends nothing, five tiles of which none turns its page. One part a "
            "minute is sent once more, in turn, with the brightness: another program may have drawn on the deck. On "
            "2026-11-25 nothing was sent again.",
        ),
    ]
    return rows if library_mib is None else [*_memory(measured, library_mib, sizes), *rows]


@dataclass(slots=True)
class DayCosts:
    """Measured in virtual time: memory at the end of each hour, requests of each day after the first hour."""

    private_kib: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    drawn_repeated: float = 0
    reports_repeated: float = 0


def _memory(measured: DayCosts, library_mib: float, sizes: SampleSizes) -> Iterator[Row]:
    first_mib = measured.private_kib[0] / 1024
    yield Row(
        "private memory after an hour of virtual life, one deck",
        "MiB",
        (first_mib,),
        LIBRARY,
        (library_mib,),
        Goal(at_most=MEMORY_GOAL_MIB),
        "controller, poller, history and deck of `run` with a virtual clock, the simulated deck in the same process. The peer "
        "is the library with Pillow and one callback, which polls nothing and stores nothing. What the imports alone keep, in "
        f"MiB: {_imports()}. TLS and HTTP (10 MiB) are in a process of their own, which runs during a poll and 10 s after it.",
    )
    last = measured.private_kib[-sizes.flat_hours - 1 :]
    grown = [after - before for before, after in itertools.pairwise(last)]
    noise_kib = 2 * statistics.stdev(grown) / len(grown) ** 0.5 if len(grown) > 1 else 0.0
    yield Row(
        "growth of private memory in a day of virtual life, once the caches are full",
        "KiB an hour",
        tuple(grown),
        "",
        (),
        Goal(at_most=max(noise_kib, 1.0)),
        f"the last {sizes.flat_hours} of {sizes.life_hours} hours. Flat: the mean of the hours is within two standard errors "
        f"of 0 ({noise_kib:.1f} KiB). Until then the bounded caches of pictures, letters and layouts fill up: {first_mib:.1f} "
        f"MiB after an hour, {last[0] / 1024:.1f} before that day, {last[-1] / 1024:.1f} after it. In several runs it is 0.2 "
        "to 1.8. By tracemalloc 0.9 of it are meant: 0.7 for samples, which the spike rule keeps for five weeks, and 0.2 for "
        "days, of which 400 are kept. On 2026-11-25 it was 4.",
        Centre.MEAN,
    )


def _imports() -> str:
    with Child("bench.child_imports") as child:
        parts = child.reply()
    return ", ".join(f"{package} {mib:.1f}" for package, mib in parts.items()) + f"; together {sum(parts.values()):.1f}"


def _run_days(sizes: SampleSizes) -> DayCosts:
    """Run some days of the usual account and layout; then take ten snapshots without any change."""
    clock, measured = VirtualClock(), DayCosts()
    with _account(clock) as (sample, env), Child("bench.child_virtual_time", MODEL, env=env) as child:
        for hour in range(1, sizes.life_hours + 1):
            _until(hour * HOUR_S, child, clock)
            if has_costs():
                measured.private_kib.append(1024 * costs_of(child.pid).private_mib)
            if hour % DAY_H == 1 or hour == sizes.life_hours:
                if hour > 1:
                    measured.requests.append(len(sample.requests))
                sample.requests.clear()
        before = child.request("costs")
        child.request("repeat 10")
        after = child.request("costs")
    measured.drawn_repeated, measured.reports_repeated = (
        float(after[name] - before[name]) / 10 for name in ("drawn", "reports")
    )
    return measured


def _unchanging_hour() -> float:
    clock = VirtualClock()
    with _account(clock, UNCHANGING) as (sample, env), Child("bench.child_virtual_time", MODEL, env=env) as child:
        sample.instead["/credits"] = credits_(sample.state())
        _until(HOUR_S / 2, child, clock)
        child.request("each")
        before = child.request("costs")
        _until(1.5 * HOUR_S, child, clock)
        return float(child.request("costs")["reports"] - before["reports"])


def _until(end_s: float, child: Child, clock: VirtualClock) -> None:
    """Run polls and pass the time until the next poll is after `end_s`."""
    while clock.passed_s < end_s:
        child.request("poll")
        clock.passed_s = child.request("pass")["poll_s"]
    child.request("costs")  # waits until everything is sent


def _plain_requests(hours: int) -> int:
    """Return the requests of a day, or of the virtual hours when they are fewer, to the same account."""
    with SampleAccount() as sample:
        for _ in range(POLLS_PER_HOUR * min(DAY_H, hours)):
            with Client(Secret(sample.key), sample.url) as client:
                client.credits()
                client.activity()
        return len(sample.requests)


@contextmanager
def _account(clock: VirtualClock, config: str = "") -> Iterator[tuple[SampleAccount, Mapping[str, str]]]:
    with SampleAccount(clock=clock.utc) as sample, environment_for(sample, config) as env:
        yield sample, env
