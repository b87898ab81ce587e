"""Money, ages and names as a key shows them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.text import single_line
from openbalance_hid.tiles.formatting import age, cents, count, model_names, money, percent, times


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
        ("99.995", "$100.0"),
        ("123.44", "$123.4"),
        ("999.94", "$999.9"),
        ("999.95", "$1,000"),
        ("1234", "$1,234"),
        ("-2.4", "-$2.40"),
        ("9999999.4", "$9,999,999"),
        ("9999999.5", "$10.0M"),
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


@given(st.decimals("0.01", "9999999", places=9))
def test_money_is_right_to_half_of_its_last_digit(usd):
    text = money(usd).replace("$", "").replace(",", "")
    last = Decimal(1).scaleb(-len(text.partition(".")[2]))
    assert abs(Decimal(text) - usd) <= last / 2


@pytest.mark.parametrize(
    ("value", "text"), [(None, "—"), ("0", "0%"), ("0.04", "<0.1%"), ("4.25", "4.2%"), ("25.75", "26%"), ("120", "120%")]
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
    ("names", "short"),
    [
        (["anthropic/claude-sonnet-4.5"], ["sonnet-4.5"]),
        (["openai/gpt-5-mini"], ["gpt-5-mini"]),
        (["google/gemini-2.5-pro"], ["gemini-2.5-pro"]),
        (["a/claude-sonnet-4.5", "b/other-sonnet-4.5"], ["claude-sonnet-4.5", "other-sonnet-4.5"]),
        (["Anthropic: Claude Sonnet 4.5"], ["Sonnet 4.5"]),
        (["deepseek/deepseek-r1"], ["deepseek-r1"]),
        (["deepseek/deepseek-chat-v3.1"], ["deepseek-chat-v3.1"]),
        (["x/" + "\n\x1b[31m"], ["[31m"]),
        (["/"], ["—"]),
    ],
)
def test_model_names_are_short_and_unique(names, short):
    assert list(model_names(names)) == short


@given(st.lists(st.text(max_size=40), unique_by=single_line, max_size=6))
def test_names_that_differ_without_their_vendor_stay_different(names):
    bare = [single_line(name.rpartition("/")[2].rpartition(": ")[2]) for name in names]
    if len(set(bare)) == len(bare) and "" not in bare:
        assert len(set(model_names(names))) == len(names)
