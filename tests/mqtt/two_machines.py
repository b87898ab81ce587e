"""A publisher and readers in this process, over a real broker. Each has clocks of its own, which a test may set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.mqtt.account_publisher import AccountPublisher
from openbalance_hid.mqtt.account_reader import AccountReader
from openbalance_hid.mqtt.broker_address import AccountTopics, BrokerAddress
from openbalance_hid.mqtt.snapshot_schema import PublisherIdentity, SummaryPart
from openbalance_hid.secret import BrokerLogin
from tests.mqtt.mosquitto import DESK, PASSWORD, PUBLISHER, Mosquitto
from tests.waiting import until

TOPIC = "openbalance/team"


class ShiftedClock:
    """The clocks of a machine whose wall clock is wrong by `wrong`. `ahead_s` moves both on, as if time had passed."""

    def __init__(self, wrong: timedelta = timedelta(0)) -> None:
        self.wrong = wrong
        self.ahead_s = 0.0

    def utc(self) -> datetime:
        return datetime.now(UTC) + self.wrong + timedelta(seconds=self.ahead_s)

    def mono(self) -> float:
        return time.monotonic() + self.ahead_s


class StillClock(ShiftedClock):
    """Clocks that only a test moves on: what is limited in time is limited on the slowest machine."""

    def __init__(self) -> None:
        super().__init__()
        self._utc, self._mono_s = super().utc(), super().mono()

    def utc(self) -> datetime:
        return self._utc + timedelta(seconds=self.ahead_s)

    def mono(self) -> float:
        return self._mono_s + self.ahead_s


def address_of(broker: Mosquitto, topic: str = "") -> BrokerAddress:
    return BrokerAddress("localhost", broker.port, True, topic)


def login(user: str, password: str = PASSWORD) -> Callable[[], BrokerLogin]:
    return lambda: BrokerLogin(user, password)


def publisher(
    broker: Mosquitto,
    clock: ShiftedClock | None = None,
    *,
    number: int = 1,
    started_at: datetime | None = None,
    user: str = PUBLISHER,
    polls: list[str] | None = None,
    host: str = "alpha",
    **more: Any,
) -> AccountPublisher:
    clock = clock or ShiftedClock()
    identity = PublisherIdentity(f"{number:016x}", started_at or clock.utc(), "0.1", host)
    requested = polls if polls is not None else []
    return AccountPublisher(
        "team", AccountTopics(TOPIC), address_of(broker), login(user), broker.ca_file, identity, clock, requested.append, **more
    )


class Desk:
    """A reader and what it has published."""

    def __init__(self, broker: Mosquitto, clock: ShiftedClock | None = None, **more: Any) -> None:
        self.snapshots: list[Snapshot] = []
        self.skipped: list[str] = []
        self.clock = clock or ShiftedClock()
        more = {"read_login": login(DESK), "ca_file": broker.ca_file, "topic": TOPIC, **more}
        self.reader = AccountReader(
            "team",
            address_of(broker, more["topic"]),
            more["read_login"],
            more["ca_file"],
            900.0,
            self.snapshots.append,
            self.clock,
            skip=self.skipped.append,
        )

    def __enter__(self) -> Desk:
        self.reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.stop()

    @property
    def latest(self) -> Snapshot:
        return self.snapshots[-1]

    def until(self, reached: Callable[[Snapshot], object]) -> Snapshot:
        """Wait for a snapshot like this."""
        until(lambda: self.snapshots and reached(self.latest), lambda: self.snapshots[-1:])
        return self.latest


def summary() -> SummaryPart:
    return SummaryPart("74.25", "1.20", "40", "0.42", "normal")
