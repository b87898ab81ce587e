"""The wire under one exchange: who is at the other end, how long it may take, and how many bytes may come.

With `exchange`, the only importer of `requests`. requests limits only the wait for each piece: a server that sends a byte every
ten seconds would hold the thread for ever, and one line without an end would fill the memory. Here every read of the socket
gets no more than the time and the bytes that are left.
"""

from __future__ import annotations

import functools
import http.client
import io
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.poolmanager import ProxyManager

_HEAD_BYTES = 256 * 1024  # for status line and headers; a real answer has about two thousand


class ResponseTooLargeError(OSError):
    """More came than any good answer has."""


class Allowance:
    """What one exchange may still take. For one thread."""

    def __init__(self, mono: Callable[[], float]) -> None:
        self._mono = mono
        self._ends_at_s = 0.0
        self._left_bytes = 0

    def start(self, total_s: float, body_bytes: int) -> None:
        self._ends_at_s = self._mono() + total_s
        self._left_bytes = body_bytes + _HEAD_BYTES

    def left_s(self) -> float:
        """TimeoutError when nothing is left: urllib3 takes it for a read time-out."""
        left_s = self._ends_at_s - self._mono()
        if left_s <= 0:
            raise TimeoutError("the time for the whole answer is over")
        return left_s

    def take(self, count: int) -> None:
        """Counts bytes that came. TooMuchError when they were too many."""
        self._left_bytes -= count
        if self._left_bytes < 0:
            raise ResponseTooLargeError("the answer is longer than any good one")


class DeadlineAdapter(HTTPAdapter):
    """Connections that verify the other end by the roots that come with requests, and read within the allowance."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._tls = tls_context()
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        return cast("ProxyManager", super().proxy_manager_for(proxy, ssl_context=self._tls, **kwargs))

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        """The pool for a request, direct or through a proxy, whose connections read within the allowance."""
        pool = cast("HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        if not hasattr(pool.ConnectionCls, "is_bounded"):
            reader = staticmethod(functools.partial(_BoundedResponse, self._allowance))
            bases = (cast("type", pool.ConnectionCls),)
            pool.ConnectionCls = type("BoundedConnection", bases, {"response_class": reader, "is_bounded": True})
        return pool


def tls_context() -> ssl.SSLContext:
    """Name and certificate are checked, against the public roots that requests brings and loads into it.

    Made by hand: the contexts of ssl and urllib3 write the keys of every connection into the file that SSLKEYLOGFILE names, and
    whoever can set that variable could read the Management key off the wire.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, allowance: Allowance, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_BoundedReader(raw, sock, allowance))


class _BoundedReader(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, sock: socket.socket, allowance: Allowance) -> None:
        self._raw = raw
        self._sock = sock
        self._allowance = allowance
        self._pause_s = sock.gettimeout()  # the longest wait for one piece, as requests has set it

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left_s = self._allowance.left_s()
        self._sock.settimeout(left_s if self._pause_s is None else min(left_s, self._pause_s))
        count = cast("int | None", cast("Any", self._raw).readinto(buffer))
        self._allowance.take(count or 0)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
