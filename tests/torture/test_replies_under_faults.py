"""A fault between us and the account: replies that are cut, stalled or changed on their way, and what a turn makes of them."""

import contextlib
import logging
import random
import resource
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.openrouter.client import Client
from openbalance_hid.openrouter.limits import Limits
from openbalance_hid.openrouter.poller import Poller
from tests.openrouter.virtual import VirtualClock
from tests.torture.amounts import amounts
from tests.torture.figures import Figures

QUICK = Limits(connect_s=5.0, read_s=0.05, total_s=0.1)
SMALL = Limits(read_s=5.0, total_s=10.0)
CREDITS = b'{"data":{"total_credits":100.5,"total_usage":25.75}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
REPLY = HEAD % len(CREDITS) + CREDITS
WRONG = (b'""', b"null", b"true", b"[]", b"{}", b'"x"', b"1e999999", b"-", b"NaN", b"9" * 400, b'"1e400"', b"\xff\xfe")


class Wire:
    """Answers each connection with `reply`, then does `after` with it: the end, a reset, or silence until the client leaves."""

    def __init__(self) -> None:
        self.reply = REPLY
        self.stalls = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="wire", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/api/v1"

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            with peer, contextlib.suppress(OSError):
                peer.settimeout(10)
                peer.recv(65_536)
                peer.sendall(self.reply)
                if self.stalls:
                    peer.recv(1)


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.stop()


class Watched:
    """A poller on a wire, its last good balance, and what it has said."""

    def __init__(self, url: str, key: str, limits: Limits) -> None:
        self.clock = VirtualClock()
        self.published: list[Snapshot] = []
        self.poller = Poller(
            "default", lambda: Client(key, url, limits=limits, utc=self.clock.utc), 900.0, self.published.append, self.clock
        )

    def turn(self) -> Snapshot:
        self.clock.pass_(900)
        self.published.clear()
        delay_s = self.poller.turn()
        assert 0 < delay_s <= 86_400
        assert self.published[-1].message != "internal error"
        return self.published[-1]


KEY = "sk-or-v1-0123456789abcdef0123456789abcdef"
GOOD = (Decimal("100.5"), Decimal("25.75"))


@amounts("every", 16, 1)
@pytest.mark.parametrize("stalls", [True, False], ids=["stalled", "cut"])
def test_a_reply_that_ends_at_any_byte_keeps_the_last_value(
    wire: Wire, figures: Figures, every: int, stalls: bool, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(wire.url, KEY, QUICK if stalls else SMALL)
    before = watched.turn().credits
    assert before.value is not None
    wire.stalls = stalls
    for end in range(0, len(REPLY), every):
        wire.reply = REPLY[:end]
        after = watched.turn().credits
        assert (after.value, after.measured_at) == (before.value, before.measured_at), f"{end} bytes"
        figures.tell(tried=1, survived=1)
    assert not [record for record in caplog.records if record.name.startswith("openbalance_hid") and record.exc_info]


@amounts("cases", 300, 10_000)
def test_a_mutated_reply_never_ends_a_turn_and_makes_no_zero(
    wire: Wire, figures: Figures, seed: int, cases: int, caplog: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(seed)
    watched = Watched(wire.url, KEY, SMALL)
    assert watched.turn().credits.value is not None
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(cases):
        body = dice.choice(MUTATIONS)(dice, CREDITS)
        length = len(body) if dice.random() < 0.9 else max(0, len(body) + dice.randint(-9, -1))
        wire.reply = HEAD % length + body
        last = watched.published[-1].credits
        now = watched.turn().credits
        assert now.value is not None
        if now.measured_at == last.measured_at:
            assert now.value == last.value
        else:  # believed: then both amounts stood in the reply as they are
            for amount in (now.value.total_credits_usd, now.value.total_usage_usd):
                assert amount != 0 or b"0" in body, body
        figures.tell(tried=1, survived=1)
    assert "internal error" not in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.WARNING and "key" not in record.message]
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    figures.tell(grown_MiB=grown_kib // (1024 if sys.platform == "linux" else 1024 * 1024))


def _wrong_value(dice: random.Random, body: bytes) -> bytes:
    return body.replace(dice.choice((b"100.5", b"25.75")), dice.choice(WRONG))


def _byte(dice: random.Random, body: bytes) -> bytes:
    at = dice.randrange(len(body))
    return body[:at] + bytes([dice.randrange(256)]) + body[at + 1 :]


def _hole(dice: random.Random, body: bytes) -> bytes:
    at = dice.randrange(len(body))
    return body[:at] + body[at + dice.randint(1, 20) :]


def _twice(dice: random.Random, body: bytes) -> bytes:
    at = dice.randrange(len(body))
    return body[:at] + body[max(0, at - dice.randint(1, 20)) :]


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (_wrong_value, _byte, _hole, _twice)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD % 100_000_000, b" "),
    ],
    ids=["chunk length without an end", "trailers without an end", "100 Continue without an end", "100 MB"],
)
def test_what_has_no_end_is_left_when_it_is_longer_than_any_good_answer(wire: Wire, head: bytes, piece: bytes) -> None:
    watched = Watched(wire.url, KEY, Limits(read_s=30.0, total_s=60.0, body_bytes=256 * 1024))
    before = watched.turn().credits
    wire.reply = head + piece * (16 * 1024 * 1024 // len(piece))
    after = watched.turn()
    assert after.credits.value == before.value
    assert after.message


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "x-unknown"])
def test_an_encoding_that_was_not_asked_for_is_refused(wire: Wire, coding: str) -> None:
    watched = Watched(wire.url, KEY, SMALL)
    wire.reply = REPLY.replace(b"Connection:", b"Content-Encoding: " + coding.encode() + b"\r\nConnection:")
    assert "encoding" in (watched.turn().message or "")
