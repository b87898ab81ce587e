"""Days of several answers as one."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.account.days import DAYS_KEPT, joined, with_key
from openbalance_hid.account.snapshot import Activity, Spend

FIRST = date(2026, 1, 1)


def days(*numbers: int, usd: int = 1) -> Activity:
    rows = {FIRST + timedelta(days=number): {"v/m": Spend(Decimal(usd))} for number in numbers}
    return Activity(rows, {day: {"P": spend["v/m"]} for day, spend in rows.items()})


def numbers(activity: Activity) -> list[int]:
    assert sorted(activity.by_model) == sorted(activity.by_provider)
    return sorted((day - FIRST).days for day in activity.by_model)


def test_days_older_than_the_answer_are_kept():
    assert numbers(joined(days(1, 2, 3), days(3, 4))) == [1, 2, 3, 4]


def test_between_its_first_and_last_day_the_answer_is_complete():
    one = joined(days(1, 3, 4, 5), days(2, 3, 5, usd=7))
    assert numbers(one) == [1, 2, 3, 5]
    assert one.by_model[FIRST + timedelta(days=3)]["v/m"].usd == 7


def test_an_answer_that_ends_earlier_removes_no_published_day():
    assert numbers(joined(days(1, 2, 3), days(1, 2))) == [1, 2, 3]


def test_an_empty_answer_removes_no_day():
    assert numbers(joined(days(1, 2), Activity())) == [1, 2]
    assert joined(None, Activity()) == joined(Activity(), Activity()) == Activity()


def by_key(**amounts: list[int]) -> dict[date, dict[str, Spend]]:
    """Key -> what it spent from the first day on; 0: nothing is known of that day."""
    made: dict[date, dict[str, Spend]] = {}
    for name, spent in amounts.items():
        for number, usd in enumerate(spent):
            if usd:
                made.setdefault(FIRST + timedelta(days=number), {})[name] = Spend(Decimal(usd))
    return made


def published(*spent: int) -> Activity:
    return Activity({FIRST + timedelta(days=number): {"v/m": Spend(Decimal(usd))} for number, usd in enumerate(spent) if usd})


@pytest.mark.parametrize(
    ("known", "answer", "expected"),
    [
        ({"ci": [3, 4]}, published(3, 5, 6), {"ci": [3, 5, 6]}),
        ({"old": [3, 4, 2], "lab": [1, 1, 1]}, published(3, 4, 5, 6), {"ci": [3, 4, 5, 6], "lab": [1, 1, 1]}),  # renamed
        ({"gone": [3, 9, 2]}, published(3, 4, 5), {"gone": [3, 9, 2], "ci": [3, 4, 5]}),  # deleted, and another one
        ({"lab": [3, 4, 5]}, published(3, 4, 5), {"lab": [3, 4, 5], "ci": [3, 4, 5]}),  # two keys that spend alike
        ({"gone": [3]}, published(3), {"gone": [3], "ci": [3]}),  # one day is no proof
    ],
)
def test_a_renamed_key_is_still_one_key(known, answer, expected):
    assert with_key(by_key(**known), "ci", answer, FIRST + timedelta(days=9), {"ci", "lab"}) == by_key(**expected)


def test_older_days_of_a_renamed_key_get_its_new_name():
    known = by_key(old=[7] * 40)
    last = FIRST + timedelta(days=40)
    answer = Activity({day: {"v/m": Spend(Decimal(7))} for day in (last - timedelta(days=age) for age in range(1, 31))})
    assert with_key(known, "ci", answer, last, {"ci"}) == by_key(ci=[7] * 40)


@given(st.lists(st.sets(st.integers(0, 1200), max_size=40), max_size=6))
def test_days_are_bounded_and_contain_the_newest_answer(answers: list[set[int]]):
    known: Activity | None = None
    for answer in answers:
        recent = {each for each in answer if each > max(answer) - 30}  # what an answer reaches
        before, known = known, joined(known, days(*recent))
        assert recent <= set(numbers(known))
        if numbers(known) and before is not None:
            assert numbers(known)[-1] - min(set(numbers(known)) - recent, default=numbers(known)[-1]) < DAYS_KEPT
