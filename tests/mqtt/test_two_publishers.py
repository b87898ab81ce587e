"""Two publishers of one account: the newest start wins, and both report it, in any order and with any clocks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.mqtt.account_publisher import AccountPublisher
from tests.build import snapshot
from tests.mqtt.mosquitto import Mosquitto, mosquitto, needs_mosquitto
from tests.mqtt.two_machines import Desk, ShiftedClock, publisher, summary
from tests.waiting import until

pytestmark = needs_mosquitto
DAY = timedelta(days=1)
START = datetime.now(UTC)


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


def offer(source: AccountPublisher, used: str, clock: ShiftedClock) -> None:
    """Offer what this machine knows; OpenRouter's clock corrects its own."""
    skew_s = -clock.wrong.total_seconds()
    source.offer(replace(snapshot(datetime.now(UTC), balance=(100, used)), server_skew_s=skew_s), summary(), False)


@pytest.mark.parametrize("older_first", [True, False])
@pytest.mark.parametrize("wrong", [timedelta(0), DAY, -DAY])
def test_the_newest_start_wins_and_both_report_it(broker: Mosquitto, older_first: bool, wrong: timedelta):
    old_clock, new_clock = ShiftedClock(wrong), ShiftedClock(-wrong)
    older = publisher(broker, old_clock, number=2, started_at=START + wrong, host="alpha")
    newer = publisher(broker, new_clock, number=1, started_at=START - wrong + timedelta(minutes=1), host="beta")
    offer(older, "1", old_clock)
    offer(newer, "2", new_clock)
    try:
        for each in (older, newer) if older_first else (newer, older):
            each.start()
            until(lambda each=each: each.state.published_at)
        until(lambda: not older.state.active, lambda: (older.state, newer.state))
        assert older.state.note.startswith("the publisher on beta (started ")
        assert "has started later and publishes this account; this one has stopped" in older.state.note
        until(lambda: "the publisher on alpha (started " in newer.state.note, lambda: newer.state)
        assert "earlier" in newer.state.note
        assert newer.state.active
        with Desk(broker) as desk:
            got = desk.until(lambda each: each.credits.value is not None and each.credits.value.total_usage_usd == 2)
            assert got.origin is not None
            assert got.origin.host == "beta"
            offer(older, "3", old_clock)
            offer(newer, "4", new_clock)
            desk.until(lambda each: each.credits.value.total_usage_usd == 4)
            assert all(each.credits.value.total_usage_usd != 3 for each in desk.snapshots if each.credits.value)
    finally:
        older.stop(5)
        newer.stop(5)


def test_the_last_will_of_a_publisher_that_gave_way_does_not_end_the_other(broker: Mosquitto):
    clock = ShiftedClock()
    newer = publisher(broker, number=1, started_at=START + timedelta(minutes=1))
    offer(newer, "2", clock)
    older = publisher(broker, number=2, started_at=START)
    offer(older, "1", clock)
    newer.start()
    until(lambda: newer.state.published_at)
    older.start()
    until(lambda: not older.state.active)
    older.stop(5)
    try:
        with Desk(broker) as desk:
            desk.until(lambda each: each.credits.value is not None and each.credits.value.total_usage_usd == 2)
            assert desk.reader.refresh()
            until(lambda: not desk.reader.refresh())
            assert desk.latest.health.value == "ok"
    finally:
        newer.stop(5)


def test_a_publisher_that_starts_again_is_no_rival_of_itself(broker: Mosquitto):
    clock = ShiftedClock()
    for number in (1, 2, 3):
        source = publisher(broker, number=number, started_at=START + timedelta(minutes=number))
        offer(source, str(number), clock)
        source.start()
        with Desk(broker) as desk:
            desk.until(lambda each, n=number: each.credits.value is not None and each.credits.value.total_usage_usd == n)
        assert (source.state.note, source.state.active) == ("", True)
        source.stop(5)
