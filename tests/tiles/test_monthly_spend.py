"""The monthly-spend tile: total and bars."""

from datetime import timedelta

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles.view import Bars
from tests.build import NOON, days_back, snapshot
from tests.tiles.views import hero, notice, view_of


def test_an_unknown_day_has_no_bar():
    view = view_of("monthly-spend", snapshot(days=days_back([2, 4])))
    bars = view.blocks[1]
    assert isinstance(bars, Bars)
    assert bars.shares == (0, 0, 0, 0, 1.0, 0.5, None)
    assert hero(view).text == "≥ $6.00"


def test_a_day_of_refunds_has_an_empty_bar():
    days = {NOON.date() - timedelta(days=age): {"v/a": amount} for age, amount in ((1, -3), (2, 4))}
    bars = view_of("monthly-spend", snapshot(days=days, today={"A": 1})).blocks[1]
    assert isinstance(bars, Bars)
    assert bars.shares == (0, 0, 0, 0, 1.0, 0, 0.25)


def test_a_day_of_which_a_part_is_unknown_has_a_pale_bar():
    bars = view_of("monthly-spend", snapshot(days=days_back([2, 4]), today={"A": 1})).blocks[1]
    assert isinstance(bars, Bars)
    assert bars.inexact == (False,) * 6 + (True,), "today is at least what the analytics query has"


def test_a_refused_activity_is_an_error_of_openrouter():
    assert notice(view_of("monthly-spend", snapshot(activity_health=Health.SERVER_ERROR))).words == "API error"
