"""The accounts of the house: a poller each, with its key read anew at every turn, and with what the history knows of it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.effects import Remember, RememberConcern, RememberRun
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
        ledger = self._ledgers[account] = self._history.ledger(account)

        def recall(fingerprint: str, begun: Snapshot, now: datetime, mono_s: float) -> Snapshot:
            known, past = ledger.recall(fingerprint, begun, now, mono_s)
            self._publish(HistoryLoaded(account, begun.started_at, past.episodes, past.run, past.concerns, past.masked))
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

    def remember(self, change: Remember) -> None:
        """Keep an episode in the history."""
        if change.account in self._ledgers:
            self._ledgers[change.account].keep_episode(change.started_at, change.rule, change.episode, change.now)

    def remember_run(self, change: RememberRun) -> None:
        """Keep a run of the meter in the history."""
        if change.account in self._ledgers:
            self._ledgers[change.account].keep_run(change.started_at, change.run)

    def remember_concern(self, change: RememberConcern) -> None:
        """Keep in the history what the desktop was told."""
        if change.account in self._ledgers:
            self._ledgers[change.account].keep_concern(change.started_at, change.kind.value, change.told)

    def pace(self, account: str, seconds: float | None) -> None:
        """Poll an account at least this often, and once now; None: at its own interval again."""
        if account in self._pollers:
            self._pollers[account].pace(seconds)

    def refresh(self, account: str, insist: bool = False) -> bool:
        """Poll an account now; False when that is not worth it (see `Poller.refresh`)."""
        return account in self._pollers and self._pollers[account].refresh(insist)

    def look_again(self) -> None:
        """The machine is awake, or its network is back (see `Poller.look_again`)."""
        for poller in self._pollers.values():
            poller.look_again()

    def stop(self) -> None:
        """End all pollers; may be called twice."""
        for poller in self._pollers.values():
            poller.stop(join_s=STOP_LIMIT_S)
