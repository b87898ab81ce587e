"""`/metrics` for Prometheus: an HTTP server of its own, while `[metrics]` is in the configuration.

The numbers are computed when they are scraped, on the main thread, so that they are those of the tiles and of `status`. A
scrape never delays the main loop longer than `status` does, and without scrapes the server costs nothing. The server itself is
in `metrics_listener`.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller, ScheduledCall
from openbalance_hid.config.listen_address import ListenAddress
from openbalance_hid.errors import MissingPackageError
from openbalance_hid.hints import hint

if TYPE_CHECKING:
    from openbalance_hid.runtime.metrics_listener import MetricsListener

log = logging.getLogger(__name__)

RETRY_S = 30.0  # between two attempts to listen on an address that another program uses
RESULT_LIMIT_S = 5.0  # Prometheus waits 10 s by default

Status = Callable[[Controller, Moment], Mapping[str, Any]]


class MetricsServer:
    """Serves the status as metrics. `put`: hands a call to the main thread; `status`: runs there.

    `serve`, `retry` and `stop` are called on the main thread. What fails is logged once and in `state`; nothing else depends on
    it.
    """

    def __init__(self, put: Callable[[ScheduledCall], None], status: Status) -> None:
        self._put = put
        self._status = status
        self._wanted: ListenAddress | None = None
        self._listener: MetricsListener | None = None
        self._problem: str | None = None
        self._hint = ""
        self._next_try_s = float("-inf")
        self._lock = threading.Lock()
        self._pending: set[Future[Mapping[str, Any]]] = set()
        self._closing = False  # requests are no longer answered

    @property
    def state(self) -> Mapping[str, str | None] | None:
        """The address, and the problem in words with its hint if nothing is served there; None: not configured."""
        if self._wanted is None:
            return None
        return {"listen": str(self._wanted), "problem": self._problem, "hint": self._hint or None}

    def serve(self, wanted: ListenAddress | None, now_s: float) -> None:
        """Serve on this address from now on, and on no other; None: on none. Monotonic seconds."""
        if wanted == self._wanted:
            return
        self._close()
        self._wanted, self._problem, self._hint, self._next_try_s = wanted, None, "", float("-inf")
        self.retry(now_s)

    def retry(self, now_s: float) -> None:
        """Start to listen if that has failed before, or if the thread has ended. Cheap; call it now and then."""
        if self._wanted is None or now_s < self._next_try_s or (self._listener is not None and self._listener.is_alive):
            return
        from openbalance_hid.runtime.metrics_listener import MetricsListener

        self._close()
        self._next_try_s = now_s + RETRY_S
        try:
            self._closing = False
            self._listener = MetricsListener(self._wanted, self._read)
        except MissingPackageError as error:
            self._failed(error.message, error.hint)
        except (OSError, RuntimeError) as error:  # RuntimeError: no resources for another thread
            reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else str(error)
            self._failed(f"cannot listen on {self._wanted}: {reason}", hint("the metrics cannot be served"))
        else:
            reach = "" if self._wanted.is_loopback else ", for every program that can connect"
            log.info("metrics are served at http://%s/metrics%s", self._wanted, reach)
            self._problem, self._hint = None, ""

    def stop(self) -> None:
        """Close the port, end the requests and join the threads. Idempotent."""
        self._wanted = None
        self._close()

    def _failed(self, problem: str, hint: str) -> None:
        if problem != self._problem:
            log.error("metrics are not served: %s; try: %s", problem, hint)
        self._problem, self._hint = problem, hint

    def _close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        with self._lock:  # its threads wait for the main thread, which is this one
            self._closing, pending = True, tuple(self._pending)
        for result in pending:
            result.cancel()
        listener.close()

    def _read(self) -> Mapping[str, Any]:
        """Return the status, on the thread of a request."""
        result: Future[Mapping[str, Any]] = Future()

        def run(controller: Controller, now: Moment) -> None:
            if not result.set_running_or_notify_cancel():
                return
            try:
                result.set_result(self._status(controller, now))
            except Exception as error:
                result.set_exception(error)
                raise

        with self._lock:
            if self._closing:
                raise CancelledError
            self._pending.add(result)
        try:
            self._put(run)
            return result.result(RESULT_LIMIT_S)
        finally:
            with self._lock:
                self._pending.discard(result)
