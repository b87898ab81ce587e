"""`/metrics`: which clients may read it, how odd names appear, and that nothing else fails when it cannot be served."""

import errno
import logging
import queue
import socket
import sys
import threading
from collections.abc import Iterator

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.config.listen_address import ListenAddress
from openbalance_hid.config.schema import Config
from openbalance_hid.ipc.status import ProcessInfo, status
from openbalance_hid.runtime.metrics_listener import CONNECTIONS, NAMED_PARTS, is_accepted_host
from openbalance_hid.runtime.metrics_server import RETRY_S, MetricsServer
from tests.build import NOON, api_key, days_back, snapshot
from tests.waiting import PATIENCE_S, until

AWKWARD = 'a"b\\c\nd{e="f"} # \ud800 ▼'
LOOPBACK = ListenAddress("127.0.0.1", 1)


class MainThread:
    """Runs what the server hands to the main thread, as the event loop does."""

    def __init__(self, seen: object) -> None:
        self.calls: queue.SimpleQueue[object] = queue.SimpleQueue()
        now = Moment(NOON, 1000.0)
        controller = Controller(Config(), {"default": seen}, now)
        process = ProcessInfo(1, 1.0, "/c.toml", NOON, None)
        self.server = MetricsServer(self.calls.put, lambda controller, now: status(controller, (), process, now))
        self._thread = threading.Thread(target=self._run, args=(controller, now), daemon=True)
        self._thread.start()

    def _run(self, controller: Controller, now: Moment) -> None:
        while callable(call := self.calls.get()):
            call(controller, now)

    def end(self) -> None:
        self.server.stop()
        self.calls.put(None)
        self._thread.join(PATIENCE_S)


def free_address() -> ListenAddress:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return ListenAddress("127.0.0.1", probe.getsockname()[1])


def url(address: ListenAddress, path: str = "/metrics") -> str:
    return f"http://{address}{path}"


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("metrics")}


@pytest.fixture(scope="module")
def served() -> Iterator[ListenAddress]:
    names = [AWKWARD, *(f"v/m{number:02d}" for number in range(40))]
    days = {NOON.date(): {}, **{day: dict.fromkeys(names, 1) for day in days_back([1])}}
    main = MainThread(snapshot(days=days, today={AWKWARD: 1}, keys=[api_key(AWKWARD, 1)]))
    address = free_address()
    main.server.serve(address, 0.0)
    yield address
    main.end()


def test_the_answer_parses_with_each_series_once_and_every_name_as_it_is(served: ListenAddress):
    answer = requests.get(url(served), timeout=PATIENCE_S)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = [each for family in text_string_to_metric_families(answer.text) for each in family.samples]
    series = [(each.name, tuple(sorted(each.labels.items()))) for each in samples]
    assert len(series) == len(set(series)) > 20
    assert {dict(labels)["key"] for _, labels in series if dict(labels).get("key")} == {AWKWARD.replace("\ud800", "?")}
    assert "-hash" not in answer.text


def test_the_number_of_series_is_bounded(served: ListenAddress):
    text = requests.get(url(served), timeout=PATIENCE_S).text
    models = {
        line.split('model="')[1].split('",')[0] for line in text.splitlines() if line.startswith("openbalance_model_spend_usd")
    }
    assert len(models) == NAMED_PARTS + 1
    assert "(other)" in models


def test_openmetrics_is_served_to_a_client_that_accepts_it(served: ListenAddress):
    answer = requests.get(url(served), headers={"Accept": "application/openmetrics-text; version=1.0.0"}, timeout=PATIENCE_S)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    "path", ["/metrics/", "//metrics", "/metrics/../../etc/passwd", "/%2e%2e/etc/passwd", "/METRICS", "/x"]
)
def test_no_other_page_is_served(served: ListenAddress, path: str):
    assert raw(served, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("path", ["/metrics", "/metrics?x=1", "/"])
def test_the_page_and_a_pointer_to_it_are_served(served: ListenAddress, path: str):
    assert requests.get(url(served, path), timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(served: ListenAddress, method: str):
    head = f"{method} /metrics HTTP/1.1\r\nHost: localhost\r\n"
    assert raw(served, f"{head}\r\n").startswith(b"HTTP/1.1 405 ")
    assert b"200" not in raw(served, f"{head}Content-Length: 1\r\n\r\nx")


@pytest.mark.parametrize(
    "hosts", [["evil.example"], ["127.0.0.1.evil.example"], ["localhost", "evil.example"], [""], [], ["2.2.2.2"]]
)
def test_a_name_of_another_site_is_refused_on_this_machine(served: ListenAddress, hosts: list[str]):
    head = "".join(f"Host: {host}\r\n" for host in hosts)
    assert b"openbalance_" not in raw(served, f"GET /metrics HTTP/1.1\r\n{head}\r\n")
    assert not is_accepted_host(hosts, LOOPBACK)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9999", "LOCALHOST", "[::1]:9469", "127.0.0.2:1"])
def test_a_name_of_this_machine_is_accepted_with_any_port(host: str):
    assert is_accepted_host([host], LOOPBACK)


def test_an_address_for_the_network_accepts_every_name():
    assert is_accepted_host(["desk.lan:9469"], ListenAddress("0.0.0.0", 9469))
    assert not is_accepted_host([], ListenAddress("0.0.0.0", 9469))


def test_clients_without_a_request_never_keep_a_scrape_out(served: ListenAddress):
    idle = [socket.create_connection((served.host, served.port)) for _ in range(2 * CONNECTIONS)]
    try:
        assert requests.get(url(served), timeout=PATIENCE_S).status_code == 200
    finally:
        for each in idle:
            each.close()


def raw(address: ListenAddress, request: str) -> bytes:
    with socket.create_connection((address.host, address.port), PATIENCE_S) as client:
        client.sendall(request.encode())
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_port_that_is_taken_is_logged_once_and_used_when_it_is_free(caplog: pytest.LogCaptureFixture):
    main = MainThread(snapshot())
    try:
        with socket.create_server(("127.0.0.1", 0)) as other, caplog.at_level(logging.INFO):
            address = ListenAddress("127.0.0.1", other.getsockname()[1])
            main.server.serve(address, 0.0)
            for number in range(1, 5):
                main.server.retry(number * RETRY_S)
            state = main.server.state
            assert state == {
                "listen": str(address),
                "problem": f"cannot listen on {address}: address already in use",
                "hint": "openbalance-hid config edit",
            }
            assert len([record for record in caplog.records if "not served" in record.message]) == 1
        main.server.retry(4 * RETRY_S + 1)
        assert main.server.state == state, "not before its time"
        main.server.retry(5 * RETRY_S)
        assert main.server.state == {"listen": str(address), "problem": None, "hint": None}
        assert requests.get(url(address), timeout=PATIENCE_S).status_code == 200
    finally:
        main.end()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the connection that got no thread
@pytest.mark.parametrize("is_later", [False, True])
def test_a_connection_that_gets_no_thread_ends_neither_the_metrics_nor_the_daemon(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_later: bool
):
    main = MainThread(snapshot())
    address = free_address()
    main.server.serve(address, 0.0)
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if thread.name.startswith("Thread-"):  # of a connection, which the library starts
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", limited)
        with socket.create_connection((address.host, address.port), timeout=PATIENCE_S):
            until(lambda: "metrics are not served now: can't start new thread" in caplog.text)
    if is_later:
        main.server.retry(RETRY_S)
        assert requests.get(url(address), timeout=PATIENCE_S).status_code == 200
    main.end()


@pytest.mark.parametrize("missing", ["descriptor", "thread"])
def test_without_a_file_descriptor_or_thread_the_metrics_are_served_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, missing: str
):
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files") if missing == "descriptor" else RuntimeError("no new thread")

    main = MainThread(snapshot())
    address = free_address()
    with monkeypatch.context() as patch:
        patch.setattr("selectors.DefaultSelector" if missing == "descriptor" else "threading.Thread.start", refuse)
        main.server.serve(address, 0.0)
        until(lambda: "metrics are not served" in caplog.text)
    main.server.retry(RETRY_S)
    assert requests.get(url(address), timeout=PATIENCE_S).status_code == 200
    main.end()


def test_another_address_moves_the_server_and_none_ends_it_with_its_threads():
    before = threads()  # of the server that other tests share
    main = MainThread(snapshot())
    first, second = free_address(), free_address()
    main.server.serve(first, 0.0)
    main.server.serve(second, 0.0)
    assert "metrics" in threads()
    assert requests.get(url(second), timeout=PATIENCE_S).status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(url(first), timeout=PATIENCE_S)
    main.server.serve(None, 0.0)
    assert main.server.state is None
    until(lambda: threads() <= before)
    with pytest.raises(requests.ConnectionError):
        requests.get(url(second), timeout=PATIENCE_S)
    main.end()


def test_stopping_ends_requests_that_wait_for_the_main_thread():
    main = MainThread(snapshot())
    main.calls.put(None)  # the main thread is in its last step
    until(lambda: not main.calls.qsize())
    address = free_address()
    main.server.serve(address, 0.0)
    answers: list[int] = []
    client = threading.Thread(target=lambda: answers.append(requests.get(url(address), timeout=PATIENCE_S).status_code))
    client.start()
    until(lambda: main.calls.qsize(), "the request never came")
    main.server.stop()
    client.join(PATIENCE_S)
    assert answers == [503]
    main.end()


def test_without_the_extra_the_state_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    main = MainThread(snapshot())
    main.server.serve(free_address(), 0.0)
    state = main.server.state
    main.end()
    assert state is not None
    assert state["problem"] == "metrics need prometheus-client, not installed"
    assert str(state["hint"]).startswith(f"{sys.executable} -m pip install ")
