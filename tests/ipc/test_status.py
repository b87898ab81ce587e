"""The promises of `status --json` to programs: every field, amounts as exact text, instants in UTC."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.amount import Amount
from openbalance_hid.account.snapshot import Activity, Health, Reading, Spend
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.config.schema import Config, DeckConfig, FrozenMap, PageConfig, TileConfig
from openbalance_hid.ipc.status import DeckCounts, ProcessInfo, accounts, status
from tests.app.test_controller import DECK, Story, healthy
from tests.build import NOON, api_key, day_of_samples, days_back, own_key, snapshot, usd

PROCESS = ProcessInfo(1234, 3600.04, "/c/config.toml", NOON, None)
COUNTS = DeckCounts(DECK, "mk2", "/dev/hidraw3", True, 70, 120, 4000, 360, 1)
PERIODS = ["today", "yesterday", "7d", "30d", "month", "all"]


def status_of(seen=None):
    story = Story(seen=seen or healthy()).plugged()
    return status(story.controller, (COUNTS,), PROCESS, Moment(NOON, 1000.0))


def test_every_promised_field_is_present():
    whole = status_of()
    assert {"version", "pid", "uptime_s", "config", "accounts", "decks", "counters"} <= whole.keys()
    assert whole["config"].keys() >= {"path", "loaded_at", "error"}
    assert whole["counters"].keys() >= {"polls", "api_calls", "steps"}
    account = whole["accounts"]["default"]
    assert account.keys() >= {
        *("health", "message", "key_hint", "balance_usd", "total_credits_usd", "total_usage_usd", "spend_usd", "top_models"),
        *("spike", "runway_days", "measured_at", "next_poll_at", "stale", "meter", "masked", "low_usd", "balance_level"),
    }
    assert list(account["spend_usd"]) == PERIODS
    assert account["top_models"][0].keys() >= {"model", "spend_usd"}
    assert account["spike"].keys() >= {"level", "ratio", "approximate", "lane", "driver", "acknowledged"}
    (deck,) = whole["decks"]
    assert deck.keys() >= {"serial", "model", "connected", "page", "brightness", "keys", "images_sent", "images_skipped"}
    assert deck.keys() >= {"reports_sent", "reconnects"}
    assert deck["keys"][0].keys() >= {"key", "tile", "text"}


def test_amounts_are_exact_text_and_unknown_values_are_null():
    days = days_back(["0.123456789", "3", "0", "2"])
    account = status_of(snapshot(balance=("100.000000001", "25.75"), days=days, today={"A": "1.000000001"}))["accounts"][
        "default"
    ]
    assert account["balance_usd"] == "74.250000001"
    assert account["spend_usd"] == {
        "today": "1.000000001",
        "yesterday": "0.123456789",
        "7d": "6.123456790",
        "30d": "6.123456790",
        "month": "6.123456790",
        "all": "25.75",
    }
    nothing = status_of(snapshot(balance=None))["accounts"]["default"]
    assert (nothing["balance_usd"], nothing["measured_at"], nothing["runway_days"], nothing["stale"]) == (
        None,
        None,
        None,
        True,
    )
    assert set(nothing["spend_usd"].values()) == {None}


def test_own_key_cost_is_apart_by_period_and_by_name():
    spent = {NOON.date() - timedelta(days=1): {"v/m": Spend(usd(5), 1, 1, Amount(usd("1.5")))}}
    seen = own_key(snapshot(today={"v/m": 1}), "0.25", name="v/m")
    account = status_of(replace(seen, activity=Reading(Activity(spent, spent), NOON, Health.OK)))["accounts"]["default"]
    assert account["byok_usd"] == {
        "today": "0.25",
        "yesterday": "1.5",
        "7d": "1.75",
        "30d": "1.75",
        "month": "1.75",
        "all": None,
    }
    assert account["byok_lower_bounds"] == ["today", "7d", "30d", "month"]
    assert account["byok_measured_at"]["yesterday"] == "2026-11-22T12:00:00Z"
    assert account["byok_stale"] == []
    assert account["byok_by"]["model"] == {"today": {"v/m": "0.25"}, "30d": {"v/m": "1.75"}}
    assert account["spend_usd"]["yesterday"] == "5", "never added"
    unknown = status_of(snapshot())["accounts"]["default"]
    assert (set(unknown["byok_usd"].values()), unknown["byok_by"]["model"]["30d"]) == ({None}, {})


def test_no_amount_is_ever_written_with_an_exponent():
    account = status_of(snapshot(balance=("1E+3", "1E-9"), days=days_back(["1E-9"] * 3)))["accounts"]["default"]
    amounts = [account["balance_usd"], account["total_credits_usd"], account["total_usage_usd"], account["spend_usd"]["7d"]]
    assert [text for text in amounts if "E" in text] == []
    assert Decimal(account["total_usage_usd"]) == Decimal("1E-9")


def test_instants_are_utc():
    account = status_of()["accounts"]["default"]
    assert account["measured_at"] == "2026-11-22T12:00:00Z"
    assert datetime.fromisoformat(status_of()["config"]["loaded_at"]) == NOON


def test_the_spike_in_the_status_is_the_one_on_the_key():
    spike = status_of(snapshot(days=days_back([2] * 6), taken=day_of_samples(20)))["accounts"]["default"]["spike"]
    assert (spike["level"], spike["ratio"], spike["lane"], spike["acknowledged"]) == ("critical", 10.0, "24h", False)


def alert(key, **options):
    return key, TileConfig("spike-alert", options=FrozenMap(options))


@pytest.mark.parametrize(
    ("alerts", "level", "lane"),
    [
        ([], "spike", "24h"),  # the usual rule
        ([alert(0, threshold=Decimal(5))], "normal", "24h"),
        ([alert(0, threshold=Decimal(2))], "critical", "24h"),
        ([alert(0, threshold=Decimal(5)), alert(1, threshold=Decimal(2))], "critical", "24h"),
        ([alert(0, floor_usd=Decimal(100))], "normal", "24h"),
        ([alert(0, window_hours=Decimal(6))], "spike", "6h"),
    ],
)
def test_a_spike_is_judged_by_the_rule_of_the_tile(alerts, level, lane):
    config = Config(decks=(DeckConfig(pages=(PageConfig("main", FrozenMap({5: TileConfig("balance"), **dict(alerts)})),)),))
    seen = snapshot(days=days_back([2] * 6), taken=day_of_samples(8))
    controller = Controller(config, {"default": seen}, Moment(NOON, 1000.0))
    spike = status(controller, (), PROCESS, Moment(NOON, 1000.0))["accounts"]["default"]["spike"]
    assert (spike["level"], spike["lane"]) == (level, lane)


def test_a_ratio_is_never_rounded_up_to_a_level():
    spike = status_of(snapshot(days=days_back([2] * 6), taken=day_of_samples("5.99999")))["accounts"]["default"]["spike"]
    assert (spike["level"], spike["ratio"]) == ("normal", 2.999)


def test_a_completed_day_that_is_not_published_yet_comes_from_the_counter():
    now = datetime(2026, 11, 22, 0, 15, tzinfo=UTC)
    seen = snapshot(now, days=days_back([2, 3], now, newest=2), taken=day_of_samples(48, now, hours=48))
    controller = Controller(Config(), {"default": seen}, Moment(now, 1000.0))
    assert Decimal(accounts(controller, now)["default"]["spend_usd"]["yesterday"]) == 24


@pytest.mark.parametrize(
    ("passed_s", "stale"), [(0, False), (3599, False), (3600, True), (-59, False), (-61, True), (-86_400, True)]
)
def test_data_is_stale_after_four_intervals_or_when_the_clock_was_set_back(passed_s, stale):
    now = NOON + timedelta(seconds=passed_s)
    controller = Controller(Config(), {"default": healthy()}, Moment(NOON, 1000.0))
    assert accounts(controller, now)["default"]["stale"] is stale


def test_an_unknown_verdict_of_the_account_comes_before_the_normal_one_of_a_key():
    """Else `guard --no-spike` would pass while the account's own verdict is missing."""
    days = {NOON.date() - timedelta(days=age): {"ci": Spend(usd(1))} for age in range(1, 7)}
    seen = replace(
        snapshot(days=days_back([3] * 6), keys=(api_key("ci", 1),)), key_days=Reading(days, NOON, Health.OK), today=Reading()
    )
    tiles = {0: TileConfig("spike-alert", options=FrozenMap({"key_name": "ci"})), 1: TileConfig("spike-alert")}
    config = Config(decks=(DeckConfig(pages=(PageConfig("main", FrozenMap(tiles)),)),))
    for shown, level in ((seen, "preparing"), (replace(seen, keys=Reading((api_key("ci", 30),), NOON, Health.OK)), "critical")):
        story = Story(config, shown).plugged()
        assert accounts(story.controller, NOON)["default"]["spike"]["level"] == level
