"""Why a connection to OpenRouter failed, in words. The texts of exceptions are not shown: they may hold a proxy's password."""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Sequence

import requests
import urllib3

# Not urllib3's TimeoutError: it includes every connection that cannot be made, refused ones too.
TIMEOUTS = (requests.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)

_BAD_PROXY = "the address of the proxy cannot be used"
_NO_TUNNEL = "the proxy does not let the connection through"
_PROXY_LOGIN = "the proxy requires a login, or refuses the one in its address"
_CLOSED = "the connection was closed without an answer"

# In the form of http.client: "Tunnel connection failed: 407 Proxy Authentication Required".
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})")
# OpenSSL's reasons for what is no TLS record: the web page of a network that requires a login, or another service.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")

_PROXY_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "the name of the proxy does not resolve"),
    (ConnectionRefusedError, "the proxy does not accept connections"),
)
# The first row that matches any exception of the chain.
_CAUSES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (requests.exceptions.ProxyError, _NO_TUNNEL),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), _CLOSED),
    (ssl.SSLError, "TLS failed"),
    (socket.gaierror, "its name does not resolve"),
    (ConnectionRefusedError, "the connection was refused"),
    (TIMEOUTS, "no answer in time"),
    ((ConnectionError, http.client.RemoteDisconnected), _CLOSED),
    (http.client.BadStatusLine, "the answer is not HTTP"),
)


def failure_cause(error: BaseException, uses_proxy: bool) -> str:
    """Return why a connection failed. `uses_proxy`: it was to lead through one."""
    if isinstance(error, TypeError):  # requests', for a proxy with a user and without a host
        return _BAD_PROXY
    links = tuple(chain(error))
    # Through SOCKS there is no ProxyError; a refused connection is always the one to the proxy.
    kind_of_proxy = (requests.exceptions.ProxyError, ConnectionRefusedError) if uses_proxy else requests.exceptions.ProxyError
    causes = _PROXY_CAUSES + _CAUSES if any(isinstance(link, kind_of_proxy) for link in links) else _CAUSES
    words = next((words for kinds, words in causes if any(isinstance(link, kinds) for link in links)), "")
    if words == _NO_TUNNEL:
        return _tunnel_cause(links)
    if words == "TLS failed":
        return _tls_cause(links)
    if words:
        return words
    if any(isinstance(link, OSError) and link.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH) for link in links):
        return "the network is unreachable"
    of_socks = {type(link).__name__ for link in links if type(link).__module__ == "socks"}  # PySocks may not be installed
    if of_socks:
        return _PROXY_LOGIN if "SOCKS5AuthError" in of_socks else _NO_TUNNEL
    if any("TLS CA certificate bundle" in str(link) for link in links):  # of requests, which has no class for it
        return "the root certificates of this program are gone: start it again after an update"
    if type(error) is ValueError or isinstance(error, requests.exceptions.InvalidURL):  # our own address is valid
        return _BAD_PROXY
    return "the connection failed"


def _tunnel_cause(links: Sequence[BaseException]) -> str:
    """Return why a proxy makes no tunnel, with the status of its answer."""
    status = next((found[1] for link in links if (found := _TUNNEL_STATUS.search(str(link)))), None)
    if status == "407":  # Proxy Authentication Required
        return _PROXY_LOGIN
    return _NO_TUNNEL if status is None else f"{_NO_TUNNEL}: it answers {status}"


def _tls_cause(links: Sequence[BaseException]) -> str:
    """Return why TLS failed, by OpenSSL's reason, which is one of a fixed list."""
    reason = next((link.reason for link in links if isinstance(link, ssl.SSLError) and link.reason), "")
    if reason in _NOT_TLS:
        return "the answer is not TLS: the network may require a login in a browser"
    return f"TLS failed: {reason.lower().replace('_', ' ')}" if reason else "TLS failed"


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and all that it wraps: requests and urllib3 wrap in causes, arguments and `reason`."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop()
        if isinstance(link, BaseException) and not any(link is each for each in seen):
            seen.append(link)
            yield link
            waiting += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
