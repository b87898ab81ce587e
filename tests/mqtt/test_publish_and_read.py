"""From a publisher over Debian's Mosquitto, with TLS and an ACL, to the snapshot of a desk without a key."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, OriginProblem, Snapshot
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.mqtt.account_publisher import AccountPublisher
from openbalance_hid.tiles.states import shown_age
from openbalance_hid.tiles.view import Age
from tests.build import api_key, day_of_samples, days_back, snapshot
from tests.mqtt.mosquitto import PASSWORD, PUBLISHER, Mosquitto, mosquitto, needs_mosquitto
from tests.mqtt.two_machines import TOPIC, Desk, ShiftedClock, StillClock, publisher, summary
from tests.waiting import until

pytestmark = needs_mosquitto
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_retained_message(broker: Mosquitto) -> None:
    publish_raw(broker, b"")


def account(used: str = "25.75") -> Snapshot:
    at = datetime.now(UTC)
    days = days_back([5, 6, 7], at)
    return snapshot(
        at, balance=(100, used), days=days, today={"v/model-a": "1.5"}, taken=day_of_samples(4, at), keys=[api_key("ci", 1)]
    )


@contextmanager
def running(source: AccountPublisher) -> Iterator[AccountPublisher]:
    source.start()
    try:
        yield source
    finally:
        source.stop(5)


def has(used: str):
    return lambda each: each.credits.value is not None and str(each.credits.value.total_usage_usd) == used


def publish_raw(broker: Mosquitto, payload: bytes, topic: str = TOPIC) -> None:
    words = ["mosquitto_pub", "-h", "localhost", "-p", str(broker.port), "--cafile", broker.ca_file, "-u", PUBLISHER]
    words += ["-P", PASSWORD, "-V", "5", "-q", "1", "-r", "-t", topic]
    subprocess.run([*words, "-s" if payload else "-n"], input=payload, check=True, timeout=30)


def test_a_desk_gets_the_retained_snapshot_and_then_each_new_one(broker: Mosquitto):
    sent = account()
    with running(publisher(broker)) as source:
        source.offer(sent, summary(), False)
        with Desk(broker) as desk:
            got = desk.until(has("25.75"))
            assert (got.activity, got.today, got.health) == (sent.activity, sent.today, Health.OK)
            source.offer(account("26.5"), summary(), False)
            desk.until(has("26.5"))
        until(lambda: source.state.link.connected and source.state.published_at)


@pytest.mark.parametrize("wrong", [DAY, -DAY])
def test_a_desk_with_a_clock_a_day_off_shows_the_true_age_of_a_retained_message(broker: Mosquitto, wrong: timedelta):
    with running(publisher(broker)) as source:
        source.offer(account(), summary(), False)
        until(lambda: source.state.published_at)
    clock = ShiftedClock(wrong)
    with Desk(broker, clock) as desk:
        got = desk.until(has("25.75"))
        now = clock.utc()
        assert abs(utc_now(got, now) - datetime.now(UTC)) < timedelta(minutes=5)
        assert shown_age(got, got.credits.measured_at, now) is Age.FRESH


def test_a_publisher_that_has_stopped_shows_as_age_and_then_as_offline(broker: Mosquitto):
    with Desk(broker) as desk:
        with running(publisher(broker)) as source:
            source.offer(account(), summary(), False)
            desk.until(has("25.75"))
        got = desk.latest
        assert got.health is Health.OK
        assert shown_age(got, got.credits.measured_at, desk.clock.utc() + timedelta(seconds=2 * 900)) is Age.OLD
        desk.clock.ahead_s = 4 * 900
        desk.reader.refresh()
        words = "the publisher is not running; its last message is of "
        gone = desk.until(lambda each: each.health is Health.OFFLINE and words in (each.message or ""))
    assert gone.credits == got.credits


def test_a_hold_shows_at_once_that_the_publisher_is_killed(broker: Mosquitto):
    with Desk(broker) as desk:
        source = publisher(broker)
        source.offer(account(), summary(), False)
        source.start()
        desk.until(has("25.75"))
        source.stop(5)
        assert desk.latest.health is Health.OK
        until(lambda: desk.reader.refresh() or desk.latest.health is Health.OFFLINE)
        desk.until(lambda each: each.health is Health.OFFLINE)
        desk.clock.ahead_s += 20
        desk.reader.poll_after_wakeup()
        until(lambda: desk.skipped)
        with running(publisher(broker, number=2)) as again:
            again.offer(account("27"), summary(), False)
            desk.until(lambda each: has("27")(each) and each.health is Health.OK)


def test_a_hold_requests_a_poll_of_the_publisher_which_it_grants_once_a_minute(broker: Mosquitto):
    polls: list[str] = []
    clock = StillClock()
    with running(publisher(broker, clock, polls=polls)) as source:
        source.offer(account(), summary(), False)
        with Desk(broker, StillClock()) as desk, Desk(broker, StillClock()) as other:
            for each in (desk, other):
                each.until(has("25.75"))
            assert desk.reader.refresh()
            until(lambda: polls == ["team"])
            assert not desk.reader.refresh(), "throttled to one in 10 s on the desk"
            assert other.reader.refresh()
            other.clock.ahead_s = 9
            other.reader.poll_after_wakeup()
            until(lambda: other.skipped)  # nothing came: the keys of that desk stop waiting
            desk.clock.ahead_s = 11
            assert desk.reader.refresh()
            assert polls == ["team"], "throttled to one in 60 s where the key is"
            clock.ahead_s = 61
            desk.clock.ahead_s = 22
            assert desk.reader.refresh()
            until(lambda: polls == ["team", "team"])


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b'{"temperature": 21.5}', OriginProblem.FOREIGN),
        (b'{"format": "openbalance-hid snapshot", "schema": 99}', OriginProblem.NEWER),
        (b'{"format": "openbalance-hid snapshot", "schema": 0}', OriginProblem.OLDER),
    ],
)
def test_a_message_that_cannot_be_used_is_named_and_replaces_no_value(
    broker: Mosquitto, payload: bytes, problem: OriginProblem
):
    with Desk(broker) as desk:
        with running(publisher(broker)) as source:
            source.offer(account(), summary(), False)
            good = desk.until(has("25.75"))
        publish_raw(broker, payload)
        bad = desk.until(lambda each: each.origin.problem is problem)
        assert (bad.credits, bad.samples, bad.health) == (good.credits, good.samples, Health.SERVER_ERROR)
        assert bad.message
    with Desk(broker) as late:
        late.until(lambda each: each.origin.problem is problem and each.credits.value is None)


def test_a_publisher_replaces_the_message_of_another_program_and_reports_it(broker: Mosquitto):
    publish_raw(broker, b"ON")
    with running(publisher(broker)) as source, Desk(broker) as desk:
        source.offer(account("28"), summary(), False)
        desk.until(has("28"))
        until(lambda: "another program has published to openbalance/team" in source.state.note)
        publish_raw(broker, b"OFF")
        desk.until(lambda each: has("28")(each) and each.origin.problem is None)


@pytest.mark.parametrize("below", ["availability", "publishers"])
def test_a_message_that_is_nested_too_deeply_ends_no_publisher(broker: Mosquitto, below: str, caplog: pytest.LogCaptureFixture):
    publish_raw(broker, b'{"x":' + b"[" * 100_000, f"{TOPIC}/{below}")
    with running(publisher(broker)) as source, Desk(broker) as desk:
        for used in ("31", "32"):
            source.offer(account(used), summary(), False)
            desk.until(has(used))
    publish_raw(broker, b"", f"{TOPIC}/{below}")
    assert [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


def test_a_message_of_10_mb_does_not_reach_a_desk_and_the_next_one_does(broker: Mosquitto):
    with running(publisher(broker)) as source, Desk(broker) as desk:
        source.offer(account(), summary(), False)
        desk.until(has("25.75"))
        publish_raw(broker, b"x" * 10_000_000)
        source.offer(account("29"), summary(), False)
        desk.until(has("29"))
        assert desk.latest.origin is not None
        assert desk.latest.origin.problem is None
    assert all(each.health is Health.OK for each in desk.snapshots if each.credits.value is not None)


def test_an_empty_retained_message_is_no_message(broker: Mosquitto):
    words = "no snapshot at openbalance/team: nothing is published there, or this user may not read it"
    with Desk(broker) as desk:
        until(lambda: desk.reader.is_connected)
        desk.clock.ahead_s = 11
        desk.reader.poll_after_wakeup()
        desk.until(lambda each: each.health is Health.OFFLINE and each.message == words)


def test_masked_names_are_masked_at_once_and_on_every_desk(broker: Mosquitto):
    sent = account()
    with running(publisher(broker)) as source, Desk(broker) as desk:
        source.offer(sent, summary(), True)
        got = desk.until(lambda each: each.today.value is not None)
        assert set(got.today.value.by_model) == {"model 1"}
        source.offer(replace(sent), summary(), False)
        got = desk.until(lambda each: not each.origin.masked)
        assert got.today == sent.today


def test_of_a_flood_of_messages_a_desk_decodes_only_some_and_the_last(broker: Mosquitto):
    with running(publisher(broker)) as source, Desk(broker, StillClock()) as desk:
        source.offer(account("0"), summary(), False)
        desk.until(has("0"))
        for number in range(1, 30):
            source.offer(account(str(number)), summary(), False)
            until(lambda n=number: source.state.messages > n)
        assert desk.latest.polls == 1, "at the moment of the first, no other is decoded"

        def is_last_shown() -> bool:
            desk.clock.ahead_s += 0.01  # between two messages that are decoded lies half a second
            return has("29")(desk.latest)

        until(is_last_shown)
