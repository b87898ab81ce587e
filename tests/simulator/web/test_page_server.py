"""The browser deck over real sockets: the page and what it is made of, its port and its life."""

import errno
import hashlib
import os
import re
import socket
import threading
from importlib.resources import files

import pytest
from PIL import ImageChops
from websockets.exceptions import ConnectionClosed

from openbalance_hid.errors import UsageError
from openbalance_hid.simulator.device.models import MODELS
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.simulator.web import page_http, page_server
from tests.simulator.web.page_rig import TOKEN, PageRig, pixels
from tests.waiting import PATIENCE_S, threads_named, until

# --- the page ------------------------------------------------------------------------------------------------------------


def test_the_page_loads_no_foreign_resource_and_is_small() -> None:
    folder = files("openbalance_hid.simulator.web") / "page"
    contents = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    assert set(contents) == {"index.html", "deck.css", "deck.js", "input.js", "connection.js"}
    assert sum(len(text.encode()) for text in contents.values()) <= 60_000
    for text in contents.values():
        loaded = re.findall(r"""(?:src|href)=["']([^"']*)|url\(["']?([^)"'$]*)|@import|import\s""", text)
        assert [one for pair in loaded for one in pair if one.startswith(("http", "//"))] == []
    assert "<style" not in contents["index.html"]
    assert not any("innerHTML" in text for text in contents.values())


def test_the_page_loads_its_files_with_the_token(rig: PageRig) -> None:
    page = rig.get("/")[2].decode()
    parts = re.findall(r'(?:src|href)="((?!data:)[^"]+)"', page)
    assert parts == [f"{name}?token={TOKEN}" for name in ("deck.css", "deck.js", "input.js", "connection.js")]
    assert {rig.get("", target=f"/{part}")[0] for part in parts} == {200}


def test_a_token_with_strange_characters_cannot_break_out_of_the_page() -> None:
    with PageRig(token='"><script>&') as rig:
        target = rig.url.partition(str(rig.server.port))[2]
        status, _headers, body = rig.get("", target=target)
        assert status == 200
        assert b"><script>&" not in body


def test_a_key_is_served_as_it_is_seen_on_the_glass(rig: PageRig) -> None:
    rig.host.draw(3, "#c02040")
    status, headers, body = rig.get("/keys/3.png")
    assert (status, headers["content-type"]) == (200, "image/png")
    assert not ImageChops.difference(pixels(body), rig.deck.glass(3)).getbbox()
    red, green, blue = pixels(body).getpixel((36, 36))  # type: ignore[misc]
    assert max(abs(red - 0xC0), abs(green - 0x20), abs(blue - 0x40)) <= 6  # JPEG


def test_the_description_has_shape_texts_and_hashes(rig: PageRig) -> None:
    rig.texts[1] = "Balance $74.25"
    deck = rig.json()
    assert (deck["model"], deck["cols"], deck["rows"]) == ({"name": "mk2", "title": "Stream Deck MK.2"}, 5, 3)
    assert (deck["key"], deck["dials"], deck["strip"]) == ({"width": 72, "height": 72}, 0, None)
    assert [row["text"] for row in deck["keys"]] == ["", "Balance $74.25"] + [""] * 13
    assert deck["keys"][4]["image_sha256"] == hashlib.sha256(rig.get("/keys/4.png")[2]).hexdigest()
    assert [row["name"] for row in deck["scenarios"]] == ["normal", "low-balance"]
    assert (deck["scenario"], deck["models"], deck["serial"]) == ("normal", [], "A00SA1234567")


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_is_described_and_sent(model: str) -> None:
    row = MODELS[model]
    with PageRig(model) as rig, rig.page() as page:
        deck = rig.json()
        assert len(deck["keys"]) == row.keys + row.touch_keys
        for key in range(row.keys + row.touch_keys):
            assert bool(page.receive("key", key=key)["png"]) == bool(row.key_width)
        if row.strip or row.screen:
            assert page.receive("strip")["png"]
            assert rig.get("/strip.png")[0] == 200
        page.settle()


def test_a_pedal_has_no_pictures_to_serve() -> None:
    with PageRig("pedal") as rig:
        assert rig.get("/keys/0.png")[0] == 404
        assert [row["image_sha256"] for row in rig.json()["keys"]] == [None] * 3


# --- the port and the life -----------------------------------------------------------------------------------------------


def test_a_requested_port_that_is_taken_is_reported(rig: PageRig) -> None:
    port = rig.server.port
    with pytest.raises(UsageError) as refused:
        page_server.PageServer(rig.deck, dict, port=port).start()
    assert refused.value.message == f"port {port} is taken"
    assert refused.value.hint == "openbalance-hid demo --port 0"


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="not between 0 and 65535"):
        page_http.listen(port)


def test_the_next_free_port_is_used_by_default() -> None:
    with page_http.listen(None) as first, page_http.listen(None) as second:
        ports = [listener.getsockname()[1] for listener in (first, second)]
    assert page_http.FIRST_PORT <= ports[0] < ports[1] < page_http.FIRST_PORT + page_http.PORTS_TRIED


def test_stop_is_idempotent_works_before_start_and_frees_the_port() -> None:
    deck = VirtualDeck(MODELS["mini"], "A1")
    first = page_server.PageServer(deck, dict, port=0)
    first.stop()
    first.start()
    port = first.port
    first.stop()
    first.stop()
    second = page_server.PageServer(deck, dict, port=port)
    second.start()
    second.stop()


def test_stop_closes_pages_and_connections_without_a_request(rig: PageRig) -> None:
    with socket.create_connection(("127.0.0.1", rig.server.port), timeout=PATIENCE_S) as silent, rig.page() as page:
        page.settle()
        rig.server.stop()
        assert silent.recv(1) == b""
        with pytest.raises(ConnectionClosed) as closed:
            page.wire.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


def test_invalid_bytes_do_not_end_the_server(rig: PageRig) -> None:
    for nonsense in (b"\x00\xff\n\n", b"GET\r\n\r\n", "GET /keys/٣.png HTTP/1.1\r\n\r\n".encode(), b"A" * 20_000):
        with socket.create_connection(("127.0.0.1", rig.server.port), timeout=PATIENCE_S) as wire:
            wire.sendall(nonsense)
            wire.shutdown(socket.SHUT_WR)
    assert rig.get("/")[0] == 200


def refuse_threads(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """Let no thread start that has `part` in its name, as at the system's limit of threads."""
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if part in thread.name:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)


def test_a_server_without_a_thread_stops_and_serves_once_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for later in (False, True):
        server = page_server.PageServer(VirtualDeck(MODELS["mini"], "S"), dict, port=0)
        with monkeypatch.context() as patch:
            refuse_threads(patch, "page-server")
            server.start()
            server.revive()
        if later:
            server.revive()
            socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S).close()
        server.stop()
    assert threads_named("page-server") == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the connection that got no thread
def test_a_connection_that_gets_no_thread_ends_neither_the_server_nor_its_stop(
    rig: PageRig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with rig.page() as page:
        page.settle()
        with monkeypatch.context() as patch:
            refuse_threads(patch, "Thread-")  # of a connection, which the library starts
            with socket.create_connection(("127.0.0.1", rig.server.port), timeout=PATIENCE_S):
                until(lambda: "the thread page-server failed" in caplog.text)
        assert rig.get("/")[0] == 200
        rig.host.draw(3, "#c02040")
        page.receive("key", key=3)
    rig.server.stop()
    assert threads_named("page-server") == []


@pytest.mark.parametrize("later", [False, True])
def test_a_server_without_a_file_descriptor_stops_and_serves_once_it_has_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, later: bool
) -> None:
    monkeypatch.setattr("openbalance_hid.restarting_thread.FIRST_PAUSE_S", 0.01)
    server = page_server.PageServer(VirtualDeck(MODELS["mini"], "S"), dict, port=0)
    with monkeypatch.context() as patch:
        patch.setattr("selectors.DefaultSelector", no_descriptor)
        server.start()
        until(lambda: "the thread page-server failed" in caplog.text)
        if not later:
            server.stop()
    if later:
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S).close()
        server.stop()
    assert threads_named("page-server") == []


def no_descriptor() -> None:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
