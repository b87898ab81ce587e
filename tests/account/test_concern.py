"""What an owner should hear of: how low a balance is, and which troubles with a key are the owner's."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.concern import BALANCE_GRADES, AlertKind, balance_grade, grades, is_worse
from openbalance_hid.account.snapshot import Health
from tests.build import snapshot


@pytest.mark.parametrize(
    ("balance", "low", "grade"),
    [
        ("10", "10", None),
        ("9.99", "10", "low"),
        ("2", "10", "low"),
        ("1.99", "10", "very low"),
        ("0", "10", "very low"),
        ("-0.01", "10", "below zero"),
        ("-0.01", None, "below zero"),
        ("0", None, None),
        ("0", "0", None),
    ],
)
def test_how_low_a_balance_is_depends_on_what_the_owner_calls_low(balance: str, low: str | None, grade: str | None):
    assert balance_grade(Decimal(balance), None if low is None else Decimal(low)) == grade


@pytest.mark.parametrize(
    ("health", "found"),
    [
        (Health.OK, {AlertKind.KEY: None, AlertKind.BALANCE: "low"}),
        (Health.KEY_REJECTED, {AlertKind.KEY: "key_rejected"}),
        (Health.NOT_MANAGEMENT_KEY, {AlertKind.KEY: "not_management_key"}),
        (Health.NO_KEY, {AlertKind.KEY: "no_key"}),
        (Health.OFFLINE, {}),
        (Health.SERVER_ERROR, {}),
        (Health.RATE_LIMITED, {}),
        (Health.PREPARING, {}),
    ],
)
def test_only_what_is_known_now_is_judged_and_an_outage_says_nothing(health: Health, found: dict):
    seen = replace(snapshot(balance=(100, 96)), health=health)
    assert grades(seen, Decimal(5)) == found


def test_a_key_that_was_never_there_is_no_concern_and_neither_is_a_balance_without_a_limit():
    assert grades(snapshot(balance=None, health=Health.NO_KEY), None) == {}
    assert grades(snapshot(balance=(1, 2)), None) == {AlertKind.KEY: None, AlertKind.BALANCE: None}


def test_a_balance_is_told_as_it_falls_and_a_key_whenever_its_trouble_changes():
    told = [
        (before, grade)
        for before in (None, *BALANCE_GRADES)
        for grade in BALANCE_GRADES
        if is_worse(AlertKind.BALANCE, grade, before)
    ]
    assert told == [
        (None, "low"),
        (None, "very low"),
        (None, "below zero"),
        ("low", "very low"),
        ("low", "below zero"),
        ("very low", "below zero"),
    ]
    assert is_worse(AlertKind.KEY, "key_rejected", "not_management_key")
    assert not is_worse(AlertKind.KEY, "key_rejected", "key_rejected")
