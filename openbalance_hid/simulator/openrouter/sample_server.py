"""The HTTP/1.1 server of the sample account, on a loopback port.

Faults: a `ResponseFault` damages a reply on its way to the client; `SampleAccount.set_response_fault` selects it, for all paths
or for one. With `disconnects` the server resets every connection. Not here: the content of replies (`sample_account`). An idle
server does not poll.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from openbalance_hid.simulator.client_threads import ClientThreads
from openbalance_hid.simulator.openrouter.sample_answers import SampleReply
from openbalance_hid.simulator.openrouter.scenarios import ResponseFault

_RequestHandler = Callable[[str, str, Mapping[str, str], bytes], "tuple[SampleReply, ResponseFault | None, float, str]"]

_LARGEST_REQUEST = 1024 * 1024
CONNECTIONS = 256  # at once, each with a thread; one more takes the place of the oldest, which a hundred accounts never reach
_IDLE_S = 60.0  # a connection without a request for this long is closed
_DRIP_S = 0.02  # between two bytes
_MEBIBYTE = 1024 * 1024
_BOMB_MIB = 80
logger = logging.getLogger(__name__)


class SampleServer:
    """Serves on a free port of 127.0.0.1 until `stop`."""

    def __init__(self, handle: _RequestHandler, disconnects: Callable[[], bool]) -> None:
        """`handle`: method, target, headers, body → reply. `disconnects`: whether connections are reset without a reply."""
        self._stopped = threading.Event()
        self._http = _Http(handle, disconnects, self._stopped)
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._serve, name="sample account", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End every connection and join its thread, at most 2 s each. Idempotent."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        try:  # wakes the thread that waits for a connection
            with socket.socket() as wakeup:
                wakeup.settimeout(1.0)
                wakeup.connect(("127.0.0.1", self.port))
        except OSError:
            logger.debug("the sample account had stopped before")
        self._thread.join(2.0)
        self._http.end_connections()
        self._http.server_close()

    def _serve(self) -> None:
        while not self._stopped.is_set():
            self._http.handle_request()  # blocks without a time limit: nothing polls


class _Http(HTTPServer):
    timeout = None
    request_queue_size = 32

    def __init__(self, handle: _RequestHandler, disconnects: Callable[[], bool], stopped: threading.Event) -> None:
        self.handle = handle
        self.disconnects = disconnects
        self.stopped = stopped
        self._open: dict[socket.socket, None] = {}  # a set, oldest first
        self._client_threads = ClientThreads()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        return not self.disconnects() and not self.stopped.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        name = f"sample account, client {client_address[1]}"
        thread = threading.Thread(target=self._serve, args=(request, client_address), name=name, daemon=True)
        with self._lock:
            oldest = next(iter(self._open)) if len(self._open) >= CONNECTIONS else None
            self._open[request] = None
            if oldest is not None:
                del self._open[oldest]
        if oldest is not None:
            _end(oldest)
        try:
            thread.start()
        except RuntimeError:  # no resources for another thread: the base class closes the connection
            with self._lock:
                self._open.pop(request, None)
            raise
        self._client_threads.add(thread)

    def end_connections(self) -> None:
        with self._lock:
            still_open = tuple(self._open)
        for connection in still_open:
            _end(connection)
        self._client_threads.join(2.0)

    def shutdown_request(self, request: Any) -> None:
        if self.disconnects():  # a TCP reset instead of an orderly end
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        logger.debug("a connection to the sample account has failed", exc_info=True)

    def _serve(self, request: socket.socket, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:  # noqa: BLE001 - one turn of a thread: a client that disconnects, or a request that is none
            self.handle_error(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)
            self.shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    server: _Http

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        logger.debug(format, *args)

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_REQUEST:
            self.send_error(413)
            return
        body = self.rfile.read(int(length))
        if self.server.disconnects():
            self.close_connection = True
            return
        reply, fault, slow_s, date = self.server.handle(self.command, self.path, dict(self.headers), body)
        self.server.stopped.wait(slow_s)
        self._send_faulty(reply, fault, date) if fault else self._send(self._head(reply, len(reply.body), date) + reply.body)

    def _send_faulty(self, reply: SampleReply, fault: ResponseFault, date: str) -> None:
        half = reply.body[: len(reply.body) // 2]
        self.close_connection = fault not in (ResponseFault.TRUNCATED, ResponseFault.EMPTY, ResponseFault.HTML)
        match fault:
            case ResponseFault.TRUNCATED:
                self._send(self._head(reply, len(half), date) + half)
            case ResponseFault.SHORT:
                self._send(self._head(reply, len(reply.body), date) + half)
            case ResponseFault.EMPTY:
                self._send(self._head(reply, 0, date))
            case ResponseFault.HTML:
                page = b"<!DOCTYPE html><html><body>checking your browser</body></html>"
                self._send(self._head(SampleReply(200, page, content_type="text/html"), len(page), date) + page)
            case ResponseFault.DRIP:
                self._send(self._head(reply, len(reply.body), date))
                self._drip(reply.body)
            case ResponseFault.DRIP_HEAD:
                self._drip(self._head(reply, len(reply.body), date) + reply.body)
            case ResponseFault.ENDLESS:
                self._send(self._head(reply, None, date))
                while not self.server.stopped.is_set():
                    self._send(b" " * 65_536)
            case ResponseFault.BOMB:
                packed = _bomb()
                bomb = SampleReply(200, packed, {"Content-Encoding": "gzip"})
                self._send(self._head(bomb, len(packed), date) + packed)
            case ResponseFault.NO_ANSWER:
                self.server.stopped.wait(_IDLE_S)
            case ResponseFault.GARBAGE:
                self._send(b"\x00\xff not http at all\r\n\r\n")

    def _head(self, reply: SampleReply, length: int | None, date: str) -> bytes:
        lines = [f"HTTP/1.1 {reply.status} Sample", f"Date: {date}", f"Content-Type: {reply.content_type}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        lines += ["Connection: close"] if length is None else [f"Content-Length: {length}"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _drip(self, text: bytes) -> None:
        for byte in text:
            self._send(bytes([byte]))
            if self.server.stopped.wait(_DRIP_S):
                return

    def _send(self, text: bytes) -> None:
        self.wfile.write(text)
        self.wfile.flush()


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("the client disconnected first")


def _bomb() -> bytes:
    packer = zlib.compressobj(wbits=31)  # 31: with the frame of gzip
    return b"".join([*(packer.compress(b" " * _MEBIBYTE) for _ in range(_BOMB_MIB)), packer.flush()])
