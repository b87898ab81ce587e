"""Report that a hidraw node was added, removed or changed: pyudev's monitor on a thread of its own.

It listens to udev rather than to the kernel, because udev reports a node when its permissions are set. It knows nothing of
decks: the callback has to scan. Without a source of events (macOS, containers, no udev, no libudev) `start` does nothing, and
the caller keeps scanning at its interval.
"""

import logging
import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

# The control socket of a running udevd. Without udevd, libudev still makes a monitor, which never reports anything.
UDEV_CONTROL = Path("/run/udev/control")


class KernelEvents:
    """Calls back at every change of a hidraw node; idle, it never wakes. Can be started once, and not after `stop`."""

    def __init__(self, control: Path = UDEV_CONTROL) -> None:
        self._control = control
        self._lock = threading.Lock()  # guards everything below
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._wake: int | None = None  # write end of a pipe; closing it ends the thread

    @property
    def listening(self) -> bool:
        """Whether changes are reported now."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, on_change: Callable[[], None]) -> None:
        """Call `on_change`, on a thread of this object, at every change that the system reports. See `listening`.

        Takes about 60 ms of processor time the first time, because pyudev searches for libudev. Raises nothing.
        """
        with self._lock:
            if self._stopped or self._thread is not None:
                return
            monitor = self._open()
            if monitor is None:
                return
            ended, self._wake = os.pipe()
            self._thread = threading.Thread(
                target=_listen, args=(monitor, ended, on_change), name="deck-kernel-events", daemon=True
            )
            self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End and join the thread. Idempotent; allowed before `start`."""
        with self._lock:
            self._stopped = True
            if self._wake is not None:
                os.close(self._wake)
                self._wake = None
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def _open(self) -> Any:
        """Return a monitor that is receiving, or None where the system reports nothing."""
        if not self._control.exists():
            log.debug("no kernel events: %s does not exist", self._control)
            return None
        try:
            pyudev = import_module("pyudev")
            monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
            monitor.filter_by(subsystem="hidraw")  # in the kernel: other devices do not wake the thread
            monitor.start()
        except (ImportError, OSError, AttributeError) as error:  # AttributeError: a replacement of libudev lacks a function
            log.debug("no kernel events: %s", error)
            return None
        return monitor


def _listen(monitor: Any, ended: int, on_change: Callable[[], None]) -> None:
    """Call `on_change` at every change, until the write end of the pipe `ended` is closed."""
    events = monitor.fileno()
    poller = select.poll()
    poller.register(events, select.POLLIN)
    poller.register(ended, select.POLLIN)
    try:
        while True:
            ready = dict(poller.poll())
            if ended in ready:
                return
            if ready[events] & select.POLLERR:
                _clear_error(events)  # the kernel dropped events that came faster than they were read: a change, too
                on_change()
            elif _drain(monitor):
                on_change()
    except OSError as error:
        log.debug("kernel events have ended: %s", error)
    finally:
        os.close(ended)


def _drain(monitor: Any) -> bool:
    """Read all waiting events, because one scan serves them all, and return whether there was one."""
    received = False
    while monitor.poll(timeout=0) is not None:
        received = True
    return received


def _clear_error(descriptor: int) -> None:
    """Clear the error of a netlink socket: it stays set until SO_ERROR is read (socket(7))."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as ours:
        ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
