"""As the work grows: many accounts at the start, large answers, a spike on many decks, a page that is turned on all of them."""

import math
import statistics
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from bench.child import Child
from bench.row_decks import MODEL, deck_pages
from bench.row_numbers import reply
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import accounts, environment_for, user_environment
from openbalance_hid.simulator.openrouter.sample_account import RecordedRequest, SampleAccount
from openbalance_hid.simulator.openrouter.sample_reply import SampleReply

ALERT_TILES = 4
KEYS_OF_ALL = 3  # API keys, where nothing else is said
LIMIT_S = 60.0
PAUSE_S = 0.1  # a press within 50 ms of a release is the bounce of a key
NO_POLL = "a daemon that polls nothing"
SPIKE_NOTE = ". In several runs it is 236 to 315 with 32 decks."
TURN_NOTE = (
    "Meanwhile 10 ms of drawing, sending and decoding for each deck go on in "
    "the same process, which has the simulated decks, too."
)


class TimedRequests(list[RecordedRequest]):
    """The requests of a sample account, with the monotonic time of each."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[float, str]] = []

    def append(self, request: RecordedRequest) -> None:
        self.times.append((time.monotonic(), request.path))
        super().append(request)


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows."""
    return [*_start_rows(sizes), *_poll_rows(sizes), *_spike_rows(sizes), _turn_row(sizes)]


def _start_rows(sizes: SampleSizes) -> list[Row]:
    """Start with many accounts, and press a key all the time."""
    found = {count: _start(count, sizes.start_window_s) for count in sizes.accounts}
    balances, most, longest = (tuple(each[part] for each in found.values()) for part in range(3))
    counts = f"with {_listed(list(found))} accounts "
    return [
        Row("many accounts at the start: all balances", "s", balances, "", (), Goal(at_most=6.0), counts + _listed(balances)),
        Row("many accounts at the start: most requests in a second", "requests", most, "", (), Goal(at_most=50.0), "as above."),
        Row(
            "many accounts at the start: longest press",
            "ms",
            longest,
            "",
            (),
            Goal(at_most=100.0),
            counts + _listed(longest) + ", from the first picture on",
        ),
    ]


def _start(count: int, window_s: float) -> tuple[float, float, float]:
    """Return the seconds to the last balance, the most requests in a second, and the longest press in milliseconds."""
    with SampleAccount() as sample:
        sample.requests = requests = TimedRequests()
        config, keys = accounts(count, sample.key)
        with environment_for(sample, config) as env, Child("bench.child_daemon", "mk2", "1", env={**env, **keys}) as daemon:
            daemon.request("lit")
            presses = _presses(daemon, window_s, 3)
            balances = sorted(at_s for at_s, path in requests.times if path == "/credits")[:count]
            times = sorted(at_s for at_s, _ in requests.times)
            most = max(bisect_left(times, at_s + 1.0) - number for number, at_s in enumerate(times))
            return balances[-1] - daemon.started_s, float(most), max(presses)


def _poll_rows(sizes: SampleSizes) -> Iterator[Row]:
    """Press a key while large answers are read."""
    quiet = _during_polls(sizes, None, KEYS_OF_ALL)
    activity = reply(min(28, sizes.activity_days))
    for what, body, keys in (("42,000 rows", activity, KEYS_OF_ALL), ("5,000 keys", None, sizes.keys)):
        during = _during_polls(sizes, body, keys, True)
        name, note = (
            f"press during a poll of {what}",
            f"in every poll. Longest {max(during):.3g} ms, median {_median(during)} ms. The HTTP process works meanwhile, on "
            "one of two cores.",
        )
        yield Row(f"{name}, 95 %", "ms", (_most(during),), NO_POLL, (_most(quiet),), Goal(at_most=20.0), note)
        yield Row(f"{name}, longest", "ms", (max(during),), NO_POLL, (max(quiet),), Goal(at_most=60.0), "as above.")


def _during_polls(sizes: SampleSizes, body: bytes | None, keys: int, refreshes: bool = False) -> list[float]:
    """Return the milliseconds of presses, with a poll before each dozen of them. `body`: of `/activity`."""
    found: list[float] = []
    with SampleAccount(keys=keys) as sample:
        if body is not None:
            sample.instead["/activity"] = SampleReply(200, body)
        with environment_for(sample) as env, Child("bench.child_daemon", "mk2", "1", env=env) as daemon:
            daemon.request("settle")
            for _ in range(sizes.polls):
                if refreshes:
                    daemon.request("refresh")
                found += _presses(daemon, sizes.poll_window_s, 3)
    return found


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3g}"


def _spike_rows(sizes: SampleSizes) -> list[Row]:
    """Show alert tiles that pulse on more and more decks."""
    found = {count: _spike(count, sizes) for count in sizes.pulsing_decks}
    first, last = next(iter(found.values())), list(found.values())[-1]
    counts = f"{ALERT_TILES} spike alerts that pulse on each of {_listed(list(found))} XL decks: "
    switches, cpu = (_listed([each[part] for each in found.values()]) for part in (0, 1))
    goal, woken = Goal(at_most=3.0), counts + switches + SPIKE_NOTE
    return [
        Row("a spike on many XL decks: wake-ups", "a second", (last[0],), "one deck", (first[0],), Goal(), woken),
        Row("a spike on many XL decks: CPU", "% of a core", (last[1],), "one deck", (first[1],), goal, counts + cpu),
    ]


def _spike(count: int, sizes: SampleSizes) -> tuple[float, float]:
    lines = ["[[decks]]"]
    for key in range(32):
        alert = f'tile = "spike-alert"\nthreshold = {2 + key / 2}' if key < ALERT_TILES else 'tile = "blank"'
        lines.append(f"[[decks.keys]]\nkey = {key}\n{alert}")
    with (
        SampleAccount("critical") as sample,
        environment_for(sample, "\n".join(lines)) as env,
        Child("bench.child_daemon", MODEL, str(count), env=env) as daemon,
    ):
        time.sleep(sizes.idle_window_s / 2)  # until the account is known, and the decks are painted
        found = daemon.request(f"idle {sizes.idle_window_s}")
        return found["switches"] / found["passed_s"], 100 * found["cpu_s"] / found["passed_s"]


def _turn_row(sizes: SampleSizes) -> Row:
    """Turn a page on many decks, and press a key of the last one at once."""
    found: dict[int, list[float]] = {}
    for count in sizes.turned_decks:
        with (
            user_environment(deck_pages(sizes.repaints + 1)) as env,
            Child("bench.child_daemon", MODEL, str(count), env=env) as daemon,
        ):
            daemon.request("settle")
            found[count] = [
                1000 * daemon.request(f"turn page-{number}")["pressed_s"] for number in range(1, sizes.repaints + 1)
            ]
    medians = [statistics.median(each) for each in found.values()]
    note = f"with {_listed(list(found))} XL decks {_listed(medians)} ms, from the press to the pressed look. {TURN_NOTE}"
    most = tuple(list(found.values())[-1])
    return Row("press right after a page turn on many XL decks", "ms", most, "", (), Goal(at_most=50.0), note)


def _presses(daemon: Child, window_s: float, key: int) -> list[float]:
    """Press a key for so long; return the milliseconds from each press to its look."""
    found: list[float] = []
    end_s = time.monotonic() + window_s
    while not found or time.monotonic() < end_s:
        found.append(1000 * float(daemon.request(f"press {key} {PAUSE_S}")["pressed_s"]))
    return found


def _most(values: Sequence[float]) -> float:
    """Return the value that 95 % do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _listed(amounts: Sequence[float]) -> str:
    return ", ".join(f"{amount:.3g}" for amount in amounts)
