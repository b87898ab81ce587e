"""What is known of the accounts: their snapshots, and the alerts and meters that follow from one snapshot to the next. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from openbalance_hid.account.alert import AlertKind
from openbalance_hid.account.alert_notice import AlertStage
from openbalance_hid.account.driver import driving_key
from openbalance_hid.account.snapshot import Origin, Snapshot
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.app.alert_messages import key_words
from openbalance_hid.app.alert_outbox import AlertOutbox
from openbalance_hid.app.alerts import Alerts
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import Effect, SendAlert, WantFreeQuota
from openbalance_hid.app.events import HistoryLoaded, KeySwitchEnded, KeySwitchRequested
from openbalance_hid.app.key_switches import NOTIFICATION, KeySwitches, permitted_accounts
from openbalance_hid.app.meters import Meters
from openbalance_hid.config.default_layout import written_tiles
from openbalance_hid.config.schema import Config, TileConfig
from openbalance_hid.text import single_line
from openbalance_hid.tiles.free_quota import KIND as FREE_QUOTA
from openbalance_hid.tiles.spike_alert import KIND, rule_of


class AccountStore:
    """All configured accounts, by name."""

    def __init__(self, snapshots: Mapping[str, Snapshot]) -> None:
        self.snapshots: dict[str, Snapshot] = dict(snapshots)
        self.alerts = Alerts()
        self.outbox = AlertOutbox()
        self.switches = KeySwitches()
        self.meters = Meters()
        self._with_free_quota: set[str] = set()

    def set_accounts(self, intervals_s: Mapping[str, float], now: Moment) -> None:
        """Keep these accounts and no others; of a new one nothing is known yet."""
        for name in self.snapshots.keys() - intervals_s.keys():
            self._forget(name)
        self.snapshots = {
            name: self.snapshots.get(name) or Snapshot(name, now.utc, interval_s) for name, interval_s in intervals_s.items()
        }

    def adopt(self, config: Config) -> None:
        """Apply the sinks, the permissions, and what the configuration says of the accounts that are polled already."""
        self.snapshots = {name: _configured(snapshot, config) for name, snapshot in self.snapshots.items()}
        self.outbox.set_sinks(config.alerts)
        self.switches.permitted = permitted_accounts(config)

    def take(self, snapshot: Snapshot, tiles: Sequence[TileConfig], config: Config, hides: bool, now: Moment) -> list[Effect]:
        """Take a snapshot of a configured account; return the notifications to send.

        `tiles`: of the account, on every page of every connected deck. `hides`: amounts are masked now. The rules of decks that
        are not connected count too: a user who has unplugged a deck is notified all the same.
        """
        account = snapshot.account
        snapshot = _configured(snapshot, config)
        if snapshot.started_at != self.snapshots[account].started_at:  # another account under this name
            self._forget(account)
        snapshot = self.snapshots[account] = self.switches.applied(snapshot)
        if snapshot.recalling:  # without the alerts of before, the user would be notified of them again
            return []
        watching = _with_spike_rule((*tiles, *written_tiles(config, account)), account)
        self.alerts.judge_spikes(watching, self.snapshots, now)
        # The default rule is the one of a deck without an entry in the configuration.
        self.alerts.end_other_rules(account, {SpikeRule(), *_rules(watching, account)})
        self.meters.follow(snapshot)
        sends = self.alerts.follow(snapshot, config, hides, now)
        spikes = self.alerts.spikes_to_send(watching, self.snapshots, now) if config.accounts[account].notify else []
        return [*sends, *(self._with_key(spike, watching, now) for spike in spikes)]

    def _with_key(self, spike: SendAlert, tiles: Sequence[TileConfig], now: Moment) -> SendAlert:
        """Return the notification with the API key that drives the spike, and where permitted a button that stops it."""
        snapshot = self.snapshots[spike.alert.account]
        key = driving_key(snapshot, now.utc)
        if key is None:
            return spike
        spike = replace(spike, text=f"{spike.text}. {key_words(key, snapshot, tiles)}")
        if snapshot.account not in self.switches.permitted or key.disabled:
            return spike
        stop = KeySwitchRequested(snapshot.account, key.hash, True, NOTIFICATION)
        return replace(spike, stop=stop, stop_name=single_line(key.name))

    def switch_ended(self, event: KeySwitchEnded, now: Moment) -> list[Effect]:
        """Note the end of a switch of a key, and show the state that was read back."""
        effects = self.switches.ended(event, self.snapshots, now)
        if effects:
            self.snapshots[event.account] = self.switches.applied(self.snapshots[event.account])
        return effects

    def spike_rules(self, account: str, tiles: Sequence[TileConfig], config: Config) -> tuple[SpikeRule, ...]:
        """Return the rules of the account's spike alerts, also of decks that are not connected; without any, the default."""
        return _rules(_with_spike_rule((*tiles, *written_tiles(config, account)), account), account)

    def recall(self, event: HistoryLoaded, now: Moment) -> bool:
        """Take over what is stored from before this start. Return False if it belongs to another account."""
        known = self.snapshots.get(event.account)
        if known is None or event.started_at != known.started_at:
            return False
        self.alerts.recall(event.alerts)
        self.outbox.recall(event.deliveries, now)
        self.meters.recall(event.account, event.runs)
        return True

    def to_do(self, tiles: Iterable[TileConfig], config: Config, hides: bool, now: Moment) -> list[Effect]:
        """Return what must be sent, stored, and polled at another pace, since the last call. `tiles`: all."""
        ends, tiles = self.alerts.ends_to_send(config, now), tuple(tiles)
        for notice in self.alerts.notices(self.snapshots, config, hides, now):
            key = driving_key(self.snapshots[notice.account], now.utc) if notice.kind is AlertKind.SPIKE else None
            if key is not None and notice.stage is not AlertStage.ENDED:
                watching = written_tiles(config, notice.account)
                notice = replace(notice, text=f"{notice.text}. {key_words(key, self.snapshots[notice.account], watching)}")
            self.outbox.add(notice)
        sends = self.outbox.due(now)
        return [
            *ends,
            *sends,
            *self.outbox.to_store({name: snapshot.started_at for name, snapshot in self.snapshots.items()}),
            *self.alerts.to_store(self.snapshots, now),
            *self.meters.to_store(self.snapshots),
            *self.meters.to_pace(tiles),
            *self._free_quotas_to_want(tiles),
        ]

    def _free_quotas_to_want(self, tiles: Iterable[TileConfig]) -> list[WantFreeQuota]:
        before, self._with_free_quota = self._with_free_quota, {tile.account for tile in tiles if tile.tile == FREE_QUOTA.name}
        return [WantFreeQuota(name, name in self._with_free_quota) for name in sorted(before ^ self._with_free_quota)]

    def _forget(self, account: str) -> None:
        self.alerts.forget(account)
        self.outbox.forget(account)
        self.switches.forget(account)
        self.meters.forget(account)


def _rules(tiles: Iterable[TileConfig], account: str) -> tuple[SpikeRule, ...]:
    """Return the rule of each spike alert of an account, once."""
    return tuple(dict.fromkeys(rule_of(tile.options) for tile in tiles if tile.tile == KIND.name and tile.account == account))


def _with_spike_rule(tiles: Sequence[TileConfig], account: str) -> Sequence[TileConfig]:
    """Return the tiles, and a default spike alert where the account has none: its user is notified all the same."""
    return tiles if _rules(tiles, account) else (*tiles, TileConfig(KIND.name, account))


def _configured(snapshot: Snapshot, config: Config) -> Snapshot:
    """Return the snapshot with what the user says about its account."""
    account, origin = config.accounts[snapshot.account], snapshot.origin or Origin()
    return replace(
        snapshot,
        prepaid=origin.prepaid if account.prepaid is None else account.prepaid,
        budget_usd=origin.budget_usd if account.budget_usd is None else account.budget_usd,
    )
