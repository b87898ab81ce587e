"""Sends alert messages to web addresses and programs, each on a thread of its own: one a sink at a time.

Which message is sent when is decided in `app.alert_outbox`.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random, SystemRandom

import msgspec

from openbalance_hid.account.alert_notice import AlertNotice
from openbalance_hid.app.alert_formats import post_of
from openbalance_hid.app.effects import SendToSink
from openbalance_hid.app.events import SinkReported
from openbalance_hid.config.alert_sinks import split_url
from openbalance_hid.config.schema import AlertSink
from openbalance_hid.desktop.program_runner import ProgramRunner
from openbalance_hid.openrouter.session import NewSession, own_session
from openbalance_hid.openrouter.webhook import WebhookError, post

log = logging.getLogger(__name__)


class AlertSender:
    """Used by any thread. `put`: into the main queue; `ca_file`: the one in force.

    A failing sink is logged once, when that starts and when it ends.
    """

    def __init__(
        self,
        put: Callable[[SinkReported], None],
        programs: ProgramRunner,
        ca_file: Callable[[], str | None] = lambda: None,
        rng: Random | None = None,
        new_session: NewSession = own_session,
    ) -> None:
        self._put = put
        self._ca_file = ca_file
        self._new_session = new_session
        self._programs = programs
        self._rng = rng or SystemRandom()
        self._lock = threading.Lock()
        self._failing: set[str] = set()

    def send(self, effect: SendToSink) -> None:
        """Send a message; return at once. `SinkReported` has the result."""
        thread = threading.Thread(target=self.deliver, args=(effect.sink, effect.notice), name="alert sink", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no resources for another thread
            self._report(effect.sink, SinkReported(effect.sink.identity, effect.notice, str(error), None, self._rng.random()))

    def deliver(self, sink: AlertSink, notice: AlertNotice) -> SinkReported:
        """Send a message on the caller's thread, report the result and return it. Raises nothing."""
        retry_after_s = None
        try:
            error = self._deliver(sink, notice)
        except WebhookError as problem:
            error, retry_after_s = problem.message, problem.retry_after_s
        except Exception as problem:  # noqa: BLE001  the thread must report every failure, and none may quote the address
            error = f"internal error: {type(problem).__name__}"
        result = SinkReported(sink.identity, notice, error, retry_after_s, self._rng.random())
        self._report(sink, result)
        return result

    def _deliver(self, sink: AlertSink, notice: AlertNotice) -> str | None:
        if sink.url is None:
            end = self._programs.call(sink.run, msgspec.json.encode(notice.as_json()) + b"\n")
            return None if end.is_good else end.detail or f"{sink.name}: {end.kind.value}"
        base_url, target = split_url(sink.url)
        ca_file = self._ca_file()
        message = post_of(sink.format, target, notice)
        post(base_url, *message, Path(ca_file) if ca_file else None, new_session=self._new_session)
        return None

    def _report(self, sink: AlertSink, result: SinkReported) -> None:
        with self._lock:
            was_failing = result.sink in self._failing
            (self._failing.discard if result.error is None else self._failing.add)(result.sink)
        if result.error is not None and not was_failing:
            log.warning("an alert was not delivered to %s, and will be tried again: %s", sink.name, result.error)
        elif result.error is None and was_failing:
            log.info("alerts are delivered to %s again", sink.name)
        self._put(result)
