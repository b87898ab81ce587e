"""Numbers that were once wrong and looked right, each with its smallest input and the right value."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.amount import UNKNOWN, Amount
from openbalance_hid.account.endpoints import endpoints
from openbalance_hid.account.leaders import leaders
from openbalance_hid.account.pace import NoRunway, Runway, find_runway
from openbalance_hid.account.snapshot import Credits, Health, Reading, Sample, Snapshot, Spend, Today
from openbalance_hid.account.spend import day_usd, is_incomplete, today_usd, trend, used_usd
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.cli.bar.line import line_of
from openbalance_hid.cli.guard import CROSSED, WITHIN, check_limits, exit_code
from openbalance_hid.cli.guard import UNKNOWN as NOT_KNOWN
from openbalance_hid.config.schema import Config
from openbalance_hid.ipc.status import accounts
from openbalance_hid.openrouter.cadence import activity_due, today_due
from openbalance_hid.tiles.formatting import about_days, money
from tests.build import days_back, samples, snapshot, usd

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def status_of(seen: Snapshot, now: datetime) -> dict:
    controller = Controller(Config(), {"default": seen}, Moment(now, 0.0))
    return accounts(controller, now)["default"]


def guard(seen: Snapshot, now: datetime, max_today: str) -> int:
    return exit_code(list(check_limits(status_of(seen, now), None, Decimal(max_today), False)))


def sampled(*readings: tuple[datetime, str | int]) -> tuple[Sample, ...]:
    return samples(readings, bought=10_000)


def measured(seen: Snapshot, at: datetime) -> Snapshot:
    """Return the snapshot with its last good answer of the credits at this time."""
    last = seen.samples[-1] if seen.samples else None
    used = last.total_usage_usd if last is not None else Decimal(0)
    return replace(seen, credits=Reading(Credits(Decimal(10_000), used), at, Health.OK))


def days_by_the_counter(days: int, a_day: int) -> tuple[Sample, ...]:
    """Return the samples around the last midnights, with so much spent at noon of each day."""
    taken = []
    for age in range(days, -1, -1):
        midnight, before = MIDNIGHT - age * DAY, 50 + (days - age) * a_day
        taken += [(midnight + timedelta(seconds=8), before)]
        taken += [(midnight + DAY - 5 * MINUTE, before + a_day)] if age else []
    return sampled(*taken)


# --- 1: unknown counted as zero ---


def activity_down(for_: timedelta, taken: tuple[Sample, ...] = ()) -> Snapshot:
    """`/credits` answers, `/activity` has failed for so long; every day costs 10."""
    read_at = MIDNIGHT + 12 * HOUR - for_
    seen = measured(snapshot(read_at, days=days_back([10] * 30, read_at), taken=taken), MIDNIGHT + 12 * HOUR)
    return replace(seen, activity=replace(seen.activity, health=Health.SERVER_ERROR))


def test_days_without_activity_are_bridged_by_the_counter():
    now = MIDNIGHT + 12 * HOUR
    seen = activity_down(3 * DAY, (*days_by_the_counter(4, 10), *sampled((now, 95))))
    assert used_usd(seen, "7d", now).usd == 75
    assert used_usd(seen, "7d", now).sign == ""


def test_days_that_nothing_bridges_make_lower_bounds_and_a_pace_without_them():
    now = MIDNIGHT + 12 * HOUR
    seen = activity_down(3 * DAY)
    assert money(used_usd(seen, "7d", now)) == "≥ $40"
    left = find_runway(seen, now)
    assert isinstance(left, Runway)
    assert (left.days, left.approximate) == (1000, True), "not 1750, as with zeros"
    status = status_of(seen, now)
    assert (status["stale"], status["endpoints"]["credits"]["stale"]) == (True, False)
    assert "7d" in status["lower_bounds"]
    assert "7d" in status["spend_stale"]


def test_after_27_days_without_activity_nothing_is_said_of_the_pace():
    now = MIDNIGHT + 12 * HOUR
    seen = activity_down(27 * DAY)
    assert money(used_usd(seen, "30d", now)) == "≥ $30"
    assert find_runway(seen, now) is NoRunway.UNKNOWN
    assert endpoints(seen, now)["activity"].stale
    assert exit_code(list(check_limits(status_of(seen, now), None, None, True))) == NOT_KNOWN, "guard --no-spike"


# --- 2: the turn of a day ---


def test_the_turn_of_the_day_keeps_what_the_counter_saw_of_yesterday():
    """Laptop open from 15:00: Monday cost 55, and is not published at 00:00."""
    monday = MIDNIGHT - DAY
    taken = sampled((monday - 22 * HOUR, 50), (monday + 15 * HOUR, 50), (monday + 23 * HOUR, 105), (MIDNIGHT, 105))
    seen = measured(snapshot(MIDNIGHT, days=days_back([10] * 4, MIDNIGHT, newest=2), taken=taken), MIDNIGHT)
    assert used_usd(seen, "7d", MIDNIGHT).usd == 95
    assert is_incomplete(seen, monday.date())


@pytest.mark.parametrize(("minutes", "due"), [(50, False), (66, True)])
def test_a_missing_day_is_looked_for_again_soon(minutes, due):
    answered, now = MIDNIGHT + 36 * MINUTE, MIDNIGHT + minutes * MINUTE
    assert activity_due(now, answered, failed=False, incomplete=True) is due
    assert not activity_due(now, answered, failed=False, incomplete=False)


# --- 4: a lagging source beside an exact one ---


def test_analytics_that_lag_take_nothing_from_the_counter():
    now = MIDNIGHT + 12 * HOUR
    taken = sampled((MIDNIGHT + timedelta(seconds=7), 100), (now, 162))
    today = Today(MIDNIGHT.date(), {"v/m": Spend(usd(54))}, cached_at=now - 45 * MINUTE)
    seen = replace(measured(snapshot(now, days={}, taken=taken), now), today=Reading(today, now, Health.OK))
    assert today_usd(seen, now).usd == 62
    assert today_usd(seen, now).sign == ""
    assert (guard(seen, now, "59"), guard(seen, now, "63")) == (CROSSED, WITHIN)


def test_a_partly_published_day_does_not_replace_the_counters():
    now = MIDNIGHT + 40 * MINUTE
    taken = (*days_by_the_counter(2, 10), *sampled((now, 70)))
    seen = measured(snapshot(now, days=days_back([4, 10, 10], now), taken=taken), now)
    assert day_usd(seen, (MIDNIGHT - DAY).date()) == Amount(usd(10), measured_at=now)
    assert is_incomplete(seen, (MIDNIGHT - DAY).date())


# --- 5: after a refund ---


def refunded(now: datetime, usage: int) -> Snapshot:
    """Ten dollars an hour; at 12:00 the usage falls from 1120 to 500, and goes on."""
    noon = MIDNIGHT + 12 * HOUR
    taken = sampled(
        (MIDNIGHT + timedelta(seconds=7), 1000), (noon - MINUTE, 1120), (noon + MINUTE, 500), (now, usage)
    )  # fmt: skip
    return measured(snapshot(now, days={}, taken=taken), now)


def test_after_a_refund_today_is_what_is_known_at_least():
    now = MIDNIGHT + 13 * HOUR
    assert money(today_usd(refunded(now, 510), now)) == "≥ $130"
    assert (guard(refunded(now, 510), now, "40"), guard(refunded(now, 510), now, "400")) == (CROSSED, NOT_KNOWN)


def test_the_part_since_a_reset_is_never_todays_spend():
    now = MIDNIGHT + 13 * HOUR
    seen = measured(snapshot(now, taken=sampled((now - HOUR, 120), (now - 30 * MINUTE, 3), (now, "3.5"))), now)
    assert today_usd(seen, now) == UNKNOWN


def test_a_reset_requests_today_at_once():
    now = MIDNIGHT + 13 * HOUR
    assert today_due(now, now - 15 * MINUTE, has_spent=True, interval_s=900, failed=False, was_reset=True)
    assert not today_due(now, now - 15 * MINUTE, has_spent=True, interval_s=900, failed=False)


# --- 6: tiles that disagree ---


def test_spend_without_a_name_is_not_no_spend():
    now = MIDNIGHT + 12 * HOUR
    taken = sampled((MIDNIGHT + timedelta(seconds=7), 100), (now, 128))
    seen = measured(snapshot(now, days={}, taken=taken), now)
    assert today_usd(seen, now).usd == 28
    assert leaders(seen, "today", "spend", now) is None


@pytest.mark.parametrize("left", ["69.86", "6.99", "69.999999999", "0.5"])
def test_bar_and_tile_have_the_same_runway(left):
    now = MIDNIGHT + 12 * HOUR
    seen = snapshot(now, balance=(left, 0), days=days_back([7] * 30, now), taken=sampled((now, 0)))
    found = find_runway(seen, now)
    assert isinstance(found, Runway)
    assert f"Runway {about_days(found.days)}" in line_of(status_of(seen, now), "default", "both", "today", now).details


# --- 12: small ones ---


def test_amounts_in_the_status_have_at_most_nine_decimals():
    now = MIDNIGHT + 12 * HOUR
    taken = sampled((MIDNIGHT - 7 * MINUTE, 100), (MIDNIGHT + 8 * MINUTE, "100.01"), (now, 101))
    status = status_of(measured(snapshot(now, days=days_back([1], now), taken=taken), now), now)
    spent = [usd for usd in status["spend_usd"].values() if usd is not None]
    assert spent
    assert all(len(usd.partition(".")[2]) <= 9 for usd in spent)


def test_just_after_midnight_today_is_known():
    now = MIDNIGHT + timedelta(seconds=9)
    seen = measured(snapshot(now, days={}, taken=sampled((MIDNIGHT - 5 * MINUTE, 100), (now, 100))), now)
    assert today_usd(seen, now).usd == 0
    assert guard(seen, now, "1") == WITHIN


def around_midnight(after: timedelta, polled_before: timedelta = 5 * MINUTE) -> tuple[Snapshot, datetime]:
    """Return the snapshot of the last poll before midnight, and a moment after midnight at which no poll has ended yet."""
    last = MIDNIGHT - polled_before
    taken = sampled((MIDNIGHT - DAY + timedelta(seconds=8), 80), (last, 100))
    return measured(snapshot(last, days=days_back([20] * 30, last), taken=taken), last), MIDNIGHT + after


@pytest.mark.parametrize("seconds", [0, 3, 12, 30, 60])
def test_until_the_poll_just_after_midnight_today_is_about_zero(seconds):
    seen, now = around_midnight(timedelta(seconds=seconds))
    assert money(today_usd(seen, now)) == "~$0.00"
    assert guard(seen, now, "1") == WITHIN
    assert today_usd(seen, now).measured_at == MIDNIGHT - 5 * MINUTE, "with its age"


def test_without_the_poll_just_after_midnight_today_is_unknown():
    for seen, now in (around_midnight(timedelta(seconds=61)), around_midnight(timedelta(seconds=5), 31 * MINUTE)):
        assert today_usd(seen, now) == UNKNOWN
        assert guard(seen, now, "1") == NOT_KNOWN


# --- 13: the first night ---


@pytest.mark.parametrize("begun", [MIDNIGHT - 3 * HOUR, MIDNIGHT - 12 * HOUR])
def test_on_the_first_night_yesterday_is_unknown_and_the_month_a_lower_bound(begun):
    """No sample reads the midnight, and yesterday is not published: $0.10 was shown of 144.70."""
    now = MIDNIGHT + 6 * MINUTE
    seen = measured(snapshot(now, days={}, taken=sampled((begun, 100), (MIDNIGHT + MINUTE, "244.60"), (now, "244.70"))), now)
    assert day_usd(seen, (MIDNIGHT - DAY).date()) == UNKNOWN
    assert money(used_usd(seen, "month", now)) == "≥ $144"


def test_without_any_known_day_a_period_is_unknown():
    now = MIDNIGHT + 6 * MINUTE
    seen = measured(snapshot(now, taken=sampled((MIDNIGHT + MINUTE, 100), (now, "100.10"))), now)
    assert used_usd(seen, "month", now) == used_usd(seen, "7d", now) == UNKNOWN


# --- 17: a job just after midnight ---


def job_at_midnight(at_midnight: timedelta) -> Snapshot:
    """A job of $16 at 00:00:30 each day, and a dollar an hour."""
    now, taken = MIDNIGHT + 12 * HOUR, []
    for age in (2, 1, 0):
        midnight, used = MIDNIGHT - age * DAY, 100 + (2 - age) * 40
        taken += [(midnight - 5 * MINUTE, used), (midnight + at_midnight, used + (16 if at_midnight > MINUTE else 0))]
        taken += [(midnight + hour * HOUR, used + 16 + hour) for hour in range(1, 24) if midnight + hour * HOUR <= now]
    return measured(snapshot(now, days={}, taken=sampled(*taken)), now)


def test_a_job_just_after_midnight_is_the_same_every_day():
    found = trend(job_at_midnight(timedelta(seconds=8)), MIDNIGHT + 12 * HOUR)
    assert found is not None
    assert (found.spent_usd, found.difference_usd, found.basis, found.approximate) == (28, 0, "today", False)


def test_an_interpolated_midnight_is_not_exact():
    found = trend(job_at_midnight(10 * MINUTE), MIDNIGHT + 12 * HOUR)
    assert found is None or found.basis == "yesterday" or found.approximate
