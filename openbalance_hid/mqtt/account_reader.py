"""Reads the snapshots of one account from a broker, in place of a poller with a key.

It publishes a Snapshot for each message, and where what is known of the publisher or the broker changes. What the messages
become is decided in `snapshot_decoder`; the connection is in `broker_link`.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from openbalance_hid.account.endpoints import STALE_INTERVALS
from openbalance_hid.account.snapshot import Health, Origin, Snapshot
from openbalance_hid.account.utc_days import utc_now
from openbalance_hid.mqtt.broker_address import AccountTopics, BrokerAddress
from openbalance_hid.mqtt.broker_link import BrokerLink
from openbalance_hid.mqtt.link_user import LONGEST_WAIT_S, LinkUser, LoginReader, MachineClock, Received
from openbalance_hid.mqtt.snapshot_decoder import Receipt, RefusedMessage, decode_message, to_snapshot
from openbalance_hid.mqtt.snapshot_schema import AvailabilityMessage, SnapshotMessage, decoded

REFRESH_GAP_S = 10.0  # as for accounts with a key
MESSAGE_GAP_S = 0.5  # between two messages that are decoded: of a flood, only the latest
REPLY_LIMIT_S = 8.0  # a publisher may ignore a request: then the keys that wait for it show so
GRACE_S = 10.0  # a broker or publisher that starts again is back in less: no key shows Offline

log = logging.getLogger(__name__)

# Fingerprint of the source, empty snapshot, aware UTC, monotonic s -> the snapshot with what is remembered of it.
RecallSource = Callable[[str, Snapshot, datetime, float], Snapshot]


class AccountReader(LinkUser):
    """`publish` and `skip` are called on the thread of the link. All methods may be called from any thread."""

    def __init__(
        self,
        account: str,
        address: BrokerAddress,
        read_login: LoginReader,
        ca_file: str | None,
        interval_s: float,
        publish: Callable[[Snapshot], None],
        clock: MachineClock,
        recall: RecallSource = lambda _, empty, *__: empty,
        skip: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`interval_s`: until the first message. `skip`: called with the account when a refresh gets no answer."""
        self.account = account
        self._topics = AccountTopics(address.topic)
        self._fingerprint = hashlib.sha256(str(address).encode()).hexdigest()[:16]
        self._publish = publish
        self._clock = clock
        self._recall = recall
        self._skip = skip
        self._lock = threading.Lock()
        self._snapshot = Snapshot(account, clock.utc(), interval_s, origin=Origin())  # of the last good message
        self._message: SnapshotMessage | None = None
        self._waiting: Received | None = None  # the latest message, not decoded yet
        self._decoded_s = float("-inf")
        self._refused: RefusedMessage | None = None  # the last message, if it could not be used
        self._offline_id = ""  # of the publisher that has stopped, by its last message or will
        self._is_gone_seen = False  # a hold has found the publisher stopped
        self._polls = 0
        self._was_connected = False
        self._apart_since_s: float | None = clock.mono()  # monotonic: without a broker, or connected without a message
        self._refreshed_s = float("-inf")
        self._reply_until_s: float | None = None
        self._shown: Snapshot | None = None
        self._stopped = False
        self._link = BrokerLink(f"read {account}", address, read_login, ca_file, self)

    @property
    def is_connected(self) -> bool:
        """Whether the broker accepts this reader now."""
        return self._link.state.connected

    @property
    def _is_gone(self) -> bool:
        """Whether the publisher of the last message has stopped, by its own message or its last will."""
        return self._message is not None and self._offline_id == self._message.publisher.id

    def start(self) -> None:
        """Connect. Idempotent."""
        self._link.start()

    def revive(self) -> None:
        """Start the thread again if it has ended."""
        self._link.revive()

    def stop(self, join_s: float = 2.0) -> None:
        """End the thread; nothing is published after this. Idempotent."""
        self._stopped = True
        self._link.stop(join_s)

    def refresh(self, insist: bool = False) -> bool:
        """Request a poll from the publisher, which may ignore it. Return whether an answer is expected.

        False within 10 s of the last request, and where nothing can answer: then the keys show at once that it is so.
        """
        with self._lock:
            now_s = self._clock.mono()
            self._is_gone_seen = self._is_gone
            if now_s - self._refreshed_s < REFRESH_GAP_S and not insist:
                self._link.call(self._show)
                return False
            self._refreshed_s = now_s
            if not self._link.state.connected:
                self._link.retry()
                return False
            self._reply_until_s = now_s + REPLY_LIMIT_S
        self._link.call(lambda: self._link.publish(self._topics.refresh, b"", retain=False))
        return True

    def poll_after_wakeup(self) -> None:
        """Connect again: the machine woke up, or its network is back."""
        self._link.retry()

    def pace(self, pace_s: float | None) -> None:
        """Do nothing: how often the account is polled is decided where its key is."""

    def want_free_quota(self, wanted: bool) -> None:
        """Do nothing: the quota belongs to the key, which this machine does not have."""

    # --- LinkUser ---

    def starting(self) -> None:
        empty = self._snapshot
        known = self._recall(self._fingerprint, empty, self._clock.utc(), self._clock.mono())
        self._snapshot = replace(known, origin=Origin())
        if known != empty:
            self._show()

    def connected(self) -> None:
        self._was_connected = True
        self._apart_since_s = self._clock.mono() if self._message is None else None
        self._link.subscribe(self._topics.snapshot, self._topics.availability)

    def received(self, message: Received) -> None:
        if message.topic == self._topics.availability:
            self._take_availability(message.payload)
        elif message.topic == self._topics.snapshot and message.payload:
            self._waiting = message

    def tick(self) -> float:
        """Take the latest message, and show what time has changed; return the seconds until the next look."""
        now_s = self._clock.mono()
        gap_end_s = self._decoded_s + MESSAGE_GAP_S
        if self._waiting is not None and now_s >= gap_end_s:
            message, self._waiting, self._decoded_s = self._waiting, None, now_s
            self._take_snapshot(message)
        if not self._link.state.connected and self._apart_since_s is None:
            self._apart_since_s = now_s
        with self._lock:
            is_late = self._reply_until_s is not None and now_s >= self._reply_until_s
            if is_late:
                self._reply_until_s = None
        if is_late and not self._stopped:
            self._skip(self.account)
        self._show()
        gap_ends = [gap_end_s] if self._waiting is not None else []
        ends = [end for end in (*gap_ends, self._reply_until_s, self._grace_end_s()) if end is not None and end > now_s]
        return max(0.05, min([LONGEST_WAIT_S, *(end - now_s for end in ends)]))

    # --- messages ---

    def _take_availability(self, payload: bytes) -> None:
        found = decoded(payload, AvailabilityMessage)
        if found is None:
            return
        self._offline_id = found.id if found.state == "offline" else ""
        self._is_gone_seen = self._is_gone and (self._is_gone_seen or self._reply_until_s is not None)

    def _take_snapshot(self, received: Received) -> None:
        message = decode_message(received.payload)
        self._apart_since_s = None
        if isinstance(message, RefusedMessage):
            if self._refused != message:
                log.warning("account %s: %s", self.account, message.words)
            self._refused = message
            self._show()
            return
        if self._refused is not None:
            log.info("account %s: the messages can be read again", self.account)
        self._refused, self._message, self._is_gone_seen = None, message, False
        now = self._clock.utc()
        self._polls += 1
        age_s = self._age_s(received, message, now)
        receipt = Receipt(self.account, self._snapshot.started_at, now, self._clock.mono(), age_s, self._polls)
        self._snapshot = to_snapshot(message, receipt)
        with self._lock:
            self._reply_until_s = None
        self._show()

    def _age_s(self, received: Received, message: SnapshotMessage, now: datetime) -> float:
        """Return how long the broker has kept a message: by its own count, else by the two clocks, which may differ."""
        if received.seconds_left is not None:
            return float(max(0, message.expires_s - received.seconds_left))
        return max(0.0, (now - message.sent_at).total_seconds()) if received.retained else 0.0

    # --- what the tiles get ---

    def _show(self) -> None:
        shown = self._judged()
        if not self._stopped and shown != self._shown:
            self._shown = shown
            self._publish(shown)

    def _judged(self) -> Snapshot:
        """Return the snapshot with what is known of broker and publisher now. A failure never replaces a value."""
        snapshot, refused, link = self._snapshot, self._refused, self._link.state
        now_s = self._clock.mono()
        is_apart = self._apart_since_s is not None and now_s - self._apart_since_s >= GRACE_S
        if refused is not None:
            origin = replace(snapshot.origin or Origin(), problem=refused.problem)
            return replace(snapshot, health=Health.SERVER_ERROR, message=refused.words, origin=origin, polls=self._polls)
        if is_apart:
            nothing = f"no snapshot at {self._topics.snapshot}: nothing is published there, or this user may not read it"
            has_nothing = self._was_connected and self._message is None
            return _offline(snapshot, link.trouble or (nothing if has_nothing else "the broker cannot be reached"))
        if self._message is None:
            return snapshot
        sent_at = self._message.sent_at
        is_old = utc_now(snapshot, self._clock.utc()) - sent_at >= STALE_INTERVALS * timedelta(seconds=snapshot.interval_s)
        if is_old or (self._is_gone and self._is_gone_seen):
            reason = "the publisher is not running" if self._is_gone else "the publisher sends nothing"
            return _offline(snapshot, f"{reason}; its last message is of {sent_at:%Y-%m-%d %H:%M} UTC")
        return snapshot

    def _grace_end_s(self) -> float | None:
        return None if self._apart_since_s is None else self._apart_since_s + GRACE_S


def _offline(snapshot: Snapshot, words: str) -> Snapshot:
    return replace(snapshot, health=Health.OFFLINE, message=words)
