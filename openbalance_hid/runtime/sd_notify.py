"""What the daemon says to the service manager that started it: ready, alive, stopping. Without one, nothing.

The words are those of sd_notify(3): datagrams to the socket that systemd names in NOTIFY_SOCKET. launchd wants none. A manager
that does not listen is no reason to stop: what cannot be said is left out.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

log = logging.getLogger(__name__)

FEEDS_PER_LIMIT = 3  # sd_watchdog_enabled(3) advises two; one more, so that a single late turn does not cost the service


class ServiceManager(Protocol):
    """The part of a service manager that the loop feeds. All times are monotonic seconds."""

    def alive(self, now_s: float) -> None: ...
    def next_word_s(self) -> float: ...


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
        """The daemon does its work from now on; only the first call says so."""
        with self._lock:
            first, self._ready = not self._ready, True
        if first:
            self._say("READY=1")

    def alive(self, now_s: float) -> None:
        """The main loop turns; said as often as the watchdog wants it, however often this is called."""
        if now_s >= self._next_feed_s:
            self._next_feed_s = now_s + self._feed_every_s
            self._say("WATCHDOG=1")

    def next_word_s(self) -> float:
        """When `alive` is to be called again at the latest; infinity where no watchdog watches."""
        return self._next_feed_s

    def stopping(self) -> None:
        """The daemon has begun to stop."""
        self._say("STOPPING=1")

    def _say(self, words: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)) as peer:
                peer.setblocking(False)
                peer.sendto(words.encode(), self._address)
        except OSError as error:
            log.debug("the service manager does not hear %s: %s", words, error)


class NullServiceManager:
    """Nobody to tell."""

    def alive(self, now_s: float) -> None:
        """Nothing."""

    def next_word_s(self) -> float:
        """Never."""
        return float("inf")


def when_all(parts: int, do: Callable[[], None]) -> Callable[[], None]:
    """Something to call once for each of `parts`, on any thread; the last call does it. At once where there are none."""
    left = threading.Semaphore(max(0, parts - 1))
    if parts == 0:
        do()

    def one_more() -> None:
        if not left.acquire(blocking=False):
            do()

    return one_more


def _limit_s(env: Mapping[str, str], pid: int) -> float:
    """After how many seconds of silence the manager acts; infinity: it does not watch this process."""
    if env.get("WATCHDOG_PID", str(pid)) != str(pid):
        return float("inf")
    text = env.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdecimal() and int(text) > 0 else float("inf")
