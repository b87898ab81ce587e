"""The spike rule in whole lives: each row of the table over twenty seeds, with a verdict at every poll. For `make torture`."""

from statistics import mean

import pytest

from bench.lives import verdicts
from bench.table_of_lives import TABLE, Row

pytestmark = [pytest.mark.statistical, pytest.mark.torture]

SEEDS = range(20)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.life.name)
def test_the_rule_does_what_is_required_in_each_life(row: Row):
    lived = [verdicts(row.life, seed) for seed in SEEDS]
    for required in row.requirements:
        values = [float(required.measure(row.life, seen)) for seen in lived]
        assert mean(values) <= required.at_most, (required.unit, values)
