"""The time from a key press to the callback, and to the pressed picture."""

from dataclasses import replace
from random import Random

from bench.child import Child
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import user_environment

MODEL, KEYS = "xl", 32
LIBRARY = "the library as shipped"
NOTE = (
    "whole `run` on an XL (96 px), from the input report to the last report of the picture. The peer is the library's own "
    "reader, which polls 20 times a second, with `PILHelper` and `set_key_image` in the callback; its picture is drawn in "
    "advance, ours is not. The simulator takes reports at once; a real bus adds its time for each of them, so that fewer "
    "reports gain more there."
)
LONGEST_PAUSE_S = 0.1  # two polls of the library's reader, so that presses are spread evenly between them
TILES = ("balance", "top-models", "monthly-spend", "spike-alert")
GOAL_MS = 8.0
CALLBACK_GOAL_MS = 2.0


CALLBACK_NOTE = "the package `deck` alone: its transport, the library's reader on it, and the emitted event."


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows: to the callback, then to the picture."""
    return [_callback(sizes), *_pictures(sizes)]


def _callback(sizes: SampleSizes) -> Row:
    """Press on both readers in turns; their callbacks only record the time."""
    rng = Random(2)
    with Child("bench.child_callback", "ours") as ours, Child("bench.child_callback", "library") as theirs:
        pairs = []
        for _ in range(sizes.presses):
            words = f"press {rng.uniform(0, LONGEST_PAUSE_S):.4f}"
            pairs.append((1000 * ours.request(words)["called_s"], 1000 * theirs.request(words)["called_s"]))
    return replace(_row("press to callback", pairs, CALLBACK_NOTE), goal=Goal(at_most=CALLBACK_GOAL_MS))


def _pictures(sizes: SampleSizes) -> list[Row]:
    """Press every key once, then again: the picture is drawn in the first half and cached in the second."""
    rng = Random(2)  # the same pauses every time
    new: list[tuple[float, float]] = []
    known: list[tuple[float, float]] = []
    released: list[tuple[float, float]] = []
    with (
        user_environment(_config_with_different_pictures()) as env,
        Child("bench.child_daemon", MODEL, "1", env=env) as ours,
        Child("bench.child_library", MODEL) as theirs,
    ):
        for child in (ours, theirs):
            child.request("settle")
        keys = min(KEYS, -(-sizes.presses // 2))
        for number in range(max(sizes.presses, keys + 1)):
            words = f"press {number % keys} {rng.uniform(0, LONGEST_PAUSE_S):.4f}"
            pair = ours.request(words), theirs.request(words)
            (new if number < keys else known).append(_both(pair, "pressed_s"))
            released.append(_both(pair, "released_s"))
    return [
        _row("press to pressed look on the glass, picture drawn anew", new, NOTE),
        _row("press to pressed look on the glass, picture known", known, ""),
        _row("release to the look at rest on the glass", released, "as soon as the pressed look was there."),
    ]


def _both(pair: tuple[dict[str, float], dict[str, float]], part: str) -> tuple[float, float]:
    """Return a part of ours and of theirs, in milliseconds."""
    return 1000 * pair[0][part], 1000 * pair[1][part]


def _row(name: str, pairs: list[tuple[float, float]], note: str) -> Row:
    return Row(name, "ms", tuple(a for a, _ in pairs), LIBRARY, tuple(b for _, b in pairs), Goal(at_most=GOAL_MS), note)


def _config_with_different_pictures() -> str:
    keys = [f'[[decks.keys]]\nkey = {key}\ntile = "{TILES[key % len(TILES)]}"\nlabel = "Key {key}"\n' for key in range(KEYS)]
    return "\n".join(["[[decks]]", *keys])
