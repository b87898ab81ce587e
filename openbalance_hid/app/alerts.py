"""The alerts of all accounts: judged at each snapshot, sent to the desktop once, acknowledged by a tap, stored in the history.

How an alert starts, rises and ends is in `account.alert`, the words of the messages in `alert_messages`. Every start, rise and
end also becomes an `AlertNotice`, for the sinks beside the desktop (`alert_outbox`). Pure.
"""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from openbalance_hid.account.alert import (
    NORMAL,
    STALE_LEVEL,
    Alert,
    AlertKey,
    AlertKind,
    account_levels,
    acknowledge,
    advance,
    budget_level,
    is_news,
    is_of_earlier_month,
    is_over,
    notified,
    too_old,
)
from openbalance_hid.account.alert_notice import AlertNotice, AlertStage
from openbalance_hid.account.low_balance import lowest_level
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spike import Level, SpikeRule, SpikeVerdict, judge
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.app.alert_messages import AlertMessage, account_message, calm_words, end_message, spike_message
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import SendAlert, Store
from openbalance_hid.app.events import AlertAcknowledged, AlertDelivered
from openbalance_hid.app.low_limits import limit_words, low_limits
from openbalance_hid.config.schema import Config, TileConfig
from openbalance_hid.history.records import EndedAlert
from openbalance_hid.tiles.spike_alert import KIND, rule_of

STALE_GRACE_S = 900.0  # how long data must have been too old while this program runs


class Alerts:
    """`open`: the alerts that have not ended. `unconfirmed`: those with a notification that the user may not have seen."""

    def __init__(self) -> None:
        self.open: dict[AlertKey, Alert] = {}
        self.unconfirmed: set[AlertKey] = set()
        self._stored: dict[AlertKey, Alert] = {}
        self._sending: dict[AlertKey, int] = {}  # level of the notification that was not delivered yet
        self._news: dict[AlertKey, tuple[AlertStage, Alert]] = {}  # what no `AlertNotice` was made of yet
        self._weeks_usd: dict[AlertKey, Decimal] = {}  # a day, of the weeks that are leaks now
        self._over: set[AlertKey] = set()  # open only for their `usual_usd`: the user was notified of their end
        self._old_since_s: dict[str, float] = {}  # by account: monotonic, when its data was first seen to be too old

    def judge_spikes(self, tiles: Iterable[TileConfig], snapshots: Mapping[str, Snapshot], now: Moment) -> None:
        """Judge by the rules of the spike alerts among these tiles."""
        for key in spike_keys(tiles):
            self._advance_spike(key, self._verdict(key, snapshots, now), now)

    def end_other_rules(self, account: str, rules: Set[SpikeRule]) -> None:
        """End the spike alerts of an account by rules that are no longer configured."""
        for key in [key for key in self.open if key[:2] == (AlertKind.SPIKE, account) and key[2] not in rules]:
            self._end(key)

    def follow(self, snapshot: Snapshot, config: Config, hides: bool, now: Moment) -> list[SendAlert]:
        """Judge balance and key; return the notifications to send. `hides`: amounts are masked now."""
        account = config.accounts.get(snapshot.account)
        limits = low_limits(config, snapshot.account, notifying=True)
        wanted = []
        self._end_earlier_budget(snapshot, now)
        balance = lowest_level(snapshot, limits, now.utc)
        levels = {**account_levels(snapshot, balance), **self._stale_level(snapshot, config, now)}
        budget = budget_level(snapshot, now.utc)
        if budget is not None:
            levels[AlertKind.BUDGET] = budget
        for kind, level in levels.items():
            key: AlertKey = (kind, snapshot.account, None)
            self._advance(key, level, now)
            if account is not None and account.notify and self._must_send(key, level):
                reason = None if hides else limit_words(snapshot, limits, now.utc)
                message = account_message(kind, level, snapshot, reason, account.stale_hours, now.utc)
                wanted.append(self._send(key, level, message))
        return wanted

    def notices(self, snapshots: Mapping[str, Snapshot], config: Config, hides: bool, now: Moment) -> list[AlertNotice]:
        """Return the messages for the sinks about what has changed since the last call. `hides`: amounts are masked now."""
        news, self._news = self._news, {}
        found = []
        for key, (stage, alert) in news.items():
            if key[1] not in snapshots:
                continue
            message = self._message(alert, stage, snapshots[key[1]], config, hides, now)
            level = alert.level if stage is not AlertStage.ENDED else NORMAL
            at, rule = now.utc, alert.rule
            found.append(
                AlertNotice(
                    alert.kind, alert.account, stage, level, alert.since, at, message.title, message.text, rule, message.urgent
                )
            )
        return found

    def ends_to_send(self, config: Config, now: Moment) -> list[SendAlert]:
        """Return a notification for each alert that has ended, if the user was notified of it. Call it before `notices`."""
        ended = [alert for stage, alert in self._news.values() if stage is AlertStage.ENDED and alert.notified > NORMAL]
        return [
            SendAlert(alert, NORMAL, message.title, message.text, message.page)
            for alert in ended
            if (account := config.accounts.get(alert.account)) is not None and account.notify
            for message in [end_message(alert, now.utc)]
        ]

    def active(
        self, snapshots: Mapping[str, Snapshot], config: Config, hides: bool, now: Moment
    ) -> list[tuple[Alert, AlertMessage]]:
        """Return the open alerts with their words, oldest first."""
        open_ones = (alert for alert in self.open.values() if alert.account in snapshots and not is_over(alert, now.utc))
        known = sorted(open_ones, key=lambda alert: alert.since)
        return [
            (alert, calm_words(alert, self._message(alert, AlertStage.GREW, snapshots[alert.account], config, hides, now)))
            for alert in known
        ]

    def _message(
        self, alert: Alert, stage: AlertStage, snapshot: Snapshot, config: Config, hides: bool, now: Moment
    ) -> AlertMessage:
        if stage is AlertStage.ENDED:
            return end_message(alert, now.utc)
        if alert.kind is AlertKind.SPIKE:
            verdict = self._verdict(alert.key, {alert.account: snapshot}, now)
            return spike_message(alert.account, verdict, Level(alert.level), _key_name(alert.key))
        limits = low_limits(config, alert.account, notifying=True)
        reason = None if hides else limit_words(snapshot, limits, now.utc)
        account = config.accounts.get(alert.account)
        stale_hours = config.stale_hours if account is None else account.stale_hours
        return account_message(alert.kind, alert.level, snapshot, reason, stale_hours, now.utc)

    def _stale_level(self, snapshot: Snapshot, config: Config, now: Moment) -> dict[AlertKind, int]:
        """Return the level of data that is too old. Only after a while: a machine that has just woken up polls in a moment."""
        account = config.accounts.get(snapshot.account)
        if account is None or not account.stale_hours or too_old(snapshot, account.stale_hours, now.utc) is None:
            self._old_since_s.pop(snapshot.account, None)
            return {AlertKind.STALE: NORMAL}
        since_s = self._old_since_s.setdefault(snapshot.account, now.mono_s)
        return {AlertKind.STALE: STALE_LEVEL} if now.mono_s - since_s >= STALE_GRACE_S else {}

    def spikes_to_send(self, tiles: Iterable[TileConfig], snapshots: Mapping[str, Snapshot], now: Moment) -> list[SendAlert]:
        """Return the notifications of spikes to send, for those of these tiles that notify."""
        wanted = []
        for key in spike_keys(tile for tile in tiles if tile.options.get("notify") is not False):
            verdict = self._verdict(key, snapshots, now)
            if self._must_send(key, verdict.level):
                wanted.append(self._send(key, verdict.level, spike_message(key[1], verdict, None, _key_name(key))))
        return wanted

    def acknowledge_tile(self, tile: TileConfig, snapshots: Mapping[str, Snapshot], now: Moment) -> bool:
        """Acknowledge the present level of a spike alert tile. Return whether it has an alert."""
        key = spike_key(tile.account, rule_of(tile.options))
        if key not in self.open:
            return False
        verdict = self._verdict(key, snapshots, now)
        self.open[key] = acknowledge(self.open[key], verdict.level, None if verdict.week is None else verdict.week.usd)
        self.unconfirmed.discard(key)
        return True

    def acknowledge(self, event: AlertAcknowledged) -> None:
        """Acknowledge the level of a notification."""
        self.unconfirmed.discard(event.key)
        if event.key in self.open:
            self.open[event.key] = acknowledge(self.open[event.key], event.level, self._weeks_usd.get(event.key))

    def delivered(self, event: AlertDelivered) -> None:
        """Note whether a notification was delivered; if not, it is sent again at the next snapshot."""
        if self._sending.get(event.key) == event.level:
            del self._sending[event.key]
        if event.key not in self.open:
            return
        if event.delivered:
            self.open[event.key] = notified(self.open[event.key], event.level)
        (self.unconfirmed.discard if event.delivered and event.confirmed else self.unconfirmed.add)(event.key)

    def unconfirmed_kind(self, now: datetime) -> AlertKind | None:
        """Return the kind of the latest alert that the user may not have seen; None without one."""
        known = [self.open[key] for key in self.unconfirmed & self.open.keys() if not is_over(self.open[key], now)]
        return max(known, key=lambda alert: alert.since).kind if known else None

    def recall(self, alerts: Iterable[Alert]) -> None:
        """Take over the alerts that were open before this start."""
        known = {alert.key: alert for alert in alerts}
        self.open |= known
        self._stored |= known
        self._over |= {key for key, alert in known.items() if alert.usual_usd is not None and alert.normal_since is not None}

    def forget(self, account: str) -> None:
        """Remove the alerts of an account: another one has its name now."""
        for alerts in (self.open, self._stored, self._sending, self._news, self._weeks_usd):
            for key in [key for key in alerts if key[1] == account]:
                del alerts[key]
        self.unconfirmed = {key for key in self.unconfirmed if key[1] != account}
        self._old_since_s.pop(account, None)
        self._over = {key for key in self._over if key[1] != account}

    def to_store(self, snapshots: Mapping[str, Snapshot], now: Moment) -> list[Store]:
        """Return what has changed since the last call."""
        keys = [key for key in (*self.open, *self._stored) if self.open.get(key) != self._stored.get(key)]
        self._stored = dict(self.open)
        return [
            Store(key[1], snapshots[key[1]].started_at, self.open.get(key) or EndedAlert(key, now.utc))
            for key in dict.fromkeys(keys)
            if key[1] in snapshots
        ]

    def _advance_spike(self, key: AlertKey, verdict: SpikeVerdict, now: Moment) -> None:
        """Advance a spike alert. One that is over is kept while the week that the user has acknowledged is still a leak."""
        before = self.open.get(key)
        if verdict.week is not None:
            self._weeks_usd[key] = verdict.week.usd
        elif verdict.level >= Level.NORMAL:
            self._weeks_usd.pop(key, None)
        if before is not None and is_over(before, now.utc):
            if key not in self._over:
                self._end(key)
                self._over.add(key)
            self.open[key] = before
            if verdict.level <= NORMAL and (key in self._weeks_usd or verdict.level < NORMAL):
                return
            del self.open[key]
            self._over.discard(key)
        self._advance(key, verdict.level, now)
        if before is not None and before.usual_usd is not None and key in self.open and key in self._weeks_usd:
            self.open[key] = replace(self.open[key], usual_usd=before.usual_usd)

    def _verdict(self, key: AlertKey, snapshots: Mapping[str, Snapshot], now: Moment) -> SpikeVerdict:
        return spike_verdict(snapshots[key[1]], key[2] or SpikeRule(), self.open, now.utc)

    def _advance(self, key: AlertKey, level: int, now: Moment) -> None:
        before = self.open.get(key)
        alert = advance(before, key, level, now.utc)
        if alert is None:
            self._end(key)
            return
        self.open[key] = alert
        if before is None:
            self._news[key] = (AlertStage.BEGAN, alert)
        elif is_news(key[0], alert.level, before.level):
            stage = self._news.get(key, (AlertStage.GREW, alert))[0]
            self._news[key] = (stage if stage is AlertStage.BEGAN else AlertStage.GREW, alert)

    def _end(self, key: AlertKey) -> None:
        alert = self.open.pop(key, None)
        self.unconfirmed.discard(key)
        self._sending.pop(key, None)
        if alert is not None:
            began_unnoticed = self._news.pop(key, (None,))[0] is AlertStage.BEGAN
            if not began_unnoticed:
                self._news[key] = (AlertStage.ENDED, alert)

    def _end_earlier_budget(self, snapshot: Snapshot, now: Moment) -> None:
        """End the alert about the budget of an earlier UTC month: it says nothing about this one."""
        alert = self.open.get((AlertKind.BUDGET, snapshot.account, None))
        if alert is not None and is_of_earlier_month(alert, utc_now(snapshot, now.utc)):
            self._end(alert.key)

    def _must_send(self, key: AlertKey, level: int) -> bool:
        alert = self.open.get(key)
        if alert is None or not is_news(key[0], level, alert.notified):
            return False
        return key not in self._sending or is_news(key[0], level, self._sending[key])

    def _send(self, key: AlertKey, level: int, message: AlertMessage) -> SendAlert:
        self._sending[key] = level
        return SendAlert(self.open[key], level, message.title, message.text, message.page, message.urgent)


def _key_name(key: AlertKey) -> str | None:
    return None if key[2] is None else key[2].key_name


def spike_key(account: str, rule: SpikeRule) -> AlertKey:
    """Return the key of an account's spike alert by this rule."""
    return AlertKind.SPIKE, account, rule


def spike_keys(tiles: Iterable[TileConfig]) -> list[AlertKey]:
    """Return the key of each spike alert among these tiles, once: many decks may show the same."""
    return list(dict.fromkeys(spike_key(tile.account, rule_of(tile.options)) for tile in tiles if tile.tile == KIND.name))


def spike_verdict(snapshot: Snapshot, rule: SpikeRule, alerts: Mapping[AlertKey, Alert], now: datetime) -> SpikeVerdict:
    """Return the verdict by one rule; `alerts`: open ones, with the weeks that the user has acknowledged."""
    alert = alerts.get(spike_key(snapshot.account, rule))
    return judge(snapshot, now, rule, alert.usual_usd if alert is not None else None)
