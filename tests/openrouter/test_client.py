import gc
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from urllib3 import HTTPConnectionPool

from openbalance_hid import __version__
from openbalance_hid.errors import ApiError, ForbiddenError, KeyRejectedError, OfflineError, RateLimitedError, ServerError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL, HttpLimits
from openbalance_hid.secret import Secret
from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from openbalance_hid.simulator.openrouter.sample_answers import SampleReply, refused
from openbalance_hid.simulator.openrouter.scenarios import ResponseFault
from tests.openrouter.virtual import VirtualClock
from tests.waiting import PATIENCE_S

SMALL = HttpLimits(body_bytes=4 * 1024 * 1024)
QUICK = HttpLimits(read_s=0.1, total_s=0.3)
QUESTIONS: dict[str, Callable[[Client], object]] = {
    "/credits": Client.credits,
    "/activity": Client.activity,
    "/key": Client.key_info,
    "/analytics/query": lambda client: client.today(datetime(2026, 11, 24, 12, 0, tzinfo=UTC)),
}


@pytest.fixture
def client(sample: SampleAccount, clock: VirtualClock) -> Iterator[Client]:
    with Client(Secret(sample.key), sample.url, utc=clock.utc) as client:
        yield client


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port that records the first bytes of each connection and closes it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    words = connection.recv(4096)
                    if words == b"enough":
                        return
                    heard.append(words)

        thread = threading.Thread(target=listen, name="listener")
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            with socket.create_connection(server.getsockname()) as last:
                last.sendall(b"enough")
            thread.join()


# --- good answers --------------------------------------------------------------------------------------------------------


def test_the_four_endpoints_answer_and_agree(client: Client, sample: SampleAccount, clock: VirtualClock) -> None:
    books = sample.state()
    credits_ = client.credits()
    assert (credits_.total_credits_usd, credits_.total_usage_usd) == (books.total_credits_usd, books.total_usage_usd)
    assert credits_.balance_usd == Decimal("74.25")
    assert len(client.activity().by_model) == 30
    assert client.activity().newest == clock.now.date() - timedelta(days=1)
    assert client.key_info().is_management_key is True
    today = client.today(clock.now)
    assert today.day == clock.now.date()
    assert today.usd == sum(use.usd for use in books.ledger.uses(books.midnight, clock.now))
    assert client.calls == 5


def test_a_request_names_the_program_and_sends_no_other_header(client: Client, sample: SampleAccount) -> None:
    client.credits()
    (request,) = sample.requests
    assert request.headers["user-agent"] == f"openbalance-hid/{__version__}"
    assert request.headers["authorization"] == sample.authorization_hash(sample.key)
    assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding", "connection", "authorization"}


def test_activity_is_requested_without_a_date(client: Client, sample: SampleAccount) -> None:
    client.activity()
    assert (sample.requests[-1].path, sample.requests[-1].query) == ("/activity", "")


@pytest.mark.parametrize("seconds", [0.0, 0.4, 1.0, 86_399.9])
def test_today_is_requested_from_midnight_to_the_present_second(
    client: Client, sample: SampleAccount, clock: VirtualClock, seconds: float
) -> None:
    clock.step(12 * 3600 + seconds)
    assert client.today(clock.now).day == clock.now.date()


def test_the_servers_clock_is_compared_with_the_local_one(client: Client, sample: SampleAccount) -> None:
    assert client.last_date_skew_s is None
    sample.date_skew_s = -86_400
    client.credits()
    assert client.last_date_skew_s == -86_400


# --- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    ("scenario", "error", "words"),
    [
        ("offline", OfflineError, "cannot reach 127.0.0.1:.*closed without an answer"),
        ("rejected", KeyRejectedError, "answered 401: User not found."),
        ("rate-limited", RateLimitedError, "answered 429: Rate limit exceeded"),
        ("server-error", ServerError, "answered 500: Internal Server Error"),
    ],
)
def test_each_failing_scenario_has_its_error_class_and_message(
    client: Client, sample: SampleAccount, path: str, scenario: str, error: type[ApiError], words: str
) -> None:
    sample.set_scenario(scenario)
    with pytest.raises(error, match=words):
        QUESTIONS[path](client)


def test_an_outage_as_web_page_and_as_broken_body_is_a_server_error(client: Client, sample: SampleAccount) -> None:
    sample.set_scenario("server-error")
    for words in ("answered 500", "answered 502: a web page", "broke off", "answered 500"):
        with pytest.raises(ServerError, match=words):
            client.credits()


def test_an_inference_key_is_refused_or_answered_with_zeros(sample: SampleAccount) -> None:
    with Client(Secret(sample.inference_key), sample.url) as client:
        with pytest.raises(ForbiddenError, match="Only management keys can fetch credits"):
            client.credits()
        assert client.credits().total_usage_usd == 0
        assert client.key_info().is_management_key is False
        with pytest.raises(ForbiddenError, match="Only management keys can fetch activity"):
            client.activity()


def test_a_refused_connection_is_offline(sample: SampleAccount) -> None:
    url = sample.url
    sample.stop()
    with Client(Secret(sample.key), url) as client, pytest.raises(OfflineError, match="refused"):
        client.credits()


def test_a_name_that_does_not_resolve_is_offline(
    monkeypatch: pytest.MonkeyPatch, sample: SampleAccount, bare_env: None
) -> None:
    def no_name(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    with (
        Client(Secret(sample.key)) as client,
        pytest.raises(OfflineError, match=r"cannot reach openrouter\.ai: its name does not resolve"),
    ):
        client.credits()


def test_a_server_that_does_not_speak_tls_is_offline_and_never_sees_the_key(
    monkeypatch: pytest.MonkeyPatch, sample: SampleAccount, bare_env: None
) -> None:
    with listener() as (port, heard):
        answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
        with Client(Secret(sample.key)) as client, pytest.raises(OfflineError, match=r"cannot reach openrouter\.ai"):
            client.credits()
        monkeypatch.undo()
    assert heard
    assert not any(b"Bearer" in words or b"GET" in words for words in heard)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), ("0", 0.0), ("999999999", 86_400.0), ("-5", None), ("soon", None), ("", None), ("Wed, 99 Foo", None)],
)
def test_retry_after_in_seconds(client: Client, sample: SampleAccount, header: str, seconds: float | None) -> None:
    sample.instead["/credits"] = refused(429, "slow down", {"Retry-After": header})
    with pytest.raises(RateLimitedError) as caught:
        client.credits()
    assert caught.value.retry_after_s == seconds


def test_retry_after_as_a_date_on_a_503(client: Client, sample: SampleAccount, clock: VirtualClock) -> None:
    at = (clock.now + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    sample.instead["/credits"] = refused(503, "busy", {"Retry-After": at})
    with pytest.raises(ServerError) as caught:
        client.credits()
    assert caught.value.retry_after_s == 90


@pytest.mark.parametrize("skew_s", [-86_400, 86_400])
def test_a_retry_after_date_follows_the_servers_clock(
    client: Client, sample: SampleAccount, clock: VirtualClock, skew_s: int
) -> None:
    sample.date_skew_s = skew_s
    at = clock.now + timedelta(seconds=skew_s + 90)
    sample.instead["/credits"] = refused(429, "slow down", {"Retry-After": f"{at:%a, %d %b %Y %H:%M:%S} GMT"})
    with pytest.raises(RateLimitedError) as caught:
        client.credits()
    assert caught.value.retry_after_s == 90


@pytest.mark.parametrize("status", [204, 400, 402, 404, 408, 418, 500, 503])
def test_every_other_status_is_a_server_error_that_names_it(client: Client, sample: SampleAccount, status: int) -> None:
    sample.instead["/credits"] = SampleReply(status, b"")
    with pytest.raises(ServerError, match=f"/credits answered {status}"):
        client.credits()


# --- where the key goes -----------------------------------------------------------------------------------------------------


@pytest.fixture
def bare_env(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_never_followed(client: Client, sample: SampleAccount, status: int) -> None:
    with SampleAccount() as thief:
        sample.instead["/credits"] = SampleReply(status, b"", {"Location": f"{thief.url}/credits"})
        with pytest.raises(ServerError, match=f"answered {status}: a redirect"):
            client.credits()
        assert thief.requests == []


def test_a_password_in_netrc_never_replaces_the_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample: SampleAccount, client: Client
) -> None:
    from requests import Request

    from openbalance_hid.openrouter.http import RequestsSession

    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\nmachine openrouter.ai login me password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    client.credits()
    assert sample.requests[-1].headers["authorization"] == sample.authorization_hash(sample.key)
    # The real address cannot be requested here: the prepared request is checked in its place.
    session = RequestsSession(Secret(sample.key), OPENROUTER_URL, HttpLimits())._session
    prepared = session.prepare_request(Request("GET", f"{OPENROUTER_URL}/credits"))
    assert prepared.headers["Authorization"] == f"Bearer {sample.key}"


def test_proxies_of_the_environment_are_not_used_for_loopback(
    monkeypatch: pytest.MonkeyPatch, client: Client, bare_env: None
) -> None:
    with listener() as (port, heard):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        client.credits()
    assert heard == []


def test_a_proxy_for_openrouter_gets_a_tunnel_request_and_no_key(
    monkeypatch: pytest.MonkeyPatch, sample: SampleAccount, bare_env: None
) -> None:
    with listener() as (port, heard):
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:hunter2@127.0.0.1:{port}")
        with Client(Secret(sample.key)) as client, pytest.raises(OfflineError, match=r"cannot reach openrouter\.ai") as caught:
            client.credits()
    assert heard[0].startswith(b"CONNECT openrouter.ai:443")
    assert sample.key.encode() not in heard[0]
    assert "hunter2" not in caught.value.message


def test_a_refusing_proxy_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch, sample: SampleAccount, bare_env: None) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{sample.url.split('/')[2]}")  # it does not support the method CONNECT
    with (
        Client(Secret(sample.key)) as client,
        pytest.raises(OfflineError, match="the proxy does not let the connection through"),
    ):
        client.credits()


@pytest.mark.parametrize(
    ("proxy", "cause"),
    [
        ("http://127.0.0.1:{port}", "the proxy does not accept connections"),
        ("socks5://127.0.0.1:{port}", "the proxy does not accept connections"),
        ("socks5h://127.0.0.1:{port}", "the proxy does not accept connections"),
        ("http://proxy.invalid:{port}", "the name of the proxy does not resolve"),
    ],
)
def test_a_proxy_that_cannot_be_reached_is_named_as_the_cause(
    monkeypatch: pytest.MonkeyPatch, sample: SampleAccount, bare_env: None, proxy: str, cause: str
) -> None:
    with listener() as (port, _):
        pass
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(port=port))
    with Client(Secret(sample.key)) as client, pytest.raises(OfflineError) as caught:
        client.credits()
    assert caught.value.message == f"cannot reach openrouter.ai: {cause}"


def test_a_key_that_the_server_repeats_is_masked(sample: SampleAccount) -> None:
    for body in (f'{{"error":{{"message":"who is {sample.key}?"}}}}', f"not json {sample.key}"):
        for status in (200, 401, 403, 500):
            sample.instead["/credits"] = SampleReply(status, body.encode())
            with Client(Secret(sample.key), sample.url) as client, pytest.raises(ApiError) as caught:
                client.credits()
            assert sample.key[-12:] not in f"{caught.value.message} {caught.value!r} {caught.value.args}"


# --- bad answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (ResponseFault.TRUNCATED, ServerError, "not JSON"),
        (ResponseFault.SHORT, ServerError, "broke off"),
        (ResponseFault.EMPTY, ServerError, "nothing"),
        (ResponseFault.HTML, ServerError, "web page"),
        (ResponseFault.ENDLESS, ServerError, "more than 4194304 bytes"),
        (ResponseFault.BOMB, ServerError, "more than 4194304 bytes"),
        (ResponseFault.GARBAGE, OfflineError, "cannot reach"),
    ],
)
def test_a_bad_body_becomes_an_error_message(
    sample: SampleAccount, spoil: ResponseFault, error: type[ApiError], words: str
) -> None:
    sample.set_response_fault(spoil)
    with Client(Secret(sample.key), sample.url, limits=SMALL) as client, pytest.raises(error, match=words):
        client.credits()


@pytest.mark.parametrize("spoil", [ResponseFault.DRIP, ResponseFault.DRIP_HEAD, ResponseFault.NO_ANSWER])
def test_an_endless_answer_ends_at_the_deadline(sample: SampleAccount, spoil: ResponseFault) -> None:
    sample.set_response_fault(spoil)
    with Client(Secret(sample.key), sample.url, limits=QUICK) as client, pytest.raises(OfflineError, match="in time"):
        client.credits()


def test_a_slow_answer_within_the_deadline_is_good(sample: SampleAccount) -> None:
    sample.slow_s = 0.2
    with Client(Secret(sample.key), sample.url) as client:
        assert client.credits().balance_usd > 0


def test_after_a_bad_answer_the_next_one_is_good(sample: SampleAccount) -> None:
    with Client(Secret(sample.key), sample.url) as client:
        for spoil in (ResponseFault.SHORT, ResponseFault.HTML, ResponseFault.GARBAGE):
            sample.set_response_fault(spoil)
            with pytest.raises(ApiError):
                client.credits()
            sample.set_response_fault(None)
            assert client.credits().balance_usd > 0


def test_a_closed_client_can_send_requests_again(client: Client) -> None:
    client.credits()
    client.close()
    client.close()
    assert client.credits().balance_usd > 0


def test_no_connection_outlives_its_client_even_where_something_holds_the_pool() -> None:
    body = b'{"data": {"total_credits": 100, "total_usage": 25.75}}'
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended: list[bytes] = []

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                ended.append(connection.recv(4096))

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        with Client(Secret("sk-or-v1-" + "1" * 64), f"http://127.0.0.1:{server.getsockname()[1]}/api/v1") as client:
            assert client.credits().balance_usd == Decimal("74.25")
            held = [
                each for each in gc.get_objects() if issubclass(type(each), HTTPConnectionPool)
            ]  # as the frames of an error do
        answering.join(PATIENCE_S)
        assert (bool(held), ended) == (True, [b""])
