"""The same with command tiles, metrics and a broker: `python -m bench.child_full_day MODEL`.

Programs, HTTP and MQTT are real and take no virtual time. Beside the commands of `child_virtual_time`:

    scrape      request the metrics once: {"bytes": length}
    done        return the messages that the broker has confirmed, and the runs of programs: {"messages": count, "runs": count}
"""

import http.client
import os
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from threading import Thread
from typing import Any

from bench.child_virtual_time import ACCOUNT, VirtualDaemon, run_commands
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Effect, Publish, StartProgram, StopProgram
from openbalance_hid.app.events import Event, ProgramEnded, ProgramPrinted
from openbalance_hid.config.default_layout import published_accounts
from openbalance_hid.desktop.program_runner import ProgramRunner
from openbalance_hid.ipc.status import ProcessInfo, status
from openbalance_hid.runtime.effect_runner import program_request
from openbalance_hid.runtime.metrics_server import MetricsServer
from openbalance_hid.runtime.publishers import Publishing

LIMIT_S = 60.0


class FullDaemon(VirtualDaemon):
    """A daemon with the parts that are off by default. `listen` and `publish` are in its configuration."""

    def __init__(self, model: str, stack: ExitStack) -> None:
        self._programs = ProgramRunner(os.environ)
        stack.callback(self._programs.close)
        self._open_runs = self._runs = 0
        self._publishing: Publishing | None = None
        super().__init__(model, stack)
        self._publishing = Publishing(self.clock.utc(), lambda _: None, lambda _: None)
        stack.callback(self._publishing.stop, 1.0)
        self._publishing.adopt(self.config.publish, published_accounts(self.config))
        self._metrics = MetricsServer(self.inbox.put, self._status)
        stack.callback(self._metrics.stop)
        self._metrics.serve(self.config.metrics, time.monotonic())

    def step(self, event: Event) -> None:
        if callable(event):  # a scrape
            event(self.controller, self.clock.moment())
            return
        self._open_runs -= isinstance(event, ProgramEnded)
        self._runs += isinstance(event, ProgramEnded)
        super().step(event)
        while self._open_runs and not isinstance(event, ProgramEnded | ProgramPrinted):
            self.step(self.inbox.get(timeout=LIMIT_S))

    def carry_out(self, effect: Effect) -> None:
        match effect:
            case StartProgram():
                self._open_runs += 1
                self._programs.start(effect.run, program_request(effect, self.inbox.put))
            case StopProgram(run):
                self._programs.stop(run)
            case Publish() if self._publishing is not None:
                self._publishing.offer(effect)
            case _:
                super().carry_out(effect)

    def scrape(self) -> dict[str, Any]:
        """Request the metrics as Prometheus does."""
        found: list[int] = []
        reader = Thread(target=lambda: found.append(self._scrape()))
        reader.start()
        while reader.is_alive():
            if self.inbox.empty():
                time.sleep(0.0005)
            else:
                self.step(self.inbox.get())
        return {"bytes": found[0]}

    def _scrape(self) -> int:
        listen = self.config.metrics
        assert listen is not None
        connection = http.client.HTTPConnection(listen.host, listen.port, timeout=LIMIT_S)
        connection.request("GET", "/metrics")
        reply = connection.getresponse()
        assert reply.status == 200, reply.status
        size = len(reply.read())
        connection.close()
        return size

    def done(self) -> dict[str, Any]:
        """Return how many messages the broker has confirmed, and how many programs have ended."""
        found = self._publishing.status() if self._publishing is not None else None
        messages = found["accounts"][ACCOUNT]["messages"] if found is not None else 0
        return {"messages": messages, "runs": self._runs}

    def _status(self, controller: Controller, moment: Moment) -> Mapping[str, Any]:
        process = ProcessInfo(os.getpid(), self.clock.passed_s, "config.toml", self.clock.utc(), None)
        return status(controller, tuple(self._decks.counts()), process, moment)


if __name__ == "__main__":
    with ExitStack() as ends:
        daemon = FullDaemon(sys.argv[1], ends)
        run_commands(daemon, {"scrape": daemon.scrape, "done": daemon.done})
