"""Money, ages and names as a key shows them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.account.amount import Amount
from openbalance_hid.tiles.formatting import about_days, age, cents, comparison, count, money, percent, times


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "—"),
        ("NaN", "—"),
        ("0", "$0.00"),
        ("0.0004", "<$0.001"),
        ("-0.0004", "-<$0.001"),
        ("0.001", "$0.001"),
        ("0.0124", "$0.012"),
        ("0.0994", "$0.099"),
        ("0.0995", "$0.10"),
        ("0.5", "$0.50"),
        ("12.344", "$12.34"),
        ("99.994", "$99.99"),
        ("99.995", "$100"),
        ("123.44", "$123"),
        ("999.94", "$1,000"),
        ("999.95", "$1,000"),
        ("1234", "$1,234"),
        ("-2.4", "-$2.40"),
        ("999999.4", "$999,999"),
        ("999999.5", "$1.0M"),
        ("999949999", "$999.9M"),
        ("999950000", "$1.0B"),
        ("-999950000000", "-$1.0T"),
        ("12345678", "$12.3M"),
        ("-999999", "-$999,999"),
        ("1e15", "$1,000.0T"),
    ],
)
def test_money(usd, text):
    assert money(None if usd is None else Decimal(usd)) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "—"),
        ("0", "$0.00"),
        ("0.0042", "$0.004"),
        ("-0.5", "-$0.50"),
        ("187.465", "$187.46"),
        ("1234567.891", "$1,234,567.89"),
    ],
)
def test_a_line_of_text_has_room_for_cents(usd, text):
    assert cents(None if usd is None else Decimal(usd)) == text


@given(st.decimals("0.001", "9999999", places=6))
def test_money_is_never_rounded_to_nothing(usd):
    assert any(digit in money(usd) for digit in "123456789")


@given(st.decimals("0.01", "999999", places=9))
def test_money_is_right_to_half_of_its_last_digit(usd):
    text = money(usd).replace("$", "").replace(",", "")
    last = Decimal(1).scaleb(-len(text.partition(".")[2]))
    assert abs(Decimal(text) - usd) <= last / 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        ("0", "0 %"),
        ("0.04", "<0.1 %"),
        ("4.25", "4.2 %"),
        ("9.96", "10 %"),
        ("25.75", "26 %"),
        ("99.0", "99 %"),
        ("99.2", ">99 %"),
        ("99.99", ">99 %"),
        ("100", "100 %"),
        ("100.3", ">100 %"),
        ("120", "120 %"),
    ],
)
def test_percent(value, text):
    assert percent(None if value is None else Decimal(value)) == text


@pytest.mark.parametrize(("ratio", "text"), [(None, "—"), ("2.99", "2.9×"), ("3", "3.0×"), ("99", "99.0×"), ("99.1", "99×")])
def test_a_ratio_is_never_rounded_up(ratio, text):
    assert times(None if ratio is None else Decimal(ratio)) == text


@pytest.mark.parametrize(("seconds", "text"), [(-5, "0 s"), (40, "40 s"), (4200, "70 m"), (7200, "2 h"), (400000, "4 d")])
def test_age(seconds, text):
    assert age(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(950, "950"), (12345, "12.3k"), (450_000, "450k"), (4_500_000, "4.5M")])
def test_count(number, text):
    assert count(number) == text


@given(st.integers(0, 10**12 - 10**9))
def test_a_count_has_at_most_five_characters_and_never_a_thousand_of_a_unit(number):
    assert len(count(number)) <= 5
    assert "1000" not in count(number)


@pytest.mark.parametrize(
    ("number", "text"), [(999, "999"), (99_949, "99.9k"), (99_950, "100k"), (999_499, "999k"), (999_500, "1.0M")]
)
def test_a_count_that_is_rounded_up_to_more_digits_is_of_the_next_kind(number, text):
    assert count(number) == text


@pytest.mark.parametrize(
    ("spent", "before", "text"),
    [
        ("8.4", "10", "16 % less"),
        ("12", "10", "20 % more"),
        ("10", "10", "same"),
        ("0", "10", "100 % less"),
        ("0.01", "10", ">99 % less"),
        ("9.99", "10", "<1 % less"),
        ("20", "10", "100 % more"),
        ("20.01", "10", ">100 % more"),
        ("110", "10", ">999 % more"),
        ("1", "0", "more"),
        ("-1", "10", "less"),
        ("1", "-2", "more"),
    ],
)
def test_a_comparison_has_its_word_and_never_rounds_to_all_or_nothing(spent, before, text):
    assert comparison(Decimal(spent), Decimal(before)) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Amount(Decimal("35.99"), lower_bound=True), "≥ $35"),
        (Amount(Decimal("9.999"), lower_bound=True), "≥ $9.99"),
        (Amount(Decimal("0.0129"), lower_bound=True), "≥ $0.012"),
        (Amount(Decimal("0.0004"), lower_bound=True), "≥ $0.00"),
        (Amount(Decimal("1999.9"), lower_bound=True), "≥ $1,999"),
        (Amount(Decimal("1999999"), lower_bound=True), "≥ $1.9M"),
        (Amount(Decimal("35.99"), approximate=True), "~$35.99"),
        (Amount(), "—"),
    ],
)
def test_a_lower_bound_has_its_sign_and_is_never_rounded_up(amount, text):
    assert money(amount) == text


@pytest.mark.parametrize(
    ("days", "text"), [("9.9", "≈ 9 d"), ("0.5", "≈ 12 h"), ("0.01", "<1 h"), ("0", "0 d"), ("90", "≈ 90 d"), ("556", ">90 d")]
)
def test_a_runway_is_never_longer_than_its_pace_allows(days, text):
    assert about_days(Decimal(days)) == text
