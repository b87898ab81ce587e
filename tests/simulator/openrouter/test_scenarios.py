"""Every scenario has the account that its name promises."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SCENARIOS, SampleAccount
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
    assert NAMES[:7] == ["normal", "spike", "critical", "low-balance", "negative", "new-account", "no-activity"]
    assert NAMES[7:] == ["offline", "wrong-key", "rejected", "rate-limited", "server-error"]
    for name, says in SCENARIOS:
        sample.set_scenario(name)
        assert sample.scenario == name
        assert says.isprintable()
    with pytest.raises(ValueError, match="bored"):
        sample.set_scenario("bored")
