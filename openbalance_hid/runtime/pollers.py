"""A poller for each account, which reads its key at every poll, or a reader of a broker; and its part of the history."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from openbalance_hid.account.snapshot import Health, Snapshot
from openbalance_hid.app.effects import Store
from openbalance_hid.app.events import HistoryLoaded, RefreshSkipped
from openbalance_hid.config.broker_options import SourceConfig
from openbalance_hid.config.schema import FrozenMap
from openbalance_hid.history.keeper import AccountHistory, History
from openbalance_hid.openrouter.cadence import REJECTION_GAP_S
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poll_cycle import RecallAccount
from openbalance_hid.openrouter.poller import Poller, SystemClock
from openbalance_hid.openrouter.request_pacer import RequestPacer
from openbalance_hid.secret import BrokerLogin

if TYPE_CHECKING:
    from openbalance_hid.mqtt.account_reader import AccountReader

PICTURES_FIRST_S = 0.5  # the longest that requests wait for the first pictures
STOP_LIMIT_S = 0.3  # for all of them: a pending request may take 30 s; its thread ends with the process

ClientFactory = Callable[[str], Client]  # account -> a client with its key; CredentialError without a key


class Pollers:
    """Used by the main thread only. `intervals_s`: by account, in seconds. `publish` is called on the pollers' threads."""

    def __init__(
        self,
        intervals_s: Mapping[str, float],
        client_for: ClientFactory,
        publish: Callable[[Snapshot | HistoryLoaded | RefreshSkipped], None],
        history: History,
        rejection_gap_s: float = REJECTION_GAP_S,
        forget_key: Callable[[str], None] = lambda _: None,
        sources: Mapping[str, SourceConfig] = FrozenMap(),
        read_login: Callable[[str], BrokerLogin | None] = lambda _: None,
        hold_s: float = 0.0,
    ) -> None:
        """`rejection_gap_s`: see `openrouter.poll_cycle.PollCycle`. `forget_key`: the account's key may be another one.

        `sources`: of the accounts without a key. `read_login`: of a broker, as "host:port".
        `hold_s`: the longest that the first requests wait for `allow_requests`.
        """
        self._sources = dict(sources)
        self._read_login = read_login
        self._forget_key = forget_key
        self._intervals_s = dict(intervals_s)
        self._client_for = client_for
        self._publish = publish
        self._history = history
        self._rejection_gap_s = rejection_gap_s
        self._pacer = RequestPacer()
        self._hold_s = hold_s
        self._may_request = threading.Event()
        self._histories: dict[str, AccountHistory] = {}
        self._with_free_quota: set[str] = set()
        self._pollers: dict[str, Poller | AccountReader] = {}

    def start(self) -> None:
        """Poll every account, starting now."""
        for account in self._intervals_s:
            self.restart(account)

    def allow_requests(self) -> None:
        """End the wait of the first requests, for which all of HTTP is imported. What the history has is shown before that."""
        self._may_request.set()

    def restart(self, account: str, forget: bool = False, prepare: Callable[[str], None] = lambda _: None) -> None:
        """Start again with an account, for example after its key was replaced. `forget`: delete its history first.

        `prepare`: called with the account before its history is read.
        """
        before = self._pollers.pop(account, None)
        if before is not None:
            before.stop(join_s=0)  # it publishes nothing any more, even if a request is pending
        if forget:
            self._history.forget(account)
        prepare(account)
        history_of_account = self._histories[account] = self._history.for_account(account)

        def recall(fingerprint: str, begun: Snapshot, now: datetime, mono_s: float) -> Snapshot:
            known, past = history_of_account.recall(fingerprint, begun, now, mono_s)
            self._publish(HistoryLoaded(account, begun.started_at, past.alerts, past.runs, past.masked, past.deliveries))
            return known

        def publish(snapshot: Snapshot) -> None:
            if snapshot.health is Health.KEY_REJECTED:
                self._forget_key(account)
            self._publish(snapshot)
            history_of_account.keep(snapshot)

        self._pollers[account] = self._new_poller(account, publish, recall)
        if account in self._with_free_quota:
            self._pollers[account].want_free_quota(True)
        self._pollers[account].start()

    def _new_poller(self, account: str, publish: Callable[[Snapshot], None], recall: RecallAccount) -> "Poller | AccountReader":
        source, interval_s = self._sources.get(account), self._intervals_s[account]
        if source is None:
            return Poller(
                account,
                partial(self._paced_client, account),
                interval_s,
                publish,
                recall=recall,
                rejection_gap_s=self._rejection_gap_s,
                accounts=lambda: len(self._intervals_s),
            )
        from openbalance_hid.mqtt.account_reader import AccountReader

        return AccountReader(
            account,
            source.address,
            partial(self._read_login, source.address.place),
            source.ca_file,
            interval_s,
            publish,
            SystemClock(),
            recall,
            lambda name: self._publish(RefreshSkipped(name)),
        )

    def _paced_client(self, account: str) -> Client:
        client = self._client_for(account)
        client.before_request = self._before_request
        return client

    def _before_request(self, path: str) -> None:
        self._may_request.wait(self._hold_s)
        self._pacer.wait(path)

    def adopt(self, intervals_s: Mapping[str, float], sources: Mapping[str, SourceConfig] = FrozenMap()) -> None:
        """Poll these accounts and no others. New accounts, changed intervals and changed sources start at once."""
        before = {account: (interval_s, self._sources.get(account)) for account, interval_s in self._intervals_s.items()}
        self._intervals_s, self._sources = dict(intervals_s), dict(sources)
        for account in before.keys() - intervals_s.keys():
            self._pollers.pop(account).stop(join_s=0)
            del self._histories[account]
        for account, interval_s in intervals_s.items():
            if before.get(account) != (interval_s, self._sources.get(account)):
                self.restart(account)

    def store(self, effect: Store) -> None:
        """Write a record to the history. A record of an account that is no longer polled is dropped."""
        if effect.account is None:
            self._history.store(None, effect.record)
        elif effect.account in self._histories and effect.started_at is not None:
            self._histories[effect.account].store(effect.started_at, effect.record)

    def pace(self, account: str, seconds: float | None) -> None:
        """Poll an account at least this often, and once now; None: at its own interval again."""
        if account in self._pollers:
            self._pollers[account].pace(seconds)

    def want_free_quota(self, account: str, wanted: bool) -> None:
        """Request the quota of free models of an account, too, or no longer."""
        (self._with_free_quota.add if wanted else self._with_free_quota.discard)(account)
        if account in self._pollers:
            self._pollers[account].want_free_quota(wanted)

    def refresh(self, account: str, insist: bool = False) -> bool:
        """Poll an account now; False when that is not worth it (see `Poller.refresh`)."""
        self._forget_key(account)
        return account in self._pollers and self._pollers[account].refresh(insist)

    def poll_after_wakeup(self) -> None:
        """The machine is awake, or its network is back (see `Poller.poll_after_wakeup`)."""
        for poller in self._pollers.values():
            poller.poll_after_wakeup()

    def revive(self) -> None:
        """Start each thread again that has ended."""
        for poller in self._pollers.values():
            poller.revive()

    def stop(self, limit_s: float = STOP_LIMIT_S, end_requests: Callable[[], object] = lambda: None) -> None:
        """End all pollers at the same time, within one time limit. Idempotent.

        `end_requests`: called when no poller publishes any more, to end what would be waited for.
        """
        end_s = time.monotonic() + limit_s
        self._pacer.stop()
        self._may_request.set()
        for poller in self._pollers.values():
            poller.stop(join_s=0)
        end_requests()
        for poller in self._pollers.values():
            poller.stop(max(0.0, end_s - time.monotonic()))
