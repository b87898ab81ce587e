"""What is kept comes back, exactly, and to nobody else."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openbalance_hid.account.alert import KEY_TROUBLE_LEVELS, AlertKind, BalanceLevel
from openbalance_hid.account.alert_notice import AlertNotice, AlertStage
from openbalance_hid.account.amount import NOTHING, UNKNOWN, Amount
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Credits, Health, Today
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.history.records import (
    AccountIdentity,
    EndedAlert,
    MaskedSetting,
    StoredAccount,
    StoredDays,
    StoredDelivery,
    StoredModels,
    StoredSample,
    StoredToday,
)
from openbalance_hid.history.store import HistoryStore
from tests.history.stand import ME, NOW, OTHER_KEY, counted, spend, spike, standing_alert, store_at

DAY = date(2026, 11, 20)
TODAY = date(2026, 11, 22)
RULE = SpikeRule()
MONEY = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**14), max_value=10**14, places=None)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "history.sqlite3"


@pytest.fixture
def store(path):
    made = store_at(path)
    yield made
    made.close()


def test_an_account_that_was_never_met_has_no_past(store):
    assert store.recall(ME, NOW) == StoredAccount()
    assert (store.samples(ME), store.days(ME, "model"), store.runs(ME)) == ((), {}, ())


def test_everything_is_there_after_closing_and_opening(store, path):
    kept = [counted(30, "1.10"), counted(15, "1.25")]
    alert = spike(RULE, NOW - timedelta(hours=1), Level.CRITICAL, Level.SPIKE, NOW, Level.SPIKE)
    for sample in kept:
        store.write(ME, sample)
    store.write(ME, StoredDays("model", {DAY: {"v/m": spend("0.123456789012345678")}}, read_at=NOW))
    store.write(ME, StoredDays("provider", {DAY: {"P": spend("2")}}))
    store.write(ME, StoredDays("key", {DAY: {"laptop": spend("3")}}, read_at=NOW - timedelta(minutes=1)))
    for age, cents in ((3, "1"), (2, "8"), (1, "9")):  # hours before the end of the day, and of another day before it
        store.write(
            ME, StoredToday(Today(DAY - timedelta(days=age == 3), {"Old": spend(cents)}), NOW - timedelta(hours=20 + age))
        )
    today = Today(TODAY, {"M": spend("0.5")}, by_provider={"P": spend("0.5")}, cached_at=NOW - timedelta(minutes=45))
    store.write(ME, StoredToday(today, NOW))
    names = StoredModels({"openai: gpt-5": "openai/gpt-5"}, NOW)
    store.write(None, StoredModels({"old": "a/old"}, NOW - timedelta(days=1)))
    store.write(None, names)
    store.write(ME, alert)
    hours = [NOW - timedelta(hours=age) for age in (9, 8, 7)]
    settled = MeterRun(hours[0], hours[1], Decimal("0.42"), hours[2], Decimal(9))
    waits = MeterRun(NOW - timedelta(hours=2), NOW, Decimal("0.42"))
    store.write(ME, settled)
    store.write(ME, waits)
    running = MeterRun(NOW, None, Decimal("0.01"), NOW + timedelta(minutes=1), Decimal("25.76"))
    store.write(ME, MeterRun(NOW))
    store.write(ME, running)
    store.close()
    again = store_at(path)
    past = again.recall(ME, NOW)
    assert past.samples == tuple(kept)
    assert past.last == kept[-1]
    assert past.activity is not None
    assert past.activity.by_model == {DAY: {"v/m": spend("0.123456789012345678")}}
    assert past.activity.by_provider == {DAY: {"P": spend("2")}}
    assert past.activity_read_at == NOW
    assert past.today == StoredToday(today, NOW)
    assert past.yesterday == StoredToday(Today(DAY, {"Old": spend("9")}), NOW - timedelta(hours=21))
    assert past.models == names
    assert past.alerts == (alert,)
    assert again.days(ME, "key") == past.key_days == {DAY: {"laptop": spend("3")}}
    assert past.key_days_read_at == NOW - timedelta(minutes=1)
    assert past.runs == (waits, running)
    assert again.runs(ME) == (settled, waits, running)
    again.close()


@given(st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=5))
def test_amounts_and_instants_are_exact(tmp_path_factory, amounts):
    store = store_at(tmp_path_factory.mktemp("exact") / "history.sqlite3")
    kept = [
        StoredSample(NOW + timedelta(microseconds=number), Credits(bought, used))
        for number, (bought, used) in enumerate(amounts)
    ]
    for sample in kept:
        store.write(ME, sample)
    found = store.samples(ME)
    store.close()
    assert [(each.at, each.credits) for each in found] == [(each.at, each.credits) for each in kept]
    assert [str(each.credits.total_usage_usd) for each in found] == [str(used) for _, used in amounts]


def test_another_key_under_the_same_name_inherits_nothing(store):
    store.write(ME, counted(5))
    store.write(ME, StoredDays("model", {DAY: {"v/m": spend("1")}}, read_at=NOW))
    store.write(ME, spike(RULE, NOW, Level.SPIKE))
    assert store.recall(OTHER_KEY, NOW) == StoredAccount()
    assert store.recall(AccountIdentity("work", ME.fingerprint), NOW) == StoredAccount()
    store.write(OTHER_KEY, counted(1, "0.5"))
    assert [each.credits.total_usage_usd for each in store.samples(ME)] == [Decimal("25.75")]


def test_the_file_holds_no_fingerprint_as_it_is(store, path):
    store.write(ME, counted(5))
    store.close()
    assert ME.fingerprint.encode() not in path.read_bytes()


def test_two_files_know_the_same_key_by_different_marks(tmp_path):
    marks = set()
    for name in ("one", "two"):
        path = tmp_path / f"{name}.sqlite3"
        store = HistoryStore(path, lambda: None)
        store.write(ME, counted(5))
        store.close()
        with closing(sqlite3.connect(path)) as db:
            marks |= {mark for (mark,) in db.execute("SELECT bound_to FROM accounts")}
    assert len(marks) == 2


def test_a_completed_day_is_replaced_as_a_whole(store):
    store.write(ME, StoredDays("model", {DAY: {"v/a": spend("1"), "v/b": spend("2")}}))
    store.write(ME, StoredDays("model", {DAY: {"v/a": spend("1.5")}}))
    assert store.days(ME, "model") == {DAY: {"v/a": spend("1.5")}}


def test_own_key_cost_is_kept_with_unknown_none_and_lower_bounds_apart(store):
    own = (
        UNKNOWN,
        NOTHING,
        Amount(Decimal("0.5")),
        Amount(Decimal("0.50"), lower_bound=True),
        Amount(Decimal(0), lower_bound=True),
    )
    kept = {DAY: {f"v/{number}": replace(spend("1"), byok=each) for number, each in enumerate(own)}}
    store.write(ME, StoredDays("model", kept, read_at=NOW))
    store.write(ME, StoredToday(Today(TODAY, kept[DAY], by_provider=kept[DAY]), NOW))
    past = store.recall(ME, NOW)
    assert past.activity is not None
    assert past.today is not None
    assert (past.activity.by_model, past.today.today.by_model, past.today.today.by_provider) == (kept, kept[DAY], kept[DAY])


def test_a_day_that_turned_out_to_be_idle_goes(store):
    other = DAY - timedelta(days=1)
    store.write(ME, StoredDays("model", {DAY: {"v/a": spend("1")}, other: {"v/a": spend("1")}}))
    store.write(ME, StoredDays("model", {}, gone=[DAY]))
    assert set(store.days(ME, "model")) == {other}
    assert store.days(ME, "model", since=DAY) == {}


def test_counts_beyond_sqlite_are_kept_at_its_largest(store):
    store.write(ME, StoredDays("model", {DAY: {"v/a": spend("1", requests=10**30)}}))
    assert store.days(ME, "model")[DAY]["v/a"].requests == 2**63 - 1


def test_an_empty_activity_is_known_and_not_unknown(store):
    store.write(ME, StoredDays("model", {}, read_at=NOW))
    past = store.recall(ME, NOW)
    assert past.activity is not None
    assert past.activity.by_model == {}


def test_the_last_value_comes_back_however_old(store):
    store.write(ME, counted(60 * 24 * 90, "7"))
    past = store.recall(ME, NOW)
    assert past.samples == (past.last,)
    assert past.last == counted(60 * 24 * 90, "7")


def test_samples_of_a_clock_that_ran_ahead_do_not_stand_before_later_ones(store):
    store.write(ME, counted(60, "1"))
    store.write(ME, counted(-60, "2"))  # the clock is an hour ahead, and is then set right
    found = store.recall(ME, NOW).samples
    assert [each.credits.total_usage_usd for each in found] == [Decimal(1), Decimal(2)], "or the clock is behind now"
    store.write(ME, counted(0, "3"))
    later = store.recall(ME, NOW + timedelta(hours=2))
    assert [each.credits.total_usage_usd for each in later.samples] == [Decimal(1), Decimal(3)]


def test_samples_are_thinned_as_they_come(store):
    start = NOW - timedelta(days=45)
    for step in range(45 * 24 * 2 + 1):
        store.write(ME, StoredSample(start + timedelta(minutes=30 * step), Credits(Decimal(100), Decimal(step))))
    left = store.samples(ME)
    assert len(left) < 97 + 33 * 25 + 2 + 2 * 12
    assert {each.at.date() for each in left} == {(start + timedelta(days=age)).date() for age in range(46)}
    assert len([each for each in left if each.at >= NOW - timedelta(hours=48)]) == 97


def test_an_episode_that_is_over_does_not_come_back_and_the_next_one_does(store):
    first, second = spike(RULE, NOW - timedelta(days=1), Level.CRITICAL), spike(RULE)
    store.write(ME, first)
    store.write(ME, EndedAlert(spike(RULE).key, NOW))
    assert store.recall(ME, NOW).alerts == ()
    store.write(ME, second)
    assert store.recall(ME, NOW).alerts == (second,)


def test_each_rule_has_its_own_episode_and_3_0_is_3(store):
    strict, slow = SpikeRule(threshold=Decimal("1.5")), SpikeRule(burst=False)
    store.write(ME, spike(RULE, NOW, Level.SPIKE))
    store.write(ME, spike(strict, NOW, Level.CRITICAL))
    store.write(ME, spike(slow, NOW, Level.SPIKE, Level.CRITICAL))
    store.write(ME, spike(SpikeRule(threshold=Decimal("3.0")), NOW, Level.SPIKE, Level.SPIKE))
    found = {alert.rule: alert for alert in store.recall(ME, NOW).alerts}
    assert found[RULE].acknowledged == Level.SPIKE
    assert found[strict].level == Level.CRITICAL
    assert found[slow].acknowledged == Level.CRITICAL
    assert len(found) == 3


def test_forgetting_a_name_leaves_nothing_of_it_and_everything_of_others(store):
    other = AccountIdentity("work", "x" * 16)
    for who in (ME, OTHER_KEY, other):
        store.write(who, counted(5))
        store.write(who, StoredDays("model", {DAY: {"v/a": spend("1")}}, read_at=NOW))
        store.write(who, spike(RULE, NOW, Level.SPIKE))
        store.write(who, MeterRun(NOW))
    store.forget("default")
    assert store.recall(ME, NOW) == store.recall(OTHER_KEY, NOW) == StoredAccount()
    assert (store.samples(ME), store.days(ME, "model"), store.runs(ME)) == ((), {}, ())
    assert len(store.samples(other)) == len(store.runs(other)) == 1


def test_instants_come_back_in_utc(store):
    store.write(ME, counted(0))
    assert store.samples(ME)[0].at.tzinfo is UTC
    assert store.samples(ME)[0].at == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_alerts_are_kept_until_they_end_and_belong_to_one_key(store, path):
    low, worse = (standing_alert(AlertKind.BALANCE, level) for level in (BalanceLevel.LOW, BalanceLevel.VERY_LOW))
    rejected, wrong_key = (
        standing_alert(AlertKind.KEY, KEY_TROUBLE_LEVELS[health]) for health in (Health.KEY_REJECTED, Health.NOT_MANAGEMENT_KEY)
    )
    for who, alert in ((ME, low), (ME, worse), (ME, rejected), (OTHER_KEY, wrong_key)):
        store.write(who, alert)
    store.close()
    again = store_at(path)
    assert set(again.recall(ME, NOW).alerts) == {worse, rejected}
    again.write(ME, EndedAlert(rejected.key, NOW))
    assert again.recall(ME, NOW).alerts == (worse,)
    assert again.recall(OTHER_KEY, NOW).alerts == (wrong_key,)
    again.close()


def test_hidden_amounts_are_hidden_for_every_account_until_they_are_shown(tmp_path):
    store = store_at(tmp_path / "history.sqlite3")
    assert not store.recall(ME, NOW).masked
    store.write(None, MaskedSetting(True))
    store.write(None, MaskedSetting(True))
    store.forget(ME.name)
    store.close()
    store = store_at(tmp_path / "history.sqlite3")
    assert store.recall(ME, NOW).masked
    assert store.recall(AccountIdentity("work", "another"), NOW).masked
    store.write(None, MaskedSetting(False))
    assert not store.recall(ME, NOW).masked
    store.close()


def test_a_message_for_a_sink_waits_is_delivered_or_is_dropped(store):
    began = AlertNotice(AlertKind.SPIKE, "default", AlertStage.BEGAN, Level.SPIKE, NOW, NOW, "title", "text", RULE, True)
    ended = replace(began, stage=AlertStage.ENDED, level=Level.NORMAL, at=NOW + timedelta(minutes=1))
    for notice in (began, ended):
        store.write(ME, StoredDelivery("a1", notice))
        store.write(ME, StoredDelivery("b2", notice))
    later = NOW + timedelta(hours=1)
    store.write(ME, StoredDelivery("a1", began, NOW))
    store.write(ME, StoredDelivery("b2", ended, is_over=True))
    expected = {StoredDelivery("a1", began, NOW), StoredDelivery("a1", ended), StoredDelivery("b2", began)}
    assert set(store.recall(ME, later).deliveries) == expected
    assert store.recall(OTHER_KEY, later).deliveries == ()
    much_later = replace(began, since=NOW + timedelta(days=40), at=NOW + timedelta(days=40))
    store.write(ME, StoredDelivery("a1", much_later))
    assert store.recall(ME, NOW).deliveries == (StoredDelivery("a1", much_later),), "very old messages are deleted"
