"""What is published for other desks: each snapshot of an account with a key, and the values of its summary. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

from openbalance_hid.account.alert import Alert, AlertKey
from openbalance_hid.account.amount import amount_text
from openbalance_hid.account.burn import burn_usd_per_hour
from openbalance_hid.account.byok import byok_usd
from openbalance_hid.account.pace import is_prepaid
from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.account.spend import used_usd
from openbalance_hid.account.spike import SpikeRule
from openbalance_hid.app.alerts import spike_verdict
from openbalance_hid.app.effects import AdoptPublish, Effect, Publish
from openbalance_hid.app.events import ConfigReloaded, Event, KeySwitchEnded
from openbalance_hid.app.tile_views import TileInputs
from openbalance_hid.config.default_layout import published_accounts
from openbalance_hid.config.schema import Config
from openbalance_hid.mqtt.snapshot_schema import SpikeWord, SummaryPart
from openbalance_hid.secret import mask_keys
from openbalance_hid.tiles.scene import Privacy

NOTHING_KNOWN = (Health.NO_KEY, Health.PREPARING)
PROBLEM_WORDS = {
    Health.NO_KEY: "no key is stored",
    Health.NOT_MANAGEMENT_KEY: "the key is not a Management key",
    Health.KEY_REJECTED: "the key is rejected",
    Health.OFFLINE: "OpenRouter cannot be reached",
    Health.RATE_LIMITED: "OpenRouter limits requests",
    Health.SERVER_ERROR: "OpenRouter has an outage",
}

RulesOf = Callable[[str], Sequence[SpikeRule]]


class SnapshotPublishing:
    """Remembers whether names were masked, so that a change is published at once and not at the next poll."""

    def __init__(self) -> None:
        self._masked: bool | None = None

    def adopted(self, config: Config, before: Config) -> list[Effect]:
        """Return the effect of another configuration; none if it publishes as before."""
        wanted = AdoptPublish(config.publish, published_accounts(config))
        return [] if wanted == AdoptPublish(before.publish, published_accounts(before)) else [wanted]

    def due(self, event: Event, config: Config, inputs: TileInputs, rules_of: RulesOf, now: datetime) -> list[Effect]:
        """Return what to publish after an event: its account, or all after a change of privacy or configuration."""
        if config.publish is None:
            self._masked = None
            return []
        masks_names = inputs.privacy is not Privacy.OFF
        changed, self._masked = self._masked is not masks_names, masks_names
        match event:
            case _ if changed or isinstance(event, ConfigReloaded):
                names = published_accounts(config)
            case Snapshot(account=account, refreshing=False) | KeySwitchEnded(account=account):
                names = (account,)
            case _:
                names = ()
        known = (inputs.snapshots[name] for name in names if name in inputs.snapshots)
        return [
            Publish(each, summary_of(each, rules_of(each.account), inputs.alerts, now), masks_names)
            for each in known
            if each.origin is None and (each.credits.value is not None or each.health not in NOTHING_KNOWN)
        ]


def summary_of(snapshot: Snapshot, rules: Sequence[SpikeRule], alerts: Mapping[AlertKey, Alert], now: datetime) -> SummaryPart:
    """Return the present values of an account for programs that compute nothing."""
    credits_ = snapshot.credits.value
    level = max(spike_verdict(snapshot, rule, alerts, now).level for rule in rules)
    problem = PROBLEM_WORDS.get(snapshot.health)
    reason = f": {mask_keys(snapshot.message)[:200]}" if problem and snapshot.message else ""
    amounts = {
        "today_usd": used_usd(snapshot, "today", now),
        "month_usd": used_usd(snapshot, "month", now),
        "byok_today_usd": byok_usd(snapshot, "today", now),
        "burn_usd_per_hour": burn_usd_per_hour(snapshot),
    }
    return SummaryPart(
        **{name: amount_text(each.usd) for name, each in amounts.items()},
        lower_bounds=tuple(name for name, each in amounts.items() if each.sign == "≥"),
        approximate=tuple(name for name, each in amounts.items() if each.sign == "~"),
        balance_usd=amount_text(credits_.balance_usd if credits_ is not None and is_prepaid(snapshot) else None),
        spike=cast(SpikeWord, level.name.lower()),  # a test compares the names
        problem=problem is not None,
        problem_text=f"{problem}{reason}" if problem else None,
    )
