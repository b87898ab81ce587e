"""The meters, one an account: started and stopped by taps, counted at each snapshot, stored in the history. Pure.

What a run is and how it counts is in `account.meter_run`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from openbalance_hid.account.counter import BOOKED_WITHIN
from openbalance_hid.account.meter_run import MeterRun, count, stop
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.utc_days import carried_time
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import SetPollInterval, Store
from openbalance_hid.config.schema import TileConfig
from openbalance_hid.tiles.meter import KIND


class Meters:
    """The last run of each account, and the runs before it that wait for their last sample."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[MeterRun, ...]] = {}  # by account, the last one last
        self._stored: dict[tuple[str, datetime], MeterRun] = {}  # by account and start
        self._paces: dict[str, float] = {}  # seconds between polls, where a meter has changed them

    @property
    def runs(self) -> Mapping[str, MeterRun]:
        """The last run of each account that has one."""
        return {account: runs[-1] for account, runs in self._runs.items()}

    def toggle(self, account: str, snapshot: Snapshot, now: Moment) -> None:
        """Stop the running meter, or start a new run. The account is polled now: that sample is the start or the end."""
        runs, at = self._runs.get(account, ()), carried_time(snapshot, now.utc, now.mono_s)
        if runs and runs[-1].is_running:
            self._runs[account] = (*runs[:-1], count(stop(runs[-1], at), snapshot.samples))
        else:
            self._runs[account] = (*(run for run in runs if not run.is_settled), MeterRun(at))
        self._paces.pop(account, None)

    def follow(self, snapshot: Snapshot) -> None:
        """Add what a snapshot shows to the runs of its account."""
        if snapshot.account in self._runs:
            self._runs[snapshot.account] = tuple(count(run, snapshot.samples) for run in self._runs[snapshot.account])

    def recall(self, account: str, runs: tuple[MeterRun, ...]) -> None:
        """Take over the stored runs that wait for a sample, and the last one unless a tap has started another."""
        started = self._runs.get(account, ())
        taken = tuple(run for run in runs if not started or not (run.is_running or run.is_settled))
        if taken:
            self._runs[account] = (*taken, *started)
            self._stored |= {(account, run.started_at): run for run in taken}

    def forget(self, account: str) -> None:
        """Remove the runs of an account: another one has its name now."""
        self._runs.pop(account, None)
        self._paces.pop(account, None)

    def to_store(self, snapshots: Mapping[str, Snapshot]) -> list[Store]:
        """Return the runs that have changed since the last call."""
        known = {(account, run.started_at): run for account, runs in self._runs.items() for run in runs}
        changed = [(account, run) for (account, at), run in known.items() if self._stored.get((account, at)) != run]
        self._stored = known
        return [Store(account, snapshots[account].started_at, run) for account, run in changed]

    def to_pace(self, tiles: Iterable[TileConfig]) -> list[SetPollInterval]:
        """Return the accounts that need another poll interval than before: the shortest of their meter tiles."""
        counting = {account for account, runs in self._runs.items() if not all(run.is_settled for run in runs)}
        if not counting and not self._paces:
            return []
        usual = KIND.defaults()["poll_seconds"]
        wanted: dict[str, list[float]] = {account: [] for account in counting}
        for tile in tiles:
            if tile.tile == KIND.name and tile.account in wanted:
                wanted[tile.account].append(float(str(tile.options.get("poll_seconds", usual))))
        for account, runs in self._runs.items():
            if account in wanted and any(not run.is_running and not run.is_settled for run in runs):
                wanted[account].append(BOOKED_WITHIN.total_seconds())  # a stopped run is closed then
        before, self._paces = self._paces, {name: min(paces, default=float(str(usual))) for name, paces in wanted.items()}
        accounts = [name for name in {**before, **self._paces} if before.get(name) != self._paces.get(name)]
        return [SetPollInterval(name, self._paces.get(name)) for name in accounts]
