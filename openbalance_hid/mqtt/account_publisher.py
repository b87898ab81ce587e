"""Publishes the snapshots of one account, and settles with other publishers of the same account: the newest start wins.

What is in a message is decided in `snapshot_encoder`; the connection is in `broker_link`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.mqtt.broker_address import AccountTopics, BrokerAddress
from openbalance_hid.mqtt.broker_link import BrokerLink
from openbalance_hid.mqtt.home_assistant import discovery_message, discovery_topic
from openbalance_hid.mqtt.link_user import LinkState, LinkUser, LoginReader, MachineClock, Received
from openbalance_hid.mqtt.snapshot_encoder import SnapshotEncoder
from openbalance_hid.mqtt.snapshot_schema import (
    EXPIRES_S,
    FORMAT,
    LARGEST_MESSAGE_BYTES,
    AvailabilityMessage,
    PublisherHead,
    PublisherIdentity,
    PublisherPart,
    RivalMessage,
    SummaryPart,
    decoded,
)
from openbalance_hid.text import printable

REFRESH_GAP_S = 60.0  # between two polls that desks have requested: 200 of them cost no more than one

log = logging.getLogger(__name__)


class PublisherState(Struct, frozen=True):
    """One account for `status`. `note`: about another publisher, or another program's message."""

    topic: str
    link: LinkState
    published_at: datetime | None = None
    note: str = ""
    active: bool = True  # False: it has given way to another publisher
    messages: int = 0  # snapshots published since the start
    message_bytes: int = 0  # of the last one


class _Offer(Struct, frozen=True):
    snapshot: Snapshot
    summary: SummaryPart
    masks_names: bool


class AccountPublisher(LinkUser):
    """`offer`, `stop`, `revive` and `state` are called by the main thread; everything else runs on the link's."""

    def __init__(
        self,
        account: str,
        topics: AccountTopics,
        address: BrokerAddress,
        read_login: LoginReader,
        ca_file: str | None,
        identity: PublisherIdentity,
        clock: MachineClock,
        request_poll: Callable[[str], None],
        home_assistant: bool = False,
        withdraws_discovery: bool = False,
    ) -> None:
        """`request_poll`: called with the account when a desk requests a refresh. `withdraws_discovery`: remove the device."""
        self._account = account
        self._topics = topics
        self._identity = identity
        self._clock = clock
        self._request_poll = request_poll
        self._home_assistant = home_assistant
        self._withdraws_discovery = withdraws_discovery
        self._encoder = SnapshotEncoder(identity.id, identity.started_at, identity.version, identity.host)
        self._offered: _Offer | None = None
        self._sent: _Offer | None = None
        self._rival: PublisherPart | None = None
        self._online_id = ""  # of the publisher that is running, by the latest availability message
        self._refreshed_s = float("-inf")
        self._link = BrokerLink(f"publish {account}", address, read_login, ca_file, self, self._will)
        self._state = PublisherState(topics.snapshot, self._link.state)  # one value: another thread reads it at any time

    @property
    def state(self) -> PublisherState:
        """The state now."""
        return replace(self._state, link=self._link.state)

    def start(self) -> None:
        """Connect. Idempotent."""
        self._link.start()

    def revive(self) -> None:
        """Start the thread again if it has ended."""
        self._link.revive()

    def retry(self) -> None:
        """Connect again now: the machine woke up, or its network is back."""
        self._link.retry()

    def offer(self, snapshot: Snapshot, summary: SummaryPart, masks_names: bool) -> None:
        """Publish this from now on; returns at once. Only the latest is sent, when there is a connection."""
        self._offered = _Offer(snapshot, summary, masks_names)
        self._link.call(self._send)

    def stop(self, join_s: float) -> None:
        """Publish that the publisher is not running any more, and disconnect. Idempotent."""
        self._link.stop(join_s)

    # --- LinkUser ---

    def connected(self) -> None:
        topics, link = self._topics, self._link
        link.subscribe(topics.snapshot, topics.availability, topics.publishers, ignores_own=True)
        link.subscribe(topics.refresh)
        link.publish(topics.availability, self._availability("online"))
        if self._home_assistant:
            link.publish(discovery_topic(topics), discovery_message(topics, self._account, self._identity.version))
        elif self._withdraws_discovery:
            link.publish(discovery_topic(topics), b"")
        self._sent = None
        self._send()

    def received(self, message: Received) -> None:
        if message.topic == self._topics.refresh:
            self._take_refresh()
        elif message.topic == self._topics.snapshot:
            self._take_snapshot(message)
        elif message.topic == self._topics.availability:
            self._take_availability(message)
        elif message.topic == self._topics.publishers:
            self._take_report(message)

    def closing(self) -> None:
        if self._state.active:
            self._link.publish(self._topics.availability, self._availability("offline"))

    # --- publishing ---

    def _send(self) -> None:
        offer = self._offered
        if offer is None or offer is self._sent or not self._state.active:
            return
        now = self._clock.utc()
        payload = self._encoder.encode(offer.snapshot, offer.summary, offer.masks_names, now, self._clock.mono())
        if len(payload) > LARGEST_MESSAGE_BYTES:
            self._set_note(f"the snapshot is larger than {LARGEST_MESSAGE_BYTES // 1024**2} MiB and is not published")
            return
        self._link.publish(self._topics.snapshot, payload, expires_s=EXPIRES_S)
        self._sent = offer
        sent = self._state.messages + 1
        self._state = replace(self._state, published_at=now, messages=sent, message_bytes=len(payload))

    def _availability(self, state: str) -> bytes:
        return msgspec.json.encode({"state": state, "id": self._identity.id})

    def _will(self) -> tuple[str, bytes]:
        return self._topics.availability, self._availability("offline")

    def _take_refresh(self) -> None:
        now_s = self._clock.mono()
        if self._state.active and now_s - self._refreshed_s >= REFRESH_GAP_S:
            self._refreshed_s = now_s
            self._request_poll(self._account)

    # --- other publishers ---

    def _take_snapshot(self, message: Received) -> None:
        if not message.payload:
            return
        rival = _publisher_of(message.payload)
        if rival is None:
            self._set_note(f"another program has published to {self._topics.snapshot}: its message is replaced")
            self._send_again()
        elif rival.id != self._identity.id:
            self._rival = rival
            self._settle(is_alive=not message.retained or self._online_id == rival.id)

    def _take_availability(self, message: Received) -> None:
        found = decoded(message.payload, AvailabilityMessage)
        if found is None or found.id == self._identity.id:
            return
        self._online_id = found.id if found.state == "online" else ""
        is_rival = self._rival is not None and self._rival.id == found.id
        if is_rival and found.state == "online":
            self._settle(is_alive=True)
        elif self._state.active and found.state == "offline" and not message.retained:  # the last will of one that gave way
            self._link.publish(self._topics.availability, self._availability("online"))

    def _settle(self, is_alive: bool) -> None:
        """Decide between this publisher and `_rival`, if that one is running."""
        rival, own = self._rival, self._own_part()
        if rival is None or not is_alive or not self._state.active:
            return
        if (rival.started_at, rival.id) > (own.started_at, own.id):
            words = "has started later and publishes this account; this one has stopped"
            self._set_note(f"{_named(rival)} {words}. To publish from here, start this daemon again", gives_way=True)
            report = RivalMessage(own, rival.id)
            self._link.publish(self._topics.publishers, msgspec.json.encode(report), retain=False)
            self._link.end()
            return
        self._set_note(f"{_named(rival)} publishes this account, too; it has started earlier and must stop")
        self._link.publish(self._topics.availability, self._availability("online"))
        self._send_again()

    def _take_report(self, message: Received) -> None:
        report = decoded(message.payload, RivalMessage)
        if report is None:
            return
        if report.winner == self._identity.id and report.publisher.id != self._identity.id:
            self._set_note(
                f"{_named(report.publisher)} has published this account, too; it had started earlier, and has stopped"
            )

    def _own_part(self) -> PublisherPart:
        offer = self._offered
        if offer is not None:
            return self._encoder.publisher(offer.snapshot, offer.masks_names)
        return PublisherPart(self._identity.id, self._identity.started_at, self._identity.version)

    def _send_again(self) -> None:
        self._sent = None
        self._send()

    def _set_note(self, note: str, gives_way: bool = False) -> None:
        before = self._state
        self._state = replace(before, note=note, active=before.active and not gives_way)
        if note != before.note:
            log.warning("publish %s: %s", self._account, note)


def _publisher_of(payload: bytes) -> PublisherPart | None:
    """Return the publisher of a message; None for one of another program."""
    head = decoded(payload, PublisherHead)
    return head.publisher if head is not None and head.format == FORMAT else None


def _named(publisher: PublisherPart) -> str:
    host = printable(publisher.host or "").strip()
    where = f"the publisher on {host}" if host else "another publisher"
    return f"{where} (started {publisher.started_at:%Y-%m-%d %H:%M} UTC)"
