"""Results kept for each account: the tiles of a deck show the same amounts of the same account at the same moment. Pure.

Each account has results of its own, and only for its newest values: one cache for all accounts would hold the old answers of a
single one for days, and would be too small for many.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from openbalance_hid.account.snapshot import Snapshot  # a status bar starts faster without it

ACCOUNTS = 256
NEWEST = 2  # of each account: the present value, and the one before while the next arrives
RESULTS = 512  # for each snapshot; moments follow each other

P = ParamSpec("P")
R = TypeVar("R")
Argument = TypeVar("Argument", bound=Hashable)


def remembered(function: Callable[Concatenate[Snapshot, P], R]) -> Callable[Concatenate[Snapshot, P], R]:
    """Return the function with its last results kept. Its arguments must be hashable. Thread-safe: at worst it runs twice.

    A snapshot is recognised by identity, because a comparison costs more than most results.
    """

    @lru_cache(maxsize=ACCOUNTS)
    def memory_of(_account: str) -> list[tuple[Snapshot, dict[object, R]]]:
        return []

    def results_of(snapshot: Snapshot) -> dict[object, R]:
        memory = memory_of(snapshot.account)
        for known, results in tuple(memory):
            if known is snapshot:
                return results
        fresh: dict[object, R] = {}
        memory.insert(0, (snapshot, fresh))
        del memory[NEWEST:]
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


def remembered_by_account(function: Callable[[Argument], R]) -> Callable[[str, Argument], R]:
    """Return the function with the name of an account, or of a part of it, as its first argument, and its last results kept."""

    @lru_cache(maxsize=ACCOUNTS)
    def of_account(_account: str) -> Callable[[Argument], R]:
        return lru_cache(maxsize=NEWEST)(function)

    return lambda account, argument: of_account(account)(argument)
