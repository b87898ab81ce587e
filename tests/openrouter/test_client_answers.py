"""The client's answers as a table: status, headers and body in, value or error out. Real sockets are in `test_client`."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import requests
import responses

from openbalance_hid.account.snapshot import Activity, ApiKey, Credits, Spend, Today, Window
from openbalance_hid.errors import ApiError, ForbiddenError, KeyRejectedError, OfflineError, RateLimitedError, ServerError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.endpoint import OPENROUTER_URL
from openbalance_hid.openrouter.replies import KeyInfo
from openbalance_hid.secret import Secret

KEY = "sk-or-v1-0123456789abcdef1a2b"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 23)
HTML = "<!DOCTYPE html><title>502 Bad Gateway</title>"


@dataclass(frozen=True)
class Endpoint:
    """One request of the client, and the URL that it must send it to."""

    method: str
    path: str
    request: Callable[[Client], object]


CREDITS = Endpoint("GET", "/credits", Client.credits)
ACTIVITY = Endpoint("GET", "/activity", Client.activity)
KEY_ACTIVITY = Endpoint("GET", "/activity?api_key_hash=a%2Fb", lambda client: client.activity("a/b"))
KEY_INFO = Endpoint("GET", "/key", Client.key_info)
KEYS = Endpoint("GET", "/keys?offset=0&include_disabled=true&include_expired=true", Client.keys)
TODAY = Endpoint("POST", "/analytics/query", lambda client: client.today(NOW))
WINDOW = Endpoint("POST", "/analytics/query", lambda client: client.window(NOW.replace(hour=6), NOW))
ENDPOINTS = (CREDITS, ACTIVITY, KEY_INFO, KEYS, TODAY, WINDOW)


@dataclass(frozen=True)
class Answer:
    """What the server sends. `body`: JSON unless it is text already."""

    status: int = 200
    body: object = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


def refusal(message: str) -> object:
    return {"error": {"code": 0, "message": message}}


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as server:
        yield server


def send(server: responses.RequestsMock, endpoint: Endpoint, answer: Answer) -> object:
    server.add(endpoint.method, OPENROUTER_URL + endpoint.path, answer.text, status=answer.status, headers=answer.headers)
    with Client(Secret(KEY), utc=lambda: NOW) as client:
        return endpoint.request(client)


ROW = {"date": f"{DAY} 00:00:00", "model": "a/m", "provider_name": "P", "endpoint_id": "e", "usage": 1.5, "requests": 2}
MODELS = {"data": {"data": [{"model": "M", "credits_usage": "0.25", "request_count": "3"}], "metadata": {"truncated": True}}}
GOOD = {
    "credits as numbers": (
        CREDITS,
        {"data": {"total_credits": 10, "total_usage": 2.5}},
        Credits(Decimal(10), Decimal("2.5")),
    ),
    "credits as text": (
        CREDITS,
        {"data": {"total_credits": "10", "total_usage": "2.50"}},
        Credits(Decimal(10), Decimal("2.50")),
    ),
    "a balance below zero": (
        CREDITS,
        {"data": {"total_credits": 1, "total_usage": 3}, "more": [1]},
        Credits(Decimal(1), Decimal(3)),
    ),
    "a day of activity": (
        ACTIVITY,
        {"data": [ROW | {"prompt_tokens": 5, "completion_tokens": 6}]},
        Activity({DAY: {"a/m": Spend(Decimal("1.5"), 2, 11)}}, {DAY: {"P": Spend(Decimal("1.5"), 2, 11)}}),
    ),
    "activity without days": (ACTIVITY, {"data": []}, Activity()),
    "the days of one key": (
        KEY_ACTIVITY,
        {"data": [ROW]},
        Activity({DAY: {"a/m": Spend(Decimal("1.5"), 2)}}, {DAY: {"P": Spend(Decimal("1.5"), 2)}}),
    ),
    "a Management key": (KEY_INFO, {"data": {"label": "x", "is_management_key": True}}, KeyInfo(True, "x")),
    "a key without its kind": (KEY_INFO, {"data": {"label": None}}, KeyInfo(None, "")),
    "keys": (KEYS, {"data": [{"hash": "h", "name": "n", "usage": 1}]}, (ApiKey("h", "n", Decimal(1), given_name="n"),)),
    "no keys": (KEYS, {"data": []}, ()),
    "today": (TODAY, MODELS, Today(NOW.date(), {"M": Spend(Decimal("0.25"), 3)}, truncated=True)),
    "a window": (WINDOW, MODELS, Window(NOW.replace(hour=6), NOW, {"M": Spend(Decimal("0.25"), 3)}, truncated=True)),
}


@pytest.mark.parametrize(("endpoint", "body", "value"), GOOD.values(), ids=GOOD)
def test_a_good_answer_becomes_a_value(server: responses.RequestsMock, endpoint: Endpoint, body: object, value: object) -> None:
    if endpoint is KEYS:
        server.add("GET", OPENROUTER_URL + KEYS.path.replace("offset=0", "offset=1"), '{"data":[]}')
        server.assert_all_requests_are_fired = False
    assert send(server, endpoint, Answer(200, body)) == value
    call = server.calls[0]
    assert call.request.url == OPENROUTER_URL + endpoint.path
    assert call.request.headers["Authorization"] == f"Bearer {KEY}"


RETRY_DATE = {"Retry-After": "Tue, 24 Nov 2026 12:01:30 GMT"}
LATE_DATE = {"Date": "Tue, 24 Nov 2026 12:01:00 GMT"}
REFUSED = {
    "the key is rejected": (Answer(401, refusal("User not found.")), KeyRejectedError, "401: User not found.", None),
    "the error is plain text": (Answer(401, {"error": "no"}), KeyRejectedError, "401: no", None),
    "the error is no JSON": (Answer(401, "no"), KeyRejectedError, "401: no message", None),
    "an inference key": (Answer(403, refusal("Only management keys")), ForbiddenError, "403: Only management keys", None),
    "too many requests": (Answer(429, refusal("slow down")), RateLimitedError, "429: slow down", None),
    "retry after seconds": (Answer(429, "", {"Retry-After": "120"}), RateLimitedError, "429: no message", 120),
    "retry now": (Answer(429, "", {"Retry-After": "0"}), RateLimitedError, "429: no message", 0),
    "retry after a day at most": (Answer(429, "", {"Retry-After": "999999999"}), RateLimitedError, "429", 86_400),
    "retry after a negative time": (Answer(429, "", {"Retry-After": "-5"}), RateLimitedError, "429", None),
    "retry after words": (Answer(429, "", {"Retry-After": "soon"}), RateLimitedError, "429", None),
    "retry after no date": (Answer(429, "", {"Retry-After": "Wed, 99 Foo"}), RateLimitedError, "429", None),
    "retry at a date": (Answer(429, "", RETRY_DATE), RateLimitedError, "429", 90),
    "retry at a date of the server": (Answer(429, "", RETRY_DATE | LATE_DATE), RateLimitedError, "429", 30),
    "retry at a date in the past": (
        Answer(503, "", {"Retry-After": "Tue, 24 Nov 2026 11:00:00 GMT"}),
        ServerError,
        "503",
        0,
    ),
    "an outage with a date": (Answer(503, refusal("busy"), RETRY_DATE), ServerError, "503: busy", 90),
    "an outage as a web page": (Answer(502, HTML), ServerError, "502: a web page instead of JSON", None),
    "a redirect": (Answer(302, "", {"Location": "https://evil.example/"}), ServerError, "302: a redirect", None),
    "a redirect for good": (Answer(308, "", {"Location": "https://evil.example/"}), ServerError, "308: a redirect", None),
    "another success": (Answer(204), ServerError, "204: no message", None),
    "a bad request": (Answer(400, refusal("Date must be within")), ServerError, "400: Date must be within", None),
    "out of credits": (Answer(402, refusal("Insufficient credits")), ServerError, "402: Insufficient credits", None),
    "not found": (Answer(404, HTML), ServerError, "404: a web page", None),
    "an internal error": (Answer(500, refusal("Internal Server Error")), ServerError, "500: Internal Server Error", None),
    "an error under status 200": (Answer(200, refusal("oops")), ServerError, "answered with an error: oops", None),
    "a web page under status 200": (Answer(200, HTML), ServerError, "a web page instead of JSON", None),
    "a truncated body": (Answer(200, '{"data"'), ServerError, 'not JSON: {"data"', None),
    "no body": (Answer(200), ServerError, "not JSON: nothing", None),
    "an unknown form": (Answer(200, {"data": 1}), ServerError, "in an unknown form", None),
    "an unknown encoding": (Answer(200, "{}", {"Content-Encoding": "br"}), ServerError, "an encoding that was not", None),
    "a body with the key": (Answer(500, refusal(f"who is {KEY}?")), ServerError, "500: who is sk-or-…?", None),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
@pytest.mark.parametrize(("answer", "error", "words", "retry_after_s"), REFUSED.values(), ids=REFUSED)
def test_a_bad_answer_becomes_one_error_for_every_endpoint(
    server: responses.RequestsMock,
    endpoint: Endpoint,
    answer: Answer,
    error: type[ApiError],
    words: str,
    retry_after_s: float | None,
) -> None:
    with pytest.raises(ApiError) as caught:
        send(server, endpoint, answer)
    assert type(caught.value) is error
    assert words in caught.value.message
    assert getattr(caught.value, "retry_after_s", None) == retry_after_s
    assert caught.value.message.startswith(endpoint.path.partition("?")[0])
    assert len(server.calls) == 1, "neither a redirect nor a retry is sent"


UNREACHABLE = {
    "refused": (requests.ConnectionError(ConnectionRefusedError()), "the connection was refused"),
    "timeout": (requests.ReadTimeout(), "no answer in time"),
    "proxy": (requests.exceptions.ProxyError("http://me:hunter2@proxy"), "the proxy does not let the connection through"),
    "other": (requests.ConnectionError("hunter2"), "the connection failed"),
}


@pytest.mark.parametrize(("failure", "words"), UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_failed_connection_is_offline_with_its_cause(server: responses.RequestsMock, failure: Exception, words: str) -> None:
    server.add("GET", f"{OPENROUTER_URL}/credits", body=failure)
    with Client(Secret(KEY)) as client, pytest.raises(OfflineError) as caught:
        client.credits()
    assert caught.value.message == f"cannot reach openrouter.ai: {words}"


@pytest.mark.parametrize("counts", [(100, 100, 1), (100, 100), (50, 50, 7), (100, 97, 100, 3), (1,), ()])
def test_keys_are_requested_page_by_page_until_one_is_empty(server: responses.RequestsMock, counts: tuple[int, ...]) -> None:
    for page in range(len(counts) + 1):
        offset, count = sum(counts[:page]), (*counts, 0)[page]
        rows = [{"hash": f"{offset + row:064x}", "name": "n", "usage": 0} for row in range(count)]
        url = f"{OPENROUTER_URL}/keys?offset={offset}&include_disabled=true&include_expired=true"
        server.add("GET", url, json.dumps({"data": rows}))
    with Client(Secret(KEY)) as client:
        keys = client.keys()
        assert len(keys) == sum(counts)
        assert len(server.calls) == len(counts) + 1
        client.keys(known={key.hash for key in keys})
    assert len(server.calls) == 2 * len(counts) + 1 + (not counts), "the same keys: no request for the empty page"


def test_a_server_that_repeats_a_page_of_keys_ends_the_list(server: responses.RequestsMock) -> None:
    page = {"data": [{"hash": "h", "name": "n", "usage": 0}]}
    server.add("GET", f"{OPENROUTER_URL}/keys", json.dumps(page))
    with Client(Secret(KEY)) as client:
        assert len(client.keys()) == 1
    assert len(server.calls) == 2


@pytest.mark.parametrize(("total", "calls"), [(60, 2), (None, 3)])
def test_workspaces_are_requested_until_all_are_known(server: responses.RequestsMock, total: int | None, calls: int) -> None:
    for offset, count in ((0, 50), (50, 10), (60, 0)):  # a server that sends 50 whatever the limit
        rows = [{"id": f"w{offset + row}", "name": f"space {row}"} for row in range(count)]
        body = {"data": rows} if total is None else {"data": rows, "total_count": total}
        server.add("GET", f"{OPENROUTER_URL}/workspaces?offset={offset}&limit=100", json.dumps(body))
    server.assert_all_requests_are_fired = False
    with Client(Secret(KEY)) as client:
        assert len(client.workspaces()) == 60
    assert len(server.calls) == calls


def test_the_list_of_models_is_requested_without_the_key(server: responses.RequestsMock) -> None:
    server.add("GET", f"{OPENROUTER_URL}/models", json.dumps({"data": [{"id": "a/m", "name": "A: M"}]}))
    server.add("GET", f"{OPENROUTER_URL}/credits", json.dumps({"data": {"total_credits": 1, "total_usage": 1}}))
    with Client(Secret(KEY)) as client:
        client.credits()
        assert [each.slug for each in client.model_names()] == ["a/m"]
    assert "Authorization" in server.calls[0].request.headers
    assert "Authorization" not in server.calls[1].request.headers


def test_cookies_are_neither_kept_nor_sent_back(server: responses.RequestsMock) -> None:
    cookie = {"Set-Cookie": "visitor=1; Max-Age=999999"}
    answer = json.dumps({"data": {"total_credits": 1, "total_usage": 0}})
    server.add("GET", OPENROUTER_URL + CREDITS.path, answer, headers=cookie)
    with Client(Secret(KEY), utc=lambda: NOW) as client:
        client.credits()
        client.credits()
    assert ["Cookie" in call.request.headers for call in server.calls] == [False, False]


@pytest.mark.parametrize(
    "sent",
    [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Sat, 01 Jan 99999 00:00:00 GMT",
        "Mon, 30 Nov 2026 25:61:61 GMT",
        "now",
    ],
)
def test_a_date_that_no_server_has_is_not_taken_for_its_clock(server: responses.RequestsMock, sent: str) -> None:
    answer = json.dumps({"data": {"total_credits": 1, "total_usage": 0}})
    server.add("GET", OPENROUTER_URL + CREDITS.path, answer, headers={"Date": sent})
    with Client(Secret(KEY), utc=lambda: NOW) as client:
        client.credits()
        assert client.last_date_skew_s is None
