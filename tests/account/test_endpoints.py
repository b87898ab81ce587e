"""The age of each endpoint's answer: counted from the time at which the next answer was due."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from openbalance_hid.account.endpoints import current_until, endpoints, is_account_stale
from openbalance_hid.account.snapshot import Health
from tests.build import NOON, day_of_samples, days_back, snapshot

MORNING = datetime(2026, 11, 22, 6, 5, tzinfo=UTC)


def seen_at(now: datetime, activity_at: datetime, health: Health = Health.OK):
    seen = snapshot(now, days=days_back([1, 2, 3], activity_at), taken=day_of_samples(1, now))
    return replace(seen, activity=replace(seen.activity, measured_at=activity_at, health=health))


def test_activity_is_current_as_long_as_no_newer_answer_is_due():
    evening = MORNING + timedelta(hours=16)
    assert current_until(seen_at(evening, MORNING), "activity") == evening
    assert not endpoints(seen_at(evening, MORNING), evening)["activity"].stale


def test_activity_that_fails_for_days_is_stale_while_the_balance_is_fresh():
    now = MORNING + timedelta(days=3)
    seen = seen_at(now, MORNING, Health.SERVER_ERROR)
    states = endpoints(seen, now)
    assert (states["credits"].stale, states["activity"].stale) == (False, True)
    assert states["activity"].current_until == datetime(2026, 11, 23, 0, 35, tzinfo=UTC)
    assert states["activity"].measured_at == MORNING
    assert is_account_stale(seen, now)


def test_an_endpoint_that_never_answered_has_no_old_numbers_except_the_credits():
    states = endpoints(snapshot(balance=None, health=Health.SERVER_ERROR), NOON)
    assert {name: each.stale for name, each in states.items()} == {
        "credits": True, "activity": False, "today": False, "keys": False,
    }  # fmt: skip


def test_today_and_keys_are_current_while_nothing_is_spent():
    seen = snapshot(NOON, days={}, today={"A": 1}, taken=day_of_samples(0))
    asked = NOON - timedelta(hours=9)
    seen = replace(seen, today=replace(seen.today, measured_at=asked))
    assert current_until(seen, "today") == NOON
    spending = replace(seen, samples=day_of_samples(5))
    assert current_until(spending, "today") == asked + timedelta(hours=6)
