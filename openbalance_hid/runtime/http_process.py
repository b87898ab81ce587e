"""The process that makes the daemon's HTTP requests: started for the first one, ended when none has followed for a while.

TLS and HTTP take 10 MiB of memory, which the daemon would keep for months and needs a few seconds an hour. They are in a child
(`http_child`). Where it cannot be started, the daemon makes the requests itself.
"""

import logging
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from openbalance_hid.desktop.child_process import ChildProcess
from openbalance_hid.desktop.lingering_child import LINGER_S, STOP_LIMIT_S, LingeringChild, Spawn
from openbalance_hid.errors import OfflineError
from openbalance_hid.openrouter.endpoint import HttpLimits
from openbalance_hid.openrouter.session import HttpResponse, HttpSession, give_way, own_session
from openbalance_hid.runtime import http_messages
from openbalance_hid.runtime.http_messages import BodyPiece, Failure, HttpRequest, Opening, Ready, Response, receive, send
from openbalance_hid.secret import Secret

log = logging.getLogger(__name__)

MODULE = "openbalance_hid.runtime.http_child"
START_LIMIT_S = 20.0
GRACE_S = 10.0  # beyond the limits of a request, which the child keeps
_ATTEMPTS = 2


class HttpProcess:
    """Gives sessions in a child. Thread-safe."""

    def __init__(self, spawn: Spawn = lambda channel: ChildProcess(MODULE, channel), linger_s: float = LINGER_S) -> None:
        """See `LingeringChild`."""
        self._child = LingeringChild(spawn, "HTTP process", linger_s)
        self._cannot_start = False

    def session(self, secret: Secret | None, base_url: str, limits: HttpLimits, ca_file: Path | None) -> HttpSession:
        """Return a session in the child, or in this process. See `openrouter.session.NewSession`."""
        key = secret.reveal() if secret is not None else None
        opening = Opening(http_messages.VERSION, key, base_url, limits, str(ca_file) if ca_file is not None else None)
        connection = self.connect(opening)
        if connection is not None:
            return _Session(self, opening, connection)
        try:
            return own_session(secret, base_url, limits, ca_file)
        except ImportError as error:
            words = "the files of this program are gone: start it again after an update"
            raise OfflineError(f"cannot reach {_host(base_url)}: {words}") from error

    def connect(self, opening: Opening) -> "_Connection | None":
        """Return a connection; None if no child can be started.

        Raises what opening the session raises, and OfflineError if the system has no resources for it now.
        """
        try:
            for _ in range(0 if self._cannot_start else _ATTEMPTS):  # a child may be killed at any time
                connection = _Connection(opening, self._child)
                if connection.is_open:
                    return connection
        except (FileNotFoundError, PermissionError) as error:
            log.debug("the interpreter is gone or closed: %s", error)
        except OSError as error:
            words = error.strerror or str(error)
            raise OfflineError(f"cannot reach {_host(opening.base_url)}: {words[:1].lower()}{words[1:]}") from error
        if not self._cannot_start:
            self._cannot_start = True  # for good: this process has all of HTTP from now on
            log.warning("the process for HTTP requests does not start: the daemon makes them itself, with more memory")
        return None

    def close(self, limit_s: float = STOP_LIMIT_S) -> None:
        """End the child, and with it all requests. Idempotent."""
        self._child.close(limit_s)


class _Connection:
    """One session in a child. `is_open`: it takes requests."""

    def __init__(self, opening: Opening, children: LingeringChild) -> None:
        """Raises what opening the session raises. OSError if no child can be started."""
        self._children = children
        self._is_broken = False  # the child has ended, or does not answer
        self._channel, theirs = socket.socketpair()
        reply: http_messages.Reply | None = None
        with theirs:  # kept until the child has it: macOS may lose a socket that is on its way alone
            try:
                self._child = children.take()
            except BaseException:
                self._channel.close()
                raise
            self._stream = self._channel.makefile("rb")
            with suppress(OSError):
                reply = self._open(opening, theirs)
        self.is_open = True
        if not isinstance(reply, Ready) or reply.version != http_messages.VERSION:
            self._is_broken = not isinstance(reply, Failure)
            self.close()
        if isinstance(reply, Failure):
            raise reply.error()

    def run(self, request: HttpRequest, take: Callable[[bytes], object] | None, limit_s: float) -> HttpResponse | None:
        """Return the response; None if the child has ended, or does not answer in time. Raises what the request raises."""
        try:
            reply = self._run(request, take, limit_s)
        except BaseException:
            self.close()  # the rest of the answer is still to come
            raise
        if isinstance(reply, Failure):
            raise reply.error()
        if isinstance(reply, Response):
            return reply.response
        self._is_broken = True
        self.close()
        return None

    def close(self) -> None:
        """Close the session. Idempotent."""
        if self.is_open:
            self.is_open = False
            self._stream.close()
            self._channel.close()
            self._children.give_back(self._child, self._is_broken)

    def _open(self, opening: Opening, theirs: socket.socket) -> http_messages.Reply | None:
        socket.send_fds(self._child.control, [b"."], [theirs.fileno()])
        self._channel.settimeout(START_LIMIT_S)
        send(self._channel, opening)
        waiting = select.poll()
        waiting.register(self._channel, select.POLLIN)
        waiting.register(self._child.control, select.POLLIN)  # readable when the child has ended
        ready = [descriptor for descriptor, _ in waiting.poll(1000 * START_LIMIT_S)]
        return receive(self._stream, http_messages.REPLY) if self._channel.fileno() in ready else None

    def _run(self, request: HttpRequest, take: Callable[[bytes], object] | None, limit_s: float) -> http_messages.Reply | None:
        self._channel.settimeout(limit_s)
        try:
            send(self._channel, request)
            reply = receive(self._stream, http_messages.REPLY)
            while isinstance(reply, BodyPiece) and take is not None:
                take(reply.content)
                give_way(reply.content)
                reply = receive(self._stream, http_messages.REPLY)
        except OSError:
            return None
        return reply


class _Session:
    """See `openrouter.session.HttpSession`. A request after one that failed has a new connection."""

    def __init__(self, process: HttpProcess, opening: Opening, connection: _Connection) -> None:
        self._process = process
        self._opening = opening
        self._connection = connection

    def run(
        self, method: str, path: str, body: bytes | None, largest_bytes: int, take: Callable[[bytes], object] | None = None
    ) -> HttpResponse:
        connection, limits = self._connection, self._opening.limits
        if not connection.is_open:
            connection = self._connection = self._process.connect(self._opening) or connection
        limit_s = limits.connect_s + (limits.total_s if take is None else limits.stream_s) + GRACE_S
        request = HttpRequest(method, path, body, largest_bytes, take is not None)
        response = connection.run(request, take, limit_s) if connection.is_open else None
        if response is None:
            host = _host(self._opening.base_url)
            raise OfflineError(f"cannot reach {host}: the process that makes the requests has ended")
        return response

    def close(self) -> None:
        self._connection.close()


def _host(base_url: str) -> str:
    return base_url.split("/")[2]
