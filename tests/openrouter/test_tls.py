"""Who gets the key: a real TLS server in the place of openrouter.ai, with certificates made here."""

import base64
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import trustme

from openbalance_hid.errors import ApiError, OfflineError, WrongClockError
from openbalance_hid.hints import clock_hint
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL
from openbalance_hid.secret import Secret
from openbalance_hid.service.doctor.openrouter_checks import assess_openrouter

KEY = "sk-or-v1-0123456789abcdef0123456789abcdef"
BODY = b'{"data":{"total_credits":100.5,"total_usage":25.75}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(BODY), BODY)


@contextmanager
def tls_server(leaf: trustme.LeafCert, answer: bytes = ANSWER) -> Iterator[tuple[int, list[bytes]]]:
    """Its port, and the questions that it could read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(60)
                try:
                    with context.wrap_socket(connection, server_side=True) as peer:
                        request = peer.recv(65_536)
                        if (length := re.search(rb"Content-Length: (\d+)", request)) is not None:
                            while len(request.partition(b"\r\n\r\n")[2]) < int(length[1]):  # a body may come by itself
                                request += peer.recv(65_536)
                        heard.append(request)
                        peer.sendall(answer)
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
    """A root certificate that requests trusts as a public one; the developer's environment variables are removed."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "roots.pem"))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return authority


def asked(
    monkeypatch: pytest.MonkeyPatch, leaf: trustme.LeafCert, answer: bytes = ANSWER, ca_file: str | None = None
) -> tuple[list[bytes], str]:
    """The requests that the server in place of openrouter.ai received, and the error message; empty without an error."""
    with tls_server(leaf, answer) as (port, heard), monkeypatch.context() as patch:
        patch.setattr(
            socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        )
        with Client(Secret(KEY), ca_file=ca_file) as client:
            try:
                client.credits()
            except ApiError as error:
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
    assert (heard, trouble) == ([], "cannot reach openrouter.ai: its certificate is for another name")


@pytest.mark.parametrize("days", [-1, 1], ids=["expired", "not valid yet"])
def test_a_certificate_outside_of_its_time_gets_nothing_and_the_error_names_the_date(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, days: int
) -> None:
    now = datetime.now(UTC)
    if days < 0:
        leaf = authority.issue_cert("openrouter.ai", not_after=now + timedelta(days=days))
    else:
        leaf = authority.issue_cert("openrouter.ai", not_before=now + timedelta(days=days))
    words = f"its certificate is not valid on {now.date()}, the date of this machine's clock"
    assert asked(monkeypatch, leaf) == ([], f"cannot reach openrouter.ai: {words}")


def test_the_doctor_reports_the_clock_when_a_certificate_is_outside_of_its_time() -> None:
    error = WrongClockError("cannot reach openrouter.ai: …", clock_hint())
    openrouter, clock = assess_openrouter(OPENROUTER_URL, None, error, None)
    assert (openrouter.exit_code, openrouter.hint, clock.name, clock.hint) == (69, clock_hint(), "clock", clock_hint())


UNKNOWN_ISSUER = (
    "cannot reach openrouter.ai: its certificate is from an unknown issuer; a proxy may inspect the connection: "
    "its root certificate belongs in ca_file"
)


def test_the_root_certificate_of_a_proxy_is_trusted_if_the_configuration_names_it(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path
) -> None:
    proxy, ca_file = trustme.CA(), tmp_path / "proxy.pem"
    proxy.cert_pem.write_to_path(ca_file)
    assert asked(monkeypatch, proxy.issue_cert("openrouter.ai")) == ([], UNKNOWN_ISSUER)
    for each in (proxy, authority):  # beside the public ones
        heard, trouble = asked(monkeypatch, each.issue_cert("openrouter.ai"), ca_file=str(ca_file))
        assert (len(heard), trouble) == (1, "")
    assert asked(monkeypatch, proxy.issue_cert("evil.example"), ca_file=str(ca_file))[0] == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        *((None, "no such file or directory"), ("a directory", "not a file"), ("a pipe", "not a file")),
        *((text, "it has no valid certificate in PEM form") for text in ("", "nonsense", "\x30\x03\x01\x01\xff")),
    ],
)
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, reason: str) -> None:
    ca_file = tmp_path / "ca.pem"
    if content == "a directory":
        ca_file.mkdir()
    elif content == "a pipe":
        os.mkfifo(ca_file)
    elif content is not None:
        ca_file.write_text(content)
    with Client(Secret(KEY), ca_file=str(ca_file)) as client, pytest.raises(OfflineError) as caught:
        client.credits()
    assert caught.value.message == f"cannot use the ca_file {ca_file}: {reason}"
    assert caught.value.hint == "openbalance-hid config edit", "`config check` accepts the file: it may be there tomorrow"


@pytest.mark.parametrize("is_directory", [False, True])
def test_a_ca_file_that_another_user_could_replace_is_not_trusted(
    tmp_path: Path, authority: trustme.CA, is_directory: bool
) -> None:
    folder = tmp_path / "Shared"
    folder.mkdir()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    opened = folder if is_directory else ca_file
    opened.chmod(0o777)
    with Client(Secret(KEY), ca_file=str(ca_file)) as client, pytest.raises(OfflineError) as caught:
        client.credits()
    assert f"{opened} may be written by other users; to change that: chmod go-w {opened}" in caught.value.message


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_root_certificate_from_the_environment_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path, variable: str
) -> None:
    stranger = trustme.CA()
    stranger.cert_pem.write_to_path(tmp_path / "stranger.pem")
    monkeypatch.setenv(variable, str(tmp_path / "stranger.pem"))
    heard, trouble = asked(monkeypatch, stranger.issue_cert("openrouter.ai"))
    assert (heard, trouble) == ([], UNKNOWN_ISSUER)


def test_tls_keys_are_never_written_to_a_file(monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path) -> None:
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


def test_a_netrc_never_replaces_the_key_for_openrouter(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine openrouter.ai login me password hunter2\ndefault login me password hunter2\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    (question,), trouble = asked(monkeypatch, authority.issue_cert("openrouter.ai"))
    assert (trouble, question.count(b"Authorization:")) == ("", 1)
    assert f"Authorization: Bearer {KEY}".encode() in question


@pytest.mark.parametrize(
    "place", ["https://127.0.0.1:{port}/", "//openrouter.ai:{port}/", "https://openrouter.ai@127.0.0.1:{port}/"]
)
def test_a_redirect_of_openrouter_never_forwards_the_key(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, place: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as thief:
        location = place.format(port=thief.getsockname()[1]).encode()
        answer = b"HTTP/1.1 307 Go\r\nConnection: close\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location
        heard, trouble = asked(monkeypatch, authority.issue_cert("openrouter.ai"), answer)
        assert (len(heard), trouble) == (1, "/credits answered 307: a redirect, which is not followed")
        thief.setblocking(False)
        with pytest.raises(BlockingIOError):
            thief.accept()


def test_a_proxy_gets_its_credentials_and_only_openrouter_gets_the_key(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> None:
    with tls_server(authority.issue_cert("openrouter.ai")) as (port, heard), tunnel(port) as (proxy_port, passed):
        monkeypatch.setenv("https_proxy", f"http://someone:hunter2@127.0.0.1:{proxy_port}")
        with Client(Secret(KEY)) as client:
            assert client.credits().total_usage_usd == Decimal("25.75")
    question, sent = passed[0], b"".join(passed[1:])
    assert question.startswith(b"CONNECT openrouter.ai:443 ")
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"someone:hunter2") in question
    assert b"Bearer" not in question
    assert len(sent) > 200, "the rest went through it, under TLS"
    assert KEY[-20:].encode() not in sent
    assert f"Authorization: Bearer {KEY}".encode() in heard[0]
    assert b"Proxy-" not in heard[0]
    assert b"hunter2" not in heard[0]


@pytest.mark.parametrize(
    "proxy",
    [
        *("http://", "socks5://", "socks9://x:1", "ftp://127.0.0.1:1", "http://[::1", "http://a b:3", "http://127.0.0.1:abc"),
        *("http://127.0.0.1:99999", "://", "http://\u2603:1", "localhost:1", "http://user:hunter2@", "socks5h://user:hunter2@"),
    ],
)
def test_an_address_of_a_proxy_that_cannot_be_used_is_reported(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with Client(Secret(KEY)) as client, pytest.raises(OfflineError) as caught:
        client.credits()
    assert caught.value.message == "cannot reach openrouter.ai: the address of the proxy cannot be used"


@pytest.mark.parametrize("scheme", ["socks5h", "socks4a"])
def test_a_socks_proxy_leads_to_openrouter_and_sees_no_key(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, scheme: str
) -> None:
    with (
        tls_server(authority.issue_cert("openrouter.ai")) as (port, heard),
        tunnel(port, socks4 if scheme == "socks4a" else socks5) as (proxy_port, passed),
    ):
        monkeypatch.setenv("all_proxy", f"{scheme}://127.0.0.1:{proxy_port}")
        with Client(Secret(KEY)) as client:
            assert client.credits().total_usage_usd == Decimal("25.75")
    assert KEY[-20:].encode() not in b"".join(passed)
    assert f"Authorization: Bearer {KEY}".encode() in heard[0]


def connect(client: socket.socket, passed: list[bytes]) -> None:
    """Accept an HTTP CONNECT."""
    passed.append(client.recv(65_536))
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


def socks5(client: socket.socket, passed: list[bytes]) -> None:
    """Accept a SOCKS5 request without a password (RFC 1928)."""
    passed.append(client.recv(262))
    client.sendall(b"\x05\x00")
    passed.append(client.recv(262))
    client.sendall(b"\x05\x00\x00\x01\0\0\0\0\0\0")


def socks4(client: socket.socket, passed: list[bytes]) -> None:
    """Accept a SOCKS4a request."""
    passed.append(client.recv(512))
    client.sendall(b"\x00\x5a\0\0\0\0\0\0")


@contextmanager
def tunnel(port: int, accept: Callable[[socket.socket, list[bytes]], None] = connect) -> Iterator[tuple[int, list[bytes]]]:
    """A proxy that leads every request to `port`: its own port, and what came to it."""
    passed: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as far:
                client.settimeout(60)
                accept(client, passed)
                back = threading.Thread(target=pump, args=(far, client, []), name="tunnel back")
                back.start()
                pump(client, far, passed)
                back.join(20)

        thread = threading.Thread(target=serve, name="tunnel")
        thread.start()
        try:
            yield server.getsockname()[1], passed
        finally:
            thread.join(20)


def pump(source: socket.socket, target: socket.socket, passed: list[bytes]) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            passed.append(piece)
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
