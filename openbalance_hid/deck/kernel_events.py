"""The system's word that a hidraw node came, went or changed: pyudev's monitor on a thread of its own.

It listens to udev rather than to the kernel, because udev speaks when the node's permissions are set. Here is nothing about
decks: whoever is called looks for himself. Where nobody speaks (macOS, containers, systems without udev or libudev), `start`
makes nothing, and who scans goes on scanning.
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

# Where a running udevd takes orders. Without it libudev still makes a monitor, one that stays silent for ever.
UDEV_CONTROL = Path("/run/udev/control")


class KernelEvents:
    """Calls back at every change of a hidraw node. Idle it never wakes. Starts once, and never again after `stop`."""

    def __init__(self, control: Path = UDEV_CONTROL) -> None:
        self._control = control
        self._lock = threading.Lock()  # of everything below
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._wake: int | None = None  # the end of a pipe whose closing ends the thread

    @property
    def listening(self) -> bool:
        """Whether changes are reported now."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, on_change: Callable[[], None]) -> None:
        """From now on `on_change` is called, on a thread of this object, where the system reports changes; see `listening`.

        Takes some 60 ms of a processor the first time: pyudev looks for libudev. Raises nothing.
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
        """Ends and joins the thread. May be called twice, and before `start`."""
        with self._lock:
            self._stopped = True
            if self._wake is not None:
                os.close(self._wake)
                self._wake = None
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def _open(self) -> Any:
        """A monitor that receives from now on; None where there is nobody to listen to."""
        if not self._control.exists():
            log.debug("no kernel events: %s is not there", self._control)
            return None
        try:
            pyudev = import_module("pyudev")
            monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
            monitor.filter_by(subsystem="hidraw")  # in the kernel: other devices wake nobody
            monitor.start()
        except (ImportError, OSError, AttributeError) as error:  # AttributeError: a stand-in for libudev that lacks a function
            log.debug("no kernel events: %s", error)
            return None
        return monitor


def _listen(monitor: Any, ended: int, on_change: Callable[[], None]) -> None:
    """Until the other end of the pipe `ended` is closed."""
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
                _clear_error(events)  # events came faster than they were read, and some were dropped: that is a change, too
                on_change()
            elif _drain(monitor):
                on_change()
    except OSError as error:
        log.debug("kernel events have ended: %s", error)
    finally:
        os.close(ended)


def _drain(monitor: Any) -> bool:
    """Whether something was reported. Takes all of it: one look at the bus serves many events."""
    heard = False
    while monitor.poll(timeout=0) is not None:
        heard = True
    return heard


def _clear_error(descriptor: int) -> None:
    """Lets a netlink socket go on: its error stays up until somebody asks for it (SO_ERROR in socket(7))."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as ours:
        ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
