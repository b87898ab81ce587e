"""The publishers of this machine's accounts: started, stopped and replaced as the configuration says.

Used by the main thread. Without `[publish]` there is nothing here, and nothing that publishes is imported.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from openbalance_hid import __version__
from openbalance_hid.app.effects import Publish
from openbalance_hid.config.broker_options import PublishConfig
from openbalance_hid.mqtt.broker_address import AccountTopics
from openbalance_hid.mqtt.snapshot_schema import PublisherIdentity
from openbalance_hid.openrouter.poller import SystemClock
from openbalance_hid.secret import BrokerLogin

if TYPE_CHECKING:
    from openbalance_hid.mqtt.account_publisher import AccountPublisher, PublisherState

ReadLogin = Callable[[str], BrokerLogin | None]


class Publishing:
    """`read_login`: of a broker, as "host:port". `request_poll`: called when a desk requests a refresh of an account."""

    def __init__(self, started_at: datetime, read_login: ReadLogin, request_poll: Callable[[str], None]) -> None:
        self._identity = PublisherIdentity(secrets.token_hex(8), started_at, __version__, socket.gethostname())
        self._read_login = read_login
        self._request_poll = request_poll
        self._config: PublishConfig | None = None
        self._publishers: dict[str, AccountPublisher] = {}

    def adopt(self, config: PublishConfig | None, accounts: tuple[str, ...]) -> None:
        """Publish these accounts to this broker, and nothing else; None: nothing."""
        before, self._config = self._config, config
        gone = set(self._publishers) if config != before else set(self._publishers) - set(accounts)
        for account in gone:
            self._publishers.pop(account).stop(0)
        if config is None:
            return
        from openbalance_hid.mqtt.account_publisher import AccountPublisher

        withdraws = before is not None and before.home_assistant and not config.home_assistant
        for account in accounts:
            if account not in self._publishers:
                self._publishers[account] = publisher = AccountPublisher(
                    account,
                    AccountTopics(f"{config.topic}/{account}"),
                    config.address,
                    partial(self._read_login, config.address.place),
                    config.ca_file,
                    self._identity,
                    SystemClock(),
                    self._request_poll,
                    config.home_assistant,
                    withdraws,
                )
                publisher.start()

    def offer(self, effect: Publish) -> None:
        """Publish a snapshot as soon as the broker is connected."""
        publisher = self._publishers.get(effect.snapshot.account)
        if publisher is not None:
            publisher.offer(effect.snapshot, effect.summary, effect.masks_names)

    def retry(self, only_apart: bool = False) -> None:
        """Connect again now: the machine woke up, or its network is back. `only_apart`: only those without a connection."""
        for publisher in self._publishers.values():
            if not (only_apart and publisher.state.link.connected):
                publisher.retry()

    def revive(self) -> None:
        """Start each thread again that has ended."""
        for publisher in self._publishers.values():
            publisher.revive()

    def status(self) -> dict[str, Any] | None:
        """Return the state for `status --json`; None without `[publish]`."""
        if self._config is None:
            return None
        return {
            "broker": self._config.mqtt,
            "home_assistant": self._config.home_assistant,
            "accounts": {account: _state(each.state) for account, each in sorted(self._publishers.items())},
        }

    def stop(self, limit_s: float) -> None:
        """Publish that the publishers have stopped, and disconnect, within `limit_s`; idempotent."""
        end_s = time.monotonic() + limit_s
        for publisher in self._publishers.values():
            publisher.stop(0)
        for publisher in self._publishers.values():
            publisher.stop(max(0.0, end_s - time.monotonic()))


def _state(state: PublisherState) -> dict[str, Any]:
    at = state.published_at
    return {
        "topic": state.topic,
        "connected": state.link.connected,
        "active": state.active,
        "messages": state.messages,
        "message_bytes": state.message_bytes,
        "published_at": None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "trouble": state.link.trouble or None,
        "hint": state.link.hint or None,
        "note": state.note or None,
    }
