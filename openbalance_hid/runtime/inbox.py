"""What waits for the main thread, and in which order it is taken: inputs of the decks first, snapshots together.

Any thread, and a signal handler in the middle of a call, may put items into the queue: `queue.SimpleQueue` allows both. The
order is made by the main thread alone, when it takes an item.
"""

import queue
from collections import deque

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.controller import ScheduledCall
from openbalance_hid.app.events import Event, SnapshotBatch
from openbalance_hid.deck.device_events import DeckArrived, DeckLost, InputEvent

MOST_SNAPSHOTS = 32  # taken together: the tiles are evaluated once for all of them


class Stop:
    """Put into the queue to end the loop."""


Item = Event | ScheduledCall | Stop


class Inbox:
    """The items of a queue in the order of their urgency. Used by the main thread only."""

    def __init__(self, items: "queue.SimpleQueue[Item]") -> None:
        self._items = items
        self._inputs: deque[Item] = deque()
        self._others: deque[Item] = deque()
        self._decks_waiting = 0  # decks that arrived or were lost, among the others: inputs must not overtake them

    def __len__(self) -> int:
        self._sort()
        return len(self._inputs) + len(self._others)

    @property
    def has_input(self) -> bool:
        """Whether an input of a deck waits."""
        self._sort()
        return bool(self._inputs)

    def get(self, timeout_s: float) -> tuple[Item, int]:
        """Return the next item, and how many were taken for it: snapshots are taken together. Raises queue.Empty."""
        self._sort()
        if not self._inputs and not self._others:
            self._add(self._items.get(timeout=timeout_s) if timeout_s > 0 else self._items.get_nowait())
        if self._inputs:
            return self._inputs.popleft(), 1
        item = self._others.popleft()
        self._decks_waiting -= isinstance(item, DeckArrived | DeckLost)
        if not isinstance(item, Snapshot):
            return item, 1
        batch = [item]
        while self._others and len(batch) < MOST_SNAPSHOTS and isinstance(following := self._others[0], Snapshot):
            batch.append(following)
            self._others.popleft()
        return (SnapshotBatch(tuple(batch)) if len(batch) > 1 else item), len(batch)

    def _sort(self) -> None:
        while True:
            try:
                self._add(self._items.get_nowait())
            except queue.Empty:
                return

    def _add(self, item: Item) -> None:
        is_first = isinstance(item, InputEvent) and not self._decks_waiting
        (self._inputs if is_first else self._others).append(item)
        self._decks_waiting += isinstance(item, DeckArrived | DeckLost)
