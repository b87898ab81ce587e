"""Every scenario has the account that its name promises."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SCENARIOS, SampleAccount
from openbalance_hid.simulator.openrouter.sample_keys import key_hash
from tests.simulator.openrouter.account_client import Now, ask, days, left

NAMES = [name for name, _ in SCENARIOS]


@pytest.mark.parametrize(
    ("scenario", "balance"),
    [("normal", "74.25"), ("low-balance", "3.10"), ("negative", "-2.40"), ("new-account", "4.60"), ("no-activity", "10")],
)
def test_each_account_has_the_balance_it_is_named_for(sample: SampleAccount, now: Now, scenario: str, balance: str) -> None:
    sample.set_scenario(scenario)
    assert left(sample) == Decimal(balance)


def test_an_ordinary_account_is_topped_up_and_the_counter_does_not_notice(sample: SampleAccount, now: Now) -> None:
    bought = Decimal(ask(sample, "/credits").data["total_credits"])
    now.at += timedelta(days=40)
    assert left(sample) >= 10
    assert (Decimal(ask(sample, "/credits").data["total_credits"]) - bought) % 50 == 0


def test_a_new_account_has_one_small_day_and_one_without_activity_none(sample: SampleAccount) -> None:
    sample.set_scenario("new-account")
    assert list(days(sample)) == ["2026-11-23"]
    assert 0 < days(sample)["2026-11-23"] < 1
    sample.set_scenario("no-activity")
    assert ask(sample, "/activity").data == []
    assert ask(sample, "/credits").data == {"total_credits": 10, "total_usage": 0}


def test_every_scenario_is_described_in_a_line_and_can_be_switched_to_while_running(sample: SampleAccount) -> None:
    assert NAMES[:8] == ["normal", "spike", "critical", "runaway", "low-balance", "negative", "new-account", "no-activity"]
    assert NAMES[8:11] == ["no-prepaid", "refund", "activity-down"]
    assert NAMES[11:] == ["offline", "wrong-key", "rejected", "rate-limited", "server-error"]
    for name, says in SCENARIOS:
        sample.set_scenario(name)
        assert sample.scenario == name
        assert says.isprintable()
    with pytest.raises(ValueError, match="bored"):
        sample.set_scenario("bored")


def test_an_account_without_prepaid_credits_has_bought_nothing_and_used_something(sample: SampleAccount) -> None:
    sample.set_scenario("no-prepaid")
    credits_ = ask(sample, "/credits").data
    assert credits_["total_credits"] == 0 < credits_["total_usage"]


def test_a_refund_lowers_the_usage_and_nothing_else(sample: SampleAccount, now: Now) -> None:
    before, rows = ask(sample, "/credits").data, ask(sample, "/activity").data
    sample.set_scenario("refund")
    assert Decimal(ask(sample, "/credits").data["total_usage"]) == Decimal(before["total_usage"]) - 20
    assert ask(sample, "/activity").data == rows
    with SampleAccount("refund", clock=now) as started:
        usage = Decimal(ask(started, "/credits").data["total_usage"])
        now.at += timedelta(minutes=2)
        assert Decimal(ask(started, "/credits").data["total_usage"]) < usage - 19


def test_activity_alone_can_be_down(sample: SampleAccount) -> None:
    sample.set_scenario("activity-down")
    assert ask(sample, "/activity").status == 504
    assert ask(sample, "/credits").status == ask(sample, "/keys").status == 200


def test_a_runaway_key_spends_until_it_is_disabled_and_goes_on_when_it_is_enabled(sample: SampleAccount, now: Now) -> None:
    def used() -> Decimal:
        return Decimal(ask(sample, "/credits").data["total_usage"])

    def of_key() -> Decimal:
        rows = ask(sample, "/keys").data
        return next(Decimal(str(row["usage"])) for row in rows if row["name"] == "ci")

    sample.set_scenario("runaway")
    before, key_before = used(), of_key()
    now.at += timedelta(minutes=30)
    assert used() - before > 6
    assert of_key() - key_before > 6, "the spend is that of the key"
    sample.key_changes.set_disabled(key_hash(1), True, now.at)
    before = used()
    now.at += timedelta(minutes=30)
    assert used() - before < 1
    sample.key_changes.set_disabled(key_hash(1), False, now.at)
    before = used()
    now.at += timedelta(minutes=30)
    assert used() - before > 6
