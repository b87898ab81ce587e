"""The words of the messages about alerts, for the desktop and every other sink. Pure."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.alert import (
    ENDS_AFTER,
    Alert,
    AlertKind,
    BalanceLevel,
    BudgetLevel,
    is_of_earlier_month,
    level_name,
    too_old,
)
from openbalance_hid.account.snapshot import ApiKey, Snapshot
from openbalance_hid.account.spend import used_usd
from openbalance_hid.account.spike import Level, SpikeVerdict
from openbalance_hid.config.schema import DEFAULT_ACCOUNT, TileConfig
from openbalance_hid.hints import health_hint, hint
from openbalance_hid.text import single_line
from openbalance_hid.tiles import formatting as words
from openbalance_hid.tiles.actions import WebPage
from openbalance_hid.tiles.key_switch import target
from openbalance_hid.tiles.states import STATES

ENDS = {  # title and text of the message that an alert has ended
    AlertKind.SPIKE: ("spend is normal again", "The spike is over."),
    AlertKind.BALANCE: ("balance is no longer low", "The balance is above your limit again."),
    AlertKind.BUDGET: ("within the budget again", "The spend of this period is below your limit."),
    AlertKind.KEY: ("the key works again", "OpenRouter accepts the Management key."),
    AlertKind.STALE: ("the data is fresh again", "The account was read again."),
}


LANE_UNITS = {"m": "minute", "h": "hour", "d": "day"}
NEW_MONTH = ("a new month of the budget", "The alert was about the month before (UTC).")


class AlertMessage(Struct, frozen=True):
    """`page`: what the button of a notification opens; None: it acknowledges the alert."""

    title: str
    text: str
    page: WebPage | None = None
    urgent: bool = False


def spike_message(account: str, verdict: SpikeVerdict, level: Level | None = None, key_name: str | None = None) -> AlertMessage:
    """Return the message of a spike. `level`: of the alert, where it differs from the present one; `key_name`: of the rule."""
    level = level or verdict.level
    number, unit = verdict.lane[:-1], LANE_UNITS[verdict.lane[-1]]
    window = f"{number} {unit}" + ("s" if number != "1" else "")
    about = "~" if verdict.approximate else ""
    of_key = "" if key_name is None else f"API key {single_line(key_name)}: "
    text = f"{of_key}{about}{words.times(verdict.ratio)} the usual spend in the last {window}"
    if verdict.driver is not None:
        text += f", mostly {'key ' if verdict.driver.is_key else ''}{single_line(verdict.driver.name)}"
    return AlertMessage(f"OpenRouter: {level.name.capitalize()}{_named(account)}", text, None, level is Level.CRITICAL)


def calm_words(alert: Alert, message: AlertMessage) -> AlertMessage:
    """Return the message of an alert that stays open while its condition is not met: its level is the highest so far."""
    if alert.normal_since is None:
        return message
    minutes = ENDS_AFTER[alert.kind].total_seconds() / 60
    return replace(message, text=f"{message.text}. That is normal; after {minutes:.0f} minutes of it the alert ends")


def key_words(key: ApiKey, snapshot: Snapshot, tiles: Sequence[TileConfig]) -> str:
    """Return a sentence about the API key that drives a spike, and the tile that stops it."""
    shown = [tile for tile in tiles if tile.tile == "key-switch" and tile.account == snapshot.account]
    has_tile = any(target(snapshot, tile.options.get("key_name"), tile.options.get("key_hash")) == key for tile in shown)
    name = single_line(key.name)
    return f"API key: {name}" + (f"; hold the tile {name} to stop it" if has_tile and not key.disabled else "")


def account_message(
    kind: AlertKind, level: int, snapshot: Snapshot, limit: str | None, stale_hours: int, now: datetime
) -> AlertMessage:
    """Return the message of any other alert. `limit`: why the balance is low; None where amounts are masked."""
    name = _named(snapshot.account)
    if kind is AlertKind.BALANCE:
        left = snapshot.credits.value.balance_usd if snapshot.credits.value is not None else None
        text = "The balance is low" if limit is None else f"{words.cents(left)} left{limit}"
        title = f"OpenRouter: balance {level_name(kind, level)}{name}"
        return AlertMessage(title, text, WebPage.CREDITS, level > BalanceLevel.LOW)
    if kind is AlertKind.BUDGET:
        level_words = "over the budget" if level >= BudgetLevel.OVER else "near the budget"
        spent, budget_usd = used_usd(snapshot, "month", now), snapshot.budget_usd
        is_over = spent.usd is None or budget_usd is None or spent.usd > budget_usd
        fell = "" if is_over or level < BudgetLevel.OVER else "; it was more before"
        text = f"{words.cents(spent)} of {words.cents(budget_usd)} of this month (UTC){fell}"
        text = "See the budget tile" if limit is None else text
        return AlertMessage(f"OpenRouter: {level_words}{name}", text, WebPage.ACTIVITY, level >= BudgetLevel.OVER)
    reason = _sentence(snapshot.message)
    if kind is AlertKind.STALE:
        old = too_old(snapshot, stale_hours, now) or snapshot.credits
        what = "new completed days" if old is snapshot.activity else "new data"
        since = f" since {old.measured_at:%Y-%m-%d %H:%M} UTC" if old.measured_at is not None else ""
        reason = _sentence(old.message) or reason
        return AlertMessage(f"OpenRouter: old data{name}", f"No {what}{since}. {reason}To see why: {hint('the data is old')}")
    text = f"{reason}To fix it: {health_hint(snapshot.health.value, 'the key', snapshot.account)}"
    return AlertMessage(f"OpenRouter: {STATES[snapshot.health].words}{name}", text, WebPage.MANAGEMENT_KEYS)


def end_message(alert: Alert, now: datetime) -> AlertMessage:
    """Return the message that an alert has ended."""
    is_new_month = alert.kind is AlertKind.BUDGET and is_of_earlier_month(alert, now)
    title, text = NEW_MONTH if is_new_month else ENDS[alert.kind]
    page = WebPage.CREDITS if alert.kind is AlertKind.BALANCE else WebPage.ACTIVITY
    return AlertMessage(f"OpenRouter: {title}{_named(alert.account)}", text, page)


def _sentence(message: str | None) -> str:
    return f"{single_line(message).rstrip('.')}. " if message else ""


def _named(account: str) -> str:
    return "" if account == DEFAULT_ACCOUNT else f" ({account})"
