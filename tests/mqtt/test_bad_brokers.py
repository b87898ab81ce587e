"""Brokers that are away, full, expired or forbidding: each has words, costs no value, and is used again when it works."""

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.errors import BrokerError, BrokerRefusedError
from openbalance_hid.mqtt.account_publisher import AccountPublisher
from openbalance_hid.mqtt.broker_address import BrokerAddress
from openbalance_hid.mqtt.broker_probe import probe_broker
from openbalance_hid.mqtt.link_user import pause_s
from openbalance_hid.secret import BrokerLogin
from openbalance_hid.tiles.states import shown_age
from openbalance_hid.tiles.view import Age
from tests.build import snapshot
from tests.mqtt.false_broker import CONNACK, false_broker
from tests.mqtt.mosquitto import DESK, Mosquitto, mosquitto, needs_mosquitto
from tests.mqtt.two_machines import Desk, address_of, login, publisher, summary
from tests.waiting import until

pytestmark = needs_mosquitto


def account() -> Snapshot:
    return snapshot(datetime.now(UTC))


def has_value(each: Snapshot) -> bool:
    return each.credits.value is not None


def is_offline(words: str) -> Callable[[Snapshot], bool]:
    return lambda each: each.health is Health.OFFLINE and words in (each.message or "")


def until_trouble(source: AccountPublisher, words: str) -> None:
    until(lambda: words in source.state.link.trouble, lambda: source.state)


def test_a_broker_that_is_down_at_the_start_and_for_a_day_costs_no_value(tmp_path: Path):
    broker = Mosquitto(tmp_path)
    source = publisher(broker)
    source.offer(account(), summary(), False)
    source.start()
    with Desk(broker) as desk:
        try:
            until_trouble(source, "refuses connections: no broker is running there")
            desk.clock.ahead_s = 11
            desk.reader.poll_after_wakeup()
            desk.until(is_offline("no broker is running there"))
            broker.start()
            source.retry()
            desk.reader.poll_after_wakeup()
            before = desk.until(lambda each: has_value(each) and each.health is Health.OK)
            broker.stop()
            until_trouble(source, "mqtts://localhost")
            desk.clock.ahead_s += 86400
            desk.reader.poll_after_wakeup()
            after = desk.until(is_offline("mqtts://localhost"))
            assert after.credits == before.credits
            assert shown_age(after, after.credits.measured_at, desk.clock.utc()) is Age.STALE
            broker.start()
            source.retry()
            desk.reader.poll_after_wakeup()
            desk.until(lambda each: each.health is Health.OK)
        finally:
            source.stop(5)
            broker.stop()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory):
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


def test_a_wrong_password_is_named_with_the_command_that_helps(broker: Mosquitto):
    with pytest.raises(BrokerRefusedError) as refused:
        probe_broker(address_of(broker), BrokerLogin(DESK, "wrong"), broker.ca_file, 10)
    assert refused.value.message == f"{broker.url} refuses this user or password"
    assert refused.value.hint == f"openbalance-hid setup --broker {broker.url}"
    with Desk(broker, read_login=login(DESK, "wrong")) as desk:
        desk.clock.ahead_s = 11
        desk.until(is_offline("refuses this user or password"))
    with pytest.raises(BrokerRefusedError):
        probe_broker(address_of(broker), None, broker.ca_file, 10)


def test_a_certificate_of_an_authority_that_is_not_trusted_is_named(broker: Mosquitto):
    with pytest.raises(BrokerRefusedError, match=r"the certificate of .* is not trusted"):
        probe_broker(address_of(broker), None, None, 10)
    other = BrokerAddress("127.0.0.2", broker.port, True)
    with pytest.raises(BrokerError):
        probe_broker(other, None, broker.ca_file, 10)
    with pytest.raises(BrokerRefusedError, match="ca_file cannot be read"):
        probe_broker(address_of(broker), None, "/nowhere/ca.pem", 10)
    with pytest.raises(BrokerRefusedError, match="ca_file cannot be read: not a file"):
        probe_broker(address_of(broker), None, "/dev/zero", 10)


def test_a_ca_file_that_another_user_could_replace_is_not_trusted_for_a_broker(tmp_path: Path):
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    ca_file.chmod(0o666)
    with pytest.raises(BrokerRefusedError, match=r"ca_file cannot be read: .* may be written by other users"):
        probe_broker(BrokerAddress("127.0.0.1", 9, True), None, str(ca_file), 10)


def test_an_expired_certificate_is_named(tmp_path: Path):
    with mosquitto(tmp_path, expired=True) as broker:
        with pytest.raises(BrokerRefusedError, match="has expired, or this machine's clock is wrong"):
            probe_broker(address_of(broker), None, broker.ca_file, 10)
        with Desk(broker) as desk:
            desk.clock.ahead_s = 11
            desk.until(is_offline("has expired"))


def test_a_user_who_may_not_publish_is_named_and_nothing_is_published(broker: Mosquitto):
    source = publisher(broker, user=DESK)
    source.offer(account(), summary(), False)
    source.start()
    until_trouble(source, "does not permit this user to publish to openbalance/team")
    assert source.state.link.connected
    assert source.state.link.hint == f"openbalance-hid setup --broker {broker.url}"
    source.stop(5)


def test_a_user_who_may_not_read_sees_that_there_is_nothing_to_read(broker: Mosquitto):
    with Desk(broker, topic="other/team") as desk:
        until(lambda: desk.reader.is_connected)
        desk.clock.ahead_s = 11
        desk.reader.poll_after_wakeup()
        desk.until(is_offline("no snapshot at other/team: nothing is published there, or this user may not read it"))


def fill_the_only_place(broker: Mosquitto, source: AccountPublisher) -> None:
    source.start()
    until(lambda: source.state.link.connected)
    while "Client <unknown> disconnected" in broker.log:  # an attempt that ended in its handshake: Mosquitto has room for two
        broker.stop()
        until(lambda: not source.state.link.connected)
        broker.start()
        source.retry()
        until(lambda: source.state.link.connected)


def test_a_full_broker_is_named_and_used_again_when_it_has_room(tmp_path: Path):
    with mosquitto(tmp_path, "max_connections 1\n") as broker:
        source = publisher(broker)
        source.offer(account(), summary(), False)
        try:
            fill_the_only_place(broker, source)
            with Desk(broker) as desk:
                desk.clock.ahead_s = 11
                desk.until(is_offline("mqtts://localhost"))
                assert "denied: max_connections exceeded" in broker.log
                assert source.state.link.connected
                source.stop(5)
                desk.reader.poll_after_wakeup()
                desk.until(lambda each: has_value(each) and each.health is Health.OK)
        finally:
            source.stop(5)


def test_a_broker_that_takes_only_small_messages_is_named(tmp_path: Path):
    with mosquitto(tmp_path, "max_packet_size 1000\n") as broker:
        source = publisher(broker)
        source.offer(account(), summary(), False)
        source.start()
        until_trouble(source, "accepts only packets of up to 1000 bytes, and openbalance/team needs ")
        source.stop(5)


PUBLISH_HEAD = bytes((0x30, 0x80, 0x80, 0x80, 0x60))  # by its length 192 MiB follow


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (CONNACK + PUBLISH_HEAD, "a message that is too large: it was not read"),
        (bytes((0x20, 0xFF, 0xFF, 0xFF, 0x7F)), "a message that is too large: it was not read"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "127.0.0.1"),
        (bytes((0x20, 3, 0, 0x84, 0)), "does not speak MQTT 5"),
        (bytes((0x20, 3, 0, 0x97, 0)), "is full: its quota is exceeded"),
        (bytes((0x20, 3, 0, 0xEE, 0)), "127.0.0.1"),
        (CONNACK + bytes((0x30, 2, 0, 200)), "127.0.0.1"),
        (CONNACK + bytes((0xE0, 1, 0x8B)), "127.0.0.1"),
    ],
)
def test_what_is_no_honest_broker_costs_nothing_but_its_words(reply: bytes, words: str):
    with false_broker(reply, b"\0" * 65536, copies=64) as server:
        tracemalloc.start()
        with pytest.raises(BrokerError) as error:
            probe_broker(server.address, None, None, 10)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert words in error.value.message
    assert error.value.message.isprintable()
    assert peak < 32 * 1024 * 1024  # of 192 that were announced


def test_pauses_double_up_to_15_seconds_and_are_never_equal_for_all_desks():
    pauses = [[pause_s(failures, False, Random(seed)) for failures in range(1, 12)] for seed in range(50)]
    for number in range(11):
        full_s = min(2.0**number, 15.0)
        spread = [each[number] for each in pauses]
        assert full_s / 2 <= min(spread) < max(spread) <= full_s
        assert max(spread) - min(spread) > full_s / 3
    assert pause_s(100, False, Random(1)) <= 15
    assert 30 < pause_s(100, True, Random(1)) <= 300
