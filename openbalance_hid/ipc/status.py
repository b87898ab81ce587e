"""The status of the daemon as the JSON of `status --json`. Pure: built from the controller and a few counts.

Amounts are decimal strings or null, never floats; instants are UTC.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from msgspec import Struct

from openbalance_hid import __version__
from openbalance_hid.account.alert import Alert, AlertKey, AlertKind, calls_for_attention, level_name
from openbalance_hid.account.amount import Amount, amount_text
from openbalance_hid.account.burn import burn_usd_per_hour
from openbalance_hid.account.endpoints import endpoints, is_stale
from openbalance_hid.account.leaders import leaders
from openbalance_hid.account.low_balance import lowest_level
from openbalance_hid.account.meter_run import MeterRun
from openbalance_hid.account.pace import empty_on, is_prepaid, runway
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.account.spend import day_usd, used_usd
from openbalance_hid.account.spend_budget import Budget, find_budget
from openbalance_hid.account.spike import Level, SpikeRule, rests_on
from openbalance_hid.account.utc_days import server_shift, utc_now
from openbalance_hid.app.alerts import spike_verdict
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.low_limits import low_limit_usd, low_limits
from openbalance_hid.app.plugin_tiles import plugin_states
from openbalance_hid.app.tile_views import TileInputs
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.products import IN_USE_LIBUSB, FoundDeck, product_names
from openbalance_hid.deck.usb_sysfs import VENDOR, UsbDevice
from openbalance_hid.hints import hint
from openbalance_hid.ipc.spend_parts import byok_status, instant_text, is_amount_stale, spend_by_status
from openbalance_hid.tiles.scene import Privacy

TOP_MODELS = 6
_DECK_COUNTERS = ("images_sent", "images_skipped", "reports_sent")


class DeckCounts(Struct, frozen=True):
    """The state and counters of one deck. `trouble`: why it cannot be used, in words; `hint`: the command that fixes it."""

    serial: str
    model: str
    path: str
    connected: bool
    brightness: int | None = None
    images_sent: int = 0
    images_skipped: int = 0
    reports_sent: int = 0
    reconnects: int = 0
    trouble: str | None = None
    hint: str = ""


class ProcessInfo(Struct, frozen=True):
    """What only the process can report: the controller has no clock and no files."""

    pid: int
    uptime_s: float
    config_path: str
    config_loaded_at: datetime
    config_error: str | None
    config_watch: str | None = None  # how changes of the file are noticed, in words; None: there is no file
    metrics: Mapping[str, str | None] | None = None  # `MetricsServer.state`; None: not configured
    publish: Mapping[str, Any] | None = None  # `Publishing.status`; None: not configured


def status(controller: Controller, decks: Sequence[DeckCounts], process: ProcessInfo, now: Moment) -> dict[str, Any]:
    """Return the whole status, ready for JSON."""
    return {
        "version": __version__,
        "pid": process.pid,
        "uptime_s": round(process.uptime_s, 1),
        "config": {
            "path": process.config_path,
            "loaded_at": instant_text(process.config_loaded_at),
            "error": process.config_error,
            "watch": process.config_watch,
            "notes": controller.config.misfits(list(controller.decks)),
        },
        "accounts": {
            name: {
                **account,
                **spend_by_status(controller.snapshots[name], now.utc),
                **byok_status(controller.snapshots[name], now.utc),
            }
            for name, account in accounts(controller, now.utc).items()
        },
        "metrics": process.metrics,
        "decks": [_deck(controller, deck) for deck in decks],
        "plugins": plugin_states(controller.plugins.results, controller.connected.shown_tiles()),
        "counters": {
            "polls": sum(snapshot.polls for snapshot in controller.snapshots.values()),
            "api_calls": sum(snapshot.api_calls for snapshot in controller.snapshots.values()),
            "steps": controller.steps,
        },
        "publish": process.publish,
    }


def without_counters(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a status that does not grow by itself: two that are equal report no change."""
    decks = [{name: value for name, value in deck.items() if name not in _DECK_COUNTERS} for deck in status.get("decks", ())]
    return {**{name: value for name, value in status.items() if name not in ("uptime_s", "counters")}, "decks": decks}


def accounts(controller: Controller, now: datetime) -> dict[str, Any]:
    """Return the part of the status about each account, which `bar` shows, too."""
    inputs = controller.tile_inputs
    return {
        name: _account(snapshot, inputs, controller.config, controller.spike_rules(name), now)
        for name, snapshot in inputs.snapshots.items()
    }


def _account(
    snapshot: Snapshot, inputs: TileInputs, config: Config, rules: Sequence[SpikeRule], now: datetime
) -> dict[str, Any]:
    credits_ = snapshot.credits.value
    measured_at = snapshot.credits.measured_at
    spent = _spent(snapshot, now)
    top = leaders(snapshot, "30d", "spend", now)
    states = endpoints(snapshot, now)
    left, burn = runway(snapshot, now), burn_usd_per_hour(snapshot)
    runs_out = empty_on(snapshot, left, now) if left is not None else None
    return {
        "health": snapshot.health.value,
        "message": snapshot.message,
        "key_hint": snapshot.key_hint,
        **_source(snapshot, config),
        "prepaid": is_prepaid(snapshot),
        "balance_usd": amount_text(credits_.balance_usd if credits_ and is_prepaid(snapshot) else None),
        "low_usd": amount_text(low_limit_usd(config, snapshot.account)),
        "balance_level": level_name(AlertKind.BALANCE, lowest_level(snapshot, low_limits(config, snapshot.account), now)),
        "total_credits_usd": amount_text(credits_.total_credits_usd if credits_ else None),
        "total_usage_usd": amount_text(credits_.total_usage_usd if credits_ else None),
        "spend_usd": {period: amount_text(amount.usd) for period, amount in spent.items()},
        "lower_bounds": [period for period, amount in spent.items() if amount.lower_bound],
        "approximate": [period for period, amount in spent.items() if amount.approximate and not amount.lower_bound],
        "spend_measured_at": {period: instant_text(amount.measured_at) for period, amount in spent.items() if amount.is_known},
        "spend_stale": [period for period, amount in spent.items() if is_amount_stale(snapshot, amount, now)],
        "top_models": [
            {"model": leader.name, "spend_usd": amount_text(leader.spend.usd), "lower_bound": leader.lower_bound}
            for leader in (top or ())[:TOP_MODELS]
        ],
        "spike": _spike(snapshot, rules, inputs.alerts, now),
        "runway_days": None if left is None else float(left.days.quantize(Decimal("1e-9"), ROUND_FLOOR)),
        "empty_on": None if runs_out is None else runs_out.isoformat(),
        "burn_usd_per_hour": amount_text(burn.usd),
        "burn_approximate": burn.approximate,
        "budget": None if snapshot.budget_usd is None else _budget(find_budget(snapshot, "month", snapshot.budget_usd, now)),
        "meter": _meter(inputs.runs.get(snapshot.account)),
        "masked": inputs.privacy is Privacy.ON,
        "measured_at": instant_text(measured_at),
        "clock_shift_s": round(server_shift(snapshot).total_seconds()),
        "next_poll_at": instant_text(snapshot.next_poll_at),
        "endpoints": {
            name: {
                "health": each.health.value,
                "message": each.message,
                "measured_at": instant_text(each.measured_at),
                "stale": each.stale,
                "dropped_rows": each.dropped_rows,
            }
            for name, each in states.items()
        },
        "stale": any(each.stale for each in states.values()),
    }


def _source(snapshot: Snapshot, config: Config) -> dict[str, Any]:
    """Return where the account comes from if this machine has no key for it; nulls if it has."""
    account = config.accounts.get(snapshot.account)
    source = account.source if account is not None else None
    return {
        "source": source.url if source is not None else None,
        "publisher": snapshot.origin.host if snapshot.origin is not None else None,
    }


def _spike(snapshot: Snapshot, rules: Sequence[SpikeRule], alerts: Mapping[AlertKey, Alert], now: datetime) -> dict[str, Any]:
    """Return the verdict of the account's spike rule; of several rules, the highest alarm, unacknowledged first.

    Without an alarm the rules of the whole account count, and an unknown verdict comes before a normal one: nothing is normal
    while a verdict is missing.
    The ratio is truncated and not rounded: 2.9996 is no spike.
    """
    found = []
    for rule in rules:
        verdict = spike_verdict(snapshot, rule, alerts, now)
        calls = calls_for_attention(alerts.get((AlertKind.SPIKE, snapshot.account, rule)), verdict.level)
        found.append((verdict, rule, calls))
    alarms = [each for each in found if each[0].level > Level.NORMAL]
    if alarms:
        verdict, rule, calls = max(alarms, key=lambda each: (each[0].level, each[2]))
    else:
        verdict, rule, calls = min(found, key=lambda each: (each[1].key_name is not None, each[0].level))
    return {
        "level": verdict.level.name.lower(),
        "ratio": int(verdict.ratio * 1000) / 1000 if verdict.ratio is not None else None,
        "approximate": verdict.approximate,
        "lane": verdict.lane,
        "driver": verdict.driver.name if verdict.driver is not None else None,
        "acknowledged": verdict.level > Level.NORMAL and not calls,
        "stale": (at := rests_on(snapshot, verdict, rule)) is None or is_stale(snapshot, at, now),
    }


def _spent(snapshot: Snapshot, now: datetime) -> dict[str, Amount]:
    """Return the spend of each period by its name, also of yesterday."""
    yesterday = day_usd(snapshot, utc_now(snapshot, now).date() - timedelta(days=1))
    periods = {period: used_usd(snapshot, period, now) for period in ("today", "7d", "30d", "month", "all")}
    return {"today": periods["today"], "yesterday": yesterday, **periods}


def _meter(run: MeterRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "running": run.is_running,
        "settled": run.is_settled,
        "started_at": instant_text(run.started_at),
        "ended_at": instant_text(run.ended_at),
        "spend_usd": amount_text(run.usd),
        "approximate": run.approximate,
    }


def _deck(controller: Controller, deck: DeckCounts) -> dict[str, Any]:
    keys = [
        {"key": key, "tile": tile.tile, "text": face.view.text}
        for key, tile in sorted(controller.key_tiles.get(deck.serial, {}).items())
        if (face := controller.faces.get((deck.serial, key))) is not None
    ]
    state = controller.decks.get(deck.serial)
    cells = [
        {"cell": cell.number, "tile": tile.tile, "text": face.view.text}
        for cell, tile in (state.cells().items() if state is not None else ())
        if (face := controller.faces.get((deck.serial, cell))) is not None
    ]
    return {
        "serial": deck.serial,
        "model": deck.model,
        "path": deck.path,
        "connected": deck.connected,
        "trouble": deck.trouble,
        "hint": deck.hint,
        "page": state.pages.shown.name if state is not None else None,
        "pages": list(state.pages.names) if state is not None else [],
        "brightness": deck.brightness,
        "light": state.light.name if state is not None and state.light is not None else None,
        "keys": keys,
        "strip": cells,
        "images_sent": deck.images_sent,
        "images_skipped": deck.images_skipped,
        "reports_sent": deck.reports_sent,
        "reconnects": deck.reconnects,
    }


def _budget(budget: Budget) -> dict[str, Any]:
    return {
        "period": budget.period,
        "limit_usd": amount_text(budget.limit_usd),
        "spent_usd": amount_text(budget.spent.usd),
        "projected_usd": amount_text(budget.projected_usd),
    }


def open_counts(name: str, device: DeckDevice, brightness: int | None, arrivals: int) -> DeckCounts:
    """Return the counts of an open deck."""
    return DeckCounts(
        serial=name,
        model=device.model,
        path=device.path,
        connected=not device.is_lost,
        brightness=brightness,
        images_sent=device.images_sent,
        images_skipped=device.images_skipped,
        reports_sent=device.reports_sent,
        reconnects=max(0, arrivals - 1),
    )


def closed_counts(found: FoundDeck | DeckDevice, why: str, hint: str) -> DeckCounts:
    """Return the row of a deck that is connected and not open, with the reason and the command that fixes it."""
    return DeckCounts(found.serial, found.model, found.path, connected=False, trouble=why, hint=hint)


def claimed_counts(device: UsbDevice) -> DeckCounts:
    """Return the row of a deck that another program has claimed through libusb."""
    model, _ = product_names(int(VENDOR, 16), device.product_id) or ("", "")
    return DeckCounts(
        device.serial,
        model,
        device.node,
        connected=False,
        trouble=IN_USE_LIBUSB,
        hint=hint("another program uses the deck", "status"),
    )
