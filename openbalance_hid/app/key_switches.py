"""The switches of API keys: from a hold or a command to what OpenRouter has confirmed. Pure.

Here is who may switch, and what is pending. One switch of a key is pending at a time, whoever requested it. What OpenRouter has
confirmed replaces the row of an older list of keys, so that every tile and command shows the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from openbalance_hid.account.endpoints import intervals_old
from openbalance_hid.account.key_switching import KeySwitch, SwitchStage
from openbalance_hid.account.snapshot import ApiKey, Reading, Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import Effect, Refresh, ShowMessage, Store, SwitchKey
from openbalance_hid.app.events import KeySwitchEnded, KeySwitchRequested
from openbalance_hid.config.schema import Config, TileConfig
from openbalance_hid.text import single_line
from openbalance_hid.tiles.key_switch import target
from openbalance_hid.tiles.states import OLD_INTERVALS

NOTIFICATION = "notification"
LIST_LIMIT = timedelta(seconds=30)  # a list of keys may be as old as its request could last (`HttpLimits.total_s`)


class KeySwitches:
    """`latest`: the last switch of each key, by account and hash. `permitted`: accounts whose keys may be switched."""

    def __init__(self) -> None:
        self.permitted: frozenset[str] = frozenset()
        self.latest: dict[tuple[str, str], KeySwitch] = {}

    def hold(self, tile: TileConfig, snapshots: Mapping[str, Snapshot], source: str, now: Moment) -> list[Effect]:
        """Return the effects of a hold on a tile: it disables a key that is shown as on, and enables one shown as off."""
        options = {"key_name": None, "key_hash": None, **tile.options}
        key = target(snapshots[tile.account], options["key_name"], options["key_hash"])
        if key is None:
            return []
        return self.request(KeySwitchRequested(tile.account, key.hash, not key.disabled, source), snapshots, now)

    def request(self, wanted: KeySwitchRequested, snapshots: Mapping[str, Snapshot], now: Moment) -> list[Effect]:
        """Return the effects that start a switch; none if it is not permitted, or if one of this key is pending."""
        snapshot = snapshots.get(wanted.account)
        before = self.latest.get((wanted.account, wanted.key_hash))
        if snapshot is None or wanted.account not in self.permitted:
            return []
        if before is not None and before.stage is SwitchStage.PENDING:
            return []
        key = next((key for key in snapshot.keys.value or () if key.hash == wanted.key_hash), None)
        name = key.name if key is not None else wanted.key_hash[:6]
        switch = KeySwitch(wanted.account, wanted.key_hash, name, wanted.disables, wanted.source, now.utc)
        self.latest[switch.identity] = switch
        read_first = key is None or is_old(snapshot, now.utc) or (before is not None and before.stage is SwitchStage.UNKNOWN)
        return [SwitchKey(switch, read_first), Store(wanted.account, snapshot.started_at, switch)]

    def ended(self, event: KeySwitchEnded, snapshots: Mapping[str, Snapshot], now: Moment) -> list[Effect]:
        """Note the end of a switch; return what to store. Where the state is not as requested, all keys are read again."""
        snapshot = snapshots.get(event.account)
        switch = self.latest.get((event.account, event.key_hash))
        if snapshot is None or switch is None or switch.requested_at != event.requested_at:
            return []
        if switch.stage not in (SwitchStage.PENDING, SwitchStage.UNKNOWN):
            return []
        end = event.outcome
        switch = replace(switch, stage=end.stage, disabled=end.disabled, message=end.message, ended_at=now.utc)
        self.latest[switch.identity] = switch
        effects: list[Effect] = [Store(event.account, snapshot.started_at, switch)]
        if switch.source == NOTIFICATION:
            effects.append(_message(switch))
        return effects if end.stage is SwitchStage.DONE else [*effects, Refresh(event.account)]

    def applied(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with the states that were read back since its list of keys."""
        reading = snapshot.keys
        if reading.value is None:
            return snapshot
        keys = tuple(self._applied(key, snapshot.account, reading) for key in reading.value)
        return snapshot if keys == reading.value else replace(snapshot, keys=replace(reading, value=keys))

    def forget(self, account: str) -> None:
        """Drop the switches of an account: another one has its name now."""
        self.latest = {identity: switch for identity, switch in self.latest.items() if identity[0] != account}

    def _applied(self, key: ApiKey, account: str, reading: Reading[tuple[ApiKey, ...]]) -> ApiKey:
        switch = self.latest.get((account, key.hash))
        if switch is None or switch.disabled is None or switch.ended_at is None:
            return key
        if reading.measured_at is not None and reading.measured_at > switch.ended_at + LIST_LIMIT:
            return key
        return replace(key, disabled=switch.disabled or key.expired)


def _message(switch: KeySwitch) -> ShowMessage:
    """Return how a switch that was requested from a notification has ended."""
    name = single_line(switch.key_name)
    done = "disabled" if switch.disables else "enabled"
    if switch.stage is SwitchStage.DONE:
        return ShowMessage(f"OpenRouter: {name} is {done}", "OpenRouter has confirmed it.")
    state = {True: "It is disabled.", False: "It is still enabled.", None: "Its state is not known."}[switch.disabled]
    return ShowMessage(f"OpenRouter: {name} was not {done}", f"{state} {single_line(switch.message)}")


def permitted_accounts(config: Config) -> frozenset[str]:
    """Return the accounts whose keys the user permits to disable and enable."""
    return frozenset(name for name, account in config.accounts.items() if account.allow_key_switch and account.source is None)


def is_old(snapshot: Snapshot, now: datetime) -> bool:
    """Return whether the list of keys is so old that a tile shows its age."""
    read_at = snapshot.keys.measured_at
    return read_at is None or intervals_old(snapshot, read_at, now) >= OLD_INTERVALS
