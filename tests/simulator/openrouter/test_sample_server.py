"""Connections of the sample account: reset, and closed by a stop."""

from http.client import HTTPConnection

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.scenarios import ResponseFault
from tests.simulator.openrouter.account_client import Now, ask
from tests.waiting import threads_named, until


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
