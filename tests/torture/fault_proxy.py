"""A TCP proxy in front of the sample account: requests pass unchanged, and a test decides what happens to a reply."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

LONGEST_S = 30.0
FRESH_FOR = 40  # how often a reply is repeated: else the account would spend most of the time of a long test


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of the account: `head` with its blank line, and the body."""

    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.body

    def with_body(self, body: bytes) -> bytes:
        """Return the reply with another body, and the matching length in its head."""
        return self.head.replace(b"Content-Length: %d" % len(self.body), b"Content-Length: %d" % len(body)) + body

    def dated(self, now: datetime) -> Answer:
        """Return the reply with another date: amounts have the time of the server."""
        date = f"\r\nDate: {format_datetime(now, usegmt=True)}\r\n".encode()
        return Answer(re.sub(rb"\r\nDate: [^\r]*\r\n", date, self.head), self.body)


Fault = Callable[[Answer, socket.socket], None]  # sends the reply or something else; then the connection is closed


class FaultProxy:
    """Listens at `url`. `faults`: by path ("/credits"); a reply without a fault passes unchanged."""

    def __init__(self, target: str, utc: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._target = target.split("/")[2].split(":")[0], int(target.split("/")[2].split(":")[1])
        self._base = "/" + target.split("/", 3)[3]
        self._utc = utc
        self.faults: dict[str, Fault] = {}
        self.done: dict[str, int] = {}  # by path: how many replies had a fault
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._known: dict[bytes, tuple[Answer, int]] = {}  # target and body -> the last reply, and how often it was repeated
        self._talks: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve, name="fault proxy", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}{self._base}"

    def forget(self) -> None:
        """Send the next requests to the account again."""
        self._known.clear()

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in (self._thread, *self._talks):
            thread.join(LONGEST_S)
            assert not thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._talks = [talk for talk in self._talks if talk.is_alive()]
            self._talks.append(threading.Thread(target=self._talk, args=(client,), name="fault proxy, client", daemon=True))
            self._talks[-1].start()

    def _talk(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target, LONGEST_S) as account:
            client.settimeout(LONGEST_S)
            with client.makefile("rb") as questions, account.makefile("rb") as answers:
                while head := _head(questions):
                    question, target = head + questions.read(_length(head)), head.split(b" ", 2)[1]
                    path = target.decode().removeprefix(self._base).partition("?")[0]
                    key = target + question.partition(b"\r\n\r\n")[2]  # analytics has several questions at one path
                    answer, times = self._known.get(key, (None, 0))
                    if answer is None or times >= FRESH_FOR:
                        account.sendall(question)
                        said = _head(answers)
                        answer, times = Answer(said, answers.read(_length(said))), 0
                    self._known[key] = answer, times + 1
                    answer = answer.dated(self._utc())  # also a repeated one
                    fault = self.faults.get(path)
                    if fault is not None:
                        self.done[path] = self.done.get(path, 0) + 1
                        # Announce the end of the connection, else the client may send its next request while it closes.
                        fault(Answer(answer.head.removesuffix(b"\r\n") + b"Connection: close\r\n\r\n", answer.body), client)
                        return
                    client.sendall(answer.whole)


def _head(stream: object) -> bytes:
    lines = []
    while line := stream.readline():  # type: ignore[attr-defined]
        lines.append(line)
        if line == b"\r\n":
            break
    return b"".join(lines)


def _length(head: bytes) -> int:
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(lengths[0]) if lengths else 0


# --- faults ------------------------------------------------------------------------------------------------------------


def cut(end: int) -> Fault:
    """Send the first bytes, never all, then close the connection."""
    return lambda answer, peer: peer.sendall(answer.whole[:-1][:end])


def reset(end: int) -> Fault:
    """Send the first bytes, never all, then reset the connection."""

    def fault(answer: Answer, peer: socket.socket) -> None:
        peer.sendall(answer.whole[:-1][:end])
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return fault


def stall(end: int) -> Fault:
    """Send the first bytes, never all, then nothing until the client closes."""

    def fault(answer: Answer, peer: socket.socket) -> None:
        peer.sendall(answer.whole[:-1][:end])
        peer.recv(1)

    return fault


def drip(pause_s: float) -> Fault:
    """Send the reply byte by byte."""

    def fault(answer: Answer, peer: socket.socket) -> None:
        for byte in answer.whole:
            peer.sendall(bytes([byte]))
            time.sleep(pause_s)

    return fault


def instead(raw: bytes) -> Fault:
    """Send other bytes instead of the reply."""
    return lambda _, peer: peer.sendall(raw)


def with_body(change: Callable[[bytes], bytes]) -> Fault:
    """Send another body with the same head."""
    return lambda answer, peer: peer.sendall(answer.with_body(change(answer.body)))


def flood(head: bytes, piece: bytes, count: int) -> Fault:
    """Send a head, then `piece` up to `count` times."""

    def fault(_: Answer, peer: socket.socket) -> None:
        peer.sendall(head)
        for _turn in range(count):
            peer.sendall(piece)

    return fault
