"""The connections to one address: TLS verification, proxies, the deadline of a whole response, and its largest size.

With `http`, the only importer of `urllib3`, which limits only the wait for each piece: a server that sends a byte every ten
seconds would block the thread for ever, and an endless header line would fill the memory. Here every read of the socket gets
no more than the time and the bytes that are left.
"""

from __future__ import annotations

import functools
import http.client
import io
import ipaddress
import socket
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

import certifi
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager, ProxyManager
from urllib3.util import make_headers, parse_url

from openbalance_hid.errors import OfflineError
from openbalance_hid.hints import hint
from openbalance_hid.openrouter.happy_eyeballs import connect_tcp

if TYPE_CHECKING:
    from urllib3.connectionpool import HTTPConnectionPool

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


def connection_pool(origin: str, budget: ReadBudget, ca_file: Path | None = None) -> HTTPConnectionPool:
    """Return connections to `origin` (scheme, host and port) that read within the budget. OfflineError: bad proxy or `ca_file`.

    Of the environment only its proxies are used, which see a tunnel and no key, and never for a loopback address.
    """
    context = tls_context(ca_file)
    proxy = None
    if origin.startswith("https://"):
        context.load_verify_locations(certifi.where())
        proxy = _proxy_for(origin)
    try:
        manager = PoolManager(ssl_context=context) if proxy is None else _proxy_manager(proxy, context)
    except ImportError as error:
        raise OfflineError(f"cannot reach {origin.split('/')[2]}: no support for this kind of proxy") from error
    except (ValueError, AssertionError):  # without the cause, which quotes a password; urllib3 asserts the scheme
        raise OfflineError(f"cannot reach {origin.split('/')[2]}: the address of the proxy cannot be used") from None
    pool = manager.connection_from_url(origin)
    members: dict[str, Any] = {"response_class": staticmethod(functools.partial(_BoundedResponse, budget))}
    if cast("Any", pool.ConnectionCls)._new_conn is HTTPConnection._new_conn:  # not a SOCKS proxy's
        members["_new_conn"] = _new_connection
    pool.ConnectionCls = type("BoundedConnection", (cast("type", pool.ConnectionCls),), members)
    return pool


def _proxy_for(origin: str) -> str | None:
    """Return the address of the proxy for an https address by the environment, or None."""
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    host = parse_url(origin).host or ""
    return None if proxy is None or proxy_bypass(host) or _is_in_networks(host, proxies.get("no", "")) else proxy


def _is_in_networks(host: str, no_proxy: str) -> bool:
    """Return whether `host` is an IP address in a network of `no_proxy`, as 10.0.0.0/8: `proxy_bypass` compares names only."""
    for network in no_proxy.replace(" ", "").split(","):
        try:
            if ipaddress.ip_address(host.strip("[]")) in ipaddress.ip_network(network, strict=False):
                return True
        except ValueError:
            continue
    return False


def _proxy_manager(proxy: str, context: ssl.SSLContext) -> PoolManager:
    """Return a manager of connections through a proxy. ValueError or AssertionError for an address that cannot be used."""
    parsed = parse_url(proxy)
    if not parsed.host:
        raise ValueError("no host")
    user, colon, password = (parsed.auth or "").partition(":")
    if (parsed.scheme or "").startswith("socks"):
        from urllib3.contrib.socks import SOCKSProxyManager  # needs PySocks

        return SOCKSProxyManager(proxy, unquote(user), unquote(password), ssl_context=context)
    login = {}
    if colon:
        headers = make_headers(proxy_basic_auth=f"{unquote(user)}:{unquote(password)}")
        login["Proxy-Authorization"] = headers["proxy-authorization"]
    return ProxyManager(proxy if parsed.scheme else f"http://{proxy}", proxy_headers=login, ssl_context=context)


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
    """Return a context that checks name and certificate. It has no root certificate yet, but those of `ca_file`.

    `ca_file`: root certificates, PEM; OfflineError if it cannot be used. Not a default context of ssl or urllib3: those
    write the keys of every connection into the file that SSLKEYLOGFILE names, and a program that can set this variable could
    read the Management key from the traffic.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            if not stat.S_ISREG(ca_file.stat().st_mode):  # a pipe or a device would be read for ever
                raise OSError(0, "not a file")
            context.load_verify_locations(ca_file)
        except OSError as error:  # ssl.SSLError is one, too: the file has no certificate
            reason = "it has no certificate" if isinstance(error, ssl.SSLError) else (error.strerror or str(error)).lower()
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
        self._read_limit_s = sock.gettimeout()  # the longest wait for one piece, as urllib3 has set it

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
