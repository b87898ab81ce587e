"""How alerts start, rise and end, what the user has acknowledged and was notified of, and the levels of balance and key."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from openbalance_hid.account.alert import (
    ENDS_AFTER,
    KEY_TROUBLE_LEVELS,
    LEVEL_NAMES,
    NORMAL,
    Alert,
    AlertKind,
    BalanceLevel,
    account_levels,
    acknowledge,
    advance,
    balance_level,
    calls_for_attention,
    is_news,
    level_name,
    level_named,
    notified,
)
from openbalance_hid.account.snapshot import Health
from openbalance_hid.account.spike import Level, SpikeRule
from tests.build import NOON, snapshot

SPIKE, CRITICAL = Level.SPIKE, Level.CRITICAL
KEY = (AlertKind.SPIKE, "default", SpikeRule())
REJECTED = KEY_TROUBLE_LEVELS[Health.KEY_REJECTED]
WRONG_KIND = KEY_TROUBLE_LEVELS[Health.NOT_MANAGEMENT_KEY]


def after(*levels: int, every: timedelta = timedelta(minutes=15), key=KEY) -> Alert | None:
    """The alert after one level a poll, the last one at noon."""
    alert = None
    for index, level in enumerate(levels):
        alert = advance(alert, key, level, NOON - every * (len(levels) - 1 - index))
    return alert


def opened(*levels: int, key=KEY) -> Alert:
    alert = after(*levels, key=key)
    assert alert is not None
    return alert


def test_an_alert_starts_when_the_level_rises_above_normal():
    assert after(NORMAL, NORMAL) is None
    assert after(NORMAL, SPIKE) == Alert(AlertKind.SPIKE, "default", SPIKE, NOON, rule=SpikeRule())


@pytest.mark.parametrize(("calm", "over"), [(1, False), (4, False), (5, True), (9, True)])
def test_a_spike_ends_after_sixty_minutes_of_normal(calm, over):
    assert (after(SPIKE, *[NORMAL] * calm) is None) is over


def test_alerts_of_balance_and_key_end_at_once():
    assert ENDS_AFTER.keys() == {AlertKind.SPIKE}
    for kind, level in ((AlertKind.BALANCE, BalanceLevel.VERY_LOW), (AlertKind.KEY, REJECTED)):
        assert after(level, NORMAL, key=(kind, "default", None)) is None


def test_a_clock_that_was_ahead_keeps_no_alert_open():
    right = NOON - timedelta(days=1)
    alert = advance(after(SPIKE, NORMAL), KEY, NORMAL, right)
    assert alert is not None
    assert advance(alert, KEY, NORMAL, right + timedelta(minutes=60)) is None


def test_a_relapse_within_the_hour_is_the_same_alert():
    alert = opened(CRITICAL, NORMAL, NORMAL, NORMAL, SPIKE)
    assert (alert.since, alert.level, alert.normal_since) == (NOON - timedelta(hours=1), CRITICAL, None)


@pytest.mark.parametrize("level", [Level.PREPARING, Level.GATHERING])
def test_a_level_that_is_not_known_changes_nothing(level):
    assert opened(SPIKE, level) == replace(opened(SPIKE), since=NOON - timedelta(minutes=15))
    assert after(level) is None


def test_an_acknowledged_level_is_silent_and_a_rise_calls_again():
    alert = acknowledge(opened(SPIKE), SPIKE)
    assert not calls_for_attention(alert, SPIKE)
    assert calls_for_attention(alert, CRITICAL)
    assert not calls_for_attention(acknowledge(alert, CRITICAL), SPIKE)
    assert not calls_for_attention(None, NORMAL)


def test_one_notification_a_rise_and_only_a_delivered_one_counts():
    alert = opened(SPIKE)
    assert is_news(AlertKind.SPIKE, SPIKE, alert.notified)
    known = notified(alert, SPIKE)
    assert not is_news(AlertKind.SPIKE, SPIKE, known.notified)
    assert is_news(AlertKind.SPIKE, CRITICAL, known.notified)
    fallen = advance(notified(known, CRITICAL), KEY, NORMAL, NOON)
    assert fallen is not None
    assert not is_news(AlertKind.SPIKE, NORMAL, fallen.notified)
    assert not is_news(AlertKind.SPIKE, CRITICAL, fallen.notified), "the same alert, no higher than before"


def test_vector_14_after_a_restart_only_a_risen_level_notifies_and_calls():
    stored = notified(acknowledge(opened(SPIKE), SPIKE), SPIKE)
    for level, news in ((SPIKE, False), (CRITICAL, True)):
        alert = advance(stored, KEY, level, NOON + timedelta(hours=1))
        assert alert is not None
        assert calls_for_attention(alert, level) is news
        assert is_news(AlertKind.SPIKE, level, alert.notified) is news


def test_a_balance_is_news_as_it_falls_and_a_key_whenever_its_trouble_changes():
    low, worst = BalanceLevel.LOW, BalanceLevel.BELOW_ZERO
    news = {(known, level) for known in BalanceLevel for level in BalanceLevel if is_news(AlertKind.BALANCE, level, known)}
    assert news == {(known, level) for known in BalanceLevel for level in range(low, worst + 1) if level > known}
    assert is_news(AlertKind.KEY, WRONG_KIND, REJECTED)
    assert is_news(AlertKind.KEY, REJECTED, WRONG_KIND)
    assert not is_news(AlertKind.KEY, REJECTED, REJECTED)


def test_of_a_key_trouble_the_last_level_counts_and_of_the_others_the_highest():
    key = (AlertKind.KEY, "default", None)
    assert opened(REJECTED, WRONG_KIND, key=key).level == WRONG_KIND
    assert notified(notified(opened(REJECTED, key=key), REJECTED), WRONG_KIND).notified == WRONG_KIND
    balance = opened(BalanceLevel.VERY_LOW, BalanceLevel.LOW, key=(AlertKind.BALANCE, "default", None))
    assert balance.level == BalanceLevel.VERY_LOW


def test_every_level_of_every_kind_has_a_name():
    assert LEVEL_NAMES.keys() == set(AlertKind)
    for kind, levels in ((AlertKind.SPIKE, (NORMAL, SPIKE, CRITICAL)), (AlertKind.BALANCE, tuple(BalanceLevel))):
        assert [level_named(kind, level_name(kind, level)) for level in levels] == list(levels)
    assert {level_name(AlertKind.KEY, level) for level in KEY_TROUBLE_LEVELS.values()} == {
        health.value for health in KEY_TROUBLE_LEVELS
    }
    with pytest.raises(ValueError, match="not in tuple"):
        level_named(AlertKind.KEY, "later")


@pytest.mark.parametrize(
    ("balance", "low", "level"),
    [
        ("10", "10", BalanceLevel.NORMAL),
        ("9.99", "10", BalanceLevel.LOW),
        ("2", "10", BalanceLevel.LOW),
        ("1.99", "10", BalanceLevel.VERY_LOW),
        ("0", "10", BalanceLevel.VERY_LOW),
        ("-0.01", "10", BalanceLevel.BELOW_ZERO),
        ("-0.01", None, BalanceLevel.BELOW_ZERO),
        ("0", None, BalanceLevel.NORMAL),
        ("0", "0", BalanceLevel.NORMAL),
    ],
)
def test_how_low_a_balance_is_depends_on_the_users_limit(balance: str, low: str | None, level: BalanceLevel):
    assert balance_level(Decimal(balance), None if low is None else Decimal(low)) is level


@pytest.mark.parametrize(
    ("health", "levels"),
    [
        (Health.OK, {AlertKind.KEY: NORMAL, AlertKind.BALANCE: BalanceLevel.LOW}),
        (Health.KEY_REJECTED, {AlertKind.KEY: REJECTED}),
        (Health.NOT_MANAGEMENT_KEY, {AlertKind.KEY: WRONG_KIND}),
        (Health.NO_KEY, {AlertKind.KEY: KEY_TROUBLE_LEVELS[Health.NO_KEY]}),
        (Health.OFFLINE, {}),
        (Health.SERVER_ERROR, {}),
        (Health.RATE_LIMITED, {}),
        (Health.PREPARING, {}),
    ],
)
def test_only_what_is_known_now_is_judged_and_an_outage_is_no_level(health: Health, levels: dict):
    seen = replace(snapshot(balance=(100, 96)), health=health)
    assert account_levels(seen, BalanceLevel.LOW) == levels


def test_a_key_that_was_never_stored_and_a_balance_without_a_limit_are_no_alert():
    assert account_levels(snapshot(balance=None, health=Health.NO_KEY), BalanceLevel.NORMAL) == {}
    levels = account_levels(snapshot(balance=(1, 2)), BalanceLevel.NORMAL)
    assert levels == {AlertKind.KEY: NORMAL, AlertKind.BALANCE: NORMAL}
