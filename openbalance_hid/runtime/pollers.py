"""The accounts of the house: a poller each, with its key read anew at every turn, and with what the history knows of it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.effects import Store
from openbalance_hid.app.events import HistoryLoaded
from openbalance_hid.history.keeper import AccountHistory, History
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller

STOP_LIMIT_S = (
    0.3  # a question under way may take 30 s, and the decks are to be dark within 2; its thread ends with the process
)

ClientFactory = Callable[[str], Client]  # account -> a client with its key; CredentialError when there is none


class Pollers:
    """For the main thread alone. `intervals_s`: by account, in seconds. `publish` is called on the pollers' threads."""

    def __init__(
        self,
        intervals_s: Mapping[str, float],
        client_for: ClientFactory,
        publish: Callable[[Snapshot | HistoryLoaded], None],
        history: History,
    ) -> None:
        self._intervals_s = dict(intervals_s)
        self._client_for = client_for
        self._publish = publish
        self._history = history
        self._ledgers: dict[str, AccountHistory] = {}
        self._pollers: dict[str, Poller] = {}

    def start(self) -> None:
        """Ask for every account, at once."""
        for account in self._intervals_s:
            self.restart(account)

    def restart(self, account: str, forget: bool = False) -> None:
        """Begin anew with an account, as when its key was replaced. `forget`: it is another account, with the same key."""
        before = self._pollers.pop(account, None)
        if before is not None:
            before.stop(join_s=0)  # whatever it still waits for, it publishes nothing any more
        if forget:
            self._history.forget(account)
        ledger = self._ledgers[account] = self._history.for_account(account)

        def recall(fingerprint: str, begun: Snapshot, now: datetime, mono_s: float) -> Snapshot:
            known, past = ledger.recall(fingerprint, begun, now, mono_s)
            self._publish(HistoryLoaded(account, begun.started_at, past.alerts, past.run, past.masked))
            return known

        def publish(snapshot: Snapshot) -> None:
            self._publish(snapshot)
            ledger.keep(snapshot)

        self._pollers[account] = Poller(
            account, lambda: self._client_for(account), self._intervals_s[account], publish, recall=recall
        )
        self._pollers[account].start()

    def adopt(self, intervals_s: Mapping[str, float]) -> None:
        """Ask for these accounts from now on: new ones and those of another interval begin, the others are let go."""
        before, self._intervals_s = self._intervals_s, dict(intervals_s)
        for account in before.keys() - intervals_s.keys():
            self._pollers.pop(account).stop(join_s=0)
            del self._ledgers[account]
        for account, interval_s in intervals_s.items():
            if before.get(account) != interval_s:
                self.restart(account)

    def store(self, effect: Store) -> None:
        """Write a record to the history. A record of an account that is no longer polled is dropped."""
        if effect.account is None:
            self._history.store(None, effect.record)
        elif effect.account in self._ledgers and effect.started_at is not None:
            self._ledgers[effect.account].store(effect.started_at, effect.record)

    def pace(self, account: str, seconds: float | None) -> None:
        """Poll an account at least this often, and once now; None: at its own interval again."""
        if account in self._pollers:
            self._pollers[account].pace(seconds)

    def refresh(self, account: str, insist: bool = False) -> bool:
        """Poll an account now; False when that is not worth it (see `Poller.refresh`)."""
        return account in self._pollers and self._pollers[account].refresh(insist)

    def poll_after_wakeup(self) -> None:
        """The machine is awake, or its network is back (see `Poller.poll_after_wakeup`)."""
        for poller in self._pollers.values():
            poller.poll_after_wakeup()

    def stop(self) -> None:
        """End all pollers; may be called twice."""
        for poller in self._pollers.values():
            poller.stop(join_s=STOP_LIMIT_S)
