"""From a publisher over Debian's Mosquitto, with TLS and an ACL, to the snapshot of a desk without a key."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.build import api_key, day_of_samples, days_back, snapshot
from tests.mqtt.mosquitto import Mosquitto, mosquitto, needs_mosquitto
from tests.mqtt.two_machines import Desk, publisher, summary

pytestmark = needs_mosquitto


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


def now() -> datetime:
    return datetime.now(UTC)


def account(at: datetime | None = None):
    at = at or now()
    return snapshot(
        at, days=days_back([5, 6, 7], at), today={"v/model-a": "1.5"}, taken=day_of_samples(4, at), keys=[api_key("ci", 1)]
    )


def test_a_desk_without_a_key_gets_the_snapshot(broker: Mosquitto):
    sent = account()
    source = publisher(broker)
    source.offer(sent, summary(), False)
    source.start()
    try:
        with Desk(broker) as desk:
            got = desk.until(lambda each: each.credits.value is not None)
    finally:
        source.stop(5)
    assert got.credits == sent.credits
    assert got.activity == sent.activity
