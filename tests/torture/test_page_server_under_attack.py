"""The page server against other users of this machine: tickets, guesses, and more connections than it serves."""

from __future__ import annotations

import contextlib
import gc
import logging
import random
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from openbalance_hid.simulator.web.page_access import ONE_TIME_TOKEN_S, OneTimeTokens
from openbalance_hid.simulator.web.page_server import CONNECTIONS
from tests.simulator.web.page_rig import TOKEN, PageRig, ask
from tests.torture.amounts import amounts
from tests.torture.figures import Figures
from tests.waiting import PATIENCE_S, until

SILENT_S = 8.0  # websockets closes a connection without a request after 10 s (`open_timeout`)


@pytest.fixture
def rig() -> Iterator[PageRig]:
    with PageRig() as made:
        yield made


def test_the_address_for_the_browser_works_once_and_holds_no_token(rig: PageRig) -> None:
    url = rig.server.one_time_url()
    assert TOKEN not in url
    target = url.partition(str(rig.server.port))[2]
    for path in ("/deck.json", "/keys/0.png", "/events"):
        assert rig.get("", target=target.replace("/?", f"{path}?"))[0] == 403
    assert rig.get("", target=target, method="POST")[0] == 403
    assert rig.get("", target=target, headers=(("Origin", "http://evil.example"),))[0] == 403
    assert rig.get("", target=target, host="evil.example")[0] == 403
    status, headers, body = rig.get("", target=target)
    assert (status, headers["location"], body) == (303, f"/?token={TOKEN}", b"")
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert rig.get("", target=target)[0] == 403, "the second visit may be another user's"


def test_a_ticket_is_good_for_a_while_and_once() -> None:
    tickets = OneTimeTokens()
    first, second = tickets.issue(100.0), tickets.issue(100.0)
    assert not tickets.redeem(f"/?one_time_token={first}&one_time_token={second}", 100.0)
    assert not tickets.redeem("/?one_time_token=", 100.0)
    assert tickets.redeem(f"/?one_time_token={first}", 100.0 + ONE_TIME_TOKEN_S - 1)
    assert not tickets.redeem(f"/?one_time_token={first}", 100.0)
    assert not tickets.redeem(f"/?one_time_token={second}", 100.0 + ONE_TIME_TOKEN_S)


@amounts("guesses", short=50, long=20_000)
def test_a_guess_opens_nothing(rig: PageRig, figures: Figures, seed: int, guesses: int) -> None:
    dice = random.Random(seed)
    rig.server.one_time_url()
    for _ in range(guesses):
        word = dice.choice((TOKEN[: dice.randrange(len(TOKEN))], dice.randbytes(18).hex(), TOKEN.swapcase()))
        path, name = dice.choice(("/", "/deck.json", "/events", "/keys/1.png")), dice.choice(("token", "one_time_token"))
        target = f"{path}?{name}={word}"
        assert rig.get("", target=target)[0] == 403
        figures.tell(tried=1, survived=1)
    assert rig.get("/")[0] == 200


@amounts("sockets", short=3 * CONNECTIONS, long=1000)
def test_silent_connections_keep_no_page_out(rig: PageRig, figures: Figures, sockets: int) -> None:
    """Silent connections, half requests and half WebSocket requests, in turn."""
    room, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(room, min(most, 3 * sockets + 200)), most))
    words = (b"", b"GET /?token=", f"GET /events?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websock".encode())
    at_rest = threading.active_count()
    try:
        with ExitStack() as crowd, rig.page() as page:
            page.settle()
            for number in range(sockets):
                peer = crowd.enter_context(socket.create_connection(("127.0.0.1", rig.server.port), timeout=PATIENCE_S))
                peer.sendall(words[number % len(words)])
                if number % 20 == 19:
                    assert ask(rig.server.port, f"/deck.json?token={TOKEN}")[0] == 200
                    figures.tell(tried=20, survived=20)
            rig.host.draw(4, "#c02040")
            page.receive("key", key=4)
            let_in = 2 * CONNECTIONS + 20  # two threads for each
            # Before the server closes silent connections by itself.
            until(lambda: threading.active_count() - at_rest <= let_in, "closed connections keep threads", limit_s=SILENT_S)
            figures.tell(threads=threading.active_count() - at_rest)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (room, most))


@pytest.fixture
def swept() -> Iterator[None]:
    """Collect garbage here, so that its warnings do not appear in another test."""
    yield
    gc.collect()


# A connection that is accepted with the last descriptor gets none for its selector: the library's thread ends with an exception
# and closes nothing.
@pytest.mark.filterwarnings("ignore:.*recv_events:pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <socket.*family=1:ResourceWarning")
@pytest.mark.usefixtures("swept")
def test_a_lack_of_descriptors_ends_with_itself(rig: PageRig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert rig.get("/")[0] == 200, "all of the server is loaded"
    room, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as waiting:
        # More than one: descriptors that the server releases are enough for some of them.
        peers = [waiting.enter_context(socket.socket()) for _ in range(20)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(peer.fileno() for peer in peers) + 1, most))
        try:
            with contextlib.suppress(OSError):
                while True:
                    waiting.enter_context(socket.socket())
            for peer in peers:
                peer.connect(("127.0.0.1", rig.server.port))
            until(lambda: "cannot accept a connection" in caplog.text, caplog.text)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (room, most))
    assert "cannot accept a connection" in caplog.text
    assert rig.get("/")[0] == 200
