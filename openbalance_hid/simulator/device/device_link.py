"""The connection between a host and a virtual device: handles, queued input reports, and faults.

Not here: the content of reports (`virtual_deck`). Failures are the `OSError` that the operating system raises. Thread-safe.

Faults, for demos and tests: `unplug` and `plug`; `refuse` (permission denied), `own` (another program has opened the device),
`slow` (each report takes a while), `stall` and `unstall` (the device hangs, writes time out). `hosts_waiting` counts the calls
that wait in a stalled device.
"""

import errno
import threading
from collections import deque
from collections.abc import Callable

INPUT_BUFFER = 64  # reports that Linux queues for a slow reader: HIDRAW_BUFFER_SIZE
STALL_TIMEOUT_S = 1.0  # after this a write to a hung device fails; measured on Linux 6.1


class DeviceLink:
    """Plugged in from the start. `path`: its path on the bus; `_changed`: with the one lock of connection and device."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.hosts_waiting = 0  # calls that hang in a stalled device
        self.plug_count = 1  # plugs and unplugs so far: odd while plugged in
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._input_changed = threading.Condition(lock)  # a picture wakes no reader, as on a real device
        self._inputs: deque[bytes] = deque(maxlen=INPUT_BUFFER)
        self._epoch = 0  # a handle from an older epoch is dead
        self.refused = False
        self.owned = False
        self.stalled = False
        self._stall_timeout_s = STALL_TIMEOUT_S
        self._slow_s = 0.0

    # --- host --------------------------------------------------------------------------------------------------------

    def attach(self) -> int:
        """Open the device; return the epoch for later calls. Raises OSError: ENOENT gone, EACCES refused, EBUSY owned."""
        with self._changed:
            error = self.open_error()
            if error is not None:
                raise error
            self._inputs.clear()  # the system queues reports only for open handles
            return self._epoch

    def open_error(self) -> OSError | None:
        """Return why the device cannot be opened now; None: it can."""
        if not self.plugged:
            return FileNotFoundError(errno.ENOENT, "no such device", self.path)
        if self.refused:
            return PermissionError(errno.EACCES, "permission denied", self.path)
        if self.owned:
            return OSError(errno.EBUSY, "device or resource busy", self.path)
        return None

    def read(
        self, length: int, timeout_s: float | None, epoch: int | None = None, cancelled: Callable[[], bool] = lambda: False
    ) -> bytes:
        """Return the next input report, cut at `length` bytes; b"" after the timeout (None: no limit).

        `epoch` None: over USB, without a handle. `cancelled`: ends the wait; checked after every input and `wake_waiters`.
        Raises OSError when the device is gone.
        """
        with self._changed:
            self._check(epoch)
            self._input_changed.wait_for(lambda: self._inputs or self.is_gone(epoch) or cancelled(), timeout_s)
            self._check(epoch)
            return self._inputs.popleft()[:length] if self._inputs else b""

    def wake_waiters(self) -> None:
        """Make every waiting call check its condition again."""
        with self._changed:
            self._wake_all()

    def wait_until(self, reached: Callable[[], bool], timeout_s: float) -> bool:
        """Return True as soon as `reached()` is true, checked after every change; False after the timeout."""
        with self._changed:
            return self._changed.wait_for(reached, timeout_s)

    def _wait_until_ready(self, epoch: int | None) -> None:
        """Return when the device accepts a report; wait while it is stalled or slow. Raises OSError: ENODEV, ETIMEDOUT."""
        self._check(epoch)
        if self.stalled:
            self.hosts_waiting += 1
            self._changed.notify_all()
            free = self._changed.wait_for(lambda: not self.stalled or self.is_gone(epoch), self._stall_timeout_s)
            self.hosts_waiting -= 1
            self._changed.notify_all()
            self._check(epoch)
            if not free:
                raise OSError(errno.ETIMEDOUT, "connection timed out", self.path)
        if self._slow_s:
            self._changed.wait_for(lambda: self.is_gone(epoch), self._slow_s)
            self._check(epoch)

    def _check(self, epoch: int | None) -> None:
        if self.is_gone(epoch):
            raise OSError(errno.ENODEV, "no such device", self.path)

    def is_gone(self, epoch: int | None) -> bool:
        """Return whether a handle of that epoch is dead: the deck was unplugged or suspended since it was opened."""
        return not self.plugged or epoch not in (None, self._epoch)

    # --- device -------------------------------------------------------------------------------------------------------

    def send_raw(self, report: bytes) -> None:
        """Queue an input report as it is."""
        with self._changed:
            if self.plugged:
                self._inputs.append(bytes(report))
                self._wake_all()

    # --- faults ---------------------------------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        """Return whether the device is plugged in."""
        return self.plug_count % 2 == 1

    def unplug(self) -> None:
        """Unplug the device: every handle becomes invalid, queued reports are lost."""
        with self._changed:
            self.plug_count += self.plugged
            self._end_handles()

    def plug(self) -> None:
        """Plug the device in again, at the same path."""
        with self._changed:
            self.plug_count += 2 if self.plugged else 1
            self._end_handles()

    def _end_handles(self) -> None:
        self._epoch += 1
        self._inputs.clear()
        self._wake_all()

    def _wake_all(self) -> None:
        self._changed.notify_all()
        self._input_changed.notify_all()

    def refuse(self, refused: bool = True) -> None:
        """Deny the permission to open the device, or grant it again."""
        self.refused = refused

    def own(self, owned: bool = True) -> None:
        """Let another program open the device, or close it again."""
        self.owned = owned

    def slow(self, seconds_per_report: float) -> None:
        """Set the time that each report takes; 0: none."""
        with self._changed:
            self._slow_s = seconds_per_report

    def stall(self, timeout_s: float = STALL_TIMEOUT_S) -> None:
        """Make the device hang: a call waits, and fails after `timeout_s` seconds."""
        with self._changed:
            self.stalled, self._stall_timeout_s = True, timeout_s

    @property
    def stall_timeout_s(self) -> float | None:
        """Return after how many seconds a call to the hung device fails; None: it does not hang."""
        return self._stall_timeout_s if self.stalled else None

    def unstall(self) -> None:
        """End the hang; calls that still wait succeed."""
        with self._changed:
            self.stalled = False
            self._changed.notify_all()
