"""Who gets the key: a real TLS server in the place of openrouter.ai, with certificates made here."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from openbalance_hid.errors import OfflineError
from openbalance_hid.openrouter.client import Client

KEY = "sk-or-v1-0123456789abcdef0123456789abcdef"
BODY = b'{"data":{"total_credits":100.5,"total_usage":25.75}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(BODY), BODY)


@contextmanager
def tls_server(leaf: trustme.LeafCert) -> Iterator[tuple[int, list[bytes]]]:
    """Its port, and the questions that it could read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                try:
                    with context.wrap_socket(connection, server_side=True) as peer:
                        heard.append(peer.recv(65_536))
                        peer.sendall(ANSWER)
                except OSError:
                    return  # the client did not like what it was shown

        thread = threading.Thread(target=serve, name="tls server")
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            thread.join(20)


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """One of the public roots, as far as requests knows; no variable of the developer's is in the way."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "roots.pem"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return authority


def asked(monkeypatch: pytest.MonkeyPatch, leaf: trustme.LeafCert) -> tuple[list[bytes], str]:
    """What openrouter.ai's place was told, and why it was not asked; empty when it was."""
    with tls_server(leaf) as (port, heard), monkeypatch.context() as patch:
        patch.setattr(
            socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        )
        with Client(KEY) as client:
            try:
                client.credits()
            except OfflineError as error:
                return heard, error.message
    return heard, ""


def test_the_holder_of_openrouters_certificate_gets_the_key(monkeypatch: pytest.MonkeyPatch, authority: trustme.CA) -> None:
    heard, trouble = asked(monkeypatch, authority.issue_cert("openrouter.ai"))
    assert trouble == ""
    assert f"Authorization: Bearer {KEY}".encode() in heard[0]


@pytest.mark.parametrize("names", [["evil.example"], ["openrouter.ai.evil.example"], ["127.0.0.1"], ["*.openrouter.ai"]])
def test_a_certificate_for_another_name_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, names: list[str]
) -> None:
    heard, trouble = asked(monkeypatch, authority.issue_cert(*names))
    assert (heard, trouble) == ([], "cannot reach openrouter.ai: its certificate is not trusted")


def test_an_expired_certificate_gets_nothing(monkeypatch: pytest.MonkeyPatch, authority: trustme.CA) -> None:
    leaf = authority.issue_cert("openrouter.ai", not_after=datetime.now(UTC) - timedelta(days=1))
    assert asked(monkeypatch, leaf) == ([], "cannot reach openrouter.ai: its certificate is not trusted")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_root_that_only_the_environment_names_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path, variable: str
) -> None:
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(tmp_path / "stranger.pem")
    monkeypatch.setenv(variable, str(tmp_path / "stranger.pem"))
    heard, trouble = asked(monkeypatch, stranger.issue_cert("openrouter.ai"))
    assert (heard, trouble) == ([], "cannot reach openrouter.ai: its certificate is not trusted")


def test_the_keys_of_a_connection_are_written_nowhere(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    leaf = authority.issue_cert("openrouter.ai")
    ssl.create_default_context()  # the file would be here, had the variable been obeyed
    assert (tmp_path / "keys.log").exists()
    (tmp_path / "keys.log").unlink()
    monkeypatch.delenv("SSLKEYLOGFILE")  # not for the server's side
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "client.log"))
    heard, _ = asked(monkeypatch, leaf)
    assert heard
    log = tmp_path / "client.log"
    assert not log.exists() or not log.read_text()
