"""The plumbing under the browser deck: a port, a connection that cannot hang, answers with their headers, the page's files.

What is asked and answered is in `browser`.
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
from websockets.sync.server import ServerConnection

from openbalance_hid.errors import UsageError
from openbalance_hid.simulator.web.page_access import security_headers

logger = logging.getLogger(__name__)

FIRST_PORT = 8484
PORTS_TRIED = 51  # without a wish: 8484 and the next 50
LAST_PORT = 65535
SEND_TIMEOUT_S = 5  # a page that has read nothing for so long is gone
FULL_S = 0.005  # between two looks whether there is room again
TEXT = "text/plain; charset=utf-8"
PAGE_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/deck.css": ("deck.css", "text/css; charset=utf-8"),
    "/deck.js": ("deck.js", "text/javascript; charset=utf-8"),
}


class PageHttp(socket.socket):
    """A listening socket. `has_room` is asked before each one that is let in; while it says no, the others wait outside.

    Out of descriptors it waits too: the library would take that for its end, and nobody would be let in ever again.
    """

    has_room: Callable[[], bool] = staticmethod(lambda: True)

    def accept(self) -> tuple[socket.socket, Any]:
        while True:
            while self.fileno() >= 0 and not self.has_room():
                time.sleep(FULL_S)
            try:
                return super().accept()
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED):
                    raise
                logger.debug("nobody can be let in: %s", error)
                time.sleep(FULL_S)


def listen(port: int | None) -> PageHttp:
    """A socket that listens on 127.0.0.1 only. `port` None: 8484 or one of the next 50; 0: any free one.

    Raises UsageError when the wanted port, or every one of these, cannot be had.
    """
    if port is not None and not 0 <= port <= LAST_PORT:
        raise UsageError(f"port {port} is not between 0 and {LAST_PORT}", "openbalance-hid demo --port 0")
    for candidate in (port,) if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        try:
            return PageHttp(fileno=socket.create_server(("127.0.0.1", candidate)).detach())
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = (os.strerror(error.errno) if error.errno else str(error)).lower()  # without the address, said before
                raise UsageError(f"cannot listen on port {candidate}: {reason}", "openbalance-hid demo --port 0") from error
            if port is not None:
                raise UsageError(f"port {port} is taken", "openbalance-hid demo --port 0") from error
    raise UsageError(f"ports {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1} are taken", "openbalance-hid demo --port 0")


class Connection(ServerConnection):
    """A connection that ends when its page stops reading, and that can be ended before it has asked for anything."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        # struct timeval; a blocking send that takes longer fails, and the library then closes the connection
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_TIMEOUT_S, 0))
        super().__init__(sock, *arguments, **options)

    @property
    def alive(self) -> bool:
        """False once it is closed."""
        return self.state is not State.CLOSED

    @property
    def asks_still(self) -> bool:
        """True until its request is answered."""
        return self.state is State.CONNECTING

    def hang_up_unless_open(self) -> None:
        """Ends a connection that has not become a WebSocket: browsers open some that they never use."""
        if self.asks_still:
            self.hang_up()

    def hang_up(self) -> None:
        """Ends the connection at once, also in the middle of a send that waits for the page."""
        with contextlib.suppress(OSError):  # closed already
            self.socket.shutdown(socket.SHUT_RDWR)


def response(status: HTTPStatus, body: str | bytes, content_type: str = TEXT, *, host: str = "", **more: str) -> Response:
    """An answer that nobody caches, frames or sniffs. `host`: the checked Host of the request; `more`: further headers."""
    data = body.encode() if isinstance(body, str) else body
    headers = Headers(security_headers(host))
    headers["Date"] = formatdate(usegmt=True)
    headers["Connection"] = "close"
    headers["Content-Type"] = content_type
    headers["Content-Length"] = str(len(data))
    headers.update({name.capitalize(): value for name, value in more.items()})
    return Response(status.value, status.phrase, headers, data)


def page_files(token: str) -> Mapping[str, tuple[str, bytes]]:
    """Content type and bytes of the page's files by path; the page asks for the others with the token."""
    folder = files("openbalance_hid.simulator.web") / "page"
    found = {path: (kind, (folder / name).read_bytes()) for path, (name, kind) in PAGE_FILES.items()}
    kind, index = found["/"]
    safe = html.escape(quote(token, safe="")).encode()
    return found | {"/": (kind, index.replace(b"{{token}}", safe))}


def quiet_logger(ours: logging.Logger) -> logging.Logger:
    """A logger for the library that passes on its errors only: below that it writes addresses, and these hold the token."""
    quiet = logging.Logger(f"{ours.name}.wire", logging.ERROR)
    quiet.parent = ours
    # a browser that opens a connection and leaves again is no news
    quiet.addFilter(lambda record: record.msg != "opening handshake failed")
    return quiet
