"""The figures of tests that run in parts, and in processes of their own, are complete."""

import pytest

from tests.torture.amounts import amounts_in_parts
from tests.torture.figures import Figures, totals


def figures(test: str, tried: int, took_s: float) -> Figures:
    return Figures(test, seed=7, tried=tried, survived=tried, took_s=took_s)


def test_parts_have_a_sum_and_other_tests_have_none() -> None:
    parts = [figures(f"test_x[long, part {number}]", 100 * number, 1.5) for number in (1, 2, 3)]
    (total,) = totals([parts[2], figures("test_y[long]", 5, 1.0), *parts[:2]])
    assert total.line() == "test_x[long]: tried 600, survived 600, lost 0, parts 3; seed 7, 4.5 s"


def test_a_loss_in_one_part_is_in_the_sum() -> None:
    parts = [figures("test_x[long, part 1]", 10, 1.0), Figures("test_x[long, part 2]", 7, tried=10, survived=9, lost=1)]
    assert totals(parts)[0].lost == 1


def test_figures_reach_the_process_that_prints_them_unchanged() -> None:
    made = figures("test_x[long]", 3, 2.0)
    made.tell(tried=1, survived=1, first_day=object(), presses=12)
    assert Figures(**made.record()).line() == made.line()  # type: ignore[arg-type]


def test_parts_are_equal_and_together_the_long_version() -> None:
    short, *parts = amounts_in_parts("steps", short=15, long=1_000, parts=4).args[1]
    assert short.values == (15, 0)
    assert [part.values for part in parts] == [(250, 1), (250, 2), (250, 3), (250, 4)]
    with pytest.raises(AssertionError):
        amounts_in_parts("steps", short=15, long=1_000, parts=3)
