"""The costs of a growing number of decks, and the time until a deck shows all its pictures."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from bench.child import Child
from bench.neighbours.costs import costs_of, has_costs
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment

MODEL, KEYS = "xl", 32
LIBRARY = "the library as shipped"
TILES = (
    "balance",
    "top-models",
    "monthly-spend",
    "spike-alert",
    "usage",
    "today",
    "runway",
    "api-keys",
    "providers",
)
ONE_DECK = "one deck"
REPAINT_GOAL_MS = 30.0
PLUG_GOAL_MS = 2000.0


@dataclass(slots=True)
class DeckCosts:
    """Measured with one number of decks."""

    press_ms: list[float] = field(default_factory=list)
    repaint_ms: list[float] = field(default_factory=list)
    reports: list[float] = field(default_factory=list)
    plug_ms: list[float] = field(default_factory=list)
    private_mib: float = 0.0


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows: one XL beside the library, then more XL decks."""
    measured = {count: _measure(count, sizes) for count in sizes.decks}
    with Child("bench.child_library", MODEL) as library:
        library.request("settle")
        theirs = [library.request("repaint") for _ in range(sizes.repaints)]
    one = measured[1]
    most = sizes.decks[-1]
    return [
        Row(
            "32 tiles of an XL painted anew: reports",
            "reports",
            tuple(one.reports),
            LIBRARY,
            tuple(float(each["reports"]) for each in theirs),
            Goal(ratio=Fraction(1, 2)),
            "a page with other tiles on every key; the peer sends 32 pictures at the default of `PILHelper`, all of one tile.",
        ),
        Row(
            "32 tiles of an XL painted anew: time",
            "ms",
            tuple(one.repaint_ms),
            LIBRARY,
            tuple(1000 * each["took_s"] for each in theirs),
            Goal(at_most=REPAINT_GOAL_MS),
            "from the command to the last picture: sent through the socket, drawn, encoded and sent; the simulated "
            "display decodes coarsely, as for the peer. The peer encodes and sends; its picture is drawn in advance. "
            "On another machine, on 2026-11-30: 25.9 ms, 2.82 times the peer.",
        ),
        Row(
            "plugged in to the last of 32 tiles",
            "ms",
            tuple(one.plug_ms),
            "",
            (),
            Goal(at_most=PLUG_GOAL_MS),
            "a deck that was there before, announced as udev does it; the simulated bus itself takes no time.",
        ),
        *_growth(measured, most),
    ]


def _growth(measured: dict[int, DeckCosts], most: int) -> Iterator[Row]:
    """Yield the rows of the largest number of decks, for each deck or press, against one deck."""
    one, many = measured[1], measured[most]
    medians = {count: statistics.median(each.press_ms) for count, each in measured.items()}
    yield Row(
        "CPU time of a press, many XL decks",
        "ms",
        tuple(many.press_ms),
        ONE_DECK,
        tuple(one.press_ms),
        Goal(),
        f"{_listed(medians, 'ms')}: {_slope(medians):.2f} ms more for each deck. On any key of any deck; press, release and "
        "what the simulator decodes of both.",
    )
    if has_costs():
        yield Row(
            "private memory of each further XL deck",
            "MiB",
            ((many.private_mib - one.private_mib) / max(1, most - 1),),
            "one deck, all of it",
            (one.private_mib,),
            Goal(),
            f"{_listed({count: each.private_mib for count, each in measured.items()}, 'MiB')}: what the simulator keeps of 32 "
            "pictures (0.8 MiB) is in it.",
        )
    repaints = {count: statistics.median(each.repaint_ms) for count, each in measured.items()}
    yield Row(
        "all tiles of many XL decks painted anew, for each deck",
        "ms",
        tuple(took_ms / most for took_ms in many.repaint_ms),
        ONE_DECK,
        tuple(one.repaint_ms),
        Goal(),
        f"{_listed(repaints, 'ms')} in all: {_slope(repaints):.1f} ms more for each deck. The same page on each, so that a "
        "picture is drawn once.",
    )


def _listed(amounts: dict[int, float], unit: str) -> str:
    counts, values = ", ".join(map(str, amounts)), ", ".join(f"{amount:.3g}" for amount in amounts.values())
    return f"with {counts} decks {values} {unit}"


def _slope(amounts: dict[int, float]) -> float:
    """Return the increase for each deck, by least squares; 0 for one point."""
    return statistics.linear_regression(list(amounts), list(amounts.values())).slope if len(amounts) > 1 else 0.0


def _measure(count: int, sizes: SampleSizes) -> DeckCosts:
    measured = DeckCosts()
    with (
        user_environment(deck_pages(sizes.repaints + 1)) as env,
        Child("bench.child_daemon", MODEL, str(count), env=env) as child,
    ):
        child.request("settle")
        if has_costs():
            measured.private_mib = costs_of(child.pid).private_mib
        child.request(f"presses {sizes.presses // 2}")  # until the pressed pictures are in the cache
        measured.press_ms = [1000 * child.request(f"presses {sizes.presses // 2}")["cpu_s"] for _ in range(sizes.repaints)]
        for number in range(1, sizes.repaints + 1):
            found = child.request(f"repaint page-{number}")
            measured.repaint_ms.append(1000 * found["took_s"])
            measured.reports.append(float(found["reports"]))
        if count == 1:
            measured.plug_ms = [
                1000 * child.request(f"replug {0.3 + 0.37 * number:.2f}")["took_s"] for number in range(sizes.repaints)
            ]
    return measured


def deck_pages(count: int) -> str:
    """Return a configuration with so many pages, the first one "main"; every key of every page has its own picture."""
    lines = ["[[decks]]"]
    for page in range(count):
        where = "decks.keys"
        if page:
            lines.append(f'[[decks.pages]]\nname = "page-{page}"')
            where = "decks.pages.keys"
        lines += [
            f'[[{where}]]\nkey = {key}\ntile = "{TILES[key % len(TILES)]}"\nlabel = "{page} {key}"' for key in range(KEYS)
        ]
    return "\n".join(lines)
