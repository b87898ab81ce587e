"""The balance tile: its numbers, low balance and trend."""

import pytest

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles.view import Icon, Line, Tone
from tests.build import days_back, snapshot
from tests.tiles.views import FULL, hero, lines, view_of


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"show": "remaining"}, "$74.25"),
        ({"show": "used", "period": "7d"}, "$36.00"),
        ({"show": "used", "period": "30d"}, "$36.00"),
        ({"show": "used", "period": "all"}, "$25.75"),
        ({"show": "percent", "period": "all"}, "26%"),
        ({"show": "percent", "period": "7d"}, "36%"),
    ],
)
def test_it_shows_the_chosen_number(options, text):
    assert hero(view_of("balance", FULL, **options)).text == text


def test_used_is_unknown_without_activity():
    view = view_of("balance", snapshot(activity_health=Health.SERVER_ERROR), show="used")
    assert hero(view).text == "—"
    assert lines(view) == ["OpenRouter error"]


@pytest.mark.parametrize(
    ("bought", "tone", "word"),
    [
        ("35.75", Tone.INK, None),
        ("35.74", Tone.WARN, "low"),
        ("27.75", Tone.WARN, "low"),
        ("27.74", Tone.ALARM, "very low"),
        ("20", Tone.ALARM, "below zero"),
    ],
)
def test_a_low_balance_turns_amber_then_red_with_its_word(bought, tone, word):
    view = view_of("balance", snapshot(balance=(bought, "25.75")), low_usd=10)
    assert hero(view).tone is tone
    assert (view.trouble.text if view.trouble else None) == (f"Balance {word}" if word else None)
    assert (f", Balance {word}" if word else "$") in view.text


def test_a_low_balance_keeps_the_title_of_another_number():
    view = view_of("balance", snapshot(balance=("30", "25.75")), show="percent", period="all", low_usd=10)
    assert (view.trouble.text, view.trouble.variants) == ("Used all, low", ("Used all",))


def test_a_negative_balance_is_shown_and_red_without_any_option():
    number = hero(view_of("balance", snapshot(balance=(10, "12.40"))))
    assert (number.text, number.tone) == ("-$2.40", Tone.ALARM)


def test_the_trend_is_green_down_and_red_up():
    down = view_of("balance", snapshot(days=days_back([3, 5]))).blocks[1]
    up = view_of("balance", snapshot(days=days_back([5, 3]))).blocks[1]
    assert isinstance(down, Line)
    assert isinstance(up, Line)
    assert (down.icon, down.tone, down.text) == (Icon.DOWN, Tone.GOOD, "$2.00 yest")
    assert (up.icon, up.tone, up.text) == (Icon.UP, Tone.ALARM, "$2.00 yest")


def test_the_trouble_takes_the_place_of_the_trend():
    late = snapshot(days=days_back([3, 5]), health=Health.OFFLINE)
    assert lines(view_of("balance", late)) == ["Offline"]


def test_a_refused_activity_leaves_the_balance():
    assert hero(view_of("balance", snapshot(activity_health=Health.SERVER_ERROR))).text == "$74.25"
