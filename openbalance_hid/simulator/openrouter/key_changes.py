"""What was changed about the keys of the sample account, and the faults of the next requests about one key."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from openbalance_hid.simulator.openrouter.scenarios import ResponseFault


@dataclass(frozen=True, slots=True)
class KeyFault:
    """What happens to one request. `is_applied`: the server carries it out, whatever the client receives."""

    is_applied: bool = True
    status: int = 500  # of the refusal, if it is not carried out
    damage: ResponseFault | None = None  # to the answer; GARBAGE: as good as none


@dataclass(slots=True)
class KeyChanges:
    """By key hash. Every method may be called from any thread."""

    disabled: dict[str, bool] = field(default_factory=dict)
    off_spans: dict[str, list[tuple[datetime, datetime | None]]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    writes: list[tuple[str, bool]] = field(default_factory=list)  # each that was carried out
    faults: deque[KeyFault | None] = field(default_factory=deque)  # of the next requests, in order; None: none
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self) -> KeyFault | None:
        """Take the fault of this request."""
        with self.lock:
            return self.faults.popleft() if self.faults else None

    def set_disabled(self, key_hash: str, disabled: bool, now: datetime) -> None:
        """Carry out a write at `now` (aware)."""
        with self.lock:
            spans = self.off_spans.setdefault(key_hash, [])
            is_off = bool(spans) and spans[-1][1] is None
            if disabled and not is_off:
                spans.append((now, None))
            elif is_off and not disabled:
                spans[-1] = (spans[-1][0], now)
            self.disabled[key_hash] = disabled
            self.writes.append((key_hash, disabled))
