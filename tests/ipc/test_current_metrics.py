"""The metrics of a status: unknown is absent, lower bounds and ages are series of their own, names stay bounded."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from openbalance_hid.account.amount import NOTHING, Amount
from openbalance_hid.account.snapshot import Activity, Health, Reading, Spend
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.config.schema import AccountConfig, Config, FrozenMap
from openbalance_hid.ipc.current_metrics import OTHER, byok_metrics, current_metrics, spend_metrics
from openbalance_hid.ipc.spend_parts import NAMELESS_KEY
from openbalance_hid.ipc.status import ProcessInfo, status
from tests.account.test_burn import with_hours
from tests.build import NOON, api_key, day_of_samples, days_back, snapshot

PROCESS = ProcessInfo(1, 1.0, "/c.toml", NOON, None)


def account_status(seen: Any, config: Config = Config()) -> dict[str, Any]:  # noqa: B008  frozen
    controller = Controller(config, {"default": seen}, Moment(NOON, 1000.0))
    return status(controller, (), PROCESS, Moment(NOON, 1000.0))["accounts"]


def values(metrics: Any) -> dict[tuple[str, str], Decimal | int]:
    """Return name and last label of each sample -> its value."""
    return {
        (metric.name.removeprefix("openbalance_"), "/".join(list(labels.values())[1:])): number
        for metric in metrics
        for labels, number, _ in metric.samples
    }


def test_what_is_unknown_has_no_series_and_is_never_zero():
    found = values(current_metrics(account_status(snapshot(balance=None)), is_running=True))
    assert found.keys() == {
        ("up", ""), ("healthy", ""), ("stale", ""), ("spike_level", ""),
        *(("endpoint_healthy", name) for name in ("credits", "activity", "today", "keys")),
    }  # fmt: skip


def test_a_budget_has_its_limit_and_what_is_known_of_its_spend():
    config = Config(accounts=FrozenMap({"default": AccountConfig(budget_usd=Decimal(80))}))
    for seen, expected in ((snapshot(days=days_back([3, 2]), today={"a": 1}), 6), (snapshot(balance=None), None)):
        found = values(current_metrics(account_status(seen, config), is_running=True))
        assert (found["budget_limit_usd", ""], found.get(("budget_spent_usd", ""))) == (80, expected)


def test_the_last_hour_is_approximate_only_where_the_analytics_query_has_it():
    for seen, expected in ((with_hours(snapshot(taken=())), 1), (snapshot(taken=day_of_samples(2)), 0), (snapshot(), None)):
        found = values(current_metrics(account_status(seen), is_running=True))
        assert found.get(("burn_approximate", "")) == expected
        assert (("burn_usd_per_hour", "") in found) == (expected is not None)


def test_lower_bounds_and_ages_have_series_of_their_own():
    old = NOON - timedelta(hours=2)
    found = values(current_metrics(account_status(snapshot(days=days_back([3, 2]), measured=old)), is_running=True))
    assert found["spend_usd", "30d"] == 5
    assert found["spend_lower_bound", "30d"] == 1, "today is not known"
    assert (found["spend_lower_bound", "all"], found["spend_lower_bound", "yesterday"]) == (0, 0)
    assert found["measured_timestamp_seconds", ""] == int(old.timestamp())
    assert found["endpoint_measured_timestamp_seconds", "activity"] == int(old.timestamp())
    assert found["spend_measured_timestamp_seconds", "all"] == int(old.timestamp())
    assert ("spend_measured_timestamp_seconds", "today") not in found
    assert ("endpoint_measured_timestamp_seconds", "today") not in found


def test_names_beyond_the_largest_are_one_series_and_their_amounts_are_kept():
    days = {NOON.date() - timedelta(days=1): {f"v/m{number:02d}": number + 1 for number in range(30)}}
    seen = snapshot(days=days, today={})
    spent, bounds = spend_metrics(account_status(seen), "model", most=5)
    month = {labels["model"]: usd for labels, usd, _ in spent.samples if labels["period"] == "30d"}
    assert month == {**{f"v/m{number:02d}": number + 1 for number in range(25, 30)}, OTHER: sum(range(1, 26))}
    assert len(spent.samples) == len(bounds.samples)
    whole, _ = spend_metrics(account_status(seen), "model")
    assert sum(usd for labels, usd, _ in whole.samples if labels["period"] == "30d") == sum(month.values())


def test_a_key_that_is_named_like_the_rest_is_added_to_it():
    keys = [api_key(OTHER, 3), api_key("a", 2), api_key("b", 1)]
    spent, _ = spend_metrics(account_status(snapshot(keys=keys)), "key", most=2)
    today = [(labels["key"], usd) for labels, usd, _ in spent.samples if labels["period"] == "today"]
    assert len(today) == len(dict(today)), "each series once"
    assert sum(usd for _, usd in today) == 6


def test_no_name_of_a_key_has_a_part_of_its_hash_and_keys_of_one_name_are_added_up():
    twins = [replace(api_key("x", 2), hash=f"{part}77aa00", name=f"ci {part}77aa", given_name="ci") for part in ("ab", "cd")]
    nameless = replace(api_key("y", 5), hash="ef12349999", name="key ef1234", given_name="key ef1234")
    accounts = account_status(snapshot(keys=[*twins, nameless]))
    spent, _ = spend_metrics(accounts, "key")
    assert {labels["key"]: usd for labels, usd, _ in spent.samples if labels["period"] == "today"} == {"ci": 4, NAMELESS_KEY: 5}
    assert not any(part in str(accounts["default"]["spend_by"]) for part in ("77aa", "ef1234"))


def test_a_sum_with_an_unknown_part_is_a_lower_bound():
    known, unknown = api_key("x", 2), replace(api_key("y", 1), today_usd=None)
    twins = [replace(key, given_name="ci") for key in (known, unknown)]
    spent, bounds = spend_metrics(account_status(snapshot(keys=twins)), "key")
    read = {(labels["key"], labels["period"]): usd for labels, usd, _ in spent.samples}
    lower = {(labels["key"], labels["period"]): flag for labels, flag, _ in bounds.samples}
    assert (read["ci", "today"], lower["ci", "today"]) == (2, 1)
    assert (read["ci", "week"], lower["ci", "week"]) == (12, 0)


@pytest.mark.parametrize("by", ["model", "provider", "key"])
def test_without_an_answer_there_is_no_series_of_parts(by: str):
    assert [metric.samples for metric in spend_metrics(account_status(snapshot()), by)] == [[], []]


def test_own_key_cost_has_series_of_its_own_and_is_in_no_other_one():
    keys = [api_key("ci", 1, byok_today_usd=Decimal("0.25")), api_key("laptop", 1)]
    day = NOON.date() - timedelta(days=1)
    spent = {day: {"v/m": Spend(Decimal(5), 1, 1, Amount(Decimal(2))), "v/n": Spend(Decimal(1), 1, 1, NOTHING)}}
    seen = replace(snapshot(today={"v/m": 1}, keys=keys), activity=Reading(Activity(spent, spent), NOON, Health.OK))
    accounts = account_status(seen)
    found = values(current_metrics(accounts, is_running=True))
    assert (found["byok_usd", "yesterday"], found["byok_lower_bound", "yesterday"], found["spend_usd", "yesterday"]) == (
        2,
        0,
        6,
    )
    assert (found["byok_usd", "today"], found["byok_lower_bound", "today"]) == (Decimal("0.25"), 1), "of the keys"
    assert ("byok_usd", "all") not in found
    parts = values([*byok_metrics(accounts, "model"), *byok_metrics(accounts, "provider"), *byok_metrics(accounts, "key")])
    assert {name: usd for name, usd in parts.items() if name[0].endswith("usd")} == {
        ("model_byok_usd", "v/m/30d"): 2,
        ("provider_byok_usd", "v/m/30d"): 2,
        ("key_byok_usd", "ci/today"): Decimal("0.25"),
    }
