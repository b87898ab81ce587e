"""A poller on a proxy on an account that has spent much: the stand of the tests that spoil answers."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.openrouter.virtual import VirtualClock
from tests.torture.fault_proxy import Answer, Fault, FaultProxy, with_body
from tests.torture.oracle import check

PATHS = ("/credits", "/activity", "/analytics/query", "/keys")
NAMES = {"/credits": "credits", "/activity": "activity", "/analytics/query": "today", "/keys": "keys"}
PATIENT = HttpLimits(read_s=20.0, total_s=30.0)


class Watched:
    """What is known after each turn. `limits`: of the next one."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.account = SampleAccount("critical", clock=self.clock.utc)
        self.proxy: FaultProxy
        self.limits = PATIENT
        self.published: list[Snapshot] = []
        self.forget()

    def forget(self) -> None:
        """Begin anew, as with an account that was never met."""
        self.poller = Poller("default", self.client, 900.0, self.published.append, self.clock)

    def client(self) -> Client:
        return Client(Secret(self.account.key), self.proxy.url, limits=self.limits, utc=self.clock.utc)

    def turn(self) -> Snapshot:
        self.clock.pass_(61)  # longer than a 429 asks for silence
        self.published.clear()
        assert 0 < self.poller.run_cycle(by_hand=True) <= 86_400
        return self.published[-1]

    def suffer(self, path: str, fault: Fault, body: bytes | None = None) -> Snapshot:
        """A turn in which the answers of `path` meet a fault. `body`: what may be believed of them."""
        before = self.published[-1]
        self.proxy.faults = {path: fault}
        after = self.turn()
        self.proxy.faults = {}
        check(before, after, {path: body})
        return after

    def suffer_body(self, path: str, change: Callable[[bytes], bytes]) -> Snapshot:
        """The same, with another body under a good head: it may be believed, for what it says."""
        before = self.published[-1]
        bodies: dict[str, bytes | None] = {path: None}

        def changed(body: bytes) -> bytes:
            if bodies[path] is not None:  # a second question, of the same path
                return change(body)
            bodies[path] = change(body)
            return bodies[path] or b""

        self.proxy.faults = {path: with_body(changed)}
        after = self.turn()
        self.proxy.faults = {}
        check(before, after, bodies)
        return after

    def answer(self, path: str) -> Answer:
        """A good one, as it is."""
        kept: list[Answer] = []

        def keep(answer: Answer, peer: socket.socket) -> None:
            kept.append(answer)
            peer.sendall(answer.whole)

        self.proxy.faults = {path: keep}
        self.turn()
        self.proxy.faults = {}
        return kept[0]


@contextmanager
def watching() -> Iterator[Watched]:
    """One that has been answered once, everything."""
    made = Watched()
    with made.account, FaultProxy(made.account.url) as made.proxy:
        known = made.turn()
        assert all(getattr(known, name).value for name in ("credits", "activity", "today", "keys", "key_days", "window"))
        yield made


def some(all_: dict[str, Any], count: int, seed: str) -> dict[str, Any]:
    """So many of them, the same ones for the same seed."""
    return all_ if count >= len(all_) else dict(random.Random(seed).sample(sorted(all_.items()), count))
