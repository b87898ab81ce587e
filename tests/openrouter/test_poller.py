"""The poller's thread, on the machine's own clock, against a real server."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.openrouter.virtual import VirtualClock
from tests.waiting import PATIENCE_S, until


class Watched:
    """A running poller and the polls that have ended."""

    def __init__(self, sample: SampleAccount, clock: VirtualClock) -> None:
        self.sample = sample
        self.clock = clock
        self.ended: queue.Queue[Snapshot] = queue.Queue()
        self.gate = threading.Event()  # closed: a poll waits here for its client
        self.gate.set()
        self.at_gate = threading.Event()
        self.poller = Poller("work", self.connect, 900.0, self.publish, clock)

    def connect(self) -> Client:
        self.at_gate.set()
        assert self.gate.wait(PATIENCE_S)
        return Client(Secret(self.sample.key), self.sample.url, utc=self.clock.utc)

    def publish(self, snapshot: Snapshot) -> None:
        if not snapshot.refreshing:
            self.ended.put(snapshot)

    def next_poll(self) -> Snapshot:
        return self.ended.get(timeout=PATIENCE_S)


@contextmanager
def running(sample: SampleAccount, clock: VirtualClock) -> Iterator[Watched]:
    watched = Watched(sample, clock)
    watched.poller.start()
    try:
        yield watched
    finally:
        watched.gate.set()
        watched.poller.stop(PATIENCE_S)


def threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_start_polls_at_once_on_a_thread_named_after_the_account(sample: SampleAccount, clock: VirtualClock) -> None:
    with running(sample, clock) as watched:
        assert watched.next_poll().health is Health.OK
        assert len(threads("poll work")) == 1
        watched.poller.start()
        assert len(threads("poll work")) == 1
    assert threads("poll work") == []


def test_a_refresh_polls_now_and_at_most_once_in_ten_seconds(sample: SampleAccount, clock: VirtualClock) -> None:
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        assert watched.poller.refresh()
        assert watched.next_poll().polls == 2
        idle(watched)
        assert not watched.poller.refresh()
        clock.pass_(10)
        assert watched.poller.refresh()
        assert watched.next_poll().polls == 3


def test_a_refresh_joins_a_running_poll(sample: SampleAccount, clock: VirtualClock) -> None:
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        watched.gate.clear()
        watched.at_gate.clear()
        assert watched.poller.refresh()
        assert watched.at_gate.wait(PATIENCE_S)
        assert [watched.poller.refresh() for _ in range(3)] == [True, True, True]
        watched.gate.set()
        assert watched.next_poll().polls == 2
        idle(watched)
        assert watched.ended.empty()


def test_a_refresh_is_refused_during_a_backoff(sample: SampleAccount, clock: VirtualClock) -> None:
    sample.set_scenario("rate-limited")
    with running(sample, clock) as watched:
        assert watched.next_poll().health is Health.RATE_LIMITED
        idle(watched)
        assert not watched.poller.refresh()
        clock.pass_(120)
        assert watched.poller.refresh()


def test_an_insisting_refresh_ignores_the_gap_and_the_backoff(sample: SampleAccount, clock: VirtualClock) -> None:
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        for polls, (scenario, health) in enumerate([("rate-limited", Health.RATE_LIMITED), ("normal", Health.OK)], start=2):
            sample.set_scenario(scenario)
            assert watched.poller.refresh(insist=True)
            ended = watched.next_poll()
            assert (ended.polls, ended.health) == (polls, health)
            idle(watched)


def test_an_insisting_refresh_during_a_poll_starts_another_after_it(sample: SampleAccount, clock: VirtualClock) -> None:
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        watched.gate.clear()
        watched.at_gate.clear()
        watched.poller.refresh()
        assert watched.at_gate.wait(PATIENCE_S)
        assert watched.poller.refresh(insist=True)
        watched.gate.set()
        assert [watched.next_poll().polls, watched.next_poll().polls] == [2, 3]


def test_a_network_that_is_back_is_used_at_once(sample: SampleAccount, clock: VirtualClock) -> None:
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        sample.set_scenario("offline")
        assert watched.poller.refresh()
        assert watched.next_poll().health is Health.OFFLINE
        idle(watched)
        assert not watched.poller.refresh(), "a finger is throttled"
        sample.set_scenario("normal")
        watched.poller.poll_after_wakeup()
        assert watched.next_poll().health is Health.OK
        idle(watched)
        watched.poller.poll_after_wakeup()  # and again where all is well: no more often than a refresh
        assert not watched.poller.refresh()
        clock.pass_(10)
        watched.poller.poll_after_wakeup()
        assert watched.next_poll().polls == 4
    assert watched.ended.empty()


def test_a_poll_that_was_running_during_a_sleep_is_repeated(sample: SampleAccount, clock: VirtualClock) -> None:
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        watched.gate.clear()
        watched.at_gate.clear()
        assert watched.poller.refresh()
        assert watched.at_gate.wait(PATIENCE_S)
        clock.pass_(20)
        watched.poller.poll_after_wakeup()
        watched.gate.set()
        assert [watched.next_poll().polls, watched.next_poll().polls] == [2, 3]


def test_a_machine_that_wakes_respects_the_backoff(sample: SampleAccount, clock: VirtualClock) -> None:
    sample.set_scenario("rate-limited")
    with running(sample, clock) as watched:
        assert watched.next_poll().health is Health.RATE_LIMITED
        idle(watched)
        watched.poller.poll_after_wakeup()
        assert not watched.poller.refresh()
        clock.pass_(120)
        watched.poller.poll_after_wakeup()
        assert watched.next_poll().polls == 2


def test_a_poller_that_does_not_run_refuses_a_refresh(sample: SampleAccount, clock: VirtualClock) -> None:
    watched = Watched(sample, clock)
    assert not watched.poller.refresh()
    watched.poller.stop()
    watched.poller.start()
    assert threads("poll work") == []


def test_stop_is_idempotent_and_nothing_is_published_after_it(sample: SampleAccount, clock: VirtualClock) -> None:
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        watched.gate.clear()
        watched.at_gate.clear()
        watched.poller.refresh()
        assert watched.at_gate.wait(PATIENCE_S)
        watched.poller.stop(0.0)  # in the middle of a turn: does not wait for it
        watched.gate.set()
        watched.poller.stop(PATIENCE_S)
        watched.poller.stop()
        assert threads("poll work") == []
        assert watched.ended.empty()
        assert not watched.poller.refresh()


def test_a_machine_that_slept_polls_when_it_next_reads_the_clock(
    sample: SampleAccount, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbalance_hid.openrouter.poller._LONGEST_NAP_S", 0.01)
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        clock.step(8 * 3600)  # the monotonic clock does not move
        assert watched.next_poll().polls == 2


def test_a_pace_polls_the_credits_now_and_at_its_own_interval(
    sample: SampleAccount, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbalance_hid.openrouter.poller._LONGEST_NAP_S", 0.01)
    with running(sample, clock) as watched:
        watched.next_poll()
        idle(watched)
        sample.requests.clear()
        clock.pass_(10)
        watched.poller.pace(60)
        paced = watched.next_poll()
        assert [each.path for each in sample.requests] == ["/credits"]
        idle(watched)
        clock.pass_(60)
        assert watched.next_poll().polls == 3
        assert paced.next_poll_at is not None
        idle(watched)
        clock.pass_(11)
        watched.poller.pace(None)
        clock.pass_(888)
        assert watched.ended.empty()
        clock.pass_(1)
        assert watched.next_poll().polls == 4


def test_many_taps_on_the_meter_send_one_request_in_ten_seconds(
    sample: SampleAccount, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbalance_hid.openrouter.poller._LONGEST_NAP_S", 0.01)
    with running(sample, clock) as watched:
        watched.next_poll()
        for polls in (2, 3):  # the first one as well, where a run goes on from before the start
            idle(watched)
            for _ in range(20):
                watched.poller.pace(None)
                watched.poller.pace(60)
            clock.pass_(9.9)
            assert watched.ended.empty()
            clock.pass_(0.1)
            assert watched.next_poll().polls == polls
        idle(watched)
        watched.poller.pace(None)
        clock.pass_(800)
        assert watched.ended.empty()


def idle(watched: Watched) -> None:
    """Wait until the poller waits: the end of a poll is published a moment before that."""
    until(lambda: not watched.poller.is_polling)
