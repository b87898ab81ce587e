"""How often the spike rule raises a false alarm: simulated users, 30 days, a verdict at every poll."""

from math import sqrt

import pytest

from bench.row_false_alerts import LITERAL
from bench.simulated_users import HABITS, OFFICE, false_alerts
from openbalance_hid.account.spike import SpikeRule
from tests.torture.amounts import amounts

pytestmark = pytest.mark.statistical


@amounts("users", 2, 40)
@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.name)
def test_false_alarms_stay_within_the_limit_of_each_habit(habit, users):
    """The mean, plus three of its standard errors."""
    rises = [false_alerts(habit, seed, SpikeRule()) for seed in range(users)]
    assert sum(rises) / users <= habit.ambers + 3 * sqrt(habit.ambers / users), rises


def test_a_rule_over_the_last_quarter_hour_would_alarm_the_same_user_daily():
    assert false_alerts(OFFICE, 0, LITERAL) > 30
