"""The balance tile: its numbers, low balance and trend."""

from datetime import timedelta

import pytest

from openbalance_hid.account.snapshot import Health
from openbalance_hid.render.layout import shown_blocks
from openbalance_hid.tiles.view import Icon, Line, Tone
from tests.build import NOON, day_of_samples, days_back, samples, snapshot, usd
from tests.tiles.views import FULL, gauge, hero, lines, view_of


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"show": "remaining"}, "$74.25"),
        ({"show": "used", "period": "7d"}, "$36.00"),
        ({"show": "used", "period": "30d"}, "$36.00"),
        ({"show": "used", "period": "all"}, "$25.75"),
        ({"show": "percent", "period": "all"}, "26 %"),
        ({"show": "percent", "period": "7d"}, "36 %"),
    ],
)
def test_it_shows_the_chosen_number(options, text):
    assert hero(view_of("balance", FULL, **options)).text == text


def test_used_is_unknown_without_activity():
    view = view_of("balance", snapshot(activity_health=Health.SERVER_ERROR), show="used")
    assert hero(view).text == "—"
    assert view.trouble.text == "API error"


@pytest.mark.parametrize(
    ("bought", "tone", "word"),
    [
        ("35.75", Tone.INK, None),
        ("35.74", Tone.WARN, "Low"),
        ("27.75", Tone.WARN, "Low"),
        ("27.74", Tone.ALARM, "Very low"),
        ("20", Tone.ALARM, "Below zero"),
    ],
)
def test_a_low_balance_turns_amber_then_red_with_its_word(bought, tone, word):
    view = view_of("balance", snapshot(balance=(bought, "25.75")), low_usd=10)
    assert hero(view).tone is tone
    assert lines(view) == ([word] if word else [])
    assert (word or "$") in view.text
    assert view.title == "Balance"


def test_a_low_balance_colours_the_gauge_of_the_used_part():
    view = view_of("balance", snapshot(balance=("30", "25.75")), show="percent", period="all", low_usd=10)
    assert (view.title, gauge(view).tone, lines(view)) == ("Used", Tone.WARN, ["$4.25 left"])
    assert view.text == "Used 86 % of $30.00, $4.25 left"


def test_a_low_balance_is_no_property_of_what_was_spent():
    view = view_of("balance", snapshot(balance=("26", "25.75"), days=days_back([1])), show="used", low_usd=10)
    (low,) = [block for block in view.blocks if isinstance(block, Line)]
    assert (hero(view).tone, low.text, low.tone, low.icon) == (Tone.INK, "$0.25 left", Tone.ALARM, Icon.WARNING)


@pytest.mark.parametrize("show", ["used", "percent"])
def test_a_sum_that_lacks_activity_has_its_trouble(show):
    seen = snapshot(today={"A": 3}, activity_health=Health.SERVER_ERROR, taken=day_of_samples(3))
    assert view_of("balance", seen, show=show).health is Health.SERVER_ERROR


def test_a_negative_balance_is_shown_and_red_without_any_option():
    number = hero(view_of("balance", snapshot(balance=(10, "12.40"))))
    assert (number.text, number.tone) == ("-$2.40", Tone.ALARM)


def test_the_trend_is_green_down_and_red_up():
    down = view_of("balance", snapshot(days=days_back([3, 5]))).blocks[2]
    up = view_of("balance", snapshot(days=days_back([5, 3]))).blocks[2]
    assert isinstance(down, Line)
    assert isinstance(up, Line)
    assert (down.icon, down.tone, down.text) == (Icon.DOWN, Tone.GOOD, "40 % less")
    assert (up.icon, up.tone, up.text) == (Icon.UP, Tone.ALARM, "67 % more")


def test_the_spend_below_the_balance_has_the_name_of_its_day():
    taken = samples(
        [(NOON - timedelta(hours=48 - hour), 50 + min(hour, 36) + max(0, hour - 36) * usd("0.75")) for hour in range(49)]
    )
    seen = snapshot(days=days_back([24, 24]), today={"A": 9}, taken=taken)
    assert lines(view_of("balance", seen)) == ["$9.00 today", "25 % less"]
    assert view_of("balance", seen).text == "Balance $74.25, $9.00 today, 25 % less than yesterday by this time"
    known_by_day = view_of("balance", snapshot(days=days_back([3, 5])))
    assert lines(known_by_day) == ["$3.00 yesterday", "40 % less"]
    assert "$3.00 yesterday, 40 % less than the day before" in known_by_day.text


def test_a_trouble_leaves_the_name_and_the_spend_of_the_day():
    view = view_of("balance", snapshot(days=days_back([3, 5]), health=Health.OFFLINE))
    assert (view.title, view.trouble.text) == ("Balance", "Offline")
    assert [getattr(block, "text", None) for block in shown_blocks(view)] == ["$74.25", "$3.00 yesterday", "Offline"]


def test_a_refused_activity_leaves_the_balance():
    assert hero(view_of("balance", snapshot(activity_health=Health.SERVER_ERROR))).text == "$74.25"
