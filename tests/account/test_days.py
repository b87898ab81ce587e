"""Days of several answers as one."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.account.days import DAYS_KEPT, joined
from openbalance_hid.account.snapshot import Activity, Spend

FIRST = date(2026, 1, 1)


def days(*numbers: int, usd: int = 1) -> Activity:
    rows = {FIRST + timedelta(days=number): {"v/m": Spend(Decimal(usd))} for number in numbers}
    return Activity(rows, {day: {"P": spend["v/m"]} for day, spend in rows.items()})


def numbers(activity: Activity) -> list[int]:
    assert sorted(activity.by_model) == sorted(activity.by_provider)
    return sorted((day - FIRST).days for day in activity.by_model)


def test_days_that_the_answer_no_longer_reaches_stay():
    assert numbers(joined(days(1, 2, 3), days(3, 4))) == [1, 2, 3, 4]


def test_within_its_reach_the_answer_is_the_whole_truth():
    one = joined(days(1, 3, 4, 5), days(2, 3, 5, usd=7))
    assert numbers(one) == [1, 2, 3, 5]
    assert one.by_model[FIRST + timedelta(days=3)]["v/m"].usd == 7


def test_a_day_that_was_published_is_not_lost_to_an_answer_that_ends_before_it():
    assert numbers(joined(days(1, 2, 3), days(1, 2))) == [1, 2, 3]


def test_an_answer_without_a_day_takes_nothing_away():
    assert numbers(joined(days(1, 2), Activity())) == [1, 2]
    assert joined(None, Activity()) == joined(Activity(), Activity()) == Activity()


@given(st.lists(st.sets(st.integers(0, 1200), max_size=40), max_size=6))
def test_it_never_grows_beyond_its_bound_and_never_loses_the_newest_answer(answers: list[set[int]]):
    known: Activity | None = None
    for answer in answers:
        recent = {each for each in answer if each > max(answer) - 30}  # what an answer reaches
        before, known = known, joined(known, days(*recent))
        assert recent <= set(numbers(known))
        if numbers(known) and before is not None:
            assert numbers(known)[-1] - min(set(numbers(known)) - recent, default=numbers(known)[-1]) < DAYS_KEPT
