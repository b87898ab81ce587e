"""Each limit at its edge, and stale data, which is never within a limit."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.tile_views import view_of
from openbalance_hid.cli.guard import CROSSED, UNKNOWN, WITHIN, check_limits, exit_code
from openbalance_hid.config.schema import Config, TileConfig
from openbalance_hid.ipc.status import accounts
from openbalance_hid.tiles.view import Age
from tests.build import NOON, days_back, snapshot
from tests.cli.command_line import here


def account(balance="10", today="2", level="normal", stale=(), lower_bounds=()):
    return {
        "endpoints": {name: {"stale": name in stale} for name in ("credits", "activity", "today", "keys")},
        "spend_stale": [name for name in ("today", "month") if name in stale],
        "lower_bounds": list(lower_bounds),
        "measured_at": "2026-11-22T12:00:00Z",
        "balance_usd": balance,
        "spend_usd": {"today": today, "month": "40"},
        "spike": {"level": level},
    }


def code(status, min_balance=None, max_today=None, no_spike=False, max_month=None):
    limits = [None if limit is None else Decimal(limit) for limit in (min_balance, max_today, max_month)]
    return exit_code(list(check_limits(status, *limits[:2], no_spike, limits[2])))


@pytest.mark.parametrize(
    ("balance", "expected"),
    [("10.00", WITHIN), ("9.999999999", CROSSED), ("10.000000001", WITHIN), ("-1", CROSSED), (None, UNKNOWN)],
)
def test_min_balance(balance, expected):
    assert code(account(balance=balance), min_balance="10") == expected


@pytest.mark.parametrize(
    ("today", "expected"), [("5", WITHIN), ("5.000000001", CROSSED), ("4.999999999", WITHIN), ("0", WITHIN), (None, UNKNOWN)]
)
def test_max_today(today, expected):
    assert code(account(today=today), max_today="5") == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [("normal", WITHIN), ("spike", CROSSED), ("critical", CROSSED), ("gathering", UNKNOWN), ("preparing", UNKNOWN)],
)
def test_no_spike(level, expected):
    assert code(account(level=level), no_spike=True) == expected


@pytest.mark.parametrize("limits", [{"min_balance": "1"}, {"max_today": "9"}, {"max_month": "99"}, {"no_spike": True}])
def test_stale_data_is_never_within_a_limit(limits):
    assert code(account(stale=("credits", "today", "month")), **limits) == UNKNOWN


@pytest.mark.parametrize(("later", "expected"), [(timedelta(0), WITHIN), (timedelta(hours=1), UNKNOWN)])
def test_without_credits_guard_and_the_tile_take_the_verdict_of_analytics(later, expected):
    known = snapshot(balance=None, days=days_back([2] * 10), today={"A": 1})
    at = Moment(NOON + later, 1000.0)
    controller = Controller(Config(), {"default": known}, at)
    reply = accounts(controller, at.utc)["default"]
    view, _ = view_of(TileConfig("spike-alert"), controller.tile_inputs, at.utc, 0)
    assert (reply["endpoints"]["credits"]["stale"], reply["spike"]["level"]) == (True, "normal")
    assert code(reply, no_spike=True) == expected
    assert (view.age is Age.STALE) == (expected == UNKNOWN)


def test_each_limit_has_the_age_of_its_own_data():
    old_days = account(stale=("activity", "month"))
    assert code(old_days, min_balance="1", max_today="9") == WITHIN
    assert code(old_days, max_month="99") == code(old_days, no_spike=True) == UNKNOWN


def test_a_lower_bound_crosses_a_limit_and_is_never_within_it():
    known = account(today="62", lower_bounds=("today", "month"))
    assert (code(known, max_today="59"), code(known, max_today="63")) == (CROSSED, UNKNOWN)
    assert (code(known, max_month="39"), code(known, max_month="41")) == (CROSSED, UNKNOWN)


def test_a_crossed_limit_takes_precedence_over_an_unknown_one():
    assert code(account(balance="1", today=None), min_balance="10", max_today="5") == CROSSED


@pytest.mark.parametrize(
    ("balance", "line"),
    [
        ("9.999", "balance: $9.999 is below $10"),
        ("10.00", "balance: $10.00 is not below $10"),
        ("9.94", "balance: $9.94 is below $10.00"),
        ("-0.5", "balance: -$0.50 is below $10.00"),
    ],
)
def test_amounts_are_printed_with_the_digits_that_show_the_difference(balance, line):
    (result,) = check_limits(account(balance=balance), Decimal(10), None, no_spike=False)
    assert result.line == line


def test_without_a_limit_only_fresh_data_is_required():
    assert code(account()) == WITHIN


def test_an_amount_is_printed_to_the_cent():
    (result,) = check_limits(account(balance="1234.5"), Decimal(10), None, False)
    assert result.line == "balance: $1,234.50 is not below $10.00"


def test_without_a_limit_guard_is_a_usage_error(tmp_path):
    refused = here(tmp_path, "guard")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: no limit to check\ntry: openbalance-hid guard --min-balance ")


def test_a_lower_bound_is_never_rounded_up():
    """It is the amount of tiles and bars: $1.629 is at least $1.62."""
    known = account(today="1.629", lower_bounds=("today",))
    lines = [each.line for limit in ("5", "1") for each in check_limits(known, None, Decimal(limit), False)]
    assert lines == ["today: unknown, at least $1.62", "today: at least $1.62 is above $1.00"]


def test_data_that_was_never_read_is_never_measured():
    never = {**account(stale=("credits",)), "measured_at": None}
    assert [each.line for each in check_limits(never, Decimal(1), None, True)] == [
        "balance: unknown, never measured",
        "spike alert: unknown, never measured",
    ]
