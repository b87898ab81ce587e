"""Limits at their edges, and data that is too old never passes."""

from decimal import Decimal

import pytest

from openbalance_hid.cli.guard import CROSSED, UNKNOWN, WITHIN, check_limits, exit_code


def told(balance="10", today="2", level="normal", stale=False):
    return {
        "stale": stale,
        "measured_at": "2026-11-22T12:00:00Z",
        "balance_usd": balance,
        "spend_usd": {"today": today},
        "spike": {"level": level},
    }


def code(seen, min_balance=None, max_today=None, no_spike=False):
    limits = [None if limit is None else Decimal(limit) for limit in (min_balance, max_today)]
    return exit_code(list(check_limits(seen, *limits, no_spike)))


@pytest.mark.parametrize(
    ("balance", "expected"),
    [("10.00", WITHIN), ("9.999999999", CROSSED), ("10.000000001", WITHIN), ("-1", CROSSED), (None, UNKNOWN)],
)
def test_min_balance(balance, expected):
    assert code(told(balance=balance), min_balance="10") == expected


@pytest.mark.parametrize(
    ("today", "expected"), [("5", WITHIN), ("5.000000001", CROSSED), ("4.999999999", WITHIN), ("0", WITHIN), (None, UNKNOWN)]
)
def test_max_today(today, expected):
    assert code(told(today=today), max_today="5") == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [("normal", WITHIN), ("spike", CROSSED), ("critical", CROSSED), ("gathering", UNKNOWN), ("preparing", UNKNOWN)],
)
def test_no_spike(level, expected):
    assert code(told(level=level), no_spike=True) == expected


@pytest.mark.parametrize("limits", [{}, {"min_balance": "1"}, {"max_today": "9"}, {"no_spike": True}])
def test_old_data_never_passes(limits):
    assert code(told(stale=True), **limits) == UNKNOWN


def test_a_crossed_limit_counts_before_an_unknown_one():
    assert code(told(balance="1", today=None), min_balance="10", max_today="5") == CROSSED


@pytest.mark.parametrize(
    ("balance", "said"),
    [
        ("9.999", "balance: $9.999 is below $10"),
        ("10.00", "balance: $10.00 is not below $10"),
        ("9.94", "balance: $9.94 is below $10.00"),
        ("-0.5", "balance: -$0.50 is below $10.00"),
    ],
)
def test_a_limit_is_said_so_exactly_that_it_can_be_seen_to_be_crossed(balance, said):
    (result,) = check_limits(told(balance=balance), Decimal(10), None, no_spike=False)
    assert result.line == said


def test_no_limit_asks_only_for_fresh_data():
    assert code(told()) == WITHIN


def test_an_amount_is_told_to_the_cent():
    (result,) = check_limits(told(balance="1234.5"), Decimal(10), None, False)
    assert result.line == "balance: $1,234.50 is not below $10.00"
