"""Files of every age."""

import logging
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal

import pytest

from openbalance_hid.account.alert import KEY_TROUBLE_LEVELS, AlertKind, BalanceLevel
from openbalance_hid.account.amount import UNKNOWN
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Health, Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.history.migrations import STEPS, TooNewError, bring_up, salt_of, to_us
from openbalance_hid.history.reader import open_reader
from tests.history.stand import ME, NOW, SALT, counted, spike, standing_alert, store_at

NEXT = (*STEPS, ("ALTER TABLE runs ADD COLUMN note TEXT", "INSERT INTO meta VALUES ('second', x'02')"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.sqlite3"


def version(path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def test_an_empty_file_becomes_a_history(path):
    path.touch()
    store = store_at(path)
    store.write(ME, counted(5))
    assert not store.in_memory
    store.close()
    assert version(path) == len(STEPS)


def test_an_older_file_takes_the_missing_steps_and_keeps_what_it_holds(path):
    old = store_at(path)
    old.write(ME, counted(5))
    old.close()
    new = store_at(path, steps=NEXT)
    assert new.samples(ME) == (counted(5),)
    new.close()
    assert version(path) == len(NEXT)
    with closing(sqlite3.connect(path)) as db:
        assert salt_of(db) == SALT
        assert db.execute("SELECT note FROM runs").fetchall() == []


def test_a_file_of_the_first_version_is_carried_over_with_its_runs(path):
    """As the first release wrote it."""
    old = store_at(path, steps=STEPS[:1])
    old.write(ME, counted(5))
    old.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO runs VALUES (1, ?, ?, '0.42')", (to_us(NOW - timedelta(hours=1)), to_us(NOW)))
    new = store_at(path)
    assert new.runs(ME) == (MeterRun(NOW - timedelta(hours=1), NOW, Decimal("0.42")),)
    assert new.samples(ME) == (counted(5),)
    assert not new.in_memory
    new.close()


def test_episodes_and_concerns_of_an_older_file_become_alerts(path):
    """As the version before alerts wrote them."""
    old = store_at(path, steps=STEPS[:4])
    old.write(ME, counted(5))
    old.close()
    hour, ended = to_us(NOW - timedelta(hours=1)), to_us(NOW - timedelta(days=1))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO episodes VALUES (1, '3', '1', '24', 1, ?, 4, 3, 4, ?, NULL)", (hour, to_us(NOW)))
        db.execute("INSERT INTO episodes VALUES (1, '1.5', '0.1', '0.25', 0, ?, 3, 2, 2, NULL, ?)", (ended - 10**9, ended))
        db.execute("INSERT INTO concerns VALUES (1, 'balance', 'very low'), (1, 'key', 'key_rejected'), (1, 'later', 'x')")
    new = store_at(path)
    last_sample = NOW - timedelta(minutes=5)
    assert set(new.recall(ME, NOW).alerts) == {
        spike(SpikeRule(), NOW - timedelta(hours=1), Level.CRITICAL, Level.SPIKE, NOW, Level.CRITICAL),
        standing_alert(AlertKind.BALANCE, BalanceLevel.VERY_LOW, last_sample),
        standing_alert(AlertKind.KEY, KEY_TROUBLE_LEVELS[Health.KEY_REJECTED], last_sample),
    }
    new.close()
    with open_reader(path, None) as reader:
        ended_spike, open_spike = reader.spikes()
    assert ended_spike.rule == SpikeRule(Decimal("1.5"), Decimal("0.1"), Decimal("0.25"), burst=False)
    assert (ended_spike.ended_at, ended_spike.highest) == (NOW - timedelta(days=1), Level.SPIKE)
    assert (ended_spike.acknowledged, ended_spike.notified) == (Level.NORMAL, Level.NORMAL)
    assert (open_spike.ended_at, open_spike.highest) == (None, Level.CRITICAL)


def test_own_key_cost_of_days_from_an_older_file_is_unknown_and_not_zero(path):
    old = store_at(path, steps=STEPS[:9])
    old.write(ME, counted(5))
    old.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO days VALUES (1, 'model', '2026-11-20', 'v/m', '1.5', 3, 40)")
        db.execute("UPDATE accounts SET activity_read_at = ?", (to_us(NOW),))
    new = store_at(path)
    past = new.recall(ME, NOW)
    assert past.activity is not None
    assert past.activity.by_model == {date(2026, 11, 20): {"v/m": Spend(Decimal("1.5"), 3, 40, UNKNOWN)}}
    new.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(path):
    store_at(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        with pytest.raises(sqlite3.OperationalError):
            bring_up(db, lambda: SALT, (*NEXT, ("ALTER TABLE nothing ADD COLUMN note TEXT",)))
        assert db.execute("SELECT count(*) FROM meta WHERE name = 'second'").fetchone() == (0,)
    assert version(path) == len(STEPS)


def test_the_salt_stays_the_one_that_the_file_was_made_with(path):
    store_at(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        bring_up(db, lambda: b"another", NEXT)
        assert salt_of(db) == SALT


def test_a_newer_file_is_left_alone_byte_for_byte(path, caplog):
    newer = store_at(path, steps=NEXT)
    newer.write(ME, counted(5))
    newer.close()
    before = path.read_bytes()
    with caplog.at_level(logging.INFO):
        store = store_at(path)
        store.write(ME, counted(1))
        store.write(ME, counted(0))
        assert store.in_memory
        assert store.samples(ME) == (counted(1), counted(0))
        store.close()
    assert path.read_bytes() == before
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert (
        f"it is of version {len(NEXT)}, and this program knows {len(STEPS)}; what comes is kept in memory only" in caplog.text
    )
    with closing(sqlite3.connect(path)) as db, pytest.raises(TooNewError):
        bring_up(db, lambda: SALT)
