"""From a finger on a key to the pressed look on the glass."""

from dataclasses import replace
from random import Random

from bench.child import Child
from bench.counts import Counts
from bench.owner import owner
from bench.table import Goal, Row

MODEL, KEYS = "xl", 32
LIBRARY = "the library as shipped"
NOTE = (
    "whole `run` on an XL (96 px), from the input report to the last report of the picture. The peer is the library's own "
    "reader, which looks 20 times a second, with `PILHelper` and `set_key_image` in the callback; its picture is drawn in "
    "advance, ours is not. The simulator takes reports at once; a real bus adds its time for each of them, so that fewer "
    "reports gain more there."
)
LONGEST_PAUSE_S = 0.1  # two of the library's looks, so that presses fall anywhere between them
TILES = ("balance", "top-models", "monthly-spend", "spike-alert")
GOAL_MS = 8.0
CALLBACK_GOAL_MS = 2.0


CALLBACK_NOTE = "the deck room alone: its transport, the library's reader on it, and the event at the other end."


def rows(counts: Counts) -> list[Row]:
    """To the callback, then to the glass."""
    return [_callback(counts), *_glass(counts)]


def _callback(counts: Counts) -> Row:
    """Both readers in turns, each with a callback that only notes the time."""
    rng = Random(2)
    with Child("bench.child_callback", "ours") as ours, Child("bench.child_callback", "library") as theirs:
        pairs = []
        for _ in range(counts.presses):
            words = f"press {rng.uniform(0, LONGEST_PAUSE_S):.4f}"
            pairs.append((1000 * ours.ask(words)["called_s"], 1000 * theirs.ask(words)["called_s"]))
    return replace(_row("press to callback", pairs, CALLBACK_NOTE), goal=Goal(at_most=CALLBACK_GOAL_MS))


def _glass(counts: Counts) -> list[Row]:
    """Every key once, then again: so each picture is drawn anew in the first half, and found in the cache in the second."""
    rng = Random(2)  # the same pauses every time
    new: list[tuple[float, float]] = []
    known: list[tuple[float, float]] = []
    with (
        owner(_every_key_another_picture()) as env,
        Child("bench.child_daemon", MODEL, "1", env=env) as ours,
        Child("bench.child_library", MODEL) as theirs,
    ):
        for child in (ours, theirs):
            child.ask("settle")
        keys = min(KEYS, -(-counts.presses // 2))
        for number in range(max(counts.presses, keys + 1)):
            words = f"press {number % keys} {rng.uniform(0, LONGEST_PAUSE_S):.4f}"
            pair = 1000 * ours.ask(words)["pressed_s"], 1000 * theirs.ask(words)["pressed_s"]
            (new if number < keys else known).append(pair)
    return [
        _row("press to pressed look on the glass, picture drawn anew", new, NOTE),
        _row("press to pressed look on the glass, picture known", known, ""),
    ]


def _row(name: str, pairs: list[tuple[float, float]], note: str) -> Row:
    return Row(name, "ms", tuple(a for a, _ in pairs), LIBRARY, tuple(b for _, b in pairs), Goal(at_most=GOAL_MS), note)


def _every_key_another_picture() -> str:
    keys = [f'[[decks.keys]]\nkey = {key}\ntile = "{TILES[key % len(TILES)]}"\nlabel = "Key {key}"\n' for key in range(KEYS)]
    return "\n".join(["[[decks]]", *keys])
