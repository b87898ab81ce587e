"""The runway tile: days, range and unknown paces."""

from datetime import timedelta

import pytest

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles.view import Icon, Tone
from tests.build import NOON, days_back, snapshot
from tests.tiles.views import gauge, hero, lines, notice, view_of


@pytest.mark.parametrize(
    ("bought", "text", "tone", "icon"),
    [
        ("125.75", "≈ 50 d", Tone.INK, None),
        ("39.75", "≈ 7 d", Tone.INK, None),
        ("39.74", "≈ 6 d", Tone.WARN, Icon.WARNING),
        ("30.00", "≈ 2 d", Tone.ALARM, Icon.WARNING),
        ("26.75", "≈ 12 h", Tone.ALARM, Icon.WARNING),
        ("20", "0 d", Tone.ALARM, Icon.WARNING),
        ("23.3500000001", "0 d", Tone.ALARM, Icon.WARNING),
        ("99999", ">90 d", Tone.INK, None),
    ],
)
def test_days_are_counted_at_the_seven_day_pace(bought, text, tone, icon):
    number = hero(view_of("runway", snapshot(balance=(bought, "25.75"), days=days_back([2] * 30))))
    assert (number.text, number.tone, number.icon) == (text, tone, icon)


def test_the_range_of_dates_reaches_to_the_thirty_day_pace():
    view = view_of("runway", snapshot(balance=(39, 25), days=days_back([2] * 7 + [1] * 23)))
    assert lines(view) == ["till 29 Nov–3 Dec"]
    assert gauge(view).share == pytest.approx(7 / 30)


def test_idle_days_count():
    idle = view_of("runway", snapshot(balance=(39, 25), days=days_back([7, 0, 0, 0, 0, 0, 0, 7])))
    assert hero(idle).text == "≈ 14 d"


@pytest.mark.parametrize(
    ("amounts", "why"), [([50, 50], "too few days"), (["0.001"] * 30, "little spent"), ([], "little spent")]
)
def test_without_history_or_pace_it_is_unknown(amounts, why):
    view = view_of("runway", snapshot(days=days_back(amounts)))
    assert (hero(view).text, lines(view)) == ("—", [why])


@pytest.mark.parametrize(
    ("bought", "days", "words"),
    [
        ("46", [2] * 30, "till 2 Dec"),
        ("43", [2] * 7 + ["1.9"] * 23, "till 1 Dec"),
        ("28", [2] * 7, "till 23–26 Nov"),
        ("1026", [2] * 30, "till Apr 2028"),
        ("99999", [2] * 7, "for years"),
        ("20", [2] * 7, "nothing left"),
        ("26.2", [2] * 7, "ends today"),
        ("27.9", [2] * 7, "ends tomorrow"),
    ],
)
def test_the_end_is_a_date_as_exact_as_it_is_near(bought, days, words):
    assert lines(view_of("runway", snapshot(balance=(bought, 26), days=days_back(days)))) == [words]


def test_an_old_balance_lasts_no_longer_than_when_it_was_new():
    seen = snapshot(balance=("46", 26), days=days_back([2] * 30))
    assert [lines(view_of("runway", seen, NOON + timedelta(days=days))) for days in (0, 3)] == [["till 2 Dec"]] * 2
    soon = snapshot(balance=("26.2", 26), days=days_back([2] * 7))
    assert lines(view_of("runway", soon, NOON + timedelta(days=1))) == ["till 22 Nov"]


def test_a_refused_activity_is_an_error_of_openrouter():
    assert notice(view_of("runway", snapshot(activity_health=Health.SERVER_ERROR))).words == "API error"
