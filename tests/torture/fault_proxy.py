"""A TCP proxy in front of the sample account: whole questions go through, and what happens to an answer is a test's to say."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_S = 30.0
FRESH_FOR = 40  # times that an answer is told again: thousands of turns would otherwise be the account's work


@dataclass(frozen=True, slots=True)
class Answer:
    """What the account said: `head` with its blank line, and the body."""

    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.body

    def saying(self, body: bytes) -> bytes:
        """The same answer with another body, of which its head tells the length."""
        return self.head.replace(b"Content-Length: %d" % len(self.body), b"Content-Length: %d" % len(body)) + body


Fault = Callable[[Answer, socket.socket], None]  # sends what is to be sent; afterwards the connection is closed


class FaultProxy:
    """Listens at `url`. `faults`: by the path of a question ("/credits"); what has none goes through as it is."""

    def __init__(self, target: str) -> None:
        self._target = target.split("/")[2].split(":")[0], int(target.split("/")[2].split(":")[1])
        self._base = "/" + target.split("/", 3)[3]
        self.faults: dict[str, Fault] = {}
        self.done: dict[str, int] = {}  # by path: how many answers met their fault
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._known: dict[bytes, tuple[Answer, int]] = {}  # target -> what was said last, and how often it was told since
        self._talks: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve, name="fault proxy", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}{self._base}"

    def forget(self) -> None:
        """Asks the account again."""
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
                    answer, times = self._known.get(target, (None, 0))
                    if answer is None or times >= FRESH_FOR:
                        account.sendall(question)
                        said = _head(answers)
                        answer, times = Answer(said, answers.read(_length(said))), 0
                    self._known[target] = answer, times + 1
                    fault = self.faults.get(path)
                    if fault is not None:
                        self.done[path] = self.done.get(path, 0) + 1
                        # It will be closed; a client that is not told may ask its next question into the closing.
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
    """The first bytes, never all, then a polite end."""
    return lambda answer, peer: peer.sendall(answer.whole[:-1][:end])


def reset(end: int) -> Fault:
    """The first bytes, never all, then a reset."""

    def fault(answer: Answer, peer: socket.socket) -> None:
        peer.sendall(answer.whole[:-1][:end])
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return fault


def stall(end: int) -> Fault:
    """The first bytes, never all, then silence until the client leaves."""

    def fault(answer: Answer, peer: socket.socket) -> None:
        peer.sendall(answer.whole[:-1][:end])
        peer.recv(1)

    return fault


def drip(pause_s: float) -> Fault:
    """Byte by byte."""

    def fault(answer: Answer, peer: socket.socket) -> None:
        for byte in answer.whole:
            peer.sendall(bytes([byte]))
            time.sleep(pause_s)

    return fault


def instead(raw: bytes) -> Fault:
    """Other bytes in the place of the answer."""
    return lambda _, peer: peer.sendall(raw)


def with_body(change: Callable[[bytes], bytes]) -> Fault:
    """Another body under the same head."""
    return lambda answer, peer: peer.sendall(answer.saying(change(answer.body)))


def flood(head: bytes, piece: bytes, count: int) -> Fault:
    """A head, and `piece` as many times, or as often as it is taken."""

    def fault(_: Answer, peer: socket.socket) -> None:
        peer.sendall(head)
        for _turn in range(count):
            peer.sendall(piece)

    return fault
