"""What these tests stand on: a place for a history, and accounts to keep in it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from openbalance_hid.account.alert import NORMAL, Alert, AlertKind
from openbalance_hid.account.snapshot import Credits, Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.history.records import AccountIdentity, StoredSample
from openbalance_hid.history.store import HistoryStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ME = AccountIdentity("default", "5d41402abc4b2a76")
OTHER_KEY = AccountIdentity("default", "0cc175b9c0f1b6a8")
SALT = bytes(range(16))


def store_at(path: Path, **more) -> HistoryStore:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return HistoryStore(path, lambda: None, lambda: NOW, lambda: SALT, **more)


def counted(minutes_ago: float, usage: str = "25.75", bought: str = "100") -> StoredSample:
    return StoredSample(NOW - timedelta(minutes=minutes_ago), Credits(Decimal(bought), Decimal(usage)))


def spend(usd: str, requests: int = 1, tokens: int = 10) -> Spend:
    return Spend(Decimal(usd), requests, tokens)


def spike(
    rule: SpikeRule,
    since: datetime = NOW,
    level: int = Level.SPIKE,
    acknowledged: int = NORMAL,
    normal_since: datetime | None = None,
    notified: int = NORMAL,
) -> Alert:
    return Alert(AlertKind.SPIKE, "default", level, since, acknowledged, notified, normal_since, rule)


def standing_alert(kind: AlertKind, level: int, since: datetime = NOW) -> Alert:
    """An alert of balance or key that the user was notified of."""
    return Alert(kind, "default", level, since, notified=level)
