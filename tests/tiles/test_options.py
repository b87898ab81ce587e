"""The values that an option accepts: their exact types, and the message for any other value."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.tiles import TILES
from openbalance_hid.tiles.options import Option

WHOLE = Option("n", "int", 7, minimum=1, maximum=14)
MONEY = Option("usd", "decimal", None, minimum=0)
RATIO = Option("x", "float", 3.0, minimum=1.5, maximum=20)


@pytest.mark.parametrize(
    ("option", "value", "checked"),
    [
        (WHOLE, 1, 1),
        (WHOLE, 14, 14),
        (MONEY, 5, Decimal(5)),
        (MONEY, Decimal("0.1"), Decimal("0.1")),
        (RATIO, 2, 2.0),
        (RATIO, Decimal("1.5"), 1.5),
        (Option("b", "bool", True), False, False),
        (Option("c", "choice", "a", ("a", "b")), "b", "b"),
        (Option("t", "text", "", maximum=3), "äöü", "äöü"),
    ],
)
def test_an_accepted_value_has_the_type_of_its_kind(option: Option, value: object, checked: object):
    found = option.check(value)
    assert found == checked
    assert type(found) is type(checked)


@pytest.mark.parametrize(
    ("option", "value", "accepted"),
    [
        (WHOLE, 15, "a whole number from 1 to 14"),
        (WHOLE, Decimal(7), "a whole number from 1 to 14"),
        (WHOLE, True, "a whole number from 1 to 14"),
        (MONEY, Decimal(-1), "a number of at least 0"),
        (MONEY, 5.5, "a number of at least 0"),
        (MONEY, "5.50", "a number of at least 0"),
        (MONEY, Decimal("Infinity"), "a number of at least 0"),
        (MONEY, Decimal("sNaN"), "a number of at least 0"),
        (MONEY, Decimal("1e999999999"), "a number of at least 0"),
        (MONEY, None, "a number of at least 0"),
        (Option("x", "float", None, maximum=2), 3, "a number of at most 2"),
        (Option("b", "bool", True), 1, "true or false"),
        (Option("c", "choice", "a", ("a", "b")), "A", "one of 'a', 'b'"),
        (Option("c", "choice", "a", ("a",)), [], "'a'"),
        (Option("t", "text", ""), "a\nb", "a text"),
        (Option("t", "text", "", maximum=3), "abcd", "a text of 0 to 3 characters"),
    ],
)
def test_a_rejected_value_is_answered_with_the_accepted_ones(option: Option, value: object, accepted: str):
    with pytest.raises(ValueError, match=re.escape(accepted)) as refusal:
        option.check(value)
    assert str(refusal.value) == accepted == option.accepted


def test_a_number_may_have_words_in_its_place():
    option = Option("low_usd", "decimal", "auto", choices=("auto", "off"), minimum=0)
    assert [option.check(value) for value in ("auto", "off", 5)] == ["auto", "off", Decimal(5)]
    assert option.accepted == "a number of at least 0 or 'auto' or 'off'"
    with pytest.raises(ValueError, match="'auto' or 'off'"):
        option.check("on")


def test_a_default_has_the_type_of_a_configured_value():
    assert type(Option("usd", "decimal", 1).default) is Decimal
    assert type(Option("x", "float", 1).default) is float
    assert Option("usd", "decimal", 0.25).default == Decimal("0.25")


def test_a_default_outside_its_own_range_is_an_error():
    with pytest.raises(ValueError, match="a whole number"):
        Option("n", "int", 0, minimum=1)


@given(st.decimals() | st.integers() | st.text() | st.booleans() | st.floats() | st.none())
def test_a_checked_value_is_accepted_again(value: object):
    for option in (WHOLE, MONEY, Option("t", "text", "", maximum=9)):
        try:
            checked = option.check(value)
        except ValueError:
            continue
        assert option.check(checked) == checked


@pytest.mark.parametrize(
    "option", [option for kind in TILES.values() for option in kind.options], ids=lambda option: option.name
)
def test_every_option_of_the_product_has_a_help_text(option: Option):
    assert option.help
    assert option.help[0].islower()
