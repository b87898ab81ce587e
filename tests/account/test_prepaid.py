"""Accounts without prepaid credits: no balance, and so no alarm, runway or failed limit; the tiles show what was used."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.alert import BalanceLevel
from openbalance_hid.account.low_balance import AUTO, low_level
from openbalance_hid.account.pace import NoRunway, find_runway, is_prepaid
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.cli.bar.line import line_of
from openbalance_hid.cli.guard import CROSSED, WITHIN, check_limits, exit_code
from openbalance_hid.config.schema import AccountConfig, Config, FrozenMap
from openbalance_hid.ipc.status import accounts
from openbalance_hid.tiles.view import Gauge
from tests.app.test_controller import Story
from tests.build import NOON, day_of_samples, days_back, snapshot
from tests.tiles.views import hero, view_of

INVOICED = snapshot(balance=(0, "0.31"), days=days_back([1] * 10), taken=day_of_samples(1))


@pytest.mark.parametrize(
    ("balance", "chosen", "expected"),
    [
        ((0, "0.31"), None, False),
        ((0, 0), None, True),  # a new account
        (("0.01", "0.31"), None, True),
        ((-1, "0.31"), None, True),
        (None, None, True),
        ((0, "0.31"), True, True),
        ((100, "0.31"), False, False),
    ],
)
def test_an_account_is_prepaid_once_credits_were_bought_or_the_user_says_so(balance, chosen, expected):
    assert is_prepaid(replace(snapshot(balance=balance), prepaid=chosen)) is expected


def test_there_is_no_alert_and_no_runway():
    assert [low_level(INVOICED, limit, NOON) for limit in (Decimal(10), AUTO)] == [BalanceLevel.NORMAL] * 2
    assert find_runway(INVOICED, NOON) is NoRunway.NOT_PREPAID
    assert low_level(replace(INVOICED, prepaid=True), AUTO, NOON) > BalanceLevel.NORMAL


@pytest.mark.parametrize(
    ("show", "period", "title", "amount"),
    [
        ("remaining", "30d", "Used", "$0.31"),
        ("percent", "all", "Used", "$0.31"),
        ("percent", "7d", "Used 7 d", "$7.50"),
        ("used", "7d", "Used 7 d", "$7.50"),
    ],
)
def test_the_balance_tile_shows_what_was_used_without_alarm(show, period, title, amount):
    view = view_of("balance", INVOICED, show=show, period=period, low_usd=Decimal(10))
    assert (view.title, hero(view).text, hero(view).tone.value) == (title, amount, "ink")
    assert "no prepaid credits" in view.text
    assert not any(isinstance(block, Gauge) for block in view.blocks)


def test_runway_and_usage_have_no_red_words():
    assert view_of("runway", INVOICED).text == "Runway unknown, not prepaid"
    assert view_of("usage", INVOICED).text.startswith("Used $0.31")
    assert "All well" in view_of("usage", INVOICED, display="icon").text


def status_of(seen: Snapshot, prepaid: bool | None = None):
    config = Config(accounts=FrozenMap({"default": AccountConfig(prepaid=prepaid)}))
    story = Story(config, seen=seen).plugged()
    return accounts(story.controller, Moment(NOON, 1000.0).utc)["default"]


def test_status_bar_and_guard_agree():
    found = status_of(INVOICED)
    assert (found["prepaid"], found["balance_usd"], found["total_usage_usd"]) == (False, None, "0.31")
    assert exit_code(list(check_limits(found, Decimal(10), None, False))) == WITHIN
    line = line_of(found, "default", "both", "today", NOON)
    assert (line.state, line.text) == ("normal", "$0.31 used · $0.50 today")
    assert "Used $0.31, no prepaid credits" in line.details


def test_the_configuration_decides_where_it_names_one():
    assert status_of(INVOICED, True)["balance_usd"] == "-0.31"
    assert exit_code(list(check_limits(status_of(INVOICED, True), Decimal(10), None, False))) == CROSSED
    assert status_of(snapshot(), False)["balance_usd"] is None
