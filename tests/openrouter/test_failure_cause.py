"""The words for a failed connection: what a real proxy, or the network before OpenRouter, answered instead of a connection."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from openbalance_hid.errors import OfflineError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.secret import Secret
from tests.waiting import PATIENCE_S

CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
LOGIN = "the proxy requires a login, or refuses the one in its address"
NO_TUNNEL = "the proxy does not let the connection through"
CLOSED = "the connection was closed without an answer"
NOT_TLS = "the answer is not TLS: the network may require a login in a browser"
PORTAL = b"HTTP/1.1 302 Found\r\nLocation: http://login.hotel.example/\r\nContent-Length: 0\r\n\r\n"
OLD_TLS = b"\x15\x03\x01\x00\x02\x02\x46"  # an alert: fatal, protocol_version (RFC 8446, section 6)
NO_COMMON_CIPHER = b"\x15\x03\x03\x00\x02\x02\x28"  # an alert: fatal, handshake_failure

HTTP_PROXY = {
    "a login": ([b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"], LOGIN),
    "a rule": ([b"HTTP/1.1 403 Forbidden\r\n\r\n"], f"{NO_TUNNEL}: it answers 403"),
    "a login page": ([b"HTTP/1.1 511 Network Authentication Required\r\n\r\n"], f"{NO_TUNNEL}: it answers 511"),
    "another service": ([b"SSH-2.0-OpenSSH_9.2\r\n"], "the answer is not HTTP"),
    "nothing": ([b""], CLOSED),
    "a login page in place of the server": ([CONNECTED, PORTAL], NOT_TLS),
    "another service in place of the server": ([CONNECTED, b"SSH-2.0-OpenSSH_9.2\r\n"], NOT_TLS),
    "a server that closes": ([CONNECTED, b""], CLOSED),
}
SOCKS_PROXY = {
    "a login": ([b"\x05\xff"], LOGIN),
    "a refused login": ([b"\x05\x02", b"\x01\x01"], LOGIN),
    "a rule": ([b"\x05\x00", b"\x05\x02\x00\x01\0\0\0\0\0\0"], NO_TUNNEL),
    "no way": ([b"\x05\x00", b"\x05\x04\x00\x01\0\0\0\0\0\0"], NO_TUNNEL),
    "another service": ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], NO_TUNNEL),
    "nothing": ([b""], NO_TUNNEL),
}


@pytest.mark.parametrize(("answers", "cause"), HTTP_PROXY.values(), ids=HTTP_PROXY)
def test_what_a_proxy_answers_instead_of_a_tunnel_is_in_the_message(
    monkeypatch: pytest.MonkeyPatch, answers: Sequence[bytes], cause: str
) -> None:
    assert failure_through(monkeypatch, "http", answers) == f"cannot reach openrouter.ai: {cause}"


@pytest.mark.parametrize(("answers", "cause"), SOCKS_PROXY.values(), ids=SOCKS_PROXY)
def test_what_a_socks_proxy_refuses_is_in_the_message(
    monkeypatch: pytest.MonkeyPatch, answers: Sequence[bytes], cause: str
) -> None:
    assert failure_through(monkeypatch, "socks5h", answers) == f"cannot reach openrouter.ai: {cause}"


@pytest.mark.parametrize(("alert", "reason"), [(OLD_TLS, "protocol version"), (NO_COMMON_CIPHER, "handshake failure")])
def test_a_refused_handshake_is_reported_with_the_reason_of_openssl(
    monkeypatch: pytest.MonkeyPatch, alert: bytes, reason: str
) -> None:
    message = failure_through(monkeypatch, "http", [CONNECTED, alert])
    assert message.startswith("cannot reach openrouter.ai: TLS failed: ")
    assert message.endswith(reason), f"{ssl.OPENSSL_VERSION} names it otherwise"


def test_root_certificates_that_an_update_has_removed_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "cacert.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with Client(Secret("sk-or-v1-0123456789abcdef1a2b")) as client, pytest.raises(OfflineError) as caught:
        client.credits()
    assert caught.value.message.endswith("the root certificates of this program are gone: start it again after an update")


def failure_through(monkeypatch: pytest.MonkeyPatch, scheme: str, answers: Sequence[bytes]) -> str:
    """Return the error message of a request through a proxy that sends these answers, one after each of the client's."""
    for name in ("all_proxy", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with answering(answers) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://me:hunter2@127.0.0.1:{port}")
        with Client(Secret("sk-or-v1-0123456789abcdef1a2b")) as client, pytest.raises(OfflineError) as caught:
            client.credits()
    assert "hunter2" not in caught.value.message
    return caught.value.message


@contextmanager
def answering(answers: Sequence[bytes]) -> Iterator[int]:
    """A server for one connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.settimeout(PATIENCE_S)
                for answer in answers:
                    connection.recv(65_536)
                    connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):  # closed with unread bytes it would be reset
                    pass

        thread = threading.Thread(target=serve, name="proxy of the test")
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            thread.join(PATIENCE_S)
