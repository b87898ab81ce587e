"""Signals: wakes the main thread for one, and decides what SIGHUP means. Its thread also waits for other descriptors.

Python runs a handler on the main thread between two of its steps. A signal just before the main thread waits interrupts
nothing: its handler would run after the wait, up to a minute later, which is too late for a service manager.
"""

import logging
import os
import select
import signal
from collections.abc import Callable, Mapping

from openbalance_hid.restarting_thread import RestartingThread

log = logging.getLogger(__name__)

STOP_LIMIT_S = 0.3
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)  # Ctrl-\ ends a program in order too, and leaves nothing behind


def hangup_ends() -> bool:
    """Return whether SIGHUP means that this program's terminal was closed, and not "reload", its meaning for a service.

    False also where the caller ignores SIGHUP: a program that `nohup` has started outlives its terminal. Call it before SIGHUP
    has a handler.
    """
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:  # no controlling terminal (tty(4))
        return False
    return True


class SignalWakeup:
    """Calls `wake` on a thread of its own after each signal that has a handler. Create and start it on the main thread.

    `descriptors`: further ones; the function of one is called on the same thread when it is readable. They are not closed here.
    """

    def __init__(self, wake: Callable[[], object], descriptors: Mapping[int, Callable[[], object]] | None = None) -> None:
        self._wake = wake
        self._descriptors = dict(descriptors or {})
        self._read, self._write = os.pipe()
        self._before: int | None = None
        self._thread = RestartingThread("signals", self._run)

    def start(self) -> None:
        """Wake from now on."""
        os.set_blocking(self._write, False)  # required by signal.set_wakeup_fd
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._thread.start()

    def revive(self) -> None:
        """Start the thread again if it has ended (see `RestartingThread.revive`)."""
        self._thread.revive()

    def stop(self) -> None:
        """Wake no longer; idempotent."""
        if self._before is None:
            return
        signal.set_wakeup_fd(self._before)
        self._before = None
        self._thread.stop()
        os.close(self._write)
        self._thread.join(STOP_LIMIT_S)
        os.close(self._read)

    def _run(self) -> None:
        poller = select.poll()
        for descriptor in (self._read, *self._descriptors):
            poller.register(descriptor, select.POLLIN)
        while True:
            for descriptor, _ in poller.poll():
                if descriptor != self._read:
                    self._call(descriptor, poller)
                elif not os.read(self._read, 64):
                    return
                else:
                    self._wake()

    def _call(self, descriptor: int, poller: select.poll) -> None:
        try:
            self._descriptors[descriptor]()
        except Exception:  # signals must be noticed even so
            log.exception("descriptor %d is not watched any more", descriptor)
            poller.unregister(descriptor)
