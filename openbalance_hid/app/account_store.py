"""What the house knows of its accounts: their snapshots, and what is followed from one snapshot to the next. Pure.

Spikes, meters and concerns have files of their own; here an account comes, goes and is asked about in one place.
"""

from collections.abc import Iterable, Mapping, Sequence

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.app.alerts import AccountAlerts
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import Effect
from openbalance_hid.app.events import HistoryLoaded
from openbalance_hid.app.meters import Meters
from openbalance_hid.app.spike_alerts import SpikeAlerts, keys_of
from openbalance_hid.config.default_layout import written_tiles
from openbalance_hid.config.schema import Config, TileConfig


class AccountStore:
    """All accounts that are asked for, by name."""

    def __init__(self, snapshots: Mapping[str, Snapshot]) -> None:
        self.snapshots: dict[str, Snapshot] = dict(snapshots)
        self.alarms = SpikeAlerts()
        self.meters = Meters()
        self.concerns = AccountAlerts()

    def set_accounts(self, intervals_s: Mapping[str, float], now: Moment) -> None:
        """These accounts and no others from now on; nothing is known yet of those that are new."""
        for gone in self.snapshots.keys() - intervals_s.keys():
            self._forget(gone)
        self.snapshots = {
            name: self.snapshots.get(name) or Snapshot(name, now.utc, interval_s) for name, interval_s in intervals_s.items()
        }

    def take(self, snapshot: Snapshot, tiles: Sequence[TileConfig], config: Config, hides: bool, now: Moment) -> list[Effect]:
        """Enter a snapshot of an account that is here; what the desktop is to be told.

        `tiles`: those of the account, on any page of any deck. `hides`: amounts are masked now. Spikes are watched by the rules
        of decks that are not here as well: an owner who has unplugged one hears of them all the same.
        """
        account = snapshot.account
        if snapshot.started_at != self.snapshots[account].started_at:  # another account under this name
            self._forget(account)
        self.snapshots[account] = snapshot
        watching = (*tiles, *written_tiles(config, account))
        self.alarms.follow(watching, self.snapshots, now)
        # The usual rule is that of any deck which comes without an entry of its own.
        self.alarms.end_others(account, {SpikeRule(), *(rule for _, rule in keys_of(watching))})
        self.meters.follow(snapshot)
        warnings = self.concerns.follow(snapshot, config, hides)
        spikes = self.alarms.to_notify(watching, self.snapshots, now) if config.accounts[account].notify else []
        return [*warnings, *spikes]

    def spike_rules(self, account: str, tiles: Sequence[TileConfig], config: Config) -> tuple[SpikeRule, ...]:
        """The rules of the account's spike alerts, those of decks that are not here too; without any, the usual one."""
        keys = keys_of((*tiles, *written_tiles(config, account)))
        return tuple(rule for name, rule in keys if name == account) or (SpikeRule(),)

    def recall(self, event: HistoryLoaded) -> bool:
        """Take up what the history knows from before this start; False when it is of another account, or of none here."""
        known = self.snapshots.get(event.account)
        if known is None or event.started_at != known.started_at:
            return False
        self.alarms.recall(event)
        self.meters.recall(event.account, event.run)
        self.concerns.recall(event.account, event.concerns)
        return True

    def to_do(self, tiles: Iterable[TileConfig], now: Moment) -> list[Effect]:
        """What the history is to keep and the pollers are to heed since this was asked last. `tiles`: all."""
        return [
            *self.alarms.to_remember(self.snapshots, now),
            *self.meters.to_remember(self.snapshots),
            *self.concerns.to_remember(self.snapshots),
            *self.meters.to_pace(tiles),
        ]

    def _forget(self, account: str) -> None:
        self.alarms.forget(account)
        self.meters.forget(account)
        self.concerns.forget(account)
