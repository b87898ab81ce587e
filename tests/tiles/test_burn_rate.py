"""The burn-rate tile: the last hour, gaps and the usual hour."""

from openbalance_hid.tiles.view import Bars
from tests.account.test_burn import steady
from tests.build import days_back, snapshot
from tests.tiles.views import hero, view_of


def bars(view) -> Bars:
    (found,) = [block for block in view.blocks if isinstance(block, Bars)]
    return found


def test_the_last_hour_is_the_number_and_the_line_a_usual_hour():
    view = view_of("burn-rate", snapshot(days=days_back([8] * 10), taken=steady(30, "2.00")))
    assert hero(view).text == "$2.00"
    assert bars(view).shares == (1.0,) * 24
    assert bars(view).line is not None
    assert bars(view).line < 1


def test_hours_without_samples_are_gaps():
    view = view_of("burn-rate", snapshot(taken=steady(3, "1.00")))
    assert bars(view).shares == (None,) * 21 + (1.0,) * 3


def test_without_samples_the_number_is_unknown():
    assert hero(view_of("burn-rate", snapshot(taken=()))).text == "—"
