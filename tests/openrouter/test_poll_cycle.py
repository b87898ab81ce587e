"""Poll cycles against a real server, under a clock that only the test moves."""

import logging
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.account.spend import trend
from openbalance_hid.openrouter.poll_cycle import SAMPLES_KEPT
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.simulator.openrouter.sample_answers import json, refused
from openbalance_hid.simulator.openrouter.scenarios import ResponseFault
from tests.openrouter.stage import INTERVAL_S, Stage

# --- good answers ----------------------------------------------------------------------------------------------------------


def test_the_first_poll_requests_every_endpoint(stage: Stage) -> None:
    assert stage.poll() == INTERVAL_S
    now, clock, sample = stage.now, stage.clock, stage.sample
    assert stage.requested == [
        *("/credits", "/activity"),
        *["/analytics/query"] * 2,  # today, and the hours before this first sample
        "/workspaces",
        *["/keys"] * 4,  # two workspaces, each until an empty page
        *["/activity"] * 3,  # the days of each key
        "/models",
    ]
    assert (now.health, now.message, now.refreshing, now.polls, now.api_calls) == (Health.OK, None, False, 1, 13)
    answered = (now.credits, now.activity, now.today, now.hours, now.keys, now.key_days)
    assert [reading.health for reading in answered] == [Health.OK] * 6
    assert now.credits.value is not None
    assert now.credits.value.balance_usd == Decimal("74.25")
    assert now.credits.measured_at == clock.now
    assert now.next_poll_at == clock.now + timedelta(seconds=INTERVAL_S)
    assert now.server_skew_s == 0
    assert now.key_hint == sample.key[-4:]
    assert [(each.at, each.mono_s) for each in now.samples] == [(clock.now, clock.mono_s)]


def test_a_poll_of_the_balance_alone_publishes_once_at_its_end(stage: Stage) -> None:
    stage.poll()
    stage.later()
    assert stage.requested == ["/credits"]
    assert [(each.refreshing, each.polls) for each in stage.published] == [(False, 2)]


def test_the_balance_is_published_before_endpoints_that_may_be_slow(stage: Stage) -> None:
    stage.poll()
    stage.clock.pass_(60)
    spent = Decimal("1.25") + (stage.now.credits.value or pytest.fail("no credits")).total_usage_usd
    stage.sample.instead["/credits"] = json(200, {"data": {"total_credits": 1000, "total_usage": float(spent)}})
    stage.poll(by_hand=True)
    assert [(each.refreshing, each.polls) for each in stage.published] == [(True, 1), (False, 2)]
    assert [each.credits.value and each.credits.value.total_usage_usd for each in stage.published] == [spent, spent]
    first, last = (each.activity.measured_at for each in stage.published)
    assert (first, last) == (stage.clock.now - timedelta(seconds=60), stage.clock.now)


def test_the_first_poll_publishes_the_new_account_then_the_balance_then_all(stage: Stage) -> None:
    stage.poll()
    assert [each.refreshing for each in stage.published] == [True, True, False]
    assert [each.credits.value is not None for each in stage.published] == [False, True, True]
    assert [each.activity.value is not None for each in stage.published] == [False, False, True]
    assert [each.polls for each in stage.published] == [0, 0, 1]


def test_remembered_values_are_published_before_the_first_request(stage: Stage) -> None:
    stage.poll()
    remembered = stage.now.samples
    stage.restart(remembered)
    stage.sample.set_scenario("offline")
    stage.later()
    assert [each.samples for each in stage.published] == [(), remembered, remembered]


def test_a_failed_poll_publishes_once(stage: Stage) -> None:
    stage.poll()
    stage.sample.set_scenario("offline")
    stage.later()
    assert [(each.refreshing, each.health) for each in stage.published] == [(False, Health.OFFLINE)]


def test_later_polls_skip_activity_until_yesterday_has_settled(stage: Stage) -> None:
    stage.poll()
    stage.later()
    assert stage.requested == ["/credits"]
    assert stage.now.activity.measured_at == stage.clock.now - timedelta(seconds=INTERVAL_S)
    stage.later(12 * 3600)  # 00:15 UTC
    assert "/activity" not in stage.requested
    stage.later(20 * 60)
    assert "/activity" in stage.requested
    assert stage.now.activity.value is not None
    assert stage.now.activity.value.newest == stage.clock.now.date() - timedelta(days=1)


def test_a_refresh_by_hand_requests_every_endpoint(stage: Stage) -> None:
    stage.poll()
    stage.poll(by_hand=True)
    assert stage.requested == ["/credits", "/activity", "/analytics/query", "/workspaces", "/keys", "/keys"]


def test_samples_are_the_growth_of_the_counter_and_of_today(stage: Stage) -> None:
    stage.clock.step(-12 * 3600)  # midnight
    stage.poll()
    stage.later(13 * 3600)
    first, last = stage.now.samples
    assert stage.now.today.value is not None
    assert last.total_usage_usd - first.total_usage_usd == stage.now.today.value.usd > 0


def test_all_samples_of_two_days_are_kept_and_hourly_ones_of_five_weeks(stage: Stage) -> None:
    for _ in range(4 * 24 * 4):
        stage.later(900)
    ages = [stage.clock.now - each.at for each in stage.now.samples]
    assert sum(age <= timedelta(hours=48) for age in ages) == 193
    assert len(ages) <= 193 + 24 * 4 + 56  # thinned once a day
    for _ in range(40):
        stage.later(86_400)
    assert stage.clock.now - stage.now.samples[0].at <= timedelta(days=35, hours=1)
    assert len(stage.now.samples) == 36


def test_samples_of_a_short_interval_are_bounded_and_the_newest_are_kept(stage: Stage) -> None:
    stage.poll()
    (first,) = stage.now.samples
    many = tuple(replace(first, at=first.at + timedelta(seconds=second)) for second in range(SAMPLES_KEPT))
    stage.restart(many)
    stage.later(SAMPLES_KEPT)
    assert len(stage.now.samples) == SAMPLES_KEPT
    assert (stage.now.samples[0].at, stage.now.samples[-1].at) == (many[1].at, stage.clock.now)
    apart_s = stage.now.samples[1].mono_s - stage.now.samples[0].mono_s
    assert apart_s == 1, "spaced by the time at which they were taken"


def remember(stage: Stage, apart: timedelta, for_: timedelta) -> None:
    """Restart with samples `apart`, from `for_` ago up to now."""
    stage.poll()
    (last,) = stage.now.samples
    taken = (
        replace(last, at=last.at - age * apart, mono_s=last.mono_s - age * apart.total_seconds())
        for age in range(for_ // apart, -1, -1)
    )
    stage.restart(tuple(taken))


def test_polling_every_15_seconds_drops_no_older_hour(stage: Stage) -> None:
    remember(stage, timedelta(seconds=15), timedelta(hours=48))
    stage.later(15)
    samples = stage.now.samples
    assert stage.clock.now - samples[0].at >= timedelta(hours=48)
    assert max(after.at - before.at for before, after in pairwise(samples)) <= timedelta(seconds=75)
    assert [each.at for each in samples[-8:]] == [stage.clock.now - timedelta(seconds=15 * age) for age in range(7, -1, -1)]


@pytest.mark.parametrize("apart", [timedelta(minutes=15), timedelta(minutes=59)])
def test_yesterday_is_whole_until_the_last_minute_of_today(stage: Stage, apart: timedelta) -> None:
    stage.clock.pass_(43_140 - apart.total_seconds())
    remember(stage, apart, timedelta(hours=60))
    stage.later(apart.total_seconds())
    assert (stage.clock.now.hour, stage.clock.now.minute) == (23, 59)
    compared = trend(stage.now, stage.clock.now)
    assert compared is not None
    assert compared.basis == "today"


def test_samples_from_the_future_of_a_wrong_clock_are_dropped(stage: Stage) -> None:
    stage.poll()
    stage.clock.step(-86_400)
    stage.later()
    assert [each.at for each in stage.now.samples] == [stage.clock.now]


def test_days_follow_the_server_when_the_local_clock_is_a_day_ahead(stage: Stage) -> None:
    stage.sample.date_skew_s = -86_400
    stage.poll()
    assert stage.now.server_skew_s == -86_400
    assert stage.now.today.value is not None
    assert stage.now.today.value.day == stage.clock.now.date() - timedelta(days=1)


# --- one endpoint fails, the others live ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 500])
def test_a_failure_of_analytics_affects_no_other_endpoint(stage: Stage, status: int) -> None:
    stage.sample.instead["/analytics/query"] = refused(status, "no such thing")
    assert stage.poll() == INTERVAL_S
    assert (stage.now.health, stage.now.activity.health) == (Health.OK, Health.OK)
    assert (stage.now.today.health, stage.now.today.value) == (Health.SERVER_ERROR, None)
    assert "no such thing" in (stage.now.today.message or "")


def test_a_failure_of_activity_keeps_its_last_values_and_the_balance(stage: Stage) -> None:
    stage.poll()
    good = stage.now.activity
    stage.sample.set_response_fault(ResponseFault.TRUNCATED, "/activity")
    stage.poll(by_hand=True)
    assert (stage.now.health, stage.now.credits.health, stage.now.today.health) == (Health.OK, Health.OK, Health.OK)
    assert stage.now.activity.health is Health.SERVER_ERROR
    assert (stage.now.activity.value, stage.now.activity.measured_at) == (good.value, good.measured_at)
    stage.later()
    assert "/activity" in stage.requested, "a failed try is repeated at the next poll"
    stage.sample.set_response_fault(None, "/activity")
    stage.later()
    assert stage.now.activity.health is Health.OK
    stage.later()
    assert "/activity" not in stage.requested


def test_activity_without_any_answer_yet_is_requested_again_soon(stage: Stage) -> None:
    stage.sample.instead["/activity"] = refused(500, "oops")
    assert stage.poll() <= 15
    assert stage.now.health is Health.OK
    assert stage.later(15) <= 30
    del stage.sample.instead["/activity"]
    assert stage.later(30) == INTERVAL_S


def test_a_failure_of_credits_affects_neither_activity_nor_today(stage: Stage) -> None:
    stage.sample.set_response_fault(ResponseFault.TRUNCATED, "/credits")
    assert stage.poll() <= 15
    assert (stage.now.health, stage.now.credits.value) == (Health.SERVER_ERROR, None)
    assert (stage.now.activity.health, stage.now.today.health) == (Health.OK, Health.OK)


@pytest.mark.parametrize("endpoint", ["/activity", "/analytics/query"])
def test_a_429_of_one_endpoint_pauses_only_that_endpoint(stage: Stage, endpoint: str) -> None:
    stage.poll()
    stage.sample.instead[endpoint] = refused(429, "slow down", {"Retry-After": "600"})
    assert stage.poll(by_hand=True) == INTERVAL_S
    assert stage.now.health is Health.OK
    stage.clock.pass_(599)
    stage.poll(by_hand=True)
    assert endpoint not in stage.requested
    stage.clock.pass_(1)
    stage.poll(by_hand=True)
    assert endpoint in stage.requested


# --- the connection -------------------------------------------------------------------------------------------------------


def test_offline_keeps_the_last_value_and_backs_off(stage: Stage) -> None:
    stage.poll()
    good, calls = stage.now.credits, stage.now.api_calls
    stage.sample.set_scenario("offline")
    stage.clock.pass_(60)
    waits = [stage.poll() for _ in range(6)]
    assert stage.now.api_calls == calls + 6
    assert stage.now.health is stage.now.credits.health is Health.OFFLINE
    assert (stage.now.credits.value, stage.now.credits.measured_at) == (good.value, good.measured_at)
    assert stage.now.activity.health is Health.OK
    assert "cannot reach" in (stage.now.message or "")
    assert 7.5 <= waits[0] <= 15 <= waits[1] <= 30 <= waits[2] <= 60
    assert max(waits) <= 60
    stage.sample.set_scenario("normal")
    assert stage.poll() == INTERVAL_S
    assert (stage.now.health, stage.now.message) == (Health.OK, None)


def test_a_429_waits_as_long_as_retry_after(stage: Stage) -> None:
    stage.sample.set_scenario("rate-limited")
    assert stage.poll() == 120
    assert stage.now.health is Health.RATE_LIMITED
    assert stage.requested == ["/credits", "/activity", "/analytics/query", "/workspaces", "/keys"], "each is limited by itself"
    stage.later(60)
    assert stage.requested == []


def test_a_429_of_credits_alone_delays_no_other_endpoint(stage: Stage) -> None:
    stage.poll()
    stage.sample.instead["/credits"] = refused(429, "slow down", {"Retry-After": "25000"})
    assert stage.later() <= INTERVAL_S
    asked: list[str] = []
    for _ in range(25):
        assert stage.later() <= INTERVAL_S
        assert (stage.now.health, stage.now.credits.health) == (Health.RATE_LIMITED, Health.RATE_LIMITED)
        asked += stage.requested
    assert "/credits" not in asked
    assert {"/analytics/query"} <= set(asked)
    assert stage.now.today.health is Health.OK
    del stage.sample.instead["/credits"]
    stage.later(7200)
    assert stage.now.health is Health.OK


def test_every_form_of_an_outage_is_one_state(stage: Stage) -> None:
    stage.sample.set_scenario("server-error")
    for _ in range(4):
        assert stage.poll() <= INTERVAL_S
        assert stage.now.health is Health.SERVER_ERROR


# --- nothing ends the polling ---------------------------------------------------------------------------------------------


def test_a_bug_is_logged_without_the_key_and_does_not_end_the_polling(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.poll()
    good = stage.now.credits.value

    stage.bug = RuntimeError(f"unexpected: Bearer {stage.sample.key}")
    assert stage.poll() <= 15
    assert (stage.now.health, stage.now.message, stage.now.refreshing) == (Health.SERVER_ERROR, "internal error", False)
    assert stage.now.credits.value == good
    assert "RuntimeError: unexpected: Bearer sk-or-…" in caplog.text
    assert stage.sample.key not in caplog.text
    stage.bug = None
    stage.poll()
    assert stage.now.health is Health.OK


def test_a_failing_publish_does_not_end_the_polling(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    def full(_: Snapshot) -> None:
        raise OSError("no room")

    assert Poller("default", stage.connect, INTERVAL_S, full, stage.clock).run_cycle() == INTERVAL_S
    assert "no room" in caplog.text


def test_a_lasting_failure_is_logged_at_its_start_and_at_its_end(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="openbalance_hid")
    for scenario in ("normal", "offline", "offline", "offline", "normal", "normal"):
        stage.sample.set_scenario(scenario)
        stage.later()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "account default: offline: cannot reach" in caplog.messages[0]
    assert caplog.messages[1] == "account default: answers again"


@pytest.mark.parametrize("scenario", ["normal", "wrong-key", "rejected", "server-error", "offline", "rate-limited"])
def test_the_key_is_in_no_log_and_in_no_snapshot(stage: Stage, caplog: pytest.LogCaptureFixture, scenario: str) -> None:
    caplog.set_level(logging.DEBUG)
    stage.sample.set_scenario(scenario)
    for _ in range(3):
        stage.later(40)
        shown = caplog.text + "".join(map(repr, stage.published))
        assert stage.sample.key[-8:] not in shown
        assert stage.sample.key[:24] not in shown


def test_a_day_in_the_future_or_far_back_removes_no_known_day(stage: Stage) -> None:
    stage.poll()
    known = stage.now.activity.value
    row = {"model": "a/m", "provider_name": "P", "usage": 1}
    for day in ("2999-01-01", "2016-11-23"):
        stage.sample.instead["/activity"] = json(200, {"data": [{"date": day, **row}]})
        stage.poll(by_hand=True)
        assert stage.now.activity.value == known
        assert "date" in (stage.now.activity.message or "")
