"""Something else in the place of an answer, of any kind and size: nothing of it is believed, and little memory taken."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from openbalance_hid.account.snapshot import Health
from openbalance_hid.openrouter.endpoint import HttpLimits
from tests.torture.amounts import amounts
from tests.torture.fault_proxy import Fault, drip, flood, instead
from tests.torture.figures import Figures
from tests.torture.oracle import ANYTHING, check
from tests.torture.polled_account import NAMES, PATHS, PolledAccount, some

MEBIBYTE = 1024 * 1024
DAY_S = 86_400.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def answered(body: bytes, head: bytes = HEAD) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def in_its_place(good: bytes) -> dict[str, bytes]:
    """Return what can replace a reply with the body `good`, some of it with that body inside."""
    return {
        "nothing": b"",
        "a web page": answered(b"<!DOCTYPE html><html><body>Sign in to Hotel Wi-Fi</body></html>"),
        "an empty body": answered(b""),
        "204": b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "206": answered(good, HEAD.replace(b"200 OK", b"206 Partial Content")),
        "304": b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
        "no status": answered(good, b"HTTP/1.1 \r\nConnection: close\r\n"),
        "a status of four digits": answered(good, HEAD.replace(b"200", b"2000")),
        "HTTP/0.9": good,
        "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 50,
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00" + b"\x00" * 500,
        "invalid UTF-8": answered(b'{"data":{"total_credits":"9\xff","total_usage":1}}'),
        "UTF-16": answered(good.decode().encode("utf-16")),
        "a byte order mark": answered(b"\xef\xbb\xbf" + good),
        "zeros after it": answered(good + b"\x00"),
        "two of them": answered(good + good),
        "a length below zero": HEAD + b"Content-Length: -1\r\n\r\n" + good[:-2],
        "a length beyond all": HEAD + b"Content-Length: 99999999999999999999\r\n\r\n" + good,
        "a length that is too short": HEAD + b"Content-Length: 20\r\n\r\n" + good,
        "a length that is too long": HEAD + b"Content-Length: 2000\r\n\r\n" + good,
        "chunks that are none": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + good,
        "chunks that break off": HEAD + b"Transfer-Encoding: chunked\r\n\r\n400\r\n" + good,
        "gzip that is none": answered(good, HEAD + b"Content-Encoding: gzip\r\n"),
        "gzip that breaks off": answered(gzip.compress(good)[:-12], HEAD + b"Content-Encoding: gzip\r\n"),
        "gzip in gzip": answered(gzip.compress(gzip.compress(good)), HEAD + b"Content-Encoding: gzip\r\n"),
        "an unknown coding": answered(good, HEAD + b"Content-Encoding: aes128gcm\r\n"),
        "a coding that was not asked for": answered(good, HEAD + b"Content-Encoding: br\r\n"),
        "two codings": answered(gzip.compress(gzip.compress(good)), HEAD + b"Content-Encoding: gzip, gzip\r\n"),
        "ten thousand headers": answered(good, HEAD + b"X: y\r\n" * 10_000),
        "a header of a megabyte": answered(good, HEAD + b"X: " + b"y" * MEBIBYTE + b"\r\n"),
        "a header without a colon": answered(good[:-3], HEAD + b"nothing here\r\n"),
        "brackets without end": answered(b"[" * MEBIBYTE),
        "objects without end": answered(b'{"data":' * 100_000),
        "a number of a megabyte": answered(b'{"data":{"total_credits":' + b"9" * MEBIBYTE + b',"total_usage":1}}'),
        "a text of a megabyte": answered(b'{"data":{"total_credits":"' + b"9" * MEBIBYTE + b'","total_usage":1}}'),
        "an error with status 200": answered(b'{"error":{"code":500,"message":"oops"}}'),
        "400": answered(b'{"error":{"message":"bad"}}', HEAD.replace(b"200 OK", b"400 Bad Request")),
        "500": answered(b"{", HEAD.replace(b"200 OK", b"500 Oops")),
        "503 that wants a year": answered(b"", HEAD.replace(b"200 OK", b"503 Later") + b"Retry-After: 31536000\r\n"),
        "a date that is none": answered(b"{}", HEAD + b"Date: Thu, 99 Foo 99999 99:99:99 GMT\r\n"),
    }


def await_end_of_backoff(polled: PolledAccount, path: str) -> None:
    """Let the day pass that the longest `Retry-After` may last, and check that the next poll has an answer of the endpoint."""
    polled.clock.pass_(DAY_S)
    polled.proxy.forget()
    assert getattr(polled.poll(), NAMES[path]).health is Health.OK


@amounts("count", short=15, long=1000)
def test_whatever_comes_in_the_place_of_an_answer_nothing_is_believed(
    polled: PolledAccount, figures: Figures, seed: int, count: int
) -> None:
    for path in PATHS:
        for what, raw in some(in_its_place(polled.answer(path).body), count, f"{seed}{path}").items():
            after = polled.poll_with_fault(path, instead(raw))
            assert getattr(after, NAMES[path]).message, what
            if b"Retry-After: " in raw:
                await_end_of_backoff(polled, path)
            figures.tell(tried=1, survived=1)


def test_a_redirect_of_any_question_is_not_followed(polled: PolledAccount) -> None:
    with socket.create_server(("127.0.0.1", 0)) as thief:
        for status, path in zip((301, 302, 303, 307, 308), (*PATHS, PATHS[0]), strict=True):
            place = f"http://127.0.0.1:{thief.getsockname()[1]}/api/v1{path}"
            head = f"HTTP/1.1 {status} Elsewhere\r\nConnection: close\r\nLocation: {place}\r\nRefresh: 0; url={place}\r\n"
            polled.poll_with_fault(path, instead(answered(b"", head.encode())))
        thief.setblocking(False)
        with pytest.raises(BlockingIOError):
            thief.accept()


def test_an_answer_that_drips_is_left_when_its_time_is_over(polled: PolledAccount) -> None:
    polled.limits = HttpLimits(connect_s=5.0, read_s=5.0, total_s=0.3, stream_s=0.3)
    for path in PATHS:
        before = polled.published[-1]
        polled.proxy.faults = {path: drip(0.02)}
        check(before, polled.poll(), dict.fromkeys(PATHS, ANYTHING) | {path: None})


_ASK = """
import resource, sys
from openbalance_hid.errors import ApiError
from openbalance_hid.openrouter.client import Client
from openbalance_hid.secret import Secret
with Client(Secret(sys.argv[1]), sys.argv[2]) as client:
    try:
        (client.activity if sys.argv[3] == "/activity" else client.credits)()
        print("believed")
    except ApiError as error:
        print(error.message)
try:
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")))
except OSError:  # macOS
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
BOMB = gzip.compress(b" " * (100 * MEBIBYTE), 9)
HUGE: dict[str, Fault] = {
    "100 MB of space": flood(HEAD + b"Content-Length: 104857600\r\n\r\n", b" " * MEBIBYTE, 100),
    "100 MB of rows": flood(HEAD + b"Content-Length: 104857600\r\n\r\n" + b'{"data":[', b'{"a":1},' * (MEBIBYTE // 8), 100),
    "100 MB without a length": flood(HEAD + b"\r\n", b" " * MEBIBYTE, 100),
    "100 MB in chunks": flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"100000\r\n" + b" " * MEBIBYTE + b"\r\n", 100),
    "100 MB in 100 kB of gzip": instead(answered(BOMB, HEAD + b"Content-Encoding: gzip\r\n")),
    "100 MB in 100 kB of gzip, in chunks": instead(
        HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BOMB) + BOMB + b"\r\n0\r\n\r\n"
    ),
    "a chunk's length without an end": flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * MEBIBYTE, 100),
    "trailers without an end": flood(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"x: y\r\n" * 9999, 2000),
    "100 Continue without an end": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 9999, 400),
    "100 MB of head": flood(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 8000 + b"\r\n", 13_000),
}


@amounts("count", short=2, long=1000)
@pytest.mark.parametrize("path", ["/credits", "/activity"], ids=["credits", "activity"])
def test_an_answer_of_any_size_takes_little_memory(
    polled: PolledAccount, figures: Figures, seed: int, path: str, count: int
) -> None:
    """Each in its own process; its peak memory is compared with the peak for a good reply."""

    def ask() -> tuple[str, float]:
        ended = subprocess.run(
            [sys.executable, "-c", _ASK, polled.account.key, polled.proxy.url, path],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=600, check=True,
        )  # fmt: skip
        words, peak = ended.stdout.rsplit("\n", 2)[:2]
        return words, float(peak) / 1024

    words, usual_mib = ask()
    assert words == "believed"
    most_mib = 0.0
    for what, fault in some(HUGE, count, f"{seed}{path}").items():
        polled.proxy.faults = {path: fault}
        words, peak_mib = ask()
        assert words != "believed", what
        most_mib = max(most_mib, peak_mib - usual_mib)
        figures.tell(tried=1, survived=1, more_than_usual_MiB=round(most_mib, 1))
        assert peak_mib - usual_mib < 48, what
    polled.proxy.faults = {}
