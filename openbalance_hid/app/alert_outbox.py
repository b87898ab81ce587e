"""The alert messages that wait for a web address or a program: each sink receives each message once, in order. Pure.

A sink gets at most one message a minute. A failed one is tried again later and later; a message that is a day old is dropped.
Of one alert at most two messages wait, its highest level and its end, so a sink that is down for long costs little memory.
Sending is in `runtime.alert_sender`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.alert import AlertKey
from openbalance_hid.account.alert_notice import AlertNotice, AlertStage
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.effects import Effect, SendToSink, Store
from openbalance_hid.app.events import SinkReported
from openbalance_hid.config.schema import AlertSink
from openbalance_hid.history.records import StoredDelivery

GAP_S = 60.0  # at most one message a minute and sink
LONGEST_BACKOFF_S = 3600.0
JITTER = 0.25  # a backoff is up to this share longer, so that many desks do not come back at once
KEPT_FOR = timedelta(days=1)
MOST_WAITING = 50  # messages for one sink: the oldest are dropped

_Slot = tuple[AlertKey, bool]  # the alert, and whether the message is about its end


class SinkStatus(Struct, frozen=True):
    """What is known of one sink, for `alerts`."""

    sink: AlertSink
    waiting: int
    dropped: int
    delivered_at: datetime | None
    failing_since: datetime | None
    error: str | None


class _SinkQueue:
    """The messages of one sink. `notified`: the alerts that it has received, by the start of each."""

    def __init__(self) -> None:
        self.waiting: dict[_Slot, AlertNotice] = {}
        self.notified: dict[AlertKey, datetime] = {}
        self.sending: AlertNotice | None = None
        self.sent_s = float("-inf")  # monotonic, of the last message
        self.not_before_s = float("-inf")  # the end of a backoff
        self.failures = 0
        self.dropped = 0
        self.delivered_at: datetime | None = None
        self.failing_since: datetime | None = None
        self.error: str | None = None

    def add(self, notice: AlertNotice) -> list[AlertNotice]:
        """Take a message; return the messages that it replaces."""
        key, ended = notice.key, notice.stage is AlertStage.ENDED
        begun = self.waiting.get((key, False))
        replaced = [self.waiting.pop((key, ended))] if (key, ended) in self.waiting else []
        if ended and not self._knows(notice) and (begun is None or begun.since != notice.since):
            return [*replaced, notice]
        if not ended and (over := self.waiting.get((key, True))) is not None and not self._knows(over):
            replaced.append(self.waiting.pop((key, True)))  # the end of an alert whose start is replaced here
        self.waiting[key, ended] = notice
        while len(self.waiting) > MOST_WAITING:
            replaced.append(self.waiting.pop(next(iter(self.waiting))))
            self.dropped += 1
        return replaced

    def _knows(self, notice: AlertNotice) -> bool:
        """Return whether the sink has received the start of this alert, or is receiving it now."""
        sending = self.sending
        is_sent = sending is not None and (sending.key, sending.since) == (notice.key, notice.since)
        return is_sent or self.notified.get(notice.key) == notice.since

    def expire(self, now: datetime) -> list[AlertNotice]:
        """Drop and return the messages that are too old; a clock that was set back makes none older."""
        old = [slot for slot, notice in self.waiting.items() if now - notice.at > KEPT_FOR]
        self.dropped += len(old)
        return [self.waiting.pop(slot) for slot in old]

    def note_delivered(self, notice: AlertNotice) -> None:
        """Note that the sink has received a message."""
        ended = notice.stage is AlertStage.ENDED
        if self.waiting.get((notice.key, ended)) == notice:
            del self.waiting[notice.key, ended]
        if not ended:
            self.notified[notice.key] = max(notice.since, self.notified.get(notice.key, notice.since))
        elif self.notified.get(notice.key) == notice.since:
            del self.notified[notice.key]

    def next(self) -> AlertNotice | None:
        """Return the message to send next."""
        return next(iter(self.waiting.values()), None) if self.sending is None else None

    def as_sent(self, notice: AlertNotice) -> AlertNotice:
        """Return a message as this sink must see it: a rise of an alert that it does not know is a start."""
        is_known = self.notified.get(notice.key) == notice.since
        return notice if is_known or notice.stage is not AlertStage.GREW else replace(notice, stage=AlertStage.BEGAN)

    def ready_s(self) -> float:
        """Return when the next message may be sent."""
        return max(self.sent_s + GAP_S, self.not_before_s)


class AlertOutbox:
    """The queues of all sinks. Every message that waits is also stored, so that a restart loses none."""

    def __init__(self, sinks: Iterable[AlertSink] = ()) -> None:
        self._sinks: dict[str, AlertSink] = {}
        self._queues: dict[str, _SinkQueue] = {}
        self._to_store: list[StoredDelivery] = []
        self.set_sinks(sinks)

    def set_sinks(self, sinks: Iterable[AlertSink]) -> None:
        """Send to these sinks and no others. What a remaining sink has received is still known."""
        self._sinks = {sink.identity: sink for sink in sinks}
        self._queues = {name: self._queues.get(name) or _SinkQueue() for name in self._sinks}

    def add(self, notice: AlertNotice) -> None:
        """Queue a message for each sink that wants its kind."""
        for name, sink in self._sinks.items():
            if notice.kind.value in sink.on:
                replaced = self._queues[name].add(notice)
                self._to_store += [StoredDelivery(name, each, None, is_over=True) for each in replaced]
                if notice not in replaced:
                    self._to_store.append(StoredDelivery(name, notice))

    def recall(self, deliveries: Iterable[StoredDelivery], now: Moment) -> None:
        """Take over what was stored before this start: messages that still wait, and what each sink has received."""
        for each in deliveries:
            queue = self._queues.get(each.sink)
            if queue is None:
                continue
            if each.delivered_at is None:
                queue.waiting.setdefault((each.notice.key, each.notice.stage is AlertStage.ENDED), each.notice)
                continue
            queue.note_delivered(each.notice)
            queue.delivered_at = max(each.delivered_at, queue.delivered_at or each.delivered_at)
            ago_s = max(0.0, (now.utc - each.delivered_at).total_seconds())
            queue.sent_s = max(queue.sent_s, now.mono_s - ago_s)

    def forget(self, account: str) -> None:
        """Drop the messages about an account: another one has its name now."""
        for queue in self._queues.values():
            queue.waiting = {slot: notice for slot, notice in queue.waiting.items() if slot[0][1] != account}
            queue.notified = {key: since for key, since in queue.notified.items() if key[1] != account}

    def due(self, now: Moment) -> list[Effect]:
        """Return the messages to send now, one a sink at most."""
        effects: list[Effect] = []
        for name, queue in self._queues.items():
            self._to_store += [StoredDelivery(name, notice, None, is_over=True) for notice in queue.expire(now.utc)]
            notice = queue.next()
            if notice is not None and now.mono_s >= queue.ready_s():
                queue.sending, queue.sent_s = notice, now.mono_s
                effects.append(SendToSink(self._sinks[name], queue.as_sent(notice)))
        return effects

    def claim_test(self, sink: AlertSink, now: Moment) -> float:
        """Return the seconds until a sink may get a test message; 0: now, and the next one a minute later."""
        queue = self._queues[sink.identity]
        left_s = max(0.0, queue.sent_s + GAP_S - now.mono_s)
        if not left_s:
            queue.sent_s = now.mono_s
        return left_s

    def reported(self, event: SinkReported, now: Moment) -> None:
        """Note the result of a message; a failed one is tried again, unless something newer has replaced it."""
        queue = self._queues.get(event.sink)
        if queue is None:
            return
        notice = None
        if event.notice.stage is not AlertStage.TEST:
            notice, queue.sending = queue.sending, None
        if event.error is None:
            queue.delivered_at, queue.failing_since, queue.error = now.utc, None, None
            queue.failures, queue.not_before_s = 0, float("-inf")
            if notice is not None:
                queue.note_delivered(notice)
                self._to_store.append(StoredDelivery(event.sink, notice, now.utc))
            return
        queue.failing_since, queue.error = queue.failing_since or now.utc, event.error
        if notice is not None:
            queue.failures += 1
            backoff_s = min(LONGEST_BACKOFF_S, GAP_S * 2 ** min(queue.failures - 1, 10)) * (1 + JITTER * event.jitter)
            wanted_s = min(event.retry_after_s or 0.0, LONGEST_BACKOFF_S)
            queue.not_before_s = now.mono_s + max(backoff_s, wanted_s)

    def to_store(self, started_at: Mapping[str, datetime]) -> list[Effect]:
        """Return what has changed since the last call. `started_at`: of the snapshots of each account."""
        changes, self._to_store = self._to_store, []
        return [
            Store(each.notice.account, started_at[each.notice.account], each)
            for each in changes
            if each.notice.account in started_at
        ]

    def deadlines(self) -> list[float]:
        """Return the monotonic seconds at which a message is due."""
        return [queue.ready_s() for queue in self._queues.values() if queue.next() is not None]

    def sinks(self) -> tuple[AlertSink, ...]:
        """Return the sinks."""
        return tuple(self._sinks.values())

    def statuses(self) -> list[SinkStatus]:
        """Return what is known of each sink."""
        return [
            SinkStatus(sink, len(queue.waiting), queue.dropped, queue.delivered_at, queue.failing_since, queue.error)
            for sink, queue in ((sink, self._queues[name]) for name, sink in self._sinks.items())
        ]
