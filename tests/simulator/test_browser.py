"""The browser deck over real sockets: who may ask, what is answered, what is told, and what fingers do."""

import base64
import hashlib
import logging
import queue
import re
import socket
import threading
from collections.abc import Iterator
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageChops
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openbalance_hid.deck.events import DialPushed, DialTurned, StripTouched, Touch
from openbalance_hid.errors import UsageError
from openbalance_hid.simulator import browser, browser_http
from openbalance_hid.simulator.browser_client import BrowserClient
from openbalance_hid.simulator.browser_fingers import Fingers, Part
from openbalance_hid.simulator.browser_guard import Guard
from openbalance_hid.simulator.browser_words import Press, understand
from openbalance_hid.simulator.models import MODELS
from openbalance_hid.simulator.virtual_deck import VirtualDeck
from tests.simulator.stand import PATIENCE_S, TOKEN, Host, Stand, ask, pixels

PATHS = ("/", "/deck.css", "/deck.js", "/deck.json", "/keys/0.png", "/events", "/nowhere")


@pytest.fixture
def stand() -> Iterator[Stand]:
    with Stand() as made:
        yield made


# --- who may ask ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/deck.css", "/deck.js", "/deck.json", "/keys/0.png"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_with_its_token_everything_is_served_under_both_names(stand: Stand, path: str, host: str) -> None:
    assert stand.get(path, host=host)[0] == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?token=",
        "?token=wrong",
        "?token=right-toke",
        "?token=right-token&token=right-token",
        "?Token=right-token",
        "?other=1&token=RIGHT-TOKEN",
        "?token=right-token%00",
        "?" + "&".join(["a=1"] * 50) + "&token=right-token",
    ],
)
def test_without_exactly_its_token_nothing_is_served(stand: Stand, path: str, query: str) -> None:
    status, _headers, body = stand.get("", target=path + query)
    assert status == 403
    assert TOKEN.encode() not in body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "127.0.0.1:1", "127.0.0.1.evil.example", "[::1]", "0.0.0.0", "localhost.:1"]
)
def test_under_a_foreign_name_nothing_is_served(stand: Stand, path: str, host: str | None) -> None:
    assert stand.get(path, host=host)[0] == 403


def test_a_second_host_header_is_refused(stand: Stand) -> None:
    assert stand.get("/", headers=(("Host", f"127.0.0.1:{stand.browser.port}"),))[0] == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://localhost:{port}", ""])
def test_a_page_from_elsewhere_is_refused_even_with_the_token(stand: Stand, path: str, origin: str) -> None:
    assert stand.get(path, headers=(("Origin", origin.format(port=stand.browser.port)),))[0] == 403


def test_the_own_page_may_fetch(stand: Stand) -> None:
    assert stand.get("/deck.json", headers=(("Origin", f"http://127.0.0.1:{stand.browser.port}"),))[0] == 200


def test_a_websocket_of_a_browser_needs_an_origin_and_that_of_a_program_does_not(stand: Stand) -> None:
    with pytest.raises(InvalidStatus) as refused, stand.page(additional_headers={"Sec-Fetch-Site": "same-origin"}):
        pass
    assert refused.value.response.status_code == 403
    with stand.page() as page:
        page.settle()


def test_a_websocket_from_another_page_is_refused(stand: Stand) -> None:
    with pytest.raises(InvalidStatus) as refused, stand.page(origin="http://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_name_comes_before_origin_and_origin_before_token() -> None:
    guard = Guard(8484, "secret")

    def refusal(target: str, **headers: str) -> str | None:
        return guard.refusal(target, lambda name: [headers[name]] if name in headers else [], websocket=False)

    assert refusal("/", Host="evil", Origin="http://evil") == "host"
    assert refusal("/", Host="127.0.0.1:8484", Origin="http://evil") == "origin"
    assert refusal("/", Host="127.0.0.1:8484") == "token"
    assert refusal("/?token=secret", Host="LocalHost:8484") is None
    assert (
        Guard(80, "secret").refusal("/?token=secret", lambda name: ["localhost"] if name == "Host" else [], websocket=False)
        is None
    )


@pytest.mark.parametrize(
    "path",
    [
        "/../browser.py",
        "/page/index.html",
        "/index.html",
        "/%2e%2e/browser.py",
        "//",
        "//deck.css",
        "/deck.css/",
        "/./deck.js",
        "/keys/00.png",
        "/keys/15.png",
        "/keys/-1.png",
        "/keys/1.png/",
        "/keys/+1.png",
        "/keys/%31.png",
        "/keys/99999.png",
        "/keys/1.PNG",
        "/keys/",
        "/strip.png",
        "/favicon.ico",
    ],
)
def test_no_other_path_leads_anywhere(stand: Stand, path: str) -> None:
    assert stand.get(path)[0] == 404


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_but_get_is_answered(stand: Stand, method: str, path: str) -> None:
    status, headers, _body = stand.get(path, method=method)
    assert (status, headers["allow"]) == (405, "GET")
    assert stand.get(path, method=method, target=path)[0] == 403


def test_events_without_a_websocket_ask_for_one(stand: Stand) -> None:
    assert stand.get("/events")[0] == 426


@pytest.mark.parametrize("target", ["/?token=right-token", "/", "/nowhere?token=right-token", "/keys/0.png?token=right-token"])
def test_every_answer_forbids_caching_sniffing_framing_and_strange_content(stand: Stand, target: str) -> None:
    headers = stand.get("", target=target)[1]
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "server" not in headers


def test_only_this_machine_can_connect(stand: Stand) -> None:
    listener = stand.browser._server  # the address it is bound to is seen nowhere else
    assert listener is not None
    assert listener.socket.getsockname()[0] == "127.0.0.1"


def test_the_token_is_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Stand(token="hush-hush") as stand:
        assert ask(stand.browser.port, "/?token=hush-hush")[0] == 200
        assert ask(stand.browser.port, "/?token=hush-hushed")[0] == 403
        assert "hush" not in repr(stand.browser) + repr(stand.browser._guard)
    assert "hush" not in caplog.text
    assert "refused a request: token" in caplog.text


def test_without_a_wish_each_start_has_a_token_of_its_own() -> None:
    tokens = {re.sub(r".*token=", "", _url_of_a_new_one()) for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) >= 32 for token in tokens)


def _url_of_a_new_one() -> str:
    return browser.BrowserDeck(VirtualDeck(MODELS["mini"], "A1"), dict).url


# --- the page ------------------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_from_elsewhere_and_is_small() -> None:
    folder = files("openbalance_hid.simulator") / "page"
    contents = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    assert set(contents) == {"index.html", "deck.css", "deck.js"}
    assert sum(len(text.encode()) for text in contents.values()) <= 60_000
    for text in contents.values():
        loaded = re.findall(r"""(?:src|href)=["']([^"']*)|url\(["']?([^)"'$]*)|@import|import\s""", text)
        assert [one for pair in loaded for one in pair if one.startswith(("http", "//"))] == []
    assert "<style" not in contents["index.html"]
    assert "innerHTML" not in contents["deck.js"]


def test_the_page_asks_for_its_parts_with_the_token(stand: Stand) -> None:
    page = stand.get("/")[2].decode()
    parts = re.findall(r'(?:src|href)="((?!data:)[^"]+)"', page)
    assert parts == [f"deck.css?token={TOKEN}", f"deck.js?token={TOKEN}"]
    assert [stand.get("", target=f"/{part}")[0] for part in parts] == [200, 200]


def test_a_token_with_strange_characters_cannot_break_out_of_the_page() -> None:
    with Stand(token='"><script>&') as stand:
        target = stand.url.partition(str(stand.browser.port))[2]
        status, _headers, body = stand.get("", target=target)
        assert status == 200
        assert b"><script>&" not in body


def test_a_key_is_served_as_it_is_seen_on_the_glass(stand: Stand) -> None:
    stand.host.draw(3, "#c02040")
    status, headers, body = stand.get("/keys/3.png")
    assert (status, headers["content-type"]) == (200, "image/png")
    assert not ImageChops.difference(pixels(body), stand.deck.glass(3)).getbbox()
    red, green, blue = pixels(body).getpixel((36, 36))  # type: ignore[misc]
    assert max(abs(red - 0xC0), abs(green - 0x20), abs(blue - 0x40)) <= 6  # JPEG


def test_the_description_has_shape_texts_and_hashes(stand: Stand) -> None:
    stand.texts[1] = "Balance $74.25"
    deck = stand.json()
    assert (deck["model"], deck["cols"], deck["rows"]) == ({"name": "mk2", "title": "Stream Deck MK.2"}, 5, 3)
    assert (deck["key"], deck["dials"], deck["strip"]) == ({"width": 72, "height": 72}, 0, None)
    assert [row["text"] for row in deck["keys"]] == ["", "Balance $74.25"] + [""] * 13
    assert deck["keys"][4]["image_sha256"] == hashlib.sha256(stand.get("/keys/4.png")[2]).hexdigest()
    assert [row["name"] for row in deck["scenarios"]] == ["normal", "low-balance"]
    assert (deck["scenario"], deck["models"], deck["serial"]) == ("normal", [], "A00SA1234567")


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_is_described_and_told(model: str) -> None:
    row = MODELS[model]
    with Stand(model) as stand, stand.page() as page:
        deck = stand.json()
        assert len(deck["keys"]) == row.keys + row.touch_keys
        for key in range(row.keys + row.touch_keys):
            assert bool(page.hear("key", key=key)["png"]) == bool(row.key_width)
        if row.strip or row.screen:
            assert page.hear("strip")["png"]
            assert stand.get("/strip.png")[0] == 200
        page.settle()


def test_a_pedal_has_no_pictures_to_serve() -> None:
    with Stand("pedal") as stand:
        assert stand.get("/keys/0.png")[0] == 404
        assert [row["image_sha256"] for row in stand.json()["keys"]] == [None] * 3


# --- the port and the life -----------------------------------------------------------------------------------------------


def test_a_wanted_port_that_is_taken_is_said_to_be(stand: Stand) -> None:
    port = stand.browser.port
    with pytest.raises(UsageError) as refused:
        browser.BrowserDeck(stand.deck, dict, port=port).start()
    assert refused.value.message == f"port {port} is taken"
    assert refused.value.hint == "openbalance-hid demo --port 0"


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="not between 0 and 65535"):
        browser_http.listen(port)


def test_without_a_wish_the_next_free_port_is_taken() -> None:
    with browser_http.listen(None) as first, browser_http.listen(None) as second:
        ports = [listener.getsockname()[1] for listener in (first, second)]
    assert browser_http.FIRST_PORT <= ports[0] < ports[1] < browser_http.FIRST_PORT + browser_http.PORTS_TRIED


def test_stopping_twice_or_before_the_start_is_harmless_and_frees_the_port() -> None:
    deck = VirtualDeck(MODELS["mini"], "A1")
    first = browser.BrowserDeck(deck, dict, port=0)
    first.stop()
    first.start()
    port = first.port
    first.stop()
    first.stop()
    second = browser.BrowserDeck(deck, dict, port=port)
    second.start()
    second.stop()


def test_stopping_says_goodbye_to_pages_and_hangs_up_on_those_that_never_asked(stand: Stand) -> None:
    with socket.create_connection(("127.0.0.1", stand.browser.port), timeout=PATIENCE_S) as silent, stand.page() as page:
        page.settle()
        stand.browser.stop()
        assert silent.recv(1) == b""
        with pytest.raises(ConnectionClosed) as closed:
            page.wire.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


def test_nonsense_on_the_wire_does_not_end_the_server(stand: Stand) -> None:
    for nonsense in (b"\x00\xff\n\n", b"GET\r\n\r\n", "GET /keys/٣.png HTTP/1.1\r\n\r\n".encode(), b"A" * 20_000):
        with socket.create_connection(("127.0.0.1", stand.browser.port), timeout=PATIENCE_S) as wire:
            wire.sendall(nonsense)
            wire.shutdown(socket.SHUT_WR)
    assert stand.get("/")[0] == 200


# --- what pages are told -------------------------------------------------------------------------------------------------


def test_a_page_hears_every_key_when_it_connects(stand: Stand) -> None:
    stand.texts[0] = "Balance $74.25, ▼ $0.40 today"
    stand.host.draw(0, "#2060c0")
    with stand.page() as page:
        first = page.hear("key", key=0)
        assert first["text"] == "Balance $74.25, ▼ $0.40 today"
        assert base64.b64decode(first["png"]) == stand.deck.glass_png(0)
        assert [page.hear("key")["key"] for _ in range(14)] == list(range(1, 15))
        assert page.hear("brightness")["percent"] == 100
        assert page.hear("scenario")["name"] == "normal"
        assert page.hear("note")["text"] == ""


def test_a_picture_that_lands_is_told_at_once_and_alone(stand: Stand) -> None:
    with stand.page() as page:
        page.settle()
        stand.host.draw(7, "#108040")
        assert base64.b64decode(page.hear("key")["png"]) == stand.deck.glass_png(7)
        stand.browser.note("end")
        assert page.hear("note")["text"] == "end"


def test_only_texts_that_changed_are_told(stand: Stand) -> None:
    with stand.page() as page:
        page.settle()
        stand.texts[4] = "Spike alert: normal"
        stand.browser.texts_changed()
        assert page.hear("key")["key"] == 4
        stand.browser.note("end")
        assert page.wire.recv(timeout=PATIENCE_S) == '{"type":"note","text":"end"}'


def test_brightness_is_told(stand: Stand) -> None:
    with stand.page() as page:
        page.settle()
        stand.host.surface.set_brightness(30)
        assert page.hear("brightness")["percent"] == 30


def test_a_note_is_told_to_those_who_come_later_too(stand: Stand) -> None:
    stand.browser.note("would open https://openrouter.ai/activity")
    with stand.page() as page:
        assert page.hear("note")["text"] == "would open https://openrouter.ai/activity"


def test_no_more_pages_than_the_limit(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "CLIENTS", 2)
    with stand.page() as first, stand.page() as second:
        first.settle()
        second.settle()
        with pytest.raises(InvalidStatus) as refused, stand.page():
            pass
    assert refused.value.response.status_code == 503


class StuckWire:
    """A connection whose page takes nothing until it is told to, as a full socket does."""

    def __init__(self) -> None:
        self.taken: queue.Queue[str] = queue.Queue()
        self.sending = threading.Event()
        self.open = threading.Event()
        self.hung_up = False

    def send(self, message: str) -> None:
        self.sending.set()
        assert self.open.wait(PATIENCE_S)
        self.taken.put(message)

    def hang_up(self) -> None:
        self.hung_up = True
        self.open.set()


def test_a_slow_page_gets_the_newest_picture_and_no_queue() -> None:
    wire, seen = StuckWire(), {"version": 0}
    client = BrowserClient(wire, lambda item: f"{item}:{seen['version']}", "slow-page")  # type: ignore[arg-type]
    client.start()
    client.changed([1])
    assert wire.sending.wait(PATIENCE_S)
    for version in range(1, 1001):
        seen["version"] = version
        client.changed([1, 2])
    client.changed([3])
    wire.open.set()
    assert [wire.taken.get(timeout=PATIENCE_S) for _ in range(4)] == ["1:0", "1:1000", "2:1000", "3:1000"]
    client.stop()
    assert wire.taken.empty()
    assert not wire.hung_up


def test_stopping_hangs_up_on_a_page_that_takes_nothing() -> None:
    wire = StuckWire()
    client = BrowserClient(wire, str, "stuck-page")  # type: ignore[arg-type]
    client.start()
    client.changed([1])
    assert wire.sending.wait(PATIENCE_S)
    client.stop()
    client.stop()
    assert wire.hung_up


def test_a_picture_that_cannot_be_had_does_not_silence_the_others(caplog: pytest.LogCaptureFixture) -> None:
    wire = StuckWire()
    wire.open.set()

    def describe(item: object) -> str:
        if item == 1:
            raise ValueError("no such picture")
        return str(item)

    client = BrowserClient(wire, describe, "page")  # type: ignore[arg-type]
    client.changed([1, 2])
    client.start()
    assert wire.taken.get(timeout=PATIENCE_S) == "2"
    client.stop()
    assert "cannot describe 1" in caplog.text


# --- fingers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["mk2", "original", "mini", "pedal"])
def test_down_and_up_reach_the_host_as_reports(model: str) -> None:
    with Stand(model) as stand, stand.page() as page:
        for key in (0, 2):
            page.say("press", key=key)
            assert stand.host.next_key() == (key, True)
            page.say("release", key=key)
            assert stand.host.next_key() == (key, False)


def test_a_page_that_disappears_lets_its_keys_go(stand: Stand) -> None:
    with stand.page() as page:
        page.say("press", key=5)
        page.say("press", key=9)
        assert [stand.host.next_key(), stand.host.next_key()] == [(5, True), (9, True)]
        page.wire.socket.shutdown(socket.SHUT_RDWR)
        assert {stand.host.next_key(), stand.host.next_key()} == {(5, False), (9, False)}


def test_stopping_lets_every_key_go(stand: Stand) -> None:
    with stand.page() as page:
        page.say("press", key=5)
        assert stand.host.next_key() == (5, True)
        stand.browser.stop()
        assert stand.host.next_key() == (5, False)


def test_a_key_is_down_while_any_page_holds_it(stand: Stand) -> None:
    with stand.page() as first, stand.page() as second:
        first.say("press", key=1)
        assert stand.host.next_key() == (1, True)
        second.say("press", key=1)
        second.say("press", key=2)
        assert stand.host.next_key() == (2, True)
        first.say("release", key=1)
        first.say("press", key=3)
        assert stand.host.next_key() == (3, True)
        second.say("release", key=1)
        assert stand.host.next_key() == (1, False)


def test_pressing_twice_or_releasing_what_is_up_says_nothing_new(stand: Stand) -> None:
    with stand.page() as page:
        for kind in ("release", "press", "press", "release", "release"):
            page.say(kind, key=0)
        page.say("press", key=1)
        assert [stand.host.next_key() for _ in range(3)] == [(0, True), (0, False), (1, True)]


@given(st.lists(st.tuples(st.sampled_from(["down", "up", "gone"]), st.integers(0, 2), st.integers(0, 2))))
def test_the_deck_sees_one_down_and_one_up_whatever_the_pages_do(moves: list[tuple[str, int, int]]) -> None:
    told: dict[int, bool] = {}
    held: dict[int, set[int]] = {}

    def move(part: Part, index: int, down: bool) -> None:
        assert told.get(index, False) is not down
        told[index] = down

    fingers = Fingers(move)
    for kind, holder, key in moves:
        if kind == "down":
            fingers.down(holder, Part.KEY, key)
            held.setdefault(key, set()).add(holder)
        elif kind == "up":
            fingers.up(holder, Part.KEY, key)
            held.setdefault(key, set()).discard(holder)
        else:
            fingers.lift_all(holder)
            for holders in held.values():
                holders.discard(holder)
        assert {key for key, down in told.items() if down} == {key for key, holders in held.items() if holders}


def test_dials_and_strip_reach_the_host() -> None:
    with Stand("plus") as stand, stand.page() as page:
        page.say("turn", dial=2, steps=-3)
        page.say("push", dial=1, down=True)
        page.say("push", dial=1, down=False)
        page.say("touch", x=799, y=99)
        page.say("touch", x=10, y=20, long=True)
        events = [stand.host.next() for _ in range(5)]
        assert [type(event) for event in events] == [DialTurned, DialPushed, DialPushed, StripTouched, StripTouched]
        assert (events[0].dial, events[0].steps) == (2, -3)
        assert [(event.dial, event.down) for event in events[1:3]] == [(1, True), (1, False)]
        assert [(event.x_px, event.y_px, event.touch) for event in events[3:]] == [(799, 99, Touch.TAP), (10, 20, Touch.HOLD)]


def test_parts_that_the_deck_does_not_have_are_ignored(stand: Stand) -> None:
    with stand.page() as page:
        page.say("press", key=15)
        page.say("turn", dial=0, steps=1)
        page.say("push", dial=0, down=True)
        page.say("touch", x=0, y=0)
        page.say("press", key=14)
        assert stand.host.next_key() == (14, True)
    assert stand.host.next_key() == (14, False)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "x",
        "{}",
        "[]",
        "null",
        '{"type":"press"}',
        '{"type":"press","key":"1"}',
        '{"type":"press","key":true}',
        '{"type":"press","key":-1}',
        '{"type":"press","key":1.5}',
        '{"type":"press","key":1e99}',
        '{"type":"key","key":1}',
        '{"type":"turn","dial":0,"steps":65}',
        '{"type":"push","dial":0,"down":1}',
        '{"type":"scenario","name":""}',
        '{"type":"touch","x":70000,"y":0}',
        b"\xff\xfe",
        b'{"type":"press","key":\xff}',
        "[" * 500,
    ],
)
def test_nonsense_is_not_understood_and_does_no_harm(stand: Stand, message: str | bytes) -> None:
    with stand.page() as page:
        page.wire.send(message)
        page.say("press", key=0)
        assert stand.host.next_key() == (0, True)
    assert understand(message) is None


@given(st.text() | st.binary())
def test_no_message_raises(message: str | bytes) -> None:
    understand(message)


def test_words_of_a_newer_page_are_understood_as_far_as_known() -> None:
    assert understand('{"type":"press","key":3,"force":0.4}') == Press(3)


def test_who_talks_nonsense_for_long_is_hung_up_on(stand: Stand) -> None:
    with stand.page() as page:
        page.say("press", key=6)
        for _ in range(browser.BAD_WORDS - 1):
            page.wire.send("nonsense")
        page.say("press", key=7)
        assert [stand.host.next_key(), stand.host.next_key()] == [(6, True), (7, True)]
        page.wire.send("nonsense")
        with pytest.raises(ConnectionClosed) as closed:
            page.hear("never")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
    assert {stand.host.next_key(), stand.host.next_key()} == {(6, False), (7, False)}


def test_a_message_that_is_too_long_is_hung_up_on(stand: Stand) -> None:
    with stand.page() as page:
        page.wire.send("x" * 1025)
        with pytest.raises(ConnectionClosed) as closed:
            page.hear("never")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


# --- choices -------------------------------------------------------------------------------------------------------------


def test_a_scenario_that_a_page_chooses_is_called_back_and_told_to_all(stand: Stand) -> None:
    with stand.page() as first, stand.page() as second:
        first.settle()
        second.settle()
        first.say("scenario", name="low-balance")
        assert [page.hear("scenario")["name"] for page in (first, second)] == ["low-balance", "low-balance"]
    assert stand.chosen == ["low-balance"]


def test_a_scenario_that_is_not_offered_is_not_called_back(stand: Stand) -> None:
    with stand.page() as page:
        page.say("scenario", name="no-such")
        page.say("scenario", name="normal")
        page.say("press", key=0)
        assert stand.host.next_key() == (0, True)
    assert stand.chosen == ["normal"]


def test_a_scenario_changed_elsewhere_is_told(stand: Stand) -> None:
    with stand.page() as page:
        page.settle()
        stand.chosen.append("low-balance")
        stand.browser.scenario_changed()
        assert page.hear("scenario")["name"] == "low-balance"


def test_choosing_a_model_is_called_back_and_another_deck_takes_the_place() -> None:
    asked: queue.Queue[str] = queue.Queue()
    with Stand(models=[("mk2", "MK.2"), ("mini", "Mini")], set_model=asked.put) as stand, stand.page() as page:
        page.settle()
        page.say("press", key=14)
        assert stand.host.next_key() == (14, True)
        page.say("model", name="mini")
        assert asked.get(timeout=PATIENCE_S) == "mini"
        host = Host(VirtualDeck(MODELS["mini"], "B2"))
        stand.browser.show(host.deck)
        assert stand.host.next_key() == (14, False)
        shown = page.hear("deck")["deck"]
        assert (shown["model"]["name"], shown["serial"], len(shown["keys"])) == ("mini", "B2", 6)
        assert [page.hear("key")["key"] for _ in range(6)] == list(range(6))
        page.settle()
        stand.host.draw(0, "#ff0000")
        host.draw(1, "#00ff00")
        assert page.hear("key")["key"] == 1
        page.say("press", key=5)
        assert host.next_key() == (5, True)
        stand.browser.stop()
        host.close()
