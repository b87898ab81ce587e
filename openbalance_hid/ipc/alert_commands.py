"""The commands about alerts: which are active, what each sink has received, and a test message to each sink."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

from openbalance_hid.account.alert import NORMAL, AlertKind, level_name
from openbalance_hid.account.alert_notice import AlertNotice, AlertStage
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.events import SinkReported
from openbalance_hid.config.schema import ALERT_KINDS, DEFAULT_ACCOUNT, AlertSink

DESKTOP = "desktop"

Deliver = Callable[[AlertSink, AlertNotice], SinkReported]
SinkClaim = tuple[AlertSink, float]  # a sink, and the seconds until it may get a message


class ProbeTargets(NamedTuple):
    """Where a test message goes. `is_desktop_on`: `notify` of the configuration."""

    claims: Sequence[SinkClaim]
    is_desktop_on: bool


def alerts_status(controller: Controller, now: Moment) -> dict[str, Any]:
    """Return the open alerts and the sinks, ready for JSON. Of an address only its host is in it."""
    active = controller.accounts.alerts.active(controller.snapshots, controller.config, controller.hides_amounts, now)
    desktop = {"sink": DESKTOP, "type": DESKTOP, "on": list(ALERT_KINDS), "enabled": controller.config.notify}
    return {
        "active": [
            {
                "kind": alert.kind.value,
                "account": alert.account,
                "level": level_name(alert.kind, alert.level),
                "title": message.title,
                "text": message.text,
                "since": _instant(alert.since),
                "acknowledged": alert.acknowledged >= alert.level,
                "confirmed": alert.key not in controller.accounts.alerts.unconfirmed,
            }
            for alert, message in active
        ],
        "sinks": [
            desktop,
            *(
                {
                    "sink": each.sink.name,
                    "type": "program" if each.sink.url is None else each.sink.format,
                    "on": list(each.sink.on),
                    "waiting": each.waiting,
                    "dropped": each.dropped,
                    "delivered_at": _instant(each.delivered_at),
                    "failing_since": _instant(each.failing_since),
                    "error": each.error,
                }
                for each in controller.accounts.outbox.statuses()
            ),
        ],
    }


def claim_probes(controller: Controller, now: Moment) -> ProbeTargets:
    """Return each sink with the seconds until it may get a test message; 0: now."""
    outbox = controller.accounts.outbox
    claims = [(sink, outbox.claim_test(sink, now)) for sink in outbox.sinks()]
    return ProbeTargets(claims, controller.config.notify)


def probe_notice(now: datetime) -> AlertNotice:
    """Return the message that `alerts test` sends."""
    title, text = "OpenRouter: test", "This is a test of openbalance-hid: alerts reach you here."
    return AlertNotice(AlertKind.SPIKE, DEFAULT_ACCOUNT, AlertStage.TEST, NORMAL, now, now, title, text)


def probe_sinks(
    targets: ProbeTargets, now: datetime, deliver: Deliver, to_desktop: Callable[[], str | None]
) -> list[dict[str, str | None]]:
    """Send the test message to the desktop, unless it is off, and to each sink that may get one, all at once.

    Return the result of each. `to_desktop` returns why the desktop does not show it, or None.
    """
    notice = probe_notice(now)

    def try_sink(claim: SinkClaim) -> str | None:
        sink, left_s = claim
        if left_s > 0:
            return f"it has just received a message, and gets one a minute: try again in {left_s:.0f} s"
        return deliver(sink, notice).error

    with ThreadPoolExecutor(len(targets.claims) + 1, thread_name_prefix="alert test") as pool:
        results = {DESKTOP: pool.submit(to_desktop)} if targets.is_desktop_on else {}
        found = [*results.items(), *((claim[0].name, pool.submit(try_sink, claim)) for claim in targets.claims)]
        return [{"sink": name, "error": result.result()} for name, result in found]


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
