"""One side of `bench.team_desks`: `python -m bench.child_team publisher|desks PORT CA_FILE COUNT`. Commands on standard input.

The clock of every reply is the monotonic one, which all processes of a machine share.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Activity, ApiKey, Credits, Health, Reading, Sample, Snapshot, Spend, Today
from openbalance_hid.mqtt.account_publisher import AccountPublisher
from openbalance_hid.mqtt.account_reader import AccountReader
from openbalance_hid.mqtt.broker_address import AccountTopics, BrokerAddress
from openbalance_hid.mqtt.snapshot_schema import PublisherIdentity, SummaryPart
from openbalance_hid.openrouter.poller import SystemClock
from openbalance_hid.secret import BrokerLogin
from tests.mqtt.mosquitto import DESK, PASSWORD, PUBLISHER

TOPIC = "openbalance/team"
MODELS, KEYS = 12, 8
LIMIT_S = 180.0


def usual_account(polls: int) -> Snapshot:
    """Return five weeks of an account with some models and keys; its counter says how often it was polled."""
    now = datetime.now(UTC)
    spend = Spend(Decimal("1.234567891"), 120, 456_789)
    days = {now.date() - timedelta(days=age): {f"vendor/model-{n}": spend for n in range(MODELS)} for age in range(1, 36)}
    providers = {day: {f"Provider {n}": spend for n in range(4)} for day in days}
    hourly = [now - timedelta(hours=age) for age in range(35 * 24, 48, -1)]
    recent = [now - timedelta(minutes=15 * age) for age in range(4 * 48, -1, -1)]
    samples = tuple(
        Sample(at, at.timestamp(), Decimal(1000), Decimal("0.123456789") * n) for n, at in enumerate(hourly + recent)
    )
    keys = tuple(ApiKey(f"{n:064x}", f"key-{n}", Decimal(9), Decimal(1), Decimal(3), Decimal(9)) for n in range(KEYS))
    return Snapshot(
        "team",
        now,
        900.0,
        Health.OK,
        credits=Reading(Credits(Decimal(1000), Decimal(500) + polls), now, Health.OK),
        activity=Reading(Activity(days, providers), now, Health.OK),
        today=Reading(Today(now.date(), {f"vendor/model-{n}": spend for n in range(MODELS)}), now, Health.OK),
        keys=Reading(keys, now, Health.OK),
        samples=samples,
        polls=polls,
    )


def publish(address: BrokerAddress, ca_file: str) -> None:
    """Publish once for each command."""
    clock = SystemClock()
    identity = PublisherIdentity("a" * 16, clock.utc(), "bench", "bench")
    login = BrokerLogin(PUBLISHER, PASSWORD)
    source = AccountPublisher("team", AccountTopics(TOPIC), address, lambda: login, ca_file, identity, clock, lambda _: None)
    source.start()
    first = usual_account(0)
    polls = 0
    for command in sys.stdin:
        if command.strip() == "settle":
            while not source.state.link.connected:
                time.sleep(0.05)
            reply: dict[str, object] = {"settled": True}
        else:
            polls += 1
            used = Credits(Decimal(1000), Decimal(500) + polls)
            snapshot = replace(first, credits=Reading(used, clock.utc(), Health.OK), polls=polls)
            at_s = time.monotonic()
            source.offer(snapshot, SummaryPart(), False)
            while source.state.messages < polls:
                time.sleep(0.001)
            reply = {"at_s": at_s, "bytes": source.state.message_bytes}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


class Desks:
    """The readers, and when each of them published its latest snapshot."""

    def __init__(self, address: BrokerAddress, ca_file: str, count: int) -> None:
        self._changed = threading.Condition()
        self._reached: list[tuple[int, float]] = [(0, 0.0)] * count
        login = BrokerLogin(DESK, PASSWORD)
        for number in range(count):
            AccountReader("team", address, lambda: login, ca_file, 900.0, self._taker(number), SystemClock()).start()

    def _taker(self, number: int) -> Callable[[Snapshot], None]:
        def take(snapshot: Snapshot) -> None:
            if snapshot.credits.value is not None:
                poll = int(snapshot.credits.value.total_usage_usd) - 500
                with self._changed:
                    self._reached[number] = (poll, time.monotonic())
                    self._changed.notify_all()

        return take

    def wait(self, poll: int) -> list[float]:
        """Return when each desk had this poll; wait for the last one."""
        with self._changed:
            done = self._changed.wait_for(lambda: all(each[0] >= poll for each in self._reached), LIMIT_S)
            assert done, f"{sum(each[0] < poll for each in self._reached)} desks do not have poll {poll}"
            return [at_s for _, at_s in self._reached]


if __name__ == "__main__":
    kind, port, ca_file, count = sys.argv[1:]
    if kind == "publisher":
        publish(BrokerAddress("localhost", int(port), True), ca_file)
    else:
        desks = Desks(BrokerAddress("localhost", int(port), True, TOPIC), ca_file, int(count))
        for command in sys.stdin:
            sys.stdout.write(json.dumps({"at_s": desks.wait(int(command.split()[1]))}) + "\n")
            sys.stdout.flush()
