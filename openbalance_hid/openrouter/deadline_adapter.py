"""The connection of one request: TLS verification, the deadline of the whole response, and its largest size.

With `http`, the only importer of `requests`, which limits only the wait for each piece: a server that sends a byte every ten
seconds would block the thread for ever, and an endless header line would fill the memory. Here every read of the socket gets
no more than the time and the bytes that are left.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from openbalance_hid.errors import OfflineError
from openbalance_hid.file_safety import check_certificates
from openbalance_hid.hints import hint
from openbalance_hid.openrouter.happy_eyeballs import connect_tcp

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.poolmanager import ProxyManager

_HEAD_BYTES = 256 * 1024  # for status line and headers; a real answer has about two thousand


class ResponseTooLargeError(OSError):
    """The response is longer than any valid one."""


class ReadBudget:
    """The time and the bytes that one response may still take. For one thread."""

    def __init__(self, mono: Callable[[], float]) -> None:
        self._mono = mono
        self._ends_at_s = 0.0
        self._left_bytes = 0

    def start(self, total_s: float, body_bytes: int) -> None:
        self._ends_at_s = self._mono() + total_s
        self._left_bytes = body_bytes + _HEAD_BYTES

    def left_s(self) -> float:
        """Return the seconds left. TimeoutError at the deadline, which urllib3 treats as a read timeout."""
        left_s = self._ends_at_s - self._mono()
        if left_s <= 0:
            raise TimeoutError("the time for the whole answer is over")
        return left_s

    def take(self, count: int) -> None:
        """Count received bytes. ResponseTooLargeError beyond the limit."""
        self._left_bytes -= count
        if self._left_bytes < 0:
            raise ResponseTooLargeError("the response is longer than any valid one")


class DeadlineAdapter(HTTPAdapter):
    """Makes connections that verify the server by the root certificates of requests, and read within the budget."""

    def __init__(self, budget: ReadBudget, ca_file: Path | None = None) -> None:
        self._budget = budget
        self._tls = tls_context(ca_file)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        return cast("ProxyManager", super().proxy_manager_for(proxy, ssl_context=self._tls, **kwargs))

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        """Return the pool for a request, direct or through a proxy; its connections read within the budget."""
        pool = cast("HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        if not hasattr(pool.ConnectionCls, "is_bounded"):
            reader = staticmethod(functools.partial(_BoundedResponse, self._budget))
            members = {"response_class": reader, "is_bounded": True}
            if cast("Any", pool.ConnectionCls)._new_conn is HTTPConnection._new_conn:  # not a SOCKS proxy's
                members["_new_conn"] = _new_connection
            bases = (cast("type", pool.ConnectionCls),)
            pool.ConnectionCls = type("BoundedConnection", bases, members)
        return pool

    def close(self) -> None:
        """Close the connections at once. urllib3 leaves that to the garbage collector, and a kept error holds the pool."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118 – its iterator raises NotImplementedError
                manager.pools[key].close()
        super().close()


def _new_connection(connection: HTTPConnection) -> socket.socket:
    """Do what urllib3's `_new_conn` does, with all addresses of the host at once and its errors."""
    timeout_s = connection.timeout
    assert timeout_s is None or isinstance(timeout_s, int | float)  # noqa: S101 - HttpSession sets it
    try:
        return connect_tcp(connection._dns_host, connection.port, timeout_s, connection.socket_options or ())
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "no address answered in time") from error
    except OSError as error:
        raise NewConnectionError(connection, "no address accepts a connection") from error


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return a context that checks name and certificate against the public root certificates, which requests loads into it.

    `ca_file`: further root certificates, PEM; OfflineError if it cannot be used. Not a default context of ssl or urllib3: those
    write the keys of every connection into the file that SSLKEYLOGFILE names, and a program that can set this variable could
    read the Management key from the traffic.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            check_certificates(ca_file)
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one, too: the file has no certificate
            words = error.strerror or str(error)
            reason = (
                "it has no valid certificate in PEM form" if isinstance(error, ssl.SSLError) else words[:1].lower() + words[1:]
            )
            raise OfflineError(f"cannot use the ca_file {ca_file}: {reason}", hint("the ca_file cannot be used")) from error
    return context


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, budget: ReadBudget, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_BoundedReader(raw, sock, budget))


class _BoundedReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, budget: ReadBudget) -> None:
        self._raw = raw
        self._sock = sock
        self._budget = budget
        self._read_limit_s = sock.gettimeout()  # the longest wait for one piece, as requests has set it

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left_s = self._budget.left_s()
        self._sock.settimeout(left_s if self._read_limit_s is None else min(left_s, self._read_limit_s))
        count = cast("int | None", cast("Any", self._raw).readinto(buffer))
        self._budget.take(count or 0)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
