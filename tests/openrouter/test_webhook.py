"""Posting to an address of the user: within its limits, without a key, and without a word of the address in an error."""

import pytest
import trustme

from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.webhook import WebhookError, post
from tests.openrouter.test_tls import authority, tls_server
from tests.runtime.alert_receiver import AlertReceiver

__all__ = ["authority"]
SECRET = "T0PSECRET"
QUICK = HttpLimits(connect_s=2, read_s=0.3, total_s=0.5, body_bytes=64 * 1024)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture
def receiver():
    with AlertReceiver() as made:
        yield made


def refused(receiver: AlertReceiver) -> WebhookError:
    with pytest.raises(WebhookError) as error:
        post(receiver.url, f"/{SECRET}", b"{}", limits=QUICK)
    assert SECRET not in error.value.message
    assert error.value.__cause__ is None
    return error.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_accepted_and_no_key_is_sent(receiver, status):
    receiver.answer = status
    post(receiver.url, "/a?b=c", b'{"x":1}')
    ((path, headers, body),) = receiver.received
    assert (path, body, headers["Content-Type"]) == ("/a?b=c", b'{"x":1}', "application/json")
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (500, "127.0.0.1:{port} answered 500"),
        (404, "127.0.0.1:{port} answered 404"),
        (302, "127.0.0.1:{port} answered 302: a redirect, which is not followed"),
        ("hang", "cannot reach 127.0.0.1:{port}: no answer in time"),
        ("drip", "cannot reach 127.0.0.1:{port}: the answer did not end in time"),
        ("garbage", "cannot reach 127.0.0.1:{port}: the answer is not HTTP"),
        ("endless", "127.0.0.1:{port} sent an answer that is too long or broke off"),
    ],
)
def test_any_other_answer_is_a_failure_with_its_reason(receiver, answer, words):
    receiver.answer = answer
    receiver.headers = {"Location": f"https://elsewhere.example/{SECRET}"} if answer == 302 else {}
    error = refused(receiver)
    found = error.message.replace("the connection was closed without an answer", "the answer is not HTTP")
    assert found == words.format(port=receiver.url.rpartition(":")[2])
    assert len(receiver.received) == 1


def test_a_server_may_ask_for_a_pause_of_up_to_an_hour(receiver):
    receiver.answer, receiver.headers = 429, {"Retry-After": "120"}
    assert refused(receiver).retry_after_s == 120
    receiver.headers = {"Retry-After": "999999"}
    assert refused(receiver).retry_after_s == 3600
    receiver.headers = {"Retry-After": "soon"}
    assert refused(receiver).retry_after_s is None


def test_a_bad_certificate_gets_nothing(authority, monkeypatch):
    trusted = pytest.raises(WebhookError, match="certificate")
    with tls_server(trustme.CA().issue_cert("127.0.0.1"), OK) as (port, heard), trusted:
        post(f"https://127.0.0.1:{port}", f"/{SECRET}", b"{}")
    assert heard == []


def test_a_good_certificate_gets_the_message(authority, monkeypatch):
    with tls_server(authority.issue_cert("localhost"), OK) as (port, heard):
        post(f"https://localhost:{port}", "/x", b'{"x":1}')
    assert b"POST /x HTTP/1.1" in heard[0]
