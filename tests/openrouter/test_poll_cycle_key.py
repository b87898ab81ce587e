"""Poll cycles with a key that is refused, of another kind, without a balance, missing, unreadable or new."""

from decimal import Decimal
from itertools import pairwise

import pytest

from openbalance_hid.account.snapshot import Credits, Health
from openbalance_hid.errors import CredentialError, NoKeyError, Retry
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.simulator.openrouter.sample_answers import SampleReply, json, refused
from tests.openrouter.stage import INTERVAL_S, Stage


def test_only_a_second_401_half_a_minute_later_rejects_the_key(stage: Stage) -> None:
    stage.sample.set_scenario("rejected")
    assert 30 <= stage.poll() <= 35
    assert stage.now.health is Health.SERVER_ERROR
    assert "User not found. (asking again)" in (stage.now.message or "")
    assert 30 <= stage.later(12) <= 35, "a refresh by hand in between proves nothing yet"
    assert stage.now.health is Health.SERVER_ERROR
    assert stage.later(31) == INTERVAL_S
    assert stage.now.health is Health.KEY_REJECTED
    stage.later()
    assert stage.now.health is Health.KEY_REJECTED


def test_a_good_answer_cancels_a_first_401(stage: Stage) -> None:
    stage.poll()
    for _ in range(3):
        stage.sample.set_scenario("rejected")
        stage.later()
        assert stage.now.health is Health.SERVER_ERROR
        stage.sample.set_scenario("normal")
        stage.later(40)
        assert stage.now.health is Health.OK


def test_a_refused_inference_key_is_reported_as_one(stage: Stage) -> None:
    stage.sample.set_scenario("wrong-key")
    for _ in range(4):  # refused and zeros in turn
        assert stage.poll() == INTERVAL_S
        assert stage.now.health is Health.NOT_MANAGEMENT_KEY
        assert stage.requested == ["/credits", "/key"]
        assert stage.now.credits.value is None
        assert stage.now.samples == ()


def test_a_403_for_a_management_key_shows_the_servers_message(stage: Stage) -> None:
    stage.sample.instead["/credits"] = refused(403, "IP not allowed")
    assert stage.poll() == INTERVAL_S
    assert stage.now.health is Health.SERVER_ERROR
    assert "IP not allowed" in (stage.now.message or "")


def test_a_403_of_key_as_well_is_an_allow_list(stage: Stage) -> None:
    stage.sample.instead["/credits"] = stage.sample.instead["/key"] = refused(403, "IP not allowed")
    stage.poll()
    assert stage.now.health is Health.SERVER_ERROR


@pytest.mark.parametrize("page", [False, True])
def test_a_403_never_makes_an_inference_key_without_the_word_of_key(stage: Stage, page: bool) -> None:
    html = SampleReply(403, b"<!DOCTYPE html><title>Attention</title>", content_type="text/html")
    stage.sample.instead["/credits"] = html if page else refused(403, "Only management keys can fetch credits for an account")
    stage.kind(None)
    stage.poll()
    assert stage.now.health is Health.SERVER_ERROR


@pytest.mark.parametrize(
    ("refusal", "health"),
    [
        (refused(403, "IP not allowed"), Health.SERVER_ERROR),
        (refused(401, "User not found."), Health.SERVER_ERROR),
        (refused(429, "slow down"), Health.RATE_LIMITED),
        (refused(500, "oops"), Health.SERVER_ERROR),
        (SampleReply(200, b"<html>"), Health.SERVER_ERROR),
        (SampleReply(200, b'{"data":{"total_credits":null}}'), Health.SERVER_ERROR),
    ],
)
def test_credits_alone_refused_costs_no_other_endpoint(stage: Stage, refusal: SampleReply, health: Health) -> None:
    stage.sample.instead["/credits"] = refusal
    stage.poll()
    now = stage.now
    assert (now.health, now.credits.health) == (health, health)
    assert [each.health for each in (now.activity, now.today, now.keys, now.key_days, now.models)] == [Health.OK] * 5


def test_a_401_of_credits_never_rejects_a_key_that_other_endpoints_accept(stage: Stage) -> None:
    stage.sample.instead["/credits"] = refused(401, "User not found.")
    for _ in range(4):
        stage.later(60)
        assert stage.now.health is Health.SERVER_ERROR


def test_a_403_is_a_server_error_while_key_fails(stage: Stage) -> None:
    stage.sample.instead["/credits"] = refused(403, "no")
    stage.sample.instead["/key"] = refused(500, "oops")
    assert stage.poll() <= 15
    assert stage.now.health is Health.SERVER_ERROR


@pytest.mark.parametrize(
    ("kind", "health"), [(False, Health.NOT_MANAGEMENT_KEY), (None, Health.SERVER_ERROR), (True, Health.OK)]
)
def test_zeros_are_accepted_only_for_a_management_key(stage: Stage, kind: bool | None, health: Health) -> None:
    stage.zeros()
    stage.kind(kind)
    stage.poll()
    assert stage.now.health is health
    assert (stage.now.credits.value == Credits(Decimal(0), Decimal(0))) is (kind is True)


def test_zeros_after_a_real_balance_keep_the_old_value(stage: Stage) -> None:
    stage.poll()
    good = stage.now
    stage.zeros()
    stage.kind(False)
    stage.later()
    assert stage.now.health is Health.NOT_MANAGEMENT_KEY
    assert (stage.now.credits.value, stage.now.credits.measured_at) == (good.credits.value, good.credits.measured_at)
    assert stage.now.samples == good.samples


def test_zeros_after_a_real_balance_are_an_error_for_a_management_key(stage: Stage) -> None:
    stage.poll()
    good = stage.now
    stage.zeros()
    stage.later()
    assert stage.now.health is Health.SERVER_ERROR
    assert (stage.now.credits.value, stage.now.samples) == (good.credits.value, good.samples)


def test_a_usage_below_zero_keeps_the_old_value(stage: Stage) -> None:
    stage.poll()
    good = stage.now
    stage.sample.instead["/credits"] = json(200, {"data": {"total_credits": 100, "total_usage": -1}})
    stage.later()
    assert (stage.now.health, stage.now.credits.value) == (Health.SERVER_ERROR, good.credits.value)


def test_zeros_are_not_accepted_while_key_fails(stage: Stage) -> None:
    stage.poll()
    stage.zeros()
    stage.sample.instead["/key"] = refused(500, "oops")
    stage.later()
    assert stage.now.health is Health.SERVER_ERROR
    assert stage.now.credits.value != Credits(Decimal(0), Decimal(0))


def test_a_missing_key_is_reported_and_found_at_the_next_poll(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    def connect() -> Client:
        if stage.key == "":
            raise NoKeyError("no key is stored for account default", "openbalance-hid setup")
        return Stage.connect(stage)

    stage.key = ""
    stage.poller = Poller("default", connect, INTERVAL_S, stage.published.append, stage.clock)
    assert stage.poll() == INTERVAL_S
    assert (stage.now.health, stage.now.api_calls, stage.now.polls) == (Health.NO_KEY, 0, 1)
    assert stage.now.message == "no key is stored for account default"
    said = "account default: no key: no key is stored for account default – try: openbalance-hid setup"
    assert said in [record.message for record in caplog.records]
    stage.key = stage.sample.key
    stage.poll(by_hand=True)
    assert stage.now.health is Health.OK
    good, stage.key = stage.now.credits.value, ""
    stage.later()
    assert (stage.now.health, stage.now.key_hint, stage.now.credits.value) == (Health.NO_KEY, None, good)


def test_an_unreadable_key_is_reported_with_the_cause(stage: Stage) -> None:
    def connect() -> Client:
        raise CredentialError("the keyring is locked")

    stage.poller = Poller("default", connect, INTERVAL_S, stage.published.append, stage.clock)
    assert stage.poll() == INTERVAL_S
    assert (stage.now.health, stage.now.message) == (Health.NO_KEY, "the keyring is locked")


def test_a_closed_keyring_is_retried_with_backoff(stage: Stage) -> None:
    class Closed(CredentialError):
        retry = Retry.SOON

    def connect() -> Client:
        raise Closed("the keyring did not answer")

    stage.poller = Poller("default", connect, INTERVAL_S, stage.published.append, stage.clock)
    waits_s = [stage.poll() for _ in range(9)]
    assert waits_s[0] <= 15
    assert all(later > sooner / 2 for sooner, later in pairwise(waits_s))
    assert INTERVAL_S / 2 <= waits_s[-1] <= INTERVAL_S
    assert (stage.now.health, stage.now.message) == (Health.NO_KEY, "the keyring did not answer")


def test_another_key_starts_a_new_counter_and_requests_activity(stage: Stage) -> None:
    stage.poll()
    stage.key = stage.sample.inference_key
    stage.kind(True)
    stage.later()
    assert stage.now.samples == ()
    assert stage.now.key_hint == stage.sample.inference_key[-4:]
    stage.key = stage.sample.key
    stage.later()
    assert len(stage.now.samples) == 1
    assert "/activity" in stage.requested


def test_a_sample_account_rejects_the_key_at_once(stage: Stage) -> None:
    stage.sample.set_scenario("rejected")
    stage.poller = Poller("default", stage.connect, INTERVAL_S, stage.published.append, stage.clock, rejection_gap_s=0)
    stage.poll()
    assert stage.now.health is Health.KEY_REJECTED
