"""Connections of the sample account: reset, closed by a stop, and how many; and the alerts of a demo."""

import json
import select
import socket
import threading
from contextlib import ExitStack, closing
from http.client import HTTPConnection, RemoteDisconnected

import pytest

from openbalance_hid.simulator.openrouter import sample_server
from openbalance_hid.simulator.openrouter.sample_account import MOST_REQUESTS, RecordedRequest, SampleAccount
from openbalance_hid.simulator.openrouter.scenarios import ResponseFault
from tests.simulator.openrouter.account_client import Now, ask
from tests.waiting import PATIENCE_S, threads_named, until


def test_offline_resets_every_connection(sample: SampleAccount) -> None:
    sample.set_scenario("offline")
    with pytest.raises(ConnectionError):
        ask(sample, "/credits")


@pytest.mark.parametrize("fault", [None, ResponseFault.NO_ANSWER])
def test_stop_ends_every_connection_and_is_idempotent(now: Now, fault: ResponseFault | None) -> None:
    sample = SampleAccount(clock=now).start()
    sample.set_response_fault(fault)
    host, port = sample.url.split("/")[2].split(":")
    connection = HTTPConnection(host, int(port), timeout=240)
    connection.request("GET", "/api/v1/key", headers={"Authorization": f"Bearer {sample.key}"})
    if fault is None:
        connection.getresponse().read()  # the connection stays open, without a request
    until(lambda: len(sample.requests) == 1)
    sample.stop()
    sample.stop()
    assert threads_named("sample account") == []
    assert connection.sock.recv(1) == b""
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection(host, int(port), timeout=240).connect()


def place_of(sample: SampleAccount) -> tuple[str, int]:
    host, port = sample.url.split("/")[2].split(":")
    return host, int(port)


def post(sample: SampleAccount, path: str, body: bytes) -> int:
    """Return the status of a POST without a key, as a web page can make one."""
    with closing(HTTPConnection(*place_of(sample), timeout=PATIENCE_S)) as connection:
        connection.request("POST", path, body, {"Origin": "http://page.example", "Content-Type": "text/plain"})
        return connection.getresponse().status


def test_alerts_are_received_only_at_an_address_that_no_page_can_guess(sample: SampleAccount) -> None:
    received: list[bytes] = []
    sample.on_alert = received.append
    assert post(sample, "/api/v1/demo-alerts", b"{}") == 401
    assert post(sample, "/api/v1/demo-alerts/", b"{}") == 401
    assert received == []
    assert post(sample, "/" + sample.alerts_url.split("/", 3)[3], b'{"title": "Spike"}') == 200
    assert received == [b'{"title": "Spike"}']


def test_an_alert_that_cannot_be_read_ends_its_connection_and_no_thread(
    sample: SampleAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    uncaught: list[object] = []
    monkeypatch.setattr(threading, "excepthook", uncaught.append)
    sample.on_alert = json.loads
    with pytest.raises(RemoteDisconnected):
        post(sample, "/" + sample.alerts_url.split("/", 3)[3], b"[" * 100_000)
    assert ask(sample, "/credits").status == 200
    until(lambda: len(threads_named("sample account, client")) <= 1)
    assert uncaught == []


def test_one_connection_too_many_takes_the_place_of_the_oldest(sample: SampleAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_server, "CONNECTIONS", 8)
    with ExitStack() as opened:
        idle = [opened.enter_context(socket.create_connection(place_of(sample), PATIENCE_S)) for _ in range(28)]
        assert ask(sample, "/credits").status == 200
        until(lambda: len(select.select(idle, (), (), 0)[0]) > 20)  # readable: ended, because no request was answered
        until(lambda: len(threads_named("sample account, client")) <= sample_server.CONNECTIONS)


def test_of_many_requests_the_newest_are_kept(sample: SampleAccount) -> None:
    sample.requests.extend([RecordedRequest("GET", "/old", "", {}, b"")] * MOST_REQUESTS)
    ask(sample, "/credits")
    assert len(sample.requests) == MOST_REQUESTS
    assert sample.requests[-1].path == "/credits"
