"""Results kept for the last snapshots: the tiles of a deck show the same amounts of the same account at the same moment. Pure.

A snapshot is recognised by identity, because a comparison costs more than most results.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from openbalance_hid.account.snapshot import Snapshot

SNAPSHOTS = 8  # two for each of some accounts: the present one and the next one
RESULTS = 512  # for each snapshot; moments follow each other

P = ParamSpec("P")
R = TypeVar("R")


def remembered(function: Callable[Concatenate[Snapshot, P], R]) -> Callable[Concatenate[Snapshot, P], R]:
    """Return the function with its last results kept. Its arguments must be hashable. Thread-safe: at worst it runs twice."""
    memory: list[tuple[Snapshot, dict[object, R]]] = []

    def results_of(snapshot: Snapshot) -> dict[object, R]:
        for known, results in tuple(memory):
            if known is snapshot:
                return results
        fresh: dict[object, R] = {}
        memory.insert(0, (snapshot, fresh))
        del memory[SNAPSHOTS:]
        return fresh

    @wraps(function)
    def with_memory(snapshot: Snapshot, /, *args: P.args, **kwargs: P.kwargs) -> R:
        results = results_of(snapshot)
        key = (args, tuple(kwargs.items()))
        if key not in results:
            if len(results) >= RESULTS:
                results.clear()
            results[key] = result = function(snapshot, *args, **kwargs)
            return result
        return results[key]

    return with_memory
