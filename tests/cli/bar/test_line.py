"""The content of the line: states, text and details, from one account of the status."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from openbalance_hid.cli.bar.line import DISPLAYS, PERIODS, STATES, BarLine, absent, line_of

NOW = datetime(2026, 2, 5, 14, 40, tzinfo=UTC)


def account_status(**changes: Any) -> dict[str, Any]:
    """Return a healthy account, as in `status --json`."""
    spike = {"level": "normal", "ratio": 1.14, "approximate": False, "lane": "24h", "driver": None, "acknowledged": False}
    return {
        "health": "ok",
        "message": None,
        "balance_usd": "74.25",
        "low_usd": None,
        "balance_level": "normal",
        "total_credits_usd": "100",
        "total_usage_usd": "25.75",
        "spend_usd": {"today": "1.20", "yesterday": "3.40", "7d": "15.10", "30d": "60", "month": "40", "all": "25.75"},
        "top_models": [{"model": "anthropic/claude-sonnet-4.5", "spend_usd": "12.30"}],
        "spike": {**spike, **changes.pop("spike", {})},
        "runway_days": 9.9,
        "measured_at": "2026-02-05T14:38:00Z",
        "stale": False,
        "endpoints": {name: {"stale": changes.get("stale", False)} for name in ("credits", "activity", "today", "keys")},
        "lower_bounds": [],
        "approximate": [],
        "spend_stale": [],
        **changes,
    }


def line(show: str = "both", period: str = "today", account: str = "default", **changes: Any) -> BarLine:
    return line_of(account_status(**changes), account, show, period, NOW)


def test_the_four_displays():
    assert {show: line(show).whole for show in DISPLAYS} == {
        "both": "✓ $74.25 · $1.20 today",
        "icon": "OR ✓",
        "balance": "✓ $74.25",
        "usage": "✓ $1.20 today",
    }


def test_an_amount_that_is_known_in_part_has_its_sign():
    assert line("usage", lower_bounds=["today"]).text == "≥ $1.20 today"
    assert line("usage", "7d", approximate=["7d"]).text == "~$15.10 7 days"
    assert any("yesterday ≥ $3.40" in each for each in line(lower_bounds=["yesterday"]).details)


def test_old_is_what_is_shown():
    old = {"spend_stale": ["7d"], "stale": True, "endpoints": {"credits": {"stale": False}, "activity": {"stale": True}}}
    assert (line("both", "7d", **old).state, line("both", **old).state, line("balance", "7d", **old).state) == (
        "stale",
        "normal",
        "normal",
    )
    assert "Old: activity" in line("balance", **old).details


def test_every_period_is_a_spend_of_the_status():
    assert {period: line("usage", period).text for period in PERIODS} == {
        "today": "$1.20 today",
        "7d": "$15.10 7 days",
        "30d": "$60.00 30 days",
        "month": "$40.00 month",
        "all": "$25.75 all time",
    }


@pytest.mark.parametrize("show", DISPLAYS)
def test_with_masked_amounts_the_line_has_the_same_state_and_no_amount(show):
    masked, usual = line(show, masked=True), line(show)
    said = " ".join((masked.whole, masked.short, *masked.details))
    assert re.search(r"\$\s*\d", said) is None
    assert (masked.balance_usd, masked.usage_usd) == (None, None)
    assert (masked.state, masked.icon, masked.classes) == (usual.state, usual.icon, usual.classes)
    assert line("both", masked=True).whole == "✓ $••• · $••• today"


NO_CREDITS = {"balance_usd": None, "total_credits_usd": None, "total_usage_usd": None, "measured_at": None, "stale": True}
NOTHING = {**NO_CREDITS, "spend_usd": dict.fromkeys(account_status()["spend_usd"])}


@pytest.mark.parametrize(
    ("changes", "state", "text"),
    [
        ({"spike": {"level": "spike"}}, "spike", "Spike $74.25 · $1.20 today"),
        ({"spike": {"level": "critical", "acknowledged": True}}, "critical", "Critical $74.25 · $1.20 today"),
        ({"health": "offline"}, "trouble", "Offline $74.25 · $1.20 today"),
        ({"health": "offline", "spike": {"level": "spike"}}, "spike", "Spike $74.25 · $1.20 today"),
        ({"balance_level": "low"}, "low", "Low $74.25 · $1.20 today"),
        ({"balance_usd": "-2.4"}, "low", "Low -$2.40 · $1.20 today"),
        ({"stale": True, "spike": {"level": "critical"}}, "stale", "2 m old $74.25 · $1.20 today"),
        ({"stale": True, "health": "offline"}, "stale", "Offline 2 m old $74.25 · $1.20 today"),
        ({**NOTHING, "health": "no_key"}, "trouble", "Set up"),
        ({**NOTHING, "health": "preparing"}, "preparing", "Preparing…"),
        ({**NOTHING, "health": "not_management_key"}, "trouble", "Not a Management key"),
        ({**NO_CREDITS, "health": "server_error"}, "trouble", "API error — · $1.20 today"),
        ({**NO_CREDITS, "health": "server_error", "spike": {"level": "critical"}}, "critical", "Critical — · $1.20 today"),
        ({**NO_CREDITS, "health": "preparing"}, "preparing", "Preparing… — · $1.20 today"),
        ({"spend_usd": dict.fromkeys(account_status()["spend_usd"])}, "normal", "$74.25 · — today"),
    ],
)
def test_the_states_and_their_words(changes: dict[str, Any], state: str, text: str):
    found = line(**changes)
    assert (found.state, found.text, found.icon) == (state, text, STATES[state][0])


def test_each_state_has_its_own_icon():
    assert len({icon for icon, _ in STATES.values()}) == len(STATES)


def test_only_an_unacknowledged_alarm_is_urgent():
    assert line(spike={"level": "critical"}).urgent
    assert not line(spike={"level": "critical", "acknowledged": True}).urgent
    assert "acknowledged" in line(spike={"level": "critical", "acknowledged": True}).classes
    assert not line(spike={"level": "spike"}).urgent


def test_every_condition_is_a_class():
    found = line(stale=True, health="offline", balance_level="very low", spike={"level": "spike"})
    assert found.classes == ("stale", "offline", "low", "spike")


def test_another_account_is_named():
    assert line(account="work").whole == "✓ work $74.25 · $1.20 today"
    assert line("icon", account="work").whole == "OR ✓"


def test_the_details_are_complete_and_free_of_control_characters():
    details = line(health="server_error", message="bad\x1b[2J\ngateway").details
    assert details == (
        "OpenRouter",
        "API error: bad [2J gateway",
        "Balance $74.25 of $100.00",
        "Today $1.20, yesterday $3.40 (UTC)",
        "7 days $15.10, 30 days $60.00, month $40.00",
        "Runway ≈ 9 d",
        "Spike alert: normal, 1.1× the usual pace (24h)",
        "sonnet-4.5 $12.30",
        "Measured 2 min ago",
    )


def test_the_percentage_left_is_from_0_to_100():
    assert [line(balance_usd=usd).left_percent for usd in ("74.25", "-3", "250")] == [74, 0, 100]
    assert line(total_credits_usd="0").left_percent is None


def test_age_is_relative_to_the_time_that_is_passed_in():
    later = line_of(account_status(stale=True), "default", "both", "today", NOW + timedelta(minutes=68))
    assert later.text.startswith("70 m old ")


def test_without_a_daemon_the_line_is_no_daemon():
    assert (absent("default").whole, absent("default").state) == ("∅ no daemon", "absent")


def test_a_ratio_is_formatted_as_on_the_key():
    about = line(spike={"ratio": 2.99, "approximate": True})
    assert "Spike alert: normal, ~2.9× the usual pace (24h)" in about.details


def test_an_amount_that_needs_no_balance_is_shown_while_the_balance_is_unknown():
    unknown = {**NO_CREDITS, "health": "server_error"}
    assert line("usage", "30d", **unknown).text == "API error $60.00 30 days"
    assert (line("balance", **unknown).text, line("usage", "all", **unknown).state) == ("API error", "trouble")


@pytest.mark.parametrize(("level", "driver"), [("normal", ""), ("spike", ", mostly gpt-5")])
def test_the_details_name_a_culprit_in_an_alarm_only_by_its_short_name(level: str, driver: str):
    details = line(spike={"level": level, "driver": "openai/gpt-5"}).details
    assert f"Spike alert: {level}, 1.1× the usual pace (24h){driver}" in details
