"""The commands about API keys: a list, and the switch of one, by the same way as a hold on its tile."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from openbalance_hid.account.key_switching import KeySwitch, SwitchStage, named_keys
from openbalance_hid.account.snapshot import ApiKey, Snapshot
from openbalance_hid.account.utc_days import server_shift
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.events import KeySwitchRequested
from openbalance_hid.config.default_layout import sources_of
from openbalance_hid.errors import ApiError, NotPermittedError, UsageError
from openbalance_hid.hints import hint
from openbalance_hid.text import did_you_mean, single_line

SWITCH_LIMIT_S = 150.0  # four requests of up to 30 s, and the pauses between them
SOURCE = "shell"
Put = Callable[[KeySwitchRequested], None]


def list_keys(controller: Controller, account: str | None) -> dict[str, Any]:
    """Return the keys of each account, ready for JSON; null where they are not known."""
    if account is not None:
        _refuse_without_key(controller, account)
    sources = sources_of(controller.config)
    return {
        name: {
            "may_switch": name in controller.accounts.switches.permitted,
            "health": snapshot.keys.health.value,
            "message": snapshot.keys.message,
            "measured_at": _instant(snapshot.keys.measured_at),
            "clock_shift_s": round(server_shift(snapshot).total_seconds()),
            "keys": None
            if snapshot.keys.value is None
            else [_key(key, controller.accounts.switches.latest.get((name, key.hash))) for key in snapshot.keys.value],
        }
        for name, snapshot in controller.snapshots.items()
        if account in (None, name) and name not in sources
    }


def start_switch(
    controller: Controller, account: str, name: str, disables: bool, now: Moment, put: Put
) -> tuple[str, datetime]:
    """Request a switch; return the hash of the key, and the time from which its result counts. Raises OpenBalanceError."""
    snapshot = _refuse_without_key(controller, account)
    switches = controller.accounts.switches
    if account not in switches.permitted:
        raise NotPermittedError(
            f"the account {account} does not permit it: set allow_key_switch = true in [accounts.{account}]",
            hint("keys may not be switched"),
        )
    if snapshot.keys.value is None:
        raise ApiError(
            f"the keys of the account {account} are not known yet", hint("the keys of the account are not known yet")
        )
    key = _named(snapshot, name)
    pending = switches.latest.get((account, key.hash))
    if pending is not None and pending.stage is SwitchStage.PENDING:
        if pending.disables is not disables:
            raise UsageError(f"the key {single_line(key.name)} is being switched", hint("a key was not switched"))
        return key.hash, pending.requested_at  # wait for the same switch: nothing is sent twice
    put(KeySwitchRequested(account, key.hash, disables, SOURCE))
    return key.hash, now.utc


def ended_switch(controller: Controller, account: str, key_hash: str, since: datetime) -> KeySwitch | None:
    """Return the switch of a key that was requested at `since` or later, if it has ended."""
    switch = controller.accounts.switches.latest.get((account, key_hash))
    if switch is None or switch.stage is SwitchStage.PENDING or switch.requested_at < since:
        return None
    return switch


def switch_result(switch: KeySwitch) -> dict[str, Any]:
    """Return the end of a switch, ready for JSON."""
    return {
        "account": switch.account,
        "name": switch.key_name,
        "hash": switch.key_hash,
        "requested": "disabled" if switch.disables else "enabled",
        "result": switch.stage.value,
        "disabled": switch.disabled,
        "message": switch.message,
    }


def _named(snapshot: Snapshot, name: str) -> ApiKey:
    keys = snapshot.keys.value or ()
    found = named_keys(keys, name) or named_keys(keys, None, name)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"'{single_line(key.name)}'" for key in found)
        raise UsageError(f"{len(found)} keys are named {name[:60]!r}: use one of {names}", hint("no such key, or several"))
    raise UsageError(
        f"no key is named {name[:60]!r}{did_you_mean(name, [key.name for key in keys])}", hint("no such key, or several")
    )


def _refuse_without_key(controller: Controller, account: str) -> Snapshot:
    """Return the snapshot of an account that this machine has the key of. Raises OpenBalanceError for any other."""
    source = sources_of(controller.config).get(account)
    if source is not None:
        raise NotPermittedError(
            f"the account {account} comes from {source.url}: its keys are listed and switched where it is published",
            hint("the account is published by another machine"),
        )
    return _snapshot(controller, account)


def _snapshot(controller: Controller, account: str) -> Snapshot:
    if account not in controller.snapshots:
        raise UsageError(f"no account is named {account[:40]!r}", hint("the account does not exist"))
    return controller.snapshots[account]


def _key(key: ApiKey, switch: KeySwitch | None) -> dict[str, Any]:
    return {
        "name": key.name,
        "hash": key.hash,
        "state": _state(key, switch),
        "workspace": key.workspace or None,
        "today_usd": _amount(key.today_usd),
        "month_usd": _amount(key.month_usd),
        "total_usd": _amount(key.total_usd),
        "limit_usd": _amount(key.limit_usd),
        "limit_left_usd": _amount(key.limit_left_usd),
        "last_used_at": _instant(key.last_used_at),
    }


def _state(key: ApiKey, switch: KeySwitch | None) -> str:
    if switch is not None and switch.stage is SwitchStage.PENDING:
        return "pending"
    return "expired" if key.expired else "disabled" if key.disabled else "enabled"


def _amount(usd: Decimal | None) -> str | None:
    return None if usd is None else f"{usd:f}"


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
