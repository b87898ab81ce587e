from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from openbalance_hid.openrouter.cadence import RequestOutcome, activity_due, next_poll, refresh_allowed, time_left_s

INTERVAL_S = 900.0


class Dice(Random):
    """Always rolls the same."""

    def __init__(self, share: float) -> None:
        super().__init__(0)
        self.share = share

    def random(self) -> float:
        return self.share


def delays(
    outcome: RequestOutcome, failures: int, interval_s: float = INTERVAL_S, retry_after_s: float | None = None
) -> list[float]:
    """The shortest and the longest that jitter makes of it."""
    return [next_poll(outcome, interval_s, failures, retry_after_s, Dice(share)) for share in (0.0, 1.0)]


@pytest.mark.parametrize(
    ("outcome", "failures", "shortest_s", "longest_s"),
    [
        (RequestOutcome.OK, 0, 900, 900),
        (RequestOutcome.USER, 0, 900, 900),
        (RequestOutcome.REJECTED_ONCE, 0, 30, 35),
        (RequestOutcome.SOON, 1, 7.5, 15),
        (RequestOutcome.SOON, 2, 15, 30),
        (RequestOutcome.SOON, 3, 30, 60),
        (RequestOutcome.SOON, 7, 450, 900),
        (RequestOutcome.SOON, 10_000, 450, 900),
        (RequestOutcome.OFFLINE, 1, 7.5, 15),
        (RequestOutcome.OFFLINE, 10_000, 30, 60),
        (RequestOutcome.RATE_LIMITED, 1, 60, 60),
        (RequestOutcome.RATE_LIMITED, 5, 120, 240),
    ],
)
def test_the_outcome_decides_when_to_poll_next(
    outcome: RequestOutcome, failures: int, shortest_s: float, longest_s: float
) -> None:
    assert delays(outcome, failures) == [shortest_s, longest_s]


def test_backoff_never_exceeds_the_interval() -> None:
    assert delays(RequestOutcome.SOON, 9, interval_s=60) == [30, 60]
    assert delays(RequestOutcome.OFFLINE, 9, interval_s=60) == [30, 60]


@pytest.mark.parametrize(("asked_s", "waits_s"), [(None, 60), (0.0, 60), (5.0, 60), (300.0, 300), (3600.0, 3600)])
def test_retry_after_is_followed_and_a_429_waits_at_least_a_minute(asked_s: float | None, waits_s: float) -> None:
    assert delays(RequestOutcome.RATE_LIMITED, 1, retry_after_s=asked_s) == [waits_s, waits_s]


def test_a_503_with_retry_after_waits_that_long() -> None:
    assert delays(RequestOutcome.SOON, 1, retry_after_s=200) == [200, 200]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("answered", "now", "due"),
    [
        ("24T12:00", "24T12:15", False),
        ("24T06:00", "24T23:59", False),
        ("24T12:00", "25T00:00", False),
        ("24T12:00", "25T00:34", False),  # yesterday has not settled
        ("24T12:00", "25T00:35", True),
        ("25T00:35", "25T05:59", False),
        ("25T00:35", "25T06:00", True),  # what came late
        ("25T06:00", "25T06:15", False),
        ("24T05:00", "25T00:10", True),  # slept through the second look
        ("20T12:00", "25T00:10", True),
        ("26T12:00", "25T12:00", True),  # the clock was set back
    ],
)
def test_activity_is_requested_only_when_a_day_can_have_settled(answered: str, now: str, due: bool) -> None:
    assert activity_due(at(now), at(answered), failed=False) is due


def test_activity_is_requested_at_the_start_and_after_a_failure() -> None:
    assert activity_due(at("24T12:00"), None, failed=False)
    assert activity_due(at("24T12:15"), at("24T12:00"), failed=True)


def test_a_day_of_polls_requests_activity_twice() -> None:
    answered, asked = at("24T12:00"), 0
    for poll in range(1, 97):
        now = at("24T12:00") + timedelta(minutes=15 * poll)
        if activity_due(now, answered, failed=False):
            answered, asked = now, asked + 1
    assert asked == 2


@pytest.mark.parametrize(
    ("wall_s", "mono_s", "left_s"),
    [
        (0, 0, 900),
        (100, 100, 800),
        (899, 900, 0),
        (950, 950, 0),
        (140, 100, 760),  # small differences: the later clock counts
        (28_000, 100, 0),  # the machine slept
        (-86_400, 100, 0),  # the clock was set back
    ],
)
def test_a_wait_ends_by_either_clock_and_at_once_after_a_sleep(wall_s: float, mono_s: float, left_s: float) -> None:
    assert time_left_s(900, wall_s, mono_s) == left_s


@pytest.mark.parametrize(("last_s", "allowed"), [(None, True), (100.0, False), (95.1, False), (95.0, True)])
def test_one_refresh_in_ten_seconds(last_s: float | None, allowed: bool) -> None:
    assert refresh_allowed(105.0, last_s) is allowed
