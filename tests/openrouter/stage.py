"""A poller whose turns are taken by hand, under a clock that only moves when told."""

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import json
from tests.openrouter.virtual import VirtualClock

INTERVAL_S = 900.0


class Stage:
    """A poller whose turns are taken by hand, the account it asks, and what it has published."""

    def __init__(self, sample: SampleAccount, clock: VirtualClock) -> None:
        self.sample = sample
        self.clock = clock
        self.key = sample.key
        self.published: list[Snapshot] = []
        self.poller = Poller("default", self.connect, INTERVAL_S, self.published.append, clock)

    def connect(self) -> Client:
        return Client(Secret(self.key), self.sample.url, utc=self.clock.utc)

    def turn(self, by_hand: bool = False) -> float:
        self.sample.requests.clear()
        return self.poller.turn(by_hand)

    def later(self, seconds: float = INTERVAL_S) -> float:
        self.clock.pass_(seconds)
        return self.turn()

    @property
    def now(self) -> Snapshot:
        return self.published[-1]

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.sample.requests]

    def zeros(self) -> None:
        self.sample.instead["/credits"] = json(200, {"data": {"total_credits": 0, "total_usage": 0}})

    def kind(self, is_management_key: bool | None) -> None:
        self.sample.instead["/key"] = json(200, {"data": {"label": "x", "is_management_key": is_management_key}})
