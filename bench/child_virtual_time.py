"""Controller, poller, history and deck through days of virtual time. `python -m bench.child_virtual_time MODEL`.

The modules are those of `run`, composed around a virtual clock; only the deck is simulated. The account is in the parent, which
has the same virtual time. Commands on stdin, replies in JSON:

    pass        advance to the time of the next poll: {"poll_s": when}
    poll        run a poll cycle and show the result
    repeat N    take N snapshots like the last one
    each        from now on, let the deck take each repaint before time goes on, as in real time
    costs       return the counts so far
"""

import json
import os
import queue
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from bench.virtual_clock import VirtualClock
from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Effect, RepaintNext, Store
from openbalance_hid.app.events import Event, TimePassed
from openbalance_hid.config.file_watch import FileWatch
from openbalance_hid.config.load import load_config
from openbalance_hid.config.paths import paths
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.desktop.credentials import read_key
from openbalance_hid.desktop.resume import ResumeWatch
from openbalance_hid.history.keeper import open_history
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.runtime import main as _whole_daemon  # noqa: F401 – so that this process has the same modules in memory as `run`
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.runtime.effect_runner import run_display_effect
from openbalance_hid.runtime.http_process import HttpProcess
from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus
from openbalance_hid.simulator.device.models import model_named
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

ACCOUNT = "default"
INTERVAL_S = 900.0
ARRIVAL_LIMIT_S = 5.0


class VirtualDaemon:
    """A daemon with one deck and one account. Starts at once; the exit stack ends every thread."""

    def __init__(self, model: str, stack: ExitStack) -> None:
        self.clock = clock = VirtualClock()
        self.inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        places, self.config = paths(os.environ), load_config(paths(os.environ).config_file)
        self._deck = VirtualDeck(model_named(model), "BENCH0000004")
        self._painter = PictureCache()
        self.controller = Controller(self.config, {ACCOUNT: Snapshot(ACCOUNT, clock.utc(), INTERVAL_S)}, clock.moment())
        history = open_history(places.history_file, places.private_dir)
        stack.callback(history.stop)
        history.start()
        self._ledger = ledger = history.for_account(ACCOUNT)

        http = HttpProcess()
        stack.callback(http.close)

        def client() -> Client:
            secret, url = read_key(ACCOUNT, os.environ, places).secret, os.environ["OPENBALANCE_API_URL"]
            return Client(secret, url, utc=clock.utc, new_session=http.session)

        def publish(snapshot: Snapshot) -> None:
            self.inbox.put(snapshot)
            ledger.keep(snapshot)

        recall = lambda *known: ledger.recall(*known)[0]  # noqa: E731
        self._poller = Poller(ACCOUNT, client, INTERVAL_S, publish, clock, recall=recall)
        self._poll_s = 0.0
        self._awaits_repaints = False
        self._decks = DeckManager(HidTransport(VirtualBus([self._deck])), self.inbox.put)
        stack.callback(self._decks.stop, "keep")
        self._decks.start()
        for listener in (ResumeWatch(lambda: None), FileWatch(places.config_file, lambda: None, lambda: None)):
            stack.callback(listener.stop)
            listener.start()
        self.step(self.inbox.get(timeout=ARRIVAL_LIMIT_S))  # the deck has arrived

    def pass_time(self) -> dict[str, Any]:
        """Run everything that is due before the next poll."""
        clock, controller = self.clock, self.controller
        while (due_s := controller.next_deadline() - clock.mono()) + clock.passed_s < self._poll_s:
            clock.passed_s += max(0.0, due_s)
            self.step(TimePassed())
        clock.passed_s = self._poll_s
        self.step(TimePassed())
        return {"poll_s": self._poll_s}

    def poll(self) -> dict[str, Any]:
        """Run one poll cycle."""
        self._poll_s = self.clock.passed_s + self._poller.run_cycle()
        return {"health": self._take_events().value}

    def repeat(self, count: int) -> dict[str, Any]:
        """Take snapshots with the same numbers, as from polls that find no change."""
        for _ in range(count):
            last = self.controller.snapshots[ACCOUNT]
            next_at = self.clock.utc() + timedelta(seconds=INTERVAL_S)
            self.inbox.put(replace(last, polls=last.polls + 1, api_calls=last.api_calls + 1, next_poll_at=next_at))
            self._take_events()
        return {}

    def await_repaints(self) -> dict[str, Any]:
        """Wait for each repaint from now on: one that is due while another is queued is left out."""
        self._settle()
        self._awaits_repaints = True
        return {}

    def costs(self) -> dict[str, Any]:
        """Return `reports` that the deck has received and pictures `drawn`, once the deck shows everything."""
        self._settle()
        return {"reports": self._deck.reports_received, "drawn": self._painter.drawn}

    def _take_events(self) -> Any:
        while not self.inbox.empty():
            self.step(self.inbox.get())
        return self.controller.snapshots[ACCOUNT].health

    def step(self, event: Event) -> None:
        """Make a step of the controller, and carry out its effects."""
        for effect in self.controller.step(event, self.clock.moment()):
            self.carry_out(effect)

    def carry_out(self, effect: Effect) -> None:
        """Carry out an effect. What needs another part of the daemon is left out."""
        if isinstance(effect, Store) and effect.started_at is not None:
            self._ledger.store(effect.started_at, effect.record)
        else:
            run_display_effect(effect, self._decks, self._painter)
        if self._awaits_repaints and isinstance(effect, RepaintNext):
            self._settle()

    def _settle(self) -> None:
        """Wait until the writer has sent everything."""
        for _ in range(100):
            seen = self._deck.reports_received
            time.sleep(0.02)
            if seen == self._deck.reports_received:
                return
        raise TimeoutError("the display does not settle")


def run_commands(daemon: VirtualDaemon, more: Mapping[str, Callable[[], dict[str, Any]]] = MappingProxyType({})) -> None:
    """Run commands until stdin ends. `more`: by name, beside those of each daemon."""
    commands = {"pass": daemon.pass_time, "poll": daemon.poll, "costs": daemon.costs, "each": daemon.await_repaints, **more}
    for line in sys.stdin:
        command, _, rest = line.strip().partition(" ")
        act = partial(daemon.repeat, int(rest)) if command == "repeat" else commands[command]
        sys.stdout.write(json.dumps(act()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with ExitStack() as ends:
        run_commands(VirtualDaemon(sys.argv[1], ends))
