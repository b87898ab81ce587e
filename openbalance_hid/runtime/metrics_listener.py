"""The HTTP server of `/metrics`: its socket and threads, and the metrics of a status as prometheus_client writes them.

Imported when `[metrics]` is configured. When it is started and stopped is in `metrics_server`, the metrics are in
`ipc.current_metrics`.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeoutError
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from openbalance_hid.config.listen_address import ListenAddress
from openbalance_hid.extras import missing_extra
from openbalance_hid.host_names import is_loopback, without_port
from openbalance_hid.ipc.current_metrics import DIMENSIONS, Metric, byok_metrics, current_metrics, spend_metrics

if TYPE_CHECKING:
    from prometheus_client import Metric as Family
    from websockets.http11 import Request, Response
    from websockets.sync.server import Server, ServerConnection

    from openbalance_hid.simulator.web.page_http import PageConnection

log = logging.getLogger(__name__)

REQUEST_LIMIT_S = 5.0  # for a client to send its whole request
CONNECTIONS = 16  # at once; each has a thread
NAMED_PARTS = 20  # models, providers and keys of an account with series of their own
TEXT = "text/plain; charset=utf-8"
INDEX = "openbalance-hid: the metrics are at /metrics\n"


class MetricsListener:
    """One listening socket with its thread, and a thread for each request. Raises OSError or MissingPackageError."""

    def __init__(self, address: ListenAddress, read_status: Callable[[], Mapping[str, Any]]) -> None:
        """`read_status`: called on the thread of a request. Raises the TimeoutError or CancelledError of futures."""
        try:
            import prometheus_client  # noqa: F401  fails here, and not at the first scrape
        except ImportError as error:
            raise missing_extra("metrics", "metrics need") from error
        from websockets.sync.server import serve

        from openbalance_hid.simulator.client_threads import ClientThreads
        from openbalance_hid.simulator.web.page_http import PageConnection, PageListener, quiet_logger, serve_forever

        self._address = address
        self._read_status = read_status
        self._threads = ClientThreads()
        self._lock = threading.Lock()
        self._closed = False
        self._connections: dict[PageConnection, None] = {}  # a set, oldest first
        self._connection_class = PageConnection
        family = socket.AF_INET6 if address.is_v6 else socket.AF_INET
        listener = PageListener(fileno=socket.create_server((address.host, address.port), family=family).detach())
        listener.has_room = self._has_room
        self._server: Server = serve(
            _never, sock=listener, process_request=self._respond, compression=None, server_header=None,
            open_timeout=REQUEST_LIMIT_S, close_timeout=1, logger=quiet_logger(log),
            create_connection=cast("type[ServerConnection]", self._connection),  # documented as a factory
        )  # fmt: skip
        self._thread = threading.Thread(target=self._serve, args=(serve_forever,), name="metrics", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no resources for another thread
            self._server.shutdown_notifier.close()
            self._server.shutdown_watcher.close()
            listener.close()
            raise

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Close the port, disconnect clients that have sent no request, and join the threads."""
        with self._lock:
            self._closed, waiting = True, tuple(self._connections)
        for connection in waiting:
            if connection.request is None:
                connection.disconnect()
        self._server.shutdown()
        self._thread.join()
        self._threads.join(2 * REQUEST_LIMIT_S)

    def _serve(self, serve_forever: Callable[[Server], None]) -> None:
        try:
            serve_forever(self._server)
        except (OSError, RuntimeError) as error:  # no free file descriptor, or no thread for a connection
            log.error("metrics are not served now: %s; that is tried again", error)

    def _has_room(self) -> bool:
        """Return whether another client is accepted. If not, disconnect the oldest one that has sent no request yet."""
        with self._lock:
            self._connections = {known: None for known in self._connections if known.alive}
            full = len(self._connections) >= CONNECTIONS
            idle = next((known for known in self._connections if known.request is None), None)
        if full and idle is not None:
            idle.disconnect()
        return not full

    def _connection(self, *arguments: Any, **options: Any) -> PageConnection:
        """Return a new connection. Runs on its thread."""
        thread = threading.current_thread()
        thread.name = "metrics-client"
        self._threads.add(thread)
        connection = self._connection_class(*arguments, **options)
        with self._lock:
            self._connections[connection] = None
            closed = self._closed
        if closed:
            connection.disconnect()
        return connection

    def _respond(self, _connection: ServerConnection, request: Request) -> Response:
        from openbalance_hid.simulator.web.page_http import response

        if not is_accepted_host(request.headers.get_all("Host"), self._address):
            return response(HTTPStatus.FORBIDDEN, "this name is not served here; use the address\n")
        if request.method not in ("GET", "HEAD"):
            return response(HTTPStatus.METHOD_NOT_ALLOWED, "only GET is supported\n", allow="GET, HEAD")
        status, content_type, body = HTTPStatus.NOT_FOUND, TEXT, b"no such page; the metrics are at /metrics\n"
        match request.path.partition("?")[0]:
            case "/metrics":
                status, content_type, body = self._answer(", ".join(request.headers.get_all("Accept")))
            case "/":
                status, body = HTTPStatus.OK, INDEX.encode()
        return response(status, b"" if request.method == "HEAD" else body, content_type)

    def _answer(self, accept: str) -> tuple[HTTPStatus, str, bytes]:
        """Return status, content type and body for `Accept`."""
        from prometheus_client.exposition import choose_encoder

        try:
            status = self._read_status()
        except (FutureTimeoutError, CancelledError):
            return HTTPStatus.SERVICE_UNAVAILABLE, TEXT, b"the daemon is too busy to answer, or about to end\n"
        encode, content_type = choose_encoder(accept)
        return HTTPStatus.OK, content_type, encode(_Families(_families(status)))


def _never(_connection: ServerConnection) -> None:
    """Do nothing: no request becomes a WebSocket."""


def is_accepted_host(values: Iterable[str], address: ListenAddress) -> bool:
    """Return whether a request with these Host headers may be answered.

    On a loopback address only a loopback name is accepted, whatever the port: a web page that makes its own name an address
    of this machine (DNS rebinding) could read the amounts; a forwarded port is another one. Elsewhere every name is accepted.
    """
    hosts = tuple(values)
    if len(hosts) != 1:
        return False
    if not address.is_loopback:
        return True
    return is_loopback(without_port(hosts[0]))


class _Families:
    """What prometheus_client calls a collector."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterable[Family]:
        return self._families


def _families(status: Mapping[str, Any]) -> Iterable[Family]:
    """Yield all metrics of a status, as the library writes them."""
    from prometheus_client.core import CounterMetricFamily, InfoMetricFamily

    accounts = status["accounts"]
    for metric in current_metrics(accounts, is_running=True):
        yield from _gauge(metric)
    for by in DIMENSIONS:
        for metric in (*spend_metrics(accounts, by, NAMED_PARTS), *byok_metrics(accounts, by, NAMED_PARTS)):
            yield from _gauge(metric)
    yield InfoMetricFamily("openbalance_build", "Version of openbalance-hid.", {"version": status["version"]})
    counters = status["counters"]
    yield CounterMetricFamily("openbalance_polls", "Polls since the daemon started.", counters["polls"])
    yield CounterMetricFamily(
        "openbalance_api_requests", "Requests to OpenRouter since the daemon started.", counters["api_calls"]
    )
    decks = sum(deck["connected"] for deck in status["decks"])
    yield from _gauge(Metric("openbalance_decks_connected", "Decks that are connected and open.", [({}, decks, None)]))


def _gauge(metric: Metric) -> Iterable[Family]:
    from prometheus_client.core import GaugeMetricFamily

    if metric.samples:
        family = GaugeMetricFamily(metric.name, metric.about, labels=tuple(metric.samples[0][0]))
        for labels, number, _ in metric.samples:
            family.add_metric([_utf8(text) for text in labels.values()], float(number))
        yield family


def _utf8(text: str) -> str:
    """Return the text with each character that UTF-8 cannot have replaced: one bad name must not cost the scrape."""
    return text.encode("utf-8", "replace").decode("utf-8")
