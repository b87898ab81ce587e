"""Which message waits for which sink: each once, in order, at most one a minute, over failures and restarts."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bench.row_acting import SINKS as SINK_COUNT
from bench.row_acting import storm
from openbalance_hid.account.alert import Alert, AlertKind, BalanceLevel
from openbalance_hid.account.alert_notice import AlertStage
from openbalance_hid.account.snapshot import Health
from openbalance_hid.app.effects import SendAlert, SendToSink, Store
from openbalance_hid.app.events import AlertDelivered, ConfigReloaded, HistoryLoaded, SinkReported
from openbalance_hid.config.load import parse
from openbalance_hid.history.records import StoredDelivery
from tests.app.test_alerts import left
from tests.app.test_controller import Story
from tests.build import NOON

SINKS = """
[[alerts]]
url = "https://a.example/x"
[[alerts]]
run = ["/bin/b"]
on = ["key"]
"""
TILE = '[[decks]]\nrest = "blank"\n[[decks.keys]]\nkey = 0\ntile = "balance"\nlow_usd = 10\n'
TITLES = {AlertStage.BEGAN: "began", AlertStage.GREW: "grew", AlertStage.ENDED: "ended"}


class Desk(Story):
    """A controller with sinks that accept or refuse, and what they have received."""

    def __init__(self, text: str = SINKS + TILE) -> None:
        super().__init__(parse(text, "config.toml"), left(50))
        self.down: dict[str, str] = {}  # name of a sink -> why it refuses
        self.received: list[tuple[float, str, str, int]] = []
        self.attempts: list[tuple[float, str]] = []
        self.plugged()

    def tell(self, event):
        effects = super().tell(event)
        for effect in [effect for effect in effects if isinstance(effect, SendToSink)]:
            name, at_s = effect.sink.name, self.now.mono_s - 1000
            self.attempts.append((at_s, name))
            error = self.down.get(name)
            if error is None:
                self.received.append((at_s, name, TITLES[effect.notice.stage], effect.notice.level))
            self.tell(SinkReported(effect.sink.identity, effect.notice, error))
        return effects

    def seen_by(self, name: str) -> list[tuple[str, int]]:
        return [(stage, level) for _, sink, stage, level in self.received if sink == name]

    def deliveries(self) -> list[StoredDelivery]:
        """What the history holds of the messages."""
        rows = {}
        for effect in self.seen(Store):
            if isinstance(effect.record, StoredDelivery):
                record = effect.record
                key = (record.sink, record.notice.key, record.notice.since, record.notice.stage)
                rows.pop(key, None)
                if not record.is_over:
                    rows[key] = record
        return sorted(rows.values(), key=lambda record: record.notice.at)

    def open_alerts(self) -> tuple[Alert, ...]:
        return tuple(self.controller.accounts.alerts.open.values())


def restarted(before: Desk) -> Desk:
    """Return a new controller with the history of one that was killed."""
    desk = Desk()
    desk.now = before.now
    started_at = desk.controller.snapshots["default"].started_at
    desk.tell(HistoryLoaded("default", started_at, before.open_alerts(), deliveries=tuple(before.deliveries())))
    return desk


def test_each_sink_receives_start_rise_and_end_once():
    desk = Desk()
    for usd in (50, 9, 8, 9, 1, 1, -1, -2, 60, 60):
        desk.tell(left(usd))
        desk.wait(61)
    assert desk.seen_by("a.example") == [
        ("began", BalanceLevel.LOW),
        ("grew", BalanceLevel.VERY_LOW),
        ("grew", BalanceLevel.BELOW_ZERO),
        ("ended", BalanceLevel.NORMAL),
    ]
    assert desk.seen_by("/bin/b") == [], "it wants other kinds"


def test_a_sink_that_was_down_gets_the_highest_level_and_then_the_end():
    desk = Desk()
    desk.down["a.example"] = "no answer in time"
    for usd in (9, 1, -1):
        desk.tell(left(usd))
        desk.wait(300)
    assert desk.seen_by("a.example") == []
    desk.tell(left(60))
    del desk.down["a.example"]
    desk.wait(7200)
    assert desk.seen_by("a.example") == [("began", BalanceLevel.BELOW_ZERO), ("ended", BalanceLevel.NORMAL)]


def test_one_sink_that_is_down_delays_no_other():
    desk = Desk(SINKS.replace('on = ["key"]', "") + TILE)
    desk.down["a.example"] = "connection refused"
    desk.tell(left(9))
    assert desk.seen_by("/bin/b") == [("began", BalanceLevel.LOW)]


def test_a_failed_message_is_tried_again_with_growing_pauses():
    desk = Desk()
    desk.down["a.example"] = "answered 500"
    desk.tell(left(9))
    desk.wait(6 * 3600)
    times = [at_s for at_s, _ in desk.attempts]
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[:4] == pytest.approx([60, 120, 240, 480], abs=1)
    assert max(pauses) == pytest.approx(3600, abs=1)


def test_a_server_that_wants_a_pause_gets_it():
    desk = Desk()
    desk.tell(left(50))
    Story.tell(desk, left(9))  # without the answer of the sink
    (effect,) = desk.seen(SendToSink)
    Story.tell(desk, SinkReported(effect.sink.identity, effect.notice, "answered 429", retry_after_s=1000))
    desk.wait(900)
    assert desk.attempts == []
    desk.wait(200)
    assert len(desk.attempts) == 1


def test_a_sink_gets_at_most_one_message_a_minute():
    desk = Desk(SINKS + TILE)
    for number in range(600):
        desk.tell(left(9 if number % 2 else 60))
        desk.wait(1)
    times = [at_s for at_s, name, *_ in desk.received if name == "a.example"]
    assert all(after - before >= 60 for before, after in pairwise(times))
    assert 9 <= len(times) <= 11


def test_a_message_of_more_than_a_day_ago_is_not_delivered():
    desk = Desk()
    desk.down["a.example"] = "down"
    desk.tell(left(9))
    desk.wait(25 * 3600)
    del desk.down["a.example"]
    desk.wait(7200)
    assert desk.seen_by("a.example") == []
    assert desk.deliveries() == [], "and nothing of it is left in the history"
    desk.tell(left(60))
    desk.wait(120)
    assert desk.seen_by("a.example") == [], "the end of something it never received is no news"


def test_a_restart_repeats_nothing_and_loses_nothing():
    desk = Desk()
    desk.tell(left(9))
    desk.wait(61)
    again = restarted(desk)
    again.tell(left(9))
    again.wait(300)
    assert again.received == []
    again.down["a.example"] = "down"
    again.tell(left(1))
    again.wait(10)
    third = restarted_with(desk, again)
    third.wait(120)
    assert third.seen_by("a.example") == [("grew", BalanceLevel.VERY_LOW)]
    third.tell(left(60))
    third.wait(120)
    assert third.seen_by("a.example")[1:] == [("ended", BalanceLevel.NORMAL)]


def restarted_with(*before: Desk) -> Desk:
    """Return a new controller with the history of several runs, the last one killed."""
    last = before[-1]
    for earlier in before[:-1]:
        last.done = earlier.done + last.done
    return restarted(last)


def test_another_account_under_the_name_gets_no_messages_of_the_one_before():
    desk = Desk()
    desk.down["a.example"] = "down"
    desk.tell(left(9))
    del desk.down["a.example"]
    desk.tell(replace(left(50), started_at=NOON + timedelta(hours=1)))
    desk.wait(3600)
    assert desk.received == []


def test_a_sink_that_is_configured_later_gets_what_comes_from_then_on():
    desk = Desk(TILE)
    desk.tell(left(9))
    desk.tell(ConfigReloaded(parse(SINKS + TILE, "config.toml")))
    desk.wait(61)
    assert desk.received == []
    desk.tell(left(1))
    assert desk.seen_by("a.example") == [("began", BalanceLevel.VERY_LOW)], "for this sink it is new"


def test_the_desktop_is_notified_of_an_end_only_if_it_was_of_the_start():
    desk = Desk()
    (sent,) = [each for each in desk.tell(left(9)) if isinstance(each, SendAlert)]
    assert [each for each in desk.tell(left(60)) if isinstance(each, SendAlert)] == []
    (sent,) = [each for each in desk.tell(left(9)) if isinstance(each, SendAlert)]
    desk.tell(AlertDelivered(sent.alert.key, sent.level, True))
    (ended,) = [each for each in desk.tell(left(60)) if isinstance(each, SendAlert)]
    assert ended.title == "OpenRouter: balance is no longer low"


def test_data_that_is_too_old_is_an_alert_after_a_while_and_ends_with_a_good_answer():
    desk = Desk('stale_hours = 1\n[[alerts]]\nurl = "https://a.example/"\non = ["stale"]\n')
    measured_at = NOON - timedelta(hours=1, minutes=1)
    old = replace(left(50), health=Health.OFFLINE, polls=3)
    old = replace(old, credits=replace(old.credits, measured_at=measured_at, health=Health.OFFLINE))
    desk.tell(old)
    desk.wait(600)
    desk.tell(old)
    assert desk.received == [], "a machine that has just woken up needs no alert"
    desk.wait(301)
    desk.tell(old)
    assert desk.seen_by("a.example") == [("began", 3)]
    desk.wait(61)
    desk.tell(replace(left(50), credits=replace(old.credits, measured_at=desk.now.utc, health=Health.OK)))
    desk.wait(61)
    assert desk.seen_by("a.example") == [("began", 3), ("ended", 2)]


@pytest.mark.statistical
# Polls are at least a second apart: an alert is identified by its start, and two cannot start at the same moment.
@given(st.lists(st.tuples(st.sampled_from([60, 9, 1, -1]), st.sampled_from([1, 30, 90, 400]), st.booleans()), max_size=20))
def test_whatever_happens_a_sink_receives_each_level_of_an_alert_at_most_once(steps):
    desk = Desk()
    for usd, pause_s, is_down in steps:
        desk.down = {"a.example": "down"} if is_down else {}
        desk.tell(left(usd))
        desk.wait(pause_s)
    desk.down = {}
    desk.wait(2 * 3600)
    levels = []
    for stage, level in desk.seen_by("a.example"):
        if stage == "ended":
            assert levels, "an end without a start"
            levels = []
        else:
            assert stage == "began" or level > levels[-1]
            levels = [level] if stage == "began" else [*levels, level]
    open_kinds = [alert for alert in desk.open_alerts() if alert.kind is AlertKind.BALANCE]
    assert bool(levels) == bool(open_kinds), "in the end a sink knows what is so"


@pytest.mark.statistical
def test_a_storm_of_alerts_costs_bounded_memory_and_threads():
    waiting, kib, threads = storm()
    assert waiting <= 50
    assert kib < 512
    assert threads <= SINK_COUNT
