"""Histories for the tests of the report: amounts a day, and months in a file."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from openbalance_hid.account.amount import UNKNOWN, Amount
from openbalance_hid.account.key_switching import KeySwitch, SwitchStage
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Credits, Spend
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.history.account_records import AccountRecords
from openbalance_hid.history.records import AccountIdentity, EndedAlert, StoredDays, StoredSample
from openbalance_hid.history.store import HistoryStore
from tests.history.stand import spike

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
HOSTILE = '<script>alert("x")</script>'
ME = AccountIdentity("default", "key")


def back(age: int) -> date:
    return TODAY - timedelta(days=age)


def history(
    days: Mapping[date, Mapping[str, int | str]],
    samples: Sequence[tuple[datetime, int | str]] = (),
    keys: Mapping[date, Mapping[str, int | str]] | None = None,
    read_at: datetime | None = NOW,
    runs: Sequence[MeterRun] = (),
    own: Mapping[date, int | str | None] | None = None,
) -> AccountRecords:
    """Return a history. `days`: day -> model -> USD; `samples`: instant and total usage; `own`: of each name of a day."""

    def spend(day: date, amount: int | str) -> Spend:
        cost = None if own is None else own.get(day, 0)
        return Spend(Decimal(str(amount)), 2, 100, UNKNOWN if cost is None else Amount(Decimal(str(cost))))

    kinds = {"model": days, "provider": {}, "key": keys or {}}
    return AccountRecords(
        "default",
        {
            kind: {day: {name: spend(day, usd) for name, usd in names.items()} for day, names in found.items()}
            for kind, found in kinds.items()
        },
        tuple(StoredSample(at, Credits(Decimal(500), Decimal(str(usage)))) for at, usage in samples),
        tuple(runs),
        activity_read_at=read_at,
    )


def write_days(folder: Path, days: int) -> None:
    """Write a history of so many days, with a gap of ten of them, a hostile name, and one of each event, below `folder`."""
    (folder / "state").mkdir(mode=0o700, exist_ok=True)
    models, providers, keys = {}, {}, {}
    samples, used = [], Decimal(0)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=5, microsecond=0)
    for age in range(days, 0, -1):
        at = today - timedelta(days=age)
        usd = Decimal(age % 7 + 1) / 2
        if not 40 <= age < 50:
            samples.append(StoredSample(at, Credits(Decimal(5000), used)))
            models[at.date()] = {"anthropic/claude-sonnet-4.5": Spend(usd / 2, 9, 900), HOSTILE: Spend(usd / 2, 1, 5)}
            providers[at.date()] = {"Anthropic": Spend(usd, 10, 905)}
            keys[at.date()] = {HOSTILE: Spend(usd, 10, 905)}
        used += usd
    samples.append(StoredSample(today, Credits(Decimal(5000), used)))
    store = HistoryStore(folder / "state/history.sqlite3", lambda: None, lambda: datetime.now(UTC))
    found = zip(("model", "provider", "key"), (models, providers, keys), strict=True)
    store.write_all(ME, [*(StoredDays(kind, by, read_at=datetime.now(UTC)) for kind, by in found), *samples])
    alert = spike(SpikeRule(key_name=HOSTILE), today - timedelta(days=3), Level.CRITICAL, Level.SPIKE)
    store.write_all(ME, [alert, EndedAlert(alert.key, today - timedelta(days=2))])
    store.write(ME, MeterRun(today - timedelta(days=2), today - timedelta(days=1), Decimal("0.42"), today, used, True))
    switch = KeySwitch("default", "hash", HOSTILE, True, HOSTILE, today - timedelta(days=3), SwitchStage("done"), None, HOSTILE)
    store.write(ME, switch)
    store.close()
