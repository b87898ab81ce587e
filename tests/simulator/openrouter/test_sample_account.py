"""Keys, unknown paths, and switching the scenario."""

from datetime import UTC, datetime, timedelta

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.simulator.openrouter.account_client import ask, used


def test_switching_between_grown_accounts_never_moves_the_counter(sample: SampleAccount) -> None:
    counter = used(sample)
    for name in ("critical", "normal", "low-balance", "new-account", "spike", "negative", "no-activity", "normal"):
        sample.set_scenario(name)
        if name not in ("new-account", "no-activity"):
            assert used(sample) == counter


PATHS = ["/credits", "/activity", "/key", "/keys", "/analytics/query"]


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_or_with_an_unknown_one_nothing_is_answered(sample: SampleAccount, path: str) -> None:
    missing = ask(sample, path, key=None)
    assert (missing.status, missing.error) == (401, {"code": 401, "message": "Missing Authentication header"})
    unknown = ask(sample, path, key="sk-or-v1-unknown")
    assert (unknown.status, unknown.error) == (401, {"message": "User not found.", "code": 401})
    assert sample.requests[-1].headers["authorization"] == sample.authorization_hash("sk-or-v1-unknown")


def test_an_inference_key_gets_refusals_and_zero_credits_in_turn(sample: SampleAccount) -> None:
    answers = [ask(sample, "/credits", key=sample.inference_key) for _ in range(3)]
    assert [answer.status for answer in answers] == [403, 200, 403]
    assert answers[0].error["message"] == "Only management keys can fetch credits for an account"
    assert answers[1].data == {"total_credits": 0, "total_usage": 0}
    assert ask(sample, "/key", key=sample.inference_key).data["is_management_key"] is False
    assert ask(sample, "/activity", key=sample.inference_key).status == 403
    sample.set_scenario("wrong-key")
    assert ask(sample, "/key").data["is_management_key"] is False


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("POST", "/credits"), ("GET", "/analytics/query")])
def test_an_unknown_path_or_method_is_not_found(sample: SampleAccount, method: str, path: str) -> None:
    assert ask(sample, path, method=method).status == 404


def test_rate_limited_sends_retry_after(sample: SampleAccount) -> None:
    sample.set_scenario("rate-limited")
    answer = ask(sample, "/credits")
    assert (answer.status, answer.headers["retry-after"]) == (429, "120")


def test_the_date_header_goes_by_the_accounts_clock(sample: SampleAccount) -> None:
    sample.date_skew_s = -3600
    assert ask(sample, "/key").headers["date"] == "Tue, 24 Nov 2026 11:00:00 GMT"


def test_the_key_is_never_recorded(sample: SampleAccount) -> None:
    ask(sample, "/credits")
    assert sample.key not in repr(sample.requests)


def test_past_readings_lead_to_the_present_counter_and_never_fall() -> None:
    now = datetime(2026, 3, 18, 0, 10, tzinfo=UTC)
    sample = SampleAccount("critical", clock=lambda: now)
    readings = sample.past_readings()
    usages = [usage for _, _, usage in readings]
    assert usages == sorted(usages)
    assert readings[-1][0] == datetime(2026, 3, 18, tzinfo=UTC)  # midnight is exact
    assert readings[0][0] <= now - timedelta(hours=48)
    assert 0 <= sample.state().total_usage_usd - usages[-1] < 1


@pytest.mark.parametrize("scenario", ["offline", "wrong-key", "rejected", "rate-limited", "server-error", "no-activity"])
def test_an_account_that_answers_nothing_has_no_past_readings(scenario: str) -> None:
    assert SampleAccount(scenario).past_readings() == []
