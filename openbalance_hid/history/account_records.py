"""Everything that the history file has of each account, as one value. For `report`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from msgspec import Struct

from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.snapshot import Days, Spend
from openbalance_hid.history.reader import KeyAction, Reader, Spike
from openbalance_hid.history.records import StoredSample, StoredToday

KINDS = ("model", "provider", "key")


class AccountRecords(Struct, frozen=True):
    """One account, oldest first. `days`: kind ("model", "provider", "key") → day → name → spend."""

    account: str
    days: Mapping[str, Days]
    samples: tuple[StoredSample, ...] = ()
    runs: tuple[MeterRun, ...] = ()
    spikes: tuple[Spike, ...] = ()
    actions: tuple[KeyAction, ...] = ()
    activity_read_at: datetime | None = None
    today: StoredToday | None = None


def read_histories(reader: Reader, step: Callable[[str], object] = lambda _: None) -> dict[str, AccountRecords]:
    """Return the history of each account by its name. `step` is called before each part with what it reads, in words."""
    days: dict[tuple[str, str], dict[date, dict[str, Spend]]] = {}
    for kind in KINDS:
        step(f"days by {kind}")
        for day in reader.days(kind):
            days.setdefault((day.account, kind), {}).setdefault(day.day, {})[day.name] = day.spend
    step("samples and events")
    samples: dict[str, list[StoredSample]] = {}
    for account, sample in reader.samples():
        samples.setdefault(account, []).append(sample)
    runs, spikes, actions = tuple(reader.runs()), tuple(reader.spikes()), tuple(reader.actions())
    histories = {}
    for name in reader.names:
        read_at, today = reader.last_answers(name)
        histories[name] = AccountRecords(
            name,
            {kind: days.get((name, kind), {}) for kind in KINDS},
            tuple(samples.get(name, ())),
            tuple(run for account, run in runs if account == name),
            tuple(each for each in spikes if each.account == name),
            tuple(each for each in actions if each.account == name),
            read_at,
            today,
        )
    return histories
