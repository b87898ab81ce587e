"""The alarm does not cry wolf: made-up users, 30 days, a verdict at every poll."""

from math import sqrt

import pytest

from bench.row_ambers import LITERAL
from bench.users import HABITS, OFFICE, ambers
from openbalance_hid.account.spike import SpikeRule
from tests.torture.amounts import amounts


@amounts("users", 2, 40)
@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.name)
def test_false_ambers_stay_within_what_the_rule_is_allowed(habit, users):
    """On average, and give or take three standard errors of a mean over so many."""
    rises = [ambers(habit, seed, SpikeRule()) for seed in range(users)]
    assert sum(rises) / users <= habit.ambers + 3 * sqrt(habit.ambers / users), rises


def test_the_same_user_would_be_alarmed_every_day_by_the_last_quarter_of_an_hour_alone():
    assert ambers(OFFICE, 0, LITERAL) > 30
