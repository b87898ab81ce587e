"""The burn-rate tile: the last hour, gaps and the usual hour."""

from msgspec.structs import replace

from openbalance_hid.account.snapshot import Health
from openbalance_hid.tiles.view import Bars
from tests.account.test_burn import SLEPT, samples, steady, with_hours
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


def test_hours_from_the_analytics_query_are_marked_and_read_out():
    slept = with_hours(snapshot(taken=samples(*SLEPT)), hours=10)
    view = view_of("burn-rate", slept)
    assert hero(view).text == "$0.50"
    assert view.text == "Per hour $0.50, 9 of 24 hours approximate, 14 not known"
    assert bars(view).inexact == (False,) * 14 + (True,) * 9 + (False,)
    assert bars(view).shares[-5:] == (2.75 / 3, 1.0, 1.0, 1.0, 0.5 / 3)
    rough = replace(with_hours(snapshot(taken=())), samples=())
    assert hero(view_of("burn-rate", rough)).text == "~$3.00"


def test_without_credits_the_answer_by_hour_is_shown_with_the_trouble_of_credits():
    seen = with_hours(snapshot(balance=None, health=Health.SERVER_ERROR))
    view = view_of("burn-rate", seen)
    assert (hero(view).text, view.trouble and view.trouble.text) == ("~$3.00", "API error")
