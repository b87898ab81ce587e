"""The usage tile: balance, usage and the icon."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health, Reading
from openbalance_hid.tiles.kind import CASE_TIME, CaseAccount
from openbalance_hid.tiles.view import Age, Figure, Hero, Icon, Tone
from tests.build import NOON, days_back, snapshot
from tests.tiles.views import FULL, hero, notice, view_of
from tools.tile_cases import snapshot_of


@pytest.mark.parametrize(("display", "numbers"), [("both", ["$74.25", "$1.00"]), ("balance", ["$74.25"]), ("usage", ["$1.00"])])
def test_it_shows_the_chosen_numbers(display, numbers):
    view = view_of("usage", FULL, display=display)
    assert [block.text for block in view.blocks if isinstance(block, Hero | Figure)] == numbers


def test_the_icon_shows_the_state():
    assert notice(view_of("usage", FULL, display="icon")).words == "All well"
    late = replace(FULL, health=Health.OFFLINE)
    assert notice(view_of("usage", late, display="icon")).words == "Offline"


def test_the_icon_is_well_only_while_that_is_known_and_true():
    assert notice(view_of("usage", snapshot(balance=(10, "10.01")), display="icon")).words == "Below zero"
    assert view_of("usage", FULL, NOON + timedelta(minutes=31), display="icon").age is Age.OLD
    late = view_of("usage", FULL, NOON + timedelta(minutes=61), display="icon")
    assert (notice(late).words, notice(late).icon, late.age) == ("61 m old", Icon.CLOCK, Age.STALE)
    assert "61 m old" in late.text


def test_a_refused_activity_leaves_the_balance():
    assert hero(view_of("usage", snapshot(activity_health=Health.SERVER_ERROR), display="balance")).text == "$74.25"


@pytest.mark.parametrize("period", ["today", "month"])
def test_the_usage_of_a_utc_period_has_utc_in_its_text(period):
    assert "UTC" in view_of("usage", FULL, period=period, display="usage").text


@pytest.mark.parametrize(
    ("bought", "words", "tone"),
    [("70", "All well", Tone.GOOD), ("35", "Low balance", Tone.WARN), ("28", "Very low balance", Tone.ALARM)],
)
def test_the_icon_is_not_well_where_the_balance_tile_is_low(bought, words, tone):
    view = view_of("usage", snapshot(balance=(bought, "25.75"), days=days_back([2] * 30)), display="icon")
    assert (notice(view).words, notice(view).tone) == (words, tone)


@pytest.mark.parametrize(("today", "words"), [("1.20", "All well"), ("9.20", "Spike"), ("23.00", "Critical")])
def test_the_icon_is_not_well_while_spend_spikes(today, words):
    view = view_of("usage", snapshot_of(CaseAccount(today=today)), CASE_TIME, display="icon")
    assert notice(view).words == words


def test_the_icon_shows_an_unknown_age_after_the_clock_was_set_back():
    view = view_of("usage", FULL, NOON - timedelta(seconds=61), display="icon")
    assert (notice(view).words, view.age) == ("age unknown", Age.STALE)


@pytest.mark.parametrize(("tile", "options"), [("usage", {"display": "usage"}), ("balance", {"show": "used"})])
@pytest.mark.parametrize("period", ["7d", "30d"])
def test_a_refused_balance_takes_no_amount_that_needs_none(tile, options, period):
    refused = replace(FULL, credits=Reading(health=Health.SERVER_ERROR), health=Health.SERVER_ERROR)
    view = view_of(tile, refused, period=period, **options)
    assert hero(view).text == hero(view_of(tile, FULL, period=period, **options)).text
    assert view.health is Health.SERVER_ERROR
    assert notice(view_of(tile, refused, **{**options, "period": "all"})).words == "API error"


def test_with_a_refused_balance_both_show_what_is_known():
    refused = replace(FULL, credits=Reading(health=Health.SERVER_ERROR), health=Health.SERVER_ERROR)
    view = view_of("usage", refused, period="7d")
    assert (view.title, hero(view).text, view.text) == ("Spent 7 d", "$36.00", "Spent 7 d $36.00, API error")
    assert notice(view_of("usage", refused, display="balance")).words == "API error"


@pytest.mark.parametrize("period", ["month", "30d"])
def test_an_unknown_period_has_the_trouble_of_its_endpoint(period):
    view = view_of("usage", snapshot(activity_health=Health.SERVER_ERROR), display="usage", period=period)
    assert (hero(view).text, view.health) == ("—", Health.SERVER_ERROR)
