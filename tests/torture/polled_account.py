"""A poller, a fault proxy and a sample account with high spend, for the tests that damage replies."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.openrouter.virtual import VirtualClock
from tests.torture.altered_json import dumped
from tests.torture.fault_proxy import Answer, Fault, FaultProxy, with_body
from tests.torture.oracle import check, object_of

PATHS = ("/credits", "/activity", "/analytics/query", "/keys")
NAMES = {"/credits": "credits", "/activity": "activity", "/analytics/query": "today", "/keys": "keys"}
PATIENT = HttpLimits(read_s=20.0, total_s=30.0)


class PolledAccount:
    """Polls, and keeps the snapshots of the last poll. `limits`: of the next poll."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.account = SampleAccount("critical", clock=self.clock.utc)
        self.proxy: FaultProxy
        self.limits = PATIENT
        self.published: list[Snapshot] = []
        self.forget()

    def forget(self) -> None:
        """Start again with a new poller, which knows nothing of the account."""
        self.poller = Poller("default", self.client, 900.0, self.published.append, self.clock)

    def client(self) -> Client:
        return Client(Secret(self.account.key), self.proxy.url, limits=self.limits, utc=self.clock.utc)

    def poll(self) -> Snapshot:
        self.clock.pass_(61)  # longer than the wait after a 429
        self.published.clear()
        assert 0 < self.poller.run_cycle(by_hand=True) <= 86_400
        return self.published[-1]

    def poll_with_fault(self, path: str, fault: Fault, body: bytes | None = None) -> Snapshot:
        """Poll with a fault in the replies of `path`. `body`: the body that may be accepted."""
        before = self.published[-1]
        self.proxy.faults = {path: fault}
        after = self.poll()
        self.proxy.faults = {}
        check(before, after, {path: body})
        return after

    def poll_with_body(self, path: str, change: Callable[[bytes], bytes]) -> Snapshot:
        """Poll with another body under a good head, which may be accepted."""
        before = self.published[-1]
        bodies: dict[str, bytes | None] = {path: None}
        sent: list[bytes] = []  # the first answer, and others of the same path (a window, another workspace)

        def changed(body: bytes) -> bytes:
            sent.append(body)
            if body != sent[0]:
                if path != "/keys":  # their rows are added to those of the changed answer
                    with suppress(LookupError, TypeError):  # no such spot in a window
                        return change(body)
                return body
            bodies[path] = change(body)
            return bodies[path] or b""

        self.proxy.faults = {path: with_body(changed)}
        after = self.poll()
        self.proxy.faults = {}
        if path == "/keys":
            bodies[path] = with_rows(bodies[path], [body for body in sent if body != sent[0]])
        check(before, after, bodies)
        return after

    def answer(self, path: str) -> Answer:
        """Return an undamaged reply."""
        kept: list[Answer] = []

        def keep(answer: Answer, peer: socket.socket) -> None:
            kept.append(answer)
            peer.sendall(answer.whole)

        self.proxy.faults = {path: keep}
        self.poll()
        self.proxy.faults = {}
        return kept[0]


@contextmanager
def polled_account() -> Iterator[PolledAccount]:
    """Yield a polled account after a first poll with all replies."""
    made = PolledAccount()
    with made.account, FaultProxy(made.account.url, made.clock.utc) as made.proxy:
        known = made.poll()
        assert all(getattr(known, name).value for name in ("credits", "activity", "today", "keys", "key_days", "window"))
        yield made


def with_rows(body: bytes | None, others: list[bytes]) -> bytes | None:
    """Return the keys of a changed answer together with those of other workspaces; an unreadable answer as it is."""
    try:
        text = (body or b"").decode("utf-8", "replace")
        rows = json.loads(text, parse_float=Decimal, strict=False, object_pairs_hook=object_of)["data"]
        more = [row for other in dict.fromkeys(others) for row in json.loads(other, parse_float=Decimal)["data"]]
        return dumped({"data": [*rows, *more]}).encode("utf-8", "surrogatepass")
    except (ArithmeticError, KeyError, TypeError, ValueError, RecursionError):
        return body


def some(all_: dict[str, Any], count: int, seed: str) -> dict[str, Any]:
    """Return `count` of them, the same ones for the same seed."""
    return all_ if count >= len(all_) else dict(random.Random(seed).sample(sorted(all_.items()), count))
