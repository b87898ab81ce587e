"""HTTP below the page server: listening socket, connections with a send timeout, response headers, files of the page.

Not here: the resources and their content (`page_server`).
"""

from __future__ import annotations

import contextlib
import errno
import html
import logging
import os
import socket
import struct
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.protocol import State
from websockets.sync.server import Server, ServerConnection

from openbalance_hid.errors import UsageError
from openbalance_hid.hints import hint
from openbalance_hid.simulator.web.page_access import security_headers

logger = logging.getLogger(__name__)

FIRST_PORT = 8484
PORTS_TRIED = 51  # by default: 8484 and the next 50
LAST_PORT = 65535
SEND_TIMEOUT_S = 5  # a page that reads nothing for this long is disconnected
ROOM_CHECK_S = 0.005  # between two checks for a free connection
TEXT = "text/plain; charset=utf-8"
PAGE_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/deck.css": ("deck.css", "text/css; charset=utf-8"),
    **{f"/{name}": (name, "text/javascript; charset=utf-8") for name in ("deck.js", "input.js", "connection.js")},
}


class PageListener(socket.socket):
    """A listening socket. It accepts a connection only while `has_room()`; further clients wait in the backlog.

    Out of file descriptors it waits, too: the library would stop to accept connections for good.
    """

    has_room: Callable[[], bool] = staticmethod(lambda: True)

    def accept(self) -> tuple[socket.socket, Any]:
        while True:
            while self.fileno() >= 0 and not self.has_room():
                time.sleep(ROOM_CHECK_S)
            try:
                return super().accept()
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED):
                    raise
                logger.debug("cannot accept a connection: %s", error)
                time.sleep(ROOM_CHECK_S)


def listen(port: int | None) -> PageListener:
    """Return a socket that listens on 127.0.0.1 only. `port` None: 8484 or one of the next 50; 0: any free port.

    Raises UsageError when no such port is free.
    """
    if port is not None and not 0 <= port <= LAST_PORT:
        raise UsageError(f"port {port} is not between 0 and {LAST_PORT}", hint("the port is taken"))
    for candidate in (port,) if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        try:
            return PageListener(fileno=socket.create_server(("127.0.0.1", candidate)).detach())
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
                raise UsageError(f"cannot listen on port {candidate}: {reason}", hint("the port is taken")) from error
            if port is not None:
                raise UsageError(f"port {port} is taken", hint("the port is taken")) from error
    raise UsageError(f"ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are taken", hint("the port is taken"))


def serve_forever(server: Server) -> None:
    """Accept connections until `shutdown`. After a failure, which is raised, `shutdown` waits for nothing that never comes.

    Without a free file descriptor the library has not begun to serve, and without a thread for a connection it waits for it.
    """
    try:
        server.serve_forever()
    except BaseException:
        server.shutdown_notifier.close()
        server.shutdown_watcher.close()
        with server.lock:
            server.handler_threads = {thread for thread in server.handler_threads if thread.ident is not None}
        server.socket_closed.set()
        raise


class PageConnection(ServerConnection):
    """A connection with a send timeout, which can be closed before its first request."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        # struct timeval; after the timeout a blocking send fails, and the library closes the connection
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_TIMEOUT_S, 0))
        super().__init__(sock, *arguments, **options)

    @property
    def alive(self) -> bool:
        """Return False once it is closed."""
        return self.state is not State.CLOSED

    @property
    def awaits_request(self) -> bool:
        """Return True until its request is answered."""
        return self.state is State.CONNECTING

    def disconnect_unless_open(self) -> None:
        """Close a connection that is not a WebSocket yet: browsers open connections that they never use."""
        if self.awaits_request:
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connection at once, also during a send that waits for the page."""
        with contextlib.suppress(OSError):  # closed already
            self.socket.shutdown(socket.SHUT_RDWR)


def response(status: HTTPStatus, body: str | bytes, content_type: str = TEXT, *, host: str = "", **more: str) -> Response:
    """Return a response that forbids caching, framing and sniffing. `host`: the checked Host; `more`: further headers."""
    data = body.encode() if isinstance(body, str) else body
    headers = Headers(security_headers(host))
    headers["Date"] = formatdate(usegmt=True)
    headers["Connection"] = "close"
    headers["Content-Type"] = content_type
    headers["Content-Length"] = str(len(data))
    headers.update({name.capitalize(): value for name, value in more.items()})
    return Response(status.value, status.phrase, headers, data)


def page_files(token: str) -> Mapping[str, tuple[str, bytes]]:
    """Return path -> content type and bytes of the page's files. The token is written into the links of `index.html`."""
    folder = files("openbalance_hid.simulator.web") / "page"
    found = {path: (kind, (folder / name).read_bytes()) for path, (name, kind) in PAGE_FILES.items()}
    kind, index = found["/"]
    safe = html.escape(quote(token, safe="")).encode()
    return found | {"/": (kind, index.replace(b"{{token}}", safe))}


def quiet_logger(ours: logging.Logger) -> logging.Logger:
    """Return a logger for the library that drops everything below errors: its messages hold URLs with the token."""
    quiet = logging.Logger(f"{ours.name}.wire", logging.ERROR)
    quiet.parent = ours
    # a browser that opens a connection and closes it unused is normal
    quiet.addFilter(lambda record: record.msg != "opening handshake failed")
    return quiet
