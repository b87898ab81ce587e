"""The line between a host and a virtual device: handles, input reports that wait, and everything that goes wrong on the way.

What the reports say is the device's own (`virtual_deck`). Failures are the `OSError` that the system would give. All of it may
be called from any thread.
"""

import errno
import threading
from collections import deque
from collections.abc import Callable

INPUT_BUFFER = 64  # reports that Linux keeps for a reader that is late: HIDRAW_BUFFER_SIZE
GIVE_UP_S = 1.0  # after this a write to a hung device fails; measured on Linux 6.1


class DeviceLink:
    """Plugged in from the start. `path`: where the bus says the device is; `_changed`: the one lock of line and device."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.hosts_waiting = 0  # calls that hang in a stalled device
        self.cable = 1  # counts how often it was moved: odd while it is plugged in
        self._changed = threading.Condition()
        self._inputs: deque[bytes] = deque(maxlen=INPUT_BUFFER)
        self._epoch = 0  # a handle from an older epoch is dead
        self._refused = False
        self._owned = False
        self._stalled = False
        self._give_up_s = GIVE_UP_S
        self._slow_s = 0.0

    # --- the host's end -------------------------------------------------------------------------------------------------

    def attach(self) -> int:
        """Opens the device: the epoch to give with later calls. Raises OSError: ENOENT gone, EACCES refused, EBUSY owned."""
        with self._changed:
            trouble = self.open_error()
            if trouble is not None:
                raise trouble
            self._inputs.clear()  # the system keeps reports for those who have the device open, not for later ones
            return self._epoch

    def open_error(self) -> OSError | None:
        """Why the device cannot be opened now; None: it can."""
        if not self.plugged:
            return FileNotFoundError(errno.ENOENT, "no such device", self.path)
        if self._refused:
            return PermissionError(errno.EACCES, "permission denied", self.path)
        if self._owned:
            return OSError(errno.EBUSY, "device or resource busy", self.path)
        return None

    def read(
        self, length: int, timeout_s: float | None, epoch: int | None = None, given_up: Callable[[], bool] = lambda: False
    ) -> bytes:
        """The next input report, cut at `length` bytes; b"" when none came in time (None: waits for ever).

        `epoch` None: over the wire, no handle. `given_up`: ends the wait; looked at after every change and every `nudge`.
        Raises OSError when the device is gone.
        """
        with self._changed:
            self._check(epoch)
            self._changed.wait_for(lambda: self._inputs or self._is_gone(epoch) or given_up(), timeout_s)
            self._check(epoch)
            return self._inputs.popleft()[:length] if self._inputs else b""

    def nudge(self) -> None:
        """Lets everybody who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, reached: Callable[[], bool], timeout_s: float) -> bool:
        """True as soon as `reached()` holds, looked at after every change; False at the end of the time."""
        with self._changed:
            return self._changed.wait_for(reached, timeout_s)

    def _admit(self, epoch: int | None) -> None:
        """Returns when the device takes a report; waits as long as it is stalled or slow. Raises OSError: ENODEV, ETIMEDOUT."""
        self._check(epoch)
        if self._stalled:
            self.hosts_waiting += 1
            self._changed.notify_all()
            free = self._changed.wait_for(lambda: not self._stalled or self._is_gone(epoch), self._give_up_s)
            self.hosts_waiting -= 1
            self._changed.notify_all()
            self._check(epoch)
            if not free:
                raise OSError(errno.ETIMEDOUT, "connection timed out", self.path)
        if self._slow_s:
            self._changed.wait_for(lambda: self._is_gone(epoch), self._slow_s)
            self._check(epoch)

    def _check(self, epoch: int | None) -> None:
        if self._is_gone(epoch):
            raise OSError(errno.ENODEV, "no such device", self.path)

    def _is_gone(self, epoch: int | None) -> bool:
        return not self.plugged or epoch not in (None, self._epoch)

    # --- the device's end -----------------------------------------------------------------------------------------------

    def send_raw(self, report: bytes) -> None:
        """Puts an input report on the wire as it is."""
        with self._changed:
            if self.plugged:
                self._inputs.append(bytes(report))
                self._changed.notify_all()

    # --- trouble --------------------------------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        """Whether the bus sees the device."""
        return self.cable % 2 == 1

    def unplug(self) -> None:
        """The cable comes out: every handle dies, and what waited for one is lost."""
        with self._changed:
            self.cable += self.plugged
            self._end_handles()

    def plug(self) -> None:
        """The cable goes in, at the same path as before."""
        with self._changed:
            self.cable += 2 if self.plugged else 1
            self._end_handles()

    def _end_handles(self) -> None:
        self._epoch += 1
        self._inputs.clear()
        self._changed.notify_all()

    def refuse(self, refused: bool = True) -> None:
        """The system does not permit opening it (or does again)."""
        self._refused = refused

    def own(self, owned: bool = True) -> None:
        """Another program has it (or has let it go)."""
        self._owned = owned

    def slow(self, seconds_per_report: float) -> None:
        """Every report takes this long; 0: at once."""
        with self._changed:
            self._slow_s = seconds_per_report

    def stall(self, give_up_s: float = GIVE_UP_S) -> None:
        """The device hangs: a call waits, and fails after `give_up_s` seconds."""
        with self._changed:
            self._stalled, self._give_up_s = True, give_up_s

    def unstall(self) -> None:
        """It answers again; calls that still wait go through."""
        with self._changed:
            self._stalled = False
            self._changed.notify_all()
