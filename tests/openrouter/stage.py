"""A poller that a test runs cycle by cycle, under a clock that only the test moves."""

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Sample, Snapshot
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import json
from tests.openrouter.virtual import VirtualClock

INTERVAL_S = 900.0


class Stage:
    """A poller, the account that it polls, and what it has published. `bug`: raised in place of making a client."""

    def __init__(self, sample: SampleAccount, clock: VirtualClock) -> None:
        self.sample = sample
        self.clock = clock
        self.key = sample.key
        self.bug: Exception | None = None
        self.published: list[Snapshot] = []
        self.poller = Poller("default", self.connect, INTERVAL_S, self.published.append, clock)

    def connect(self) -> Client:
        if self.bug is not None:
            raise self.bug
        return Client(Secret(self.key), self.sample.url, utc=self.clock.utc)

    def restart(self, samples: tuple[Sample, ...]) -> None:
        """Go on with a new poller that remembers these samples."""

        def recall(_: str, empty: Snapshot, *__: object) -> Snapshot:
            return replace(empty, samples=samples)

        self.poller = Poller("default", self.connect, INTERVAL_S, self.published.append, self.clock, recall=recall)

    def poll(self, by_hand: bool = False) -> float:
        self.sample.requests.clear()
        self.published.clear()
        return self.poller.run_cycle(by_hand)

    def later(self, seconds: float = INTERVAL_S) -> float:
        self.clock.pass_(seconds)
        return self.poll()

    @property
    def now(self) -> Snapshot:
        return self.published[-1]

    @property
    def requested(self) -> list[str]:
        return [request.path for request in self.sample.requests]

    def zeros(self) -> None:
        self.sample.instead["/credits"] = json(200, {"data": {"total_credits": 0, "total_usage": 0}})

    def kind(self, is_management_key: bool | None) -> None:
        self.sample.instead["/key"] = json(200, {"data": {"label": "x", "is_management_key": is_management_key}})
