"""The meters of the house, one an account: started and stopped by taps, counted at each snapshot, kept by the history. Pure.

What a run is and how it counts is `account.meter`'s.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from openbalance_hid.account.meter_run import MeterRun, count, stop
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.effects import SetPollInterval, Store
from openbalance_hid.config.schema import TileConfig
from openbalance_hid.tiles.meter import KIND


class Meters:
    """The last run of each account, and those before it whose last sample is still to come."""

    def __init__(self) -> None:
        self._runs: dict[str, tuple[MeterRun, ...]] = {}  # by account, the last one last
        self._stored: dict[tuple[str, datetime], MeterRun] = {}  # as the history knows them, by account and start
        self._paces: dict[str, float] = {}  # that the accounts are asked at, other than their own

    @property
    def runs(self) -> Mapping[str, MeterRun]:
        """The last run of each account that has one."""
        return {account: runs[-1] for account, runs in self._runs.items()}

    def toggle(self, account: str, snapshot: Snapshot, now: datetime) -> None:
        """Stop what runs, or start anew: then the account is to be asked now."""
        runs = self._runs.get(account, ())
        if runs and runs[-1].is_running:
            self._runs[account] = (*runs[:-1], count(stop(runs[-1], now), snapshot.samples))
        else:
            self._runs[account] = (*(run for run in runs if not run.is_settled), MeterRun(now))
            self._paces.pop(account, None)

    def follow(self, snapshot: Snapshot) -> None:
        """Count what a snapshot adds."""
        if snapshot.account in self._runs:
            self._runs[snapshot.account] = tuple(count(run, snapshot.samples) for run in self._runs[snapshot.account])

    def recall(self, account: str, run: MeterRun | None) -> None:
        """Take up what the history knows from before this start, unless a tap was faster."""
        if run is not None and account not in self._runs:
            self._runs[account] = (run,)
            self._stored[account, run.started_at] = run

    def forget(self, account: str) -> None:
        """Another account has this name now, or another poller asks for it."""
        self._runs.pop(account, None)
        self._paces.pop(account, None)

    def to_store(self, snapshots: Mapping[str, Snapshot]) -> list[Store]:
        """Return the runs that have changed since the last call."""
        known = {(account, run.started_at): run for account, runs in self._runs.items() for run in runs}
        changed = [(account, run) for (account, at), run in known.items() if self._stored.get((account, at)) != run]
        self._stored = known
        return [Store(account, snapshots[account].started_at, run) for account, run in changed]

    def to_pace(self, tiles: Iterable[TileConfig]) -> list[SetPollInterval]:
        """The accounts that are to be asked at another pace than before: as often as the quickest of their meters wants."""
        counting = {account for account, runs in self._runs.items() if not all(run.is_settled for run in runs)}
        if not counting and not self._paces:
            return []
        usual = KIND.defaults()["poll_seconds"]
        wanted: dict[str, list[float]] = {account: [] for account in counting}
        for tile in tiles:
            if tile.tile == KIND.name and tile.account in wanted:
                wanted[tile.account].append(float(str(tile.options.get("poll_seconds", usual))))
        before, self._paces = self._paces, {name: min(paces, default=float(str(usual))) for name, paces in wanted.items()}
        accounts = [name for name in {**before, **self._paces} if before.get(name) != self._paces.get(name)]
        return [SetPollInterval(name, self._paces.get(name)) for name in accounts]
