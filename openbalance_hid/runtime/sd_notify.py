"""Notifies the service manager: ready, alive, stopping.

The messages of sd_notify(3) are datagrams to the socket in NOTIFY_SOCKET, which systemd sets. launchd needs none. A message
that cannot be sent is dropped.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

log = logging.getLogger(__name__)

FEEDS_PER_LIMIT = 3  # sd_watchdog_enabled(3) recommends two; one more, so that a single late turn does not end the service


class ServiceManager(Protocol):
    """The part of a service manager that the main loop uses. All times are monotonic seconds."""

    def alive(self, now_s: float) -> None: ...
    def next_message_s(self) -> float: ...


class SystemdManager:
    """The manager named by `env`, if any. `ready` may be called on any thread, the rest on the main thread."""

    def __init__(self, env: Mapping[str, str], pid: int) -> None:
        address = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._feed_every_s = _limit_s(env, pid) / FEEDS_PER_LIMIT if self._address else float("inf")
        self._next_feed_s = 0.0 if self._feed_every_s < float("inf") else float("inf")
        self._lock = threading.Lock()
        self._ready = False

    def ready(self) -> None:
        """Report that the daemon is ready. Idempotent."""
        with self._lock:
            first, self._ready = not self._ready, True
        if first:
            self._send("READY=1")

    def alive(self, now_s: float) -> None:
        """Report that the main loop runs, as often as the watchdog requires. Call it at every turn."""
        if now_s >= self._next_feed_s:
            self._next_feed_s = now_s + self._feed_every_s
            self._send("WATCHDOG=1")

    def next_message_s(self) -> float:
        """Return when `alive` must be called at the latest; infinity without a watchdog."""
        return self._next_feed_s

    def stopping(self) -> None:
        """Report that the daemon stops."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)) as peer:
                peer.setblocking(False)
                peer.sendto(message.encode(), self._address)
        except OSError as error:
            log.debug("cannot notify the service manager of %s: %s", message, error)


class NullServiceManager:
    """No service manager."""

    def alive(self, now_s: float) -> None:
        """Nothing."""

    def next_message_s(self) -> float:
        """Never."""
        return float("inf")


def when_all(parts: int, do: Callable[[], None]) -> Callable[[], None]:
    """Return a function to call once for each of `parts`, on any thread; the last call calls `do`. No parts: call it now."""
    left = threading.Semaphore(max(0, parts - 1))
    if parts == 0:
        do()

    def one_more() -> None:
        if not left.acquire(blocking=False):
            do()

    return one_more


def _limit_s(env: Mapping[str, str], pid: int) -> float:
    """Return the seconds without a message after which the manager acts; infinity if it does not watch this process."""
    if env.get("WATCHDOG_PID", str(pid)) != str(pid):
        return float("inf")
    text = env.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdecimal() and int(text) > 0 else float("inf")
