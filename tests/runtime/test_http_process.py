"""Requests in a process of their own: the same results as in this one, and whatever happens to it costs one request."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from openbalance_hid.errors import OfflineError, OpenBalanceError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.session import own_session
from openbalance_hid.openrouter.webhook import post
from openbalance_hid.runtime.http_process import HttpProcess
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.runtime.alert_receiver import AlertReceiver
from tests.runtime.http_children import AMPLE, THREAD, Children, account, children, client, process
from tests.torture.fault_proxy import Answer, FaultProxy
from tests.waiting import PATIENCE_S, until, until_no_thread

__all__ = ["account", "children", "process"]

SHORT = HttpLimits(connect_s=60.0, read_s=2.0, total_s=60.0, stream_s=60.0)


def raw(*lines: str, body: bytes = b"") -> Callable[[Answer, socket.socket], None]:
    """Return a fault that sends these lines in the place of an answer."""
    head = "\r\n".join((*lines, f"Content-Length: {len(body)}", "Connection: close", "", "")).encode()
    return lambda _, peer: peer.sendall(head + body)


def stalled(answer: Answer, peer: socket.socket) -> None:
    """Send a half, and then nothing until the client gives up."""
    peer.sendall(answer.whole[: len(answer.whole) // 2])
    select.select([peer], [], [], PATIENCE_S)


RATE_LIMITED = ("HTTP/1.1 429 Too Many", "Date: Tue, 01 Dec 2026 01:00:00 GMT")
ANSWERS: dict[str, Callable[[Answer, socket.socket], None]] = {
    "good": lambda answer, peer: peer.sendall(answer.whole),
    "key refused": raw("HTTP/1.1 401 Unauthorized", body=b'{"error":{"code":401,"message":"no auth"}}'),
    "seconds to wait": raw(*RATE_LIMITED, "Retry-After: 90"),
    "instant to wait for": raw(*RATE_LIMITED, "Retry-After: Tue, 01 Dec 2026 01:02:00 GMT"),
    "server down": raw("HTTP/1.1 503 Unavailable", body=b"<html>"),
    "redirect": raw("HTTP/1.1 302 Found", "Location: https://elsewhere.example/"),
    "no HTTP": lambda _, peer: peer.sendall(b"\x16\x03\x01\r\n\r\n"),
    "nothing": lambda _, __: None,
    "cut": lambda answer, peer: peer.sendall(answer.whole[:-5]),
    "too large": raw("HTTP/1.1 200 OK", body=b" " * 300_000),
    "other coding": raw("HTTP/1.1 200 OK", "Content-Encoding: br", body=b"abc"),
    "no JSON": raw("HTTP/1.1 200 OK", body=b"{"),
    "stalled": stalled,
}
REQUESTS: dict[str, tuple[str, Callable[[Client], object]]] = {
    "/credits": ("/credits", Client.credits),
    "/activity": ("/activity", Client.activity),  # in pieces
    "/models": ("/models", Client.model_names),  # without the key
}


def outcome(client: Client, request: Callable[[Client], object]) -> tuple[object, ...]:
    """Return all that a request does."""
    try:
        result = request(client)
    except OpenBalanceError as error:
        result = (type(error), error.message, error.hint, getattr(error, "retry_after_s", None), getattr(error, "status", None))
    return result, client.calls, client.dropped_rows, round(client.last_date_skew_s or 0.0, -2)


@pytest.mark.parametrize("path", REQUESTS)
@pytest.mark.parametrize("name", ANSWERS)
def test_each_answer_has_the_same_result_as_without_the_process(
    account: SampleAccount, process: HttpProcess, name: str, path: str
) -> None:
    url, request = REQUESTS[path]
    with FaultProxy(account.url) as proxy:
        proxy.faults[url] = ANSWERS[name]
        found = []
        for new_session in (own_session, process.session):
            with client(account, new_session, proxy.url, SHORT if name == "stalled" else AMPLE) as asking:
                found.append(outcome(asking, request))
                proxy.faults.pop(url)  # the next request of the same session is answered well
                found.append(outcome(asking, request))
                proxy.faults[url] = ANSWERS[name]
    assert found[:2] == found[2:]


def test_what_cannot_be_reached_or_opened_is_said_in_the_same_words(
    account: SampleAccount, process: HttpProcess, tmp_path: Path
) -> None:
    words: list[list[str]] = [[], []]
    for found, new_session in zip(words, (own_session, process.session), strict=True):
        for url, ca_file in (("http://127.0.0.1:9/api/v1", None), (account.url, str(tmp_path / "none.pem"))):
            asking = Client(Secret(account.key), url, limits=AMPLE, ca_file=ca_file, new_session=new_session)
            with asking, pytest.raises(OfflineError) as error:
                asking.credits()
            found.append(f"{error.value.message} {error.value.hint}")
    assert words[0] == words[1]
    assert len(set(words[0])) == 2


def test_a_key_is_switched_and_read_back(account: SampleAccount, process: HttpProcess) -> None:
    with client(account, process.session) as asking:
        key_hash = next(key.hash for key in asking.keys() if not asking.is_own_key(key.hash))  # noqa: SIM118  no dictionary
        assert asking.set_key_disabled(key_hash, True).disabled
        assert asking.key(key_hash).disabled


def test_an_alert_is_posted_without_a_key(process: HttpProcess) -> None:
    with AlertReceiver() as receiver:
        post(receiver.url, "/a?b=c", b'{"x":1}', new_session=process.session)
        ((path, headers, body),) = receiver.received
    assert (path, body) == ("/a?b=c", b'{"x":1}')
    assert "Authorization" not in headers


def test_many_sessions_at_once_share_one_child(account: SampleAccount, process: HttpProcess, children: Children) -> None:
    def ask(_: int) -> object:
        with client(account, process.session, limits=HttpLimits()) as asking:
            return asking.credits().total_credits_usd, len(asking.activity().by_model)

    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(ask, range(60)))) == 1
    assert len(children.started) == 1


def test_the_child_ends_when_nothing_is_requested_and_the_next_request_has_another(account: SampleAccount) -> None:
    children = Children()
    with closing(HttpProcess(children, linger_s=0.01)) as process:
        for number in range(1, 4):
            with client(account, process.session) as asking:
                asking.credits()
                time.sleep(0.05)  # longer than it lingers: a session that is open keeps it
                asking.credits()
                assert len(children.running) == 1
            until(lambda: not children.running)
            assert len(children.started) == number
            until_no_thread(THREAD)


def test_a_poll_loads_no_http_into_the_daemon(account: SampleAccount) -> None:
    program = f"""
import sys
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.poller import Poller
from openbalance_hid.runtime import main
from openbalance_hid.runtime.http_process import HttpProcess
from openbalance_hid.secret import Secret

process, seen = HttpProcess(), []
client = lambda: Client(Secret({account.key!r}), {account.url!r}, new_session=process.session)
Poller("default", client, 900.0, seen.append).run_cycle()
print(seen[-1].health.value, sorted({{"requests", "urllib3", "ssl", "http", "email"}} & sys.modules.keys()))
process.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.stdout, done.stderr) == ("ok []\n", "")
