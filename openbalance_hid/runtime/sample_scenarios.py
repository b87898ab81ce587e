"""The scenarios of a demo: what changes when its page chooses another one, and what its sample account remembers.

The answers of the sample account are in `simulator.openrouter`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from openbalance_hid.account.snapshot import Credits
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller, ScheduledCall
from openbalance_hid.history.keeper import History
from openbalance_hid.history.records import AccountIdentity, StoredSample
from openbalance_hid.runtime.pollers import Pollers
from openbalance_hid.secret import Secret

if TYPE_CHECKING:
    from openbalance_hid.simulator.openrouter.sample_account import SampleAccount

# Scenarios of the same account with a failure: its last good values stay on the keys. The other scenarios are other accounts.
TROUBLES = frozenset({"refund", "activity-down", "offline", "rejected", "rate-limited", "server-error"})


class SampleScenarios:
    """The scenarios of one sample account. `call`: runs a function with the controller on the main thread."""

    def __init__(
        self, sample: SampleAccount, pollers: Pollers, history: History, call: Callable[[ScheduledCall], object]
    ) -> None:
        self._sample = sample
        self._pollers = pollers
        self._history = history
        self._call = call

    def current(self) -> str:
        """Return the name of the scenario in force. Thread-safe."""
        return self._sample.scenario

    def choose(self, name: str) -> None:
        """Change to a scenario and poll. Thread-safe."""
        self._sample.set_scenario(name)

        def poll_again(controller: Controller, _: Moment) -> None:
            for account in controller.snapshots:
                if name in TROUBLES:
                    self._pollers.refresh(account, insist=True)
                else:
                    self._pollers.restart(account, forget=True, prepare=self.remember)

        self._call(poll_again)

    def remember(self, account: str) -> None:
        """Store the two days of readings that a daemon would have by then. They are in memory only."""
        who = AccountIdentity(account, Secret(self._sample.key).fingerprint)
        readings = [StoredSample(at, Credits(bought, used)) for at, bought, used in self._sample.past_readings()]
        self._history.enqueue(lambda store: store.write_all(who, readings))

    def report_alerts(self, report: Callable[[str], object]) -> None:
        """Report each alert that the sample account receives, in words."""
        self._sample.on_alert = lambda alert: report(f"Alert sent: {json.loads(alert)['title']}")
