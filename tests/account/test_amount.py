"""Amounts: unknown is never zero."""

from datetime import timedelta

from openbalance_hid.account.amount import UNKNOWN, Amount, larger, mean, raised, total
from tests.build import NOON, usd

OLDER = NOON - timedelta(hours=3)


def test_a_sum_with_an_unknown_part_is_a_lower_bound():
    assert total([Amount(usd(3)), UNKNOWN]) == Amount(usd(3), lower_bound=True)
    assert Amount(usd(3)) + Amount(usd(2), lower_bound=True) == Amount(usd(5), lower_bound=True)


def test_a_sum_of_nothing_but_unknown_parts_is_unknown():
    assert total([UNKNOWN, UNKNOWN]) == UNKNOWN
    assert total([]) == Amount(usd(0)), "without any part nothing is missing"


def test_a_sum_has_the_age_of_its_oldest_part():
    parts = [Amount(usd(1), measured_at=NOON), Amount(usd(2), measured_at=OLDER, approximate=True), Amount(usd(3))]
    assert total(parts) == Amount(usd(6), approximate=True, measured_at=OLDER)


def test_a_lower_bound_holds_of_an_approximate_part_only_what_is_certain():
    rough = Amount(usd(10), approximate=True, low_usd=usd("9.5"))
    assert total([rough, UNKNOWN, Amount(usd(2))]) == Amount(usd("11.5"), lower_bound=True)
    assert total([Amount(usd(2), approximate=True), UNKNOWN]) == UNKNOWN, "nothing is certain of it"
    assert total([rough, Amount(usd(2))]) == Amount(usd(12), approximate=True, low_usd=usd("11.5"))


def test_another_source_raises_what_is_certain_of_an_approximate_amount():
    rough = Amount(usd(10), approximate=True, low_usd=usd("9.5"))
    assert raised(rough, Amount(usd("9.8"), lower_bound=True)) == Amount(usd(10), approximate=True, low_usd=usd("9.8"))
    assert raised(rough, Amount(usd("10.2"))) == Amount(usd("10.2"), approximate=True, low_usd=usd("10.2"))
    assert raised(Amount(usd(10)), Amount(usd(9), lower_bound=True)) == Amount(usd(10))


def test_a_mean_leaves_unknown_parts_out():
    assert mean([Amount(usd(2)), UNKNOWN, Amount(usd(4))]) == Amount(usd(3), approximate=True)
    assert mean([Amount(usd(2)), Amount(usd(4))]) == Amount(usd(3))
    assert mean([UNKNOWN]) == UNKNOWN


def test_no_source_makes_a_known_amount_smaller():
    exact, lagging = Amount(usd(62)), Amount(usd(54), lower_bound=True)
    assert larger(exact, lagging) == larger(lagging, exact) == exact
    assert larger(UNKNOWN, lagging) == lagging


def test_the_sign_of_an_amount():
    signs = [each.sign for each in (UNKNOWN, Amount(usd(1)), Amount(usd(1), True), Amount(usd(1), False, True))]
    assert signs == ["", "", "≥", "~"]
