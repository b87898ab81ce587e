"""Open a TCP connection to the first address of a name that answers (Happy Eyeballs, RFC 8305).

Trying one address after the other would wait for the whole time limit where IPv6 is announced but does not work.
"""

from __future__ import annotations

import errno
import ipaddress
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any

from openbalance_hid.host_names import is_localhost

ATTEMPT_DELAY_S = 0.25  # RFC 8305, section 5

_Address = tuple[int, int, int, Any]  # family, type, protocol and address, for socket.socket and connect


def connect_tcp(
    host: str, port: int, timeout_s: float | None, options: Iterable[tuple[int, int, int | bytes]] = ()
) -> socket.socket:
    """Return a connected socket with this timeout. OSError if no address answers; TimeoutError if that takes too long.

    "localhost" is this machine, whatever the hosts file or a name server has for it (RFC 6761). `options`: as for setsockopt.
    """
    race = _Race(_addresses(host, port), timeout_s, tuple(options))
    try:
        winner = race.run()
    finally:
        race.close()
    try:
        if is_localhost(host) and not ipaddress.ip_address(winner.getpeername()[0]).is_loopback:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "localhost is not this machine")
    except OSError:
        winner.close()
        raise
    winner.settimeout(timeout_s)
    return winner


def _addresses(host: str, port: int) -> Sequence[_Address]:
    """Return the addresses of the host, families in turn, the system's preferred one first."""
    if is_localhost(host):
        return (
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, ("127.0.0.1", port)),
            (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, ("::1", port)),
        )
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    each = [(family, kind, protocol, address) for family, kind, protocol, _, address in found]
    first = [address for address in each if address[0] == each[0][0]]
    other = [address for address in each if address[0] != each[0][0]]
    return [address for address in chain.from_iterable(zip_longest(first, other)) if address is not None]


class _Race:
    """Attempts to connect, one started after the other; the first that succeeds wins."""

    def __init__(
        self, addresses: Sequence[_Address], timeout_s: float | None, options: tuple[tuple[int, int, int | bytes], ...]
    ) -> None:
        self._waiting = deque(addresses)
        self._ends_at_s = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        self._options = options
        self._running = selectors.DefaultSelector()
        self._error: OSError = OSError("the name has no address")

    def run(self) -> socket.socket:
        next_at_s = time.monotonic()
        while self._waiting or self._running.get_map():
            now_s = time.monotonic()
            if now_s >= self._ends_at_s:
                raise TimeoutError("no address answered in time")
            if self._waiting and (now_s >= next_at_s or not self._running.get_map()):
                self._start(self._waiting.popleft())
                next_at_s = now_s + ATTEMPT_DELAY_S
                continue
            until_s = min(self._ends_at_s, next_at_s if self._waiting else float("inf"))
            for ready, _ in self._running.select(None if until_s == float("inf") else until_s - now_s):
                attempt = ready.fileobj
                assert isinstance(attempt, socket.socket)  # noqa: S101 - only sockets are registered
                self._running.unregister(attempt)
                code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    return attempt
                self._fail(attempt, code)
                next_at_s = now_s  # the next address, at once
        raise self._error

    def close(self) -> None:
        """Close the attempts that are left."""
        for key in list(self._running.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)  # noqa: S101 - only sockets are registered
            key.fileobj.close()
        self._running.close()

    def _start(self, address: _Address) -> None:
        family, kind, protocol, name = address
        try:
            attempt = socket.socket(family, kind, protocol)
        except OSError as error:  # a system without this family
            self._error = error
            return
        attempt.setblocking(False)
        with suppress(OSError):
            for option in self._options:
                attempt.setsockopt(*option)
        code = attempt.connect_ex(name)
        if code in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._running.register(attempt, selectors.EVENT_WRITE)
        else:
            self._fail(attempt, code)

    def _fail(self, attempt: socket.socket, code: int) -> None:
        attempt.close()
        self._error = OSError(code, errno.errorcode.get(code, "error"))
