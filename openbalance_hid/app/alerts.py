"""The alerts of all accounts: judged at each snapshot, sent to the desktop once, acknowledged by a tap, stored in the history.

How an alert starts, rises and ends is in `account.alert`. Here each kind has its rule and its message. Pure.
"""

from collections.abc import Iterable, Mapping, Set
from decimal import Decimal

from openbalance_hid.account.alert import (
    Alert,
    AlertKey,
    AlertKind,
    BalanceLevel,
    account_levels,
    acknowledge,
    advance,
    is_news,
    level_name,
    notified,
)
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spike import Level, SpikeRule, SpikeVerdict, judge
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import SendAlert, Store
from openbalance_hid.app.events import AlertAcknowledged, AlertDelivered
from openbalance_hid.config.schema import DEFAULT_ACCOUNT, Config, TileConfig
from openbalance_hid.history.records import EndedAlert
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import WebPage
from openbalance_hid.tiles.spike_alert import KIND, rule_of
from openbalance_hid.tiles.states import STATES


class Alerts:
    """`open`: the alerts that have not ended."""

    def __init__(self) -> None:
        self.open: dict[AlertKey, Alert] = {}
        self._stored: dict[AlertKey, Alert] = {}
        self._sending: dict[AlertKey, int] = {}  # level of the notification that was not delivered yet

    def judge_spikes(self, tiles: Iterable[TileConfig], snapshots: Mapping[str, Snapshot], now: Moment) -> None:
        """Judge by the rules of the spike alerts among these tiles."""
        for key in spike_keys(tiles):
            self._advance(key, _verdict(key, snapshots, now).level, now)

    def end_other_rules(self, account: str, rules: Set[SpikeRule]) -> None:
        """End the spike alerts of an account by rules that are no longer configured."""
        for key in [key for key in self.open if key[:2] == (AlertKind.SPIKE, account) and key[2] not in rules]:
            self._end(key)

    def follow(self, snapshot: Snapshot, config: Config, hides: bool, now: Moment) -> list[SendAlert]:
        """Judge balance and key; return the notifications to send. `hides`: amounts are masked now."""
        account = config.accounts.get(snapshot.account)
        low_usd = low_limit_usd(config, snapshot.account, notifying=True)
        wanted = []
        for kind, level in account_levels(snapshot, low_usd).items():
            key: AlertKey = (kind, snapshot.account, None)
            self._advance(key, level, now)
            if account is not None and account.notify and self._must_send(key, level):
                limit = "" if hides or low_usd is None else words.money(low_usd)
                wanted.append(self._send(key, level, *_account_message(kind, level, snapshot, limit)))
        return wanted

    def spikes_to_send(self, tiles: Iterable[TileConfig], snapshots: Mapping[str, Snapshot], now: Moment) -> list[SendAlert]:
        """Return the notifications of spikes to send, for those of these tiles that notify."""
        wanted = []
        for key in spike_keys(tile for tile in tiles if tile.options.get("notify") is not False):
            verdict = _verdict(key, snapshots, now)
            if self._must_send(key, verdict.level):
                title, text = spike_message(key[1], verdict)
                wanted.append(self._send(key, verdict.level, title, text, None, verdict.level is Level.CRITICAL))
        return wanted

    def acknowledge_tile(self, tile: TileConfig, snapshots: Mapping[str, Snapshot], now: Moment) -> bool:
        """Acknowledge the present level of a spike alert tile. Return whether it has an alert."""
        key = spike_key(tile.account, rule_of(tile.options))
        if key not in self.open:
            return False
        self.open[key] = acknowledge(self.open[key], _verdict(key, snapshots, now).level)
        return True

    def acknowledge(self, event: AlertAcknowledged) -> None:
        """Acknowledge the level of a notification."""
        if event.key in self.open:
            self.open[event.key] = acknowledge(self.open[event.key], event.level)

    def delivered(self, event: AlertDelivered) -> None:
        """Note whether a notification was delivered; if not, it is sent again at the next snapshot."""
        if self._sending.get(event.key) == event.level:
            del self._sending[event.key]
        if event.delivered and event.key in self.open:
            self.open[event.key] = notified(self.open[event.key], event.level)

    def recall(self, alerts: Iterable[Alert]) -> None:
        """Take over the alerts that were open before this start."""
        known = {alert.key: alert for alert in alerts}
        self.open |= known
        self._stored |= known

    def forget(self, account: str) -> None:
        """Remove the alerts of an account: another one has its name now."""
        for alerts in (self.open, self._stored, self._sending):
            for key in [key for key in alerts if key[1] == account]:
                del alerts[key]

    def to_store(self, snapshots: Mapping[str, Snapshot], now: Moment) -> list[Store]:
        """Return what has changed since the last call."""
        keys = [key for key in (*self.open, *self._stored) if self.open.get(key) != self._stored.get(key)]
        self._stored = dict(self.open)
        return [
            Store(key[1], snapshots[key[1]].started_at, self.open.get(key) or EndedAlert(key, now.utc))
            for key in dict.fromkeys(keys)
            if key[1] in snapshots
        ]

    def _advance(self, key: AlertKey, level: int, now: Moment) -> None:
        alert = advance(self.open.get(key), key, level, now.utc)
        if alert is None:
            self._end(key)
        else:
            self.open[key] = alert

    def _end(self, key: AlertKey) -> None:
        self.open.pop(key, None)
        self._sending.pop(key, None)

    def _must_send(self, key: AlertKey, level: int) -> bool:
        alert = self.open.get(key)
        if alert is None or not is_news(key[0], level, alert.notified):
            return False
        return key not in self._sending or is_news(key[0], level, self._sending[key])

    def _send(self, key: AlertKey, level: int, title: str, text: str, page: WebPage | None, urgent: bool) -> SendAlert:
        self._sending[key] = level
        return SendAlert(self.open[key], level, title, text, page, urgent)


def spike_key(account: str, rule: SpikeRule) -> AlertKey:
    """Return the key of an account's spike alert by this rule."""
    return AlertKind.SPIKE, account, rule


def spike_keys(tiles: Iterable[TileConfig]) -> list[AlertKey]:
    """Return the key of each spike alert among these tiles, once: many decks may show the same."""
    return list(dict.fromkeys(spike_key(tile.account, rule_of(tile.options)) for tile in tiles if tile.tile == KIND.name))


def low_limit_usd(config: Config, account: str, notifying: bool = False) -> Decimal | None:
    """Return the balance below which an account's is low: the highest `low_usd` of its balance tiles, None without one.

    `notifying`: only of the tiles that notify.
    """
    limits = [
        Decimal(str(tile.options["low_usd"]))
        for deck in config.decks
        for page in deck.pages
        for tile in page.keys.values()
        if tile.tile == "balance" and tile.account == account
        if tile.options.get("low_usd") is not None and not (notifying and tile.options.get("notify") is False)
    ]
    return max(limits, default=None)


# --- messages ---


LANE_UNITS = {"m": "minute", "h": "hour", "d": "day"}


def spike_message(account: str, verdict: SpikeVerdict) -> tuple[str, str]:
    """Return title and text of a notification."""
    number, unit = verdict.lane[:-1], LANE_UNITS[verdict.lane[-1]]
    window = f"{number} {unit}" + ("s" if number != "1" else "")
    text = f"{words.times(verdict.ratio)} the usual spend in the last {window}"
    if verdict.driver is not None:
        text += f", mostly {single_line(verdict.driver.name)}"
    return f"OpenRouter: {verdict.level.name.capitalize()}{_named(account)}", text


def _account_message(kind: AlertKind, level: int, snapshot: Snapshot, limit: str) -> tuple[str, str, WebPage, bool]:
    """Return title, text, page and urgency. `limit`: the user's; empty where amounts are masked."""
    name = _named(snapshot.account)
    if kind is AlertKind.BALANCE:
        left = snapshot.credits.value.balance_usd if snapshot.credits.value is not None else None
        text = f"{words.money(left)} left; your limit is {limit}" if limit else "Balance below your limit"
        return f"OpenRouter: balance {level_name(kind, level)}{name}", text, WebPage.CREDITS, level > BalanceLevel.LOW
    hint = "" if snapshot.account == DEFAULT_ACCOUNT else f" --account {snapshot.account}"
    reason = f"{single_line(snapshot.message).rstrip('.')}. " if snapshot.message else ""
    text = f"{reason}To fix it: openbalance-hid setup{hint}"
    return f"OpenRouter: {STATES[snapshot.health].words}{name}", text, WebPage.MANAGEMENT_KEYS, False


def _named(account: str) -> str:
    return "" if account == DEFAULT_ACCOUNT else f" ({account})"


def _verdict(key: AlertKey, snapshots: Mapping[str, Snapshot], now: Moment) -> SpikeVerdict:
    return judge(snapshots[key[1]], now.utc, key[2] or SpikeRule())
