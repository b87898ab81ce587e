"""Acting on money: the time from a hold to the confirmed OFF, false reports under faults, and a storm of alerts."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from bench.child import Child
from bench.sample_sizes import SampleSizes
from bench.table import Goal, Row
from bench.user_environment import environment_for
from openbalance_hid.account.alert import AlertKind
from openbalance_hid.account.alert_notice import AlertNotice, AlertStage
from openbalance_hid.account.key_switching import SwitchStage
from openbalance_hid.account.spike import Level, SpikeRule
from openbalance_hid.app.alert_outbox import AlertOutbox
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import SendToSink
from openbalance_hid.app.events import SinkReported
from openbalance_hid.config.schema import AlertSink
from openbalance_hid.errors import NoDaemonError
from openbalance_hid.ipc.control_client import request
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.key_writing import switch_key
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.key_changes import KeyFault
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_keys import key_hash
from openbalance_hid.simulator.openrouter.scenarios import ResponseFault

LIMIT_S = 30.0
ANSWER_S = 0.1  # of the local server: two answers, to the write and to the read
CONFIG = """
[accounts.default]
allow_key_switch = true
[[decks]]
[[decks.keys]]
key = 0
tile = "key-switch"
key_name = "laptop"
"""
RISES_A_MINUTE = 1000
STORM_MINUTES = 10
SINKS = 3
_REFUSALS = (401, 403, 404, 409, 429, 500, 503)
_DAMAGES = (ResponseFault.TRUNCATED, ResponseFault.EMPTY, ResponseFault.HTML, ResponseFault.SHORT, ResponseFault.GARBAGE)
FAULTS = (
    *[None] * 3,
    KeyFault(False, 500, ResponseFault.GARBAGE),  # lost on its way to the server
    *(KeyFault(False, status) for status in _REFUSALS),
    *(KeyFault(True, damage=damage) for damage in _DAMAGES),
)


def rows(sizes: SampleSizes) -> list[Row]:
    """Return the rows."""
    false, _, _ = false_reports(sizes.fault_orders, seed=1)
    waiting, kib, threads = storm()
    faults_note = f"{sizes.fault_orders} random orders of refusals, lost and damaged answers."
    storm_note = f"{RISES_A_MINUTE} a minute for {STORM_MINUTES} minutes, {SINKS} sinks that are down, virtual time."
    return [
        _hold_to_off(sizes),
        Row("false reports of a switch", "reports", (float(false),), "", (), Goal(at_most=0), faults_note),
        Row("alerts that wait for a sink in a storm", "messages", (float(waiting),), "", (), Goal(at_most=50), storm_note),
        Row("memory of a storm of alerts", "KiB", (kib,), "", (), Goal(at_most=512), ""),
        Row("threads of a storm of alerts", "threads", (float(threads),), "", (), Goal(at_most=SINKS), ""),
    ]


def _hold_to_off(sizes: SampleSizes) -> Row:
    """Hold the key of a running daemon; the peer is the write and the read alone, on a new connection as ours."""
    pairs = []
    with SampleAccount() as sample, environment_for(sample, CONFIG) as env, Child("bench.child_daemon", "mk2", "1", env=env):
        socket_file = Path(env["OPENBALANCE_RUNTIME_DIR"], "control.sock")
        _wait(lambda: _text(socket_file).startswith("laptop: on"))
        for number in range(sizes.switches):
            is_off = number % 2 == 0
            sample.slow_s = ANSWER_S
            begun_s = time.perf_counter()
            request(socket_file, "hold", {"key": 0})
            _wait(lambda shown=f"laptop: {'off' if is_off else 'on'}": _text(socket_file).startswith(shown))
            ours_s = time.perf_counter() - begun_s
            with Client(Secret(sample.key), sample.url) as client:
                begun_s = time.perf_counter()
                client.set_key_disabled(key_hash(0), is_off)
                client.key(key_hash(0))
                pairs.append((1000 * ours_s, 1000 * (time.perf_counter() - begun_s)))
            sample.slow_s = 0.0
    note = f"whole `run` on a simulated deck, until `status` has the new text of the key; each answer takes {ANSWER_S:g} s."
    ours, theirs = tuple(a for a, _ in pairs), tuple(b for _, b in pairs)
    return Row("end of the hold to the confirmed state", "ms", ours, "the write and the read alone", theirs, Goal(), note)


def _text(socket_file: Path) -> str:
    """Return what the first key shows; empty while it is not known."""
    try:
        decks = request(socket_file, "status")["decks"]
    except NoDaemonError:
        return ""
    return next((str(key["text"]) for deck in decks for key in deck["keys"] if key["key"] == 0), "")


def _wait(reached: Callable[[], bool]) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not reached():
        if time.monotonic() > end_s:
            raise TimeoutError("the key never showed it")
        time.sleep(0.002)


def false_reports(orders: int, seed: int) -> tuple[int, int, int]:
    """Return the false reports, the keys written twice, and the "done", of so many random orders of faults."""
    rng, false, twice, done = Random(seed), 0, 0, 0
    quick = HttpLimits(connect_s=2, read_s=2, total_s=2)
    target = key_hash(0)
    with SampleAccount() as sample:
        changes = sample.key_changes
        for _ in range(orders):
            disables = rng.random() < 0.5
            changes.disabled[target] = rng.random() < 0.5
            changes.writes.clear()
            sample.requests.clear()
            changes.faults.clear()
            changes.faults.extend(rng.choices(FAULTS, k=6))
            with Client(Secret(sample.key), sample.url, limits=quick) as client:
                outcome = switch_key(client, target, disables, rng.random() < 0.5, lambda _: None)
            is_done = outcome.stage is SwitchStage.DONE
            done += is_done
            false += is_done and changes.disabled[target] is not disables
            false += outcome.disabled is not None and outcome.disabled is not changes.disabled[target]
            false += outcome.stage is SwitchStage.NOT_SENT and bool(changes.writes)
            twice += sum(each.method == "PATCH" for each in sample.requests) > 1
    return false, twice, done


def storm() -> tuple[int, float, int]:
    """Return the most messages that waited for a sink, the memory in KiB, and the most messages under way at once."""
    outbox = AlertOutbox(AlertSink(f"https://{number}.example/") for number in range(SINKS))
    at, mono_s, most_under_way, waiting = datetime(2026, 11, 22, tzinfo=UTC), 0.0, 0, 0
    under_way: list[SendToSink] = []
    gc.collect()
    tracemalloc.start()
    for number in range(RISES_A_MINUTE * STORM_MINUTES):
        mono_s += 60 / RISES_A_MINUTE
        now = Moment(at + timedelta(seconds=mono_s), mono_s)
        rule = SpikeRule(window_hours=Decimal(1 + number % 500))  # so many different alerts
        stage = AlertStage.BEGAN if number % 3 else AlertStage.ENDED
        outbox.add(AlertNotice(AlertKind.SPIKE, "default", stage, Level.CRITICAL, now.utc, now.utc, "title", "text", rule))
        under_way += [effect for effect in outbox.due(now) if isinstance(effect, SendToSink)]
        most_under_way = max(most_under_way, len(under_way))
        outbox.to_store({})
        if number % 167 == 0:  # a sink that hangs for 10 s
            for effect in under_way:
                outbox.reported(SinkReported(effect.sink.identity, effect.notice, "down"), now)
            under_way = []
        waiting = max(waiting, *(status.waiting for status in outbox.statuses()))
    kib = tracemalloc.get_traced_memory()[0] / 1024
    tracemalloc.stop()
    return waiting, kib, most_under_way
