"""A slow leak: notified once, and the usual spend once the user has acknowledged it, across restarts, until it grows again."""

from datetime import timedelta
from decimal import Decimal

import pytest

from openbalance_hid.account.alert import AlertKind
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.app.alerts import Alerts, spike_verdict
from openbalance_hid.app.clock import Moment
from openbalance_hid.config.schema import TileConfig
from openbalance_hid.history.migrations import STEPS
from openbalance_hid.history.records import AccountIdentity
from openbalance_hid.history.store import HistoryStore
from tests.build import NOON, day_of_samples, days_back, snapshot

TILE = TileConfig("spike-alert")
RULE = SpikeRule()
KEY = (AlertKind.SPIKE, "default", RULE)


class Account:
    """Its alerts, as polls come."""

    def __init__(self) -> None:
        self.alerts = Alerts()
        self.days = [8] * 30
        self.now = NOON

    def poll(self, *, days: int = 0, usd: int = 8) -> Level:
        """Let days of `usd` pass, and poll for 72 minutes."""
        self.now += timedelta(days=days)
        self.days = [usd] * days + self.days
        for _ in range(9):
            self.now += timedelta(minutes=8)
            known = snapshot(self.now, days=days_back(self.days, self.now), taken=day_of_samples(usd, self.now))
            self.snapshots = {"default": known}
            self.alerts.judge_spikes([TILE], self.snapshots, Moment(self.now, 0.0))
        return spike_verdict(known, RULE, self.alerts.open, self.now).level

    def acknowledge(self) -> None:
        self.alerts.acknowledge_tile(TILE, self.snapshots, Moment(self.now, 0.0))

    def sends(self) -> int:
        return len(self.alerts.spikes_to_send([TILE], self.snapshots, Moment(self.now, 0.0)))


def leaking() -> Account:
    account = Account()
    assert account.poll() is Level.NORMAL
    assert account.poll(days=5, usd=16) is Level.NORMAL
    assert account.poll(days=1, usd=16) is Level.SPIKE
    return account


def test_an_acknowledged_leak_is_the_usual_spend_until_it_grows_again():
    account = leaking()
    assert (account.sends(), account.sends()) == (1, 0)
    account.acknowledge()
    assert account.poll() is Level.NORMAL
    assert account.poll(days=2, usd=16) is Level.NORMAL
    assert account.sends() == 0
    assert account.poll(days=6, usd=29) is Level.SPIKE, "1.8 times what was acknowledged"
    assert account.sends() == 1


def test_an_alert_that_is_over_is_not_listed_and_a_new_spike_calls_again():
    account = leaking()
    account.acknowledge()
    account.poll()
    assert account.alerts.active(account.snapshots, None, False, Moment(account.now, 0.0)) == []  # type: ignore[arg-type]
    account.alerts.judge_spikes(
        [TILE],
        {"default": snapshot(account.now, days=days_back(account.days, account.now), taken=day_of_samples(90, account.now))},
        Moment(account.now, 0.0),
    )
    alert = account.alerts.open[KEY]
    assert (alert.level, alert.acknowledged) == (Level.CRITICAL, Level.NORMAL)


@pytest.mark.parametrize("steps", [len(STEPS) - 1, len(STEPS)])
def test_an_acknowledged_leak_survives_a_restart(tmp_path, steps):
    account, me = leaking(), AccountIdentity("default", "fingerprint")
    HistoryStore(tmp_path / "history.sqlite3", lambda: None, steps=STEPS[:steps]).close()  # also a file of the version before
    store = HistoryStore(tmp_path / "history.sqlite3", lambda: None)
    account.acknowledge()
    account.poll()
    store.write(me, account.alerts.open[KEY])
    account.alerts = Alerts()
    account.alerts.recall(store.recall(me, account.now).alerts)
    assert account.alerts.open[KEY].usual_usd == (Decimal(16) * 6 + 8) / 7
    assert account.poll(days=1, usd=16) is Level.NORMAL
    store.close()
