"""The library's `Transport` over PyPI's hidapi: the only place that imports `hid` or `hidraw`.

The library's own transport needs a libhidapi of the system and polls for a press 20 times a second. Here a read blocks until a
report arrives, in slices so that a stuck writer is noticed: an idle deck costs one wake-up in 4 s, and a press is seen at once.
Closing ends the read (`hid_module`). The transport reports the loss of its device itself, because the library does not.

Lock discipline: `_lock` guards the session of a device (its handle and the number of calls inside it) and is never held during
a call that can block. hidapi frees its memory in `close`, so the last call that leaves a handle closes it.

A report that the device never accepts blocks its writer for ever. The reader, which wakes up regularly, detects that.

On macOS, importing `hid` calls hid_init(), which ties IOKit's manager to the run loop of that thread: when it ends, hid_exit()
crashes (hidapi's mac/hid.c, init_hid_manager; cython-hidapi #142 and #148). So `prepare_hidapi` imports it on the main thread,
a device is opened only by the thread that listed it, and no two calls list, open or close at the same time.
"""

import errno
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from msgspec import Struct, field
from StreamDeck.Transport.Transport import Transport, TransportError

from openbalance_hid.deck.hid_module import HidHandle, HidModule, interrupt, load_hidapi
from openbalance_hid.deck.iokit_errors import iokit_error
from openbalance_hid.errors import DeckBusyError, DeckError, DeckGoneError, DeckRefusedError
from openbalance_hid.hints import hint

log = logging.getLogger(__name__)

RAW = 5  # log level of single reports, below debug
# Each slice costs a wake-up. A closing handle ends its read, but not on macOS, where a stopping daemon has 2 s.
READ_SLICE_MS = 1400 if sys.platform == "darwin" else 4000
INTERRUPT_AGAIN_S = 0.01  # an interrupt just before the read starts to wait is lost
STUCK_S = 3.0  # a healthy deck accepts a report in 2 ms; Linux gives up after about 1 s, other systems never
UDEV_HINT = hint("the deck may not be opened", "devices")
BUSY_HINT = hint("another program uses the deck", "devices")  # names the other program

_GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})


class HidTransport(Transport):  # type: ignore[misc]  # the library has no types
    """The decks that hidapi can reach. `hid_module`: hidapi or a replacement; None: loaded when first needed.

    `clock`: monotonic seconds.
    """

    def __init__(self, hid_module: HidModule | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._module = hid_module
        self._clock = clock
        self._one_call: AbstractContextManager[object] = threading.Lock() if sys.platform == "darwin" else nullcontext()

    @staticmethod
    def probe() -> None:
        """Load hidapi. Raises DeckError when that fails."""
        load_hidapi()

    def enumerate(self, vid: int | None, pid: int | None) -> list["HidDevice"]:
        """Return the devices with these ids (None: any), one a path, none opened. Raises DeckError."""
        if self._module is None:
            self._module = load_hidapi()
        module = self._module
        try:
            with self._one_call:
                listing = module.enumerate(vid or 0, pid or 0)
        except OSError as error:
            raise DeckError(f"cannot list HID devices: {error}") from error
        by_path: dict[bytes, Mapping[str, Any]] = {}
        for info in listing:  # macOS lists one device once for each of its usages
            by_path.setdefault(bytes(info["path"]), info)
        return [HidDevice(module, info, self._clock, self._one_call) for info in by_path.values()]


class _Session(Struct):
    """One opening of a device."""

    handle: HidHandle
    users: int = 0  # calls inside the handle
    busy_since_s: float | None = None  # start of a write or feature call that has not returned; one thread makes them
    reader: int | None = None  # identifier of the thread that is in `read`
    ending: bool = False  # closed or lost: no new call may enter, and the last one to leave closes
    released: threading.Event = field(default_factory=threading.Event)


class HidDevice(Transport.Device):  # type: ignore[misc]  # the library has no types
    """One device. `on_lost(reason)` is called once for each opening, on the thread that noticed; never for `close`.

    `one_call`: held while hidapi lists, opens or closes, where that has to be one call at a time.
    """

    def __init__(
        self,
        module: HidModule,
        info: Mapping[str, Any],
        clock: Callable[[], float] = time.monotonic,
        one_call: AbstractContextManager[object] | None = None,
    ) -> None:
        self._module = module
        self._clock = clock
        self._one_call = one_call or nullcontext()
        self._thread = threading.get_ident()
        self._path = bytes(info["path"])
        self._vendor_id = int(info["vendor_id"])
        self._product_id = int(info["product_id"])
        self.usb_serial = str(info.get("serial_number") or "")  # from the USB descriptor; may be empty
        self.on_lost: Callable[[str], None] | None = None
        self.reports_sent = 0  # output and feature reports that the device accepted
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._last_session: _Session | None = None
        self._lost_reason: str | None = None  # of the last session; its users may be slower than its loss

    def path(self) -> str:
        """Return the path of the device node: "/dev/hidraw3"."""
        return self._path.decode("utf-8", "replace")

    def vendor_id(self) -> int:
        """Return the USB vendor id."""
        return self._vendor_id

    def product_id(self) -> int:
        """Return the USB product id."""
        return self._product_id

    def is_open(self) -> bool:
        """Return whether reports can be exchanged: opened, neither closed nor lost."""
        return self._session is not None

    def connected(self) -> bool:
        """Return whether the system still lists the device."""
        with self._one_call:
            listing = self._module.enumerate(self._vendor_id, self._product_id)
        return any(bytes(info["path"]) == self._path for info in listing)

    def open(self) -> None:
        """Open the device. Idempotent. Raises DeckRefusedError, DeckBusyError, DeckGoneError or DeckError."""
        handle = self._module.device()
        with self._lock:
            if self._session is not None:
                return
            if sys.platform == "darwin" and threading.get_ident() != self._thread:  # the library opens it again
                raise DeckGoneError(f"cannot open deck at {self.path()}: it was lost before it was ready")
            try:
                with self._one_call:
                    handle.open_path(self._path)
            except OSError as error:
                raise self._open_error(str(error)) from error
            self._session, self._lost_reason = _Session(handle), None
            self._last_session = self._session
        log.debug("opened deck at %s", self.path())

    def close(self) -> None:
        """Close the device without waiting: a running read is interrupted, and closes the handle. Idempotent."""
        with self._lock:
            session, self._session = self._session, None
            if session is not None:
                session.ending = True
                self._release_if_unused(session)
                self._interrupt(session)

    def wait_released(self, timeout_s: float) -> bool:
        """Return True when no handle is open. Call it before the process ends, because hidapi ends with it."""
        session, end_s = self._last_session, time.monotonic() + timeout_s
        while session is not None and not session.released.wait(min(timeout_s, INTERRUPT_AGAIN_S)):
            if time.monotonic() >= end_s:
                return False
            with self._lock:
                self._interrupt(session)
        return True

    def read(self, length: int) -> bytes | None:
        """Return the next input report, `length` bytes, padded with zeros; None when closed. Raises TransportError."""
        with self._using(reads=True) as session:
            while not session.ending:
                since_s = session.busy_since_s
                if since_s is not None and self._clock() - since_s >= STUCK_S:
                    raise self._lose(session, f"it has not answered for {STUCK_S:g} s")
                try:
                    report = session.handle.read(length, READ_SLICE_MS)
                except (OSError, ValueError) as error:
                    if session.ending:  # closed, or lost by a write: the read was interrupted
                        return None
                    raise self._lose(session, str(error)) from error
                if report and not session.ending:
                    # a report that is cut short would be an IndexError in the library's reader and end it
                    return bytes(report).ljust(length, b"\0")
        return None

    def read_feature(self, report_id: int, length: int) -> bytes:
        """Return a feature report, `length` bytes with its id, padded with zeros. Raises TransportError."""
        with self._using() as session:
            session.busy_since_s = self._clock()
            try:
                return bytes(session.handle.get_feature_report(report_id, length)).ljust(length, b"\0")
            except (OSError, ValueError) as error:
                raise self._lose(session, str(error)) from error
            finally:
                session.busy_since_s = None

    def write(self, payload: bytes | bytearray) -> int:
        """Send an output report and return the number of bytes sent. Raises TransportError."""
        return self._send(payload, lambda handle, report: handle.write(report))

    def write_feature(self, payload: bytes | bytearray) -> int:
        """Send a feature report and return the number of bytes sent. Raises TransportError."""
        return self._send(payload, lambda handle, report: handle.send_feature_report(report))

    def _send(self, payload: bytes | bytearray, call: Callable[[HidHandle, bytes], int]) -> int:
        report = bytes(payload)
        if log.isEnabledFor(RAW):
            log.log(RAW, "%s <- %d bytes %s", self.path(), len(report), report[:16].hex(" "))
        with self._using() as session:
            session.busy_since_s = self._clock()
            try:
                sent = call(session.handle, report)
            except (OSError, ValueError) as error:
                raise self._lose(session, str(error)) from error
            finally:
                session.busy_since_s = None
            if sent < 0:  # hidapi raises nothing here
                raise self._lose(session, "write error")
        with self._lock:
            self.reports_sent += 1
        return sent

    @contextmanager
    def _using(self, reads: bool = False) -> Iterator[_Session]:
        with self._lock:
            session = self._session
            if session is None:
                raise TransportError(self._lost_reason or f"deck at {self.path()} is not open")
            session.users += 1
            session.reader = threading.get_ident() if reads else session.reader
        try:
            yield session
        finally:
            with self._lock:
                session.users -= 1
                session.reader = None if reads else session.reader
                self._release_if_unused(session)

    def _lose(self, session: _Session, what: str) -> TransportError:
        """End the session, report the loss unless the session was ending already, and return the error to raise."""
        reason = f"lost deck at {self.path()}: {_handle_error(session.handle, what)}"
        with self._lock:
            is_new, session.ending = not session.ending, True
            if self._session is session:
                self._session, self._lost_reason = None, reason
        if is_new and self.on_lost is not None:
            self.on_lost(reason)
        return TransportError(reason)

    def _interrupt(self, session: _Session) -> None:
        """End the read of a session that is ending. Call with the lock held, so that the reading thread is still there."""
        if not session.ending or session.reader in (None, threading.get_ident()):
            return
        end_read: Callable[[], None] | None = getattr(session.handle, "interrupt", None)
        if end_read is not None:
            end_read()
        else:
            interrupt(session.reader)

    def _release_if_unused(self, session: _Session) -> None:
        """Close the handle if it is no longer needed. Call with the lock held."""
        if session.ending and session.users == 0 and not session.released.is_set():
            with self._one_call:
                session.handle.close()
            session.released.set()

    def _open_error(self, what: str) -> DeckError:
        """Return the error with its reason, because hidapi only reports "open failed"."""
        message = f"cannot open deck at {self.path()}"
        reason = self._reason()
        if reason is None:
            text = self._module_error() or what
            known = iokit_error(message, text)
            if known is not None:
                return known
            return DeckError(f"{message}: {text}") if self.connected() else DeckGoneError(f"{message}: no such device")
        text = (reason.strerror or str(reason)).lower()
        if reason.errno == errno.EPERM:  # never the node's mode, but the device list of a container or service
            return DeckRefusedError(f"{message}: this container or service does not permit the device")
        if reason.errno == errno.EACCES:
            return DeckRefusedError(f"{message}: {text}", UDEV_HINT)
        if reason.errno == errno.EBUSY:
            return DeckBusyError(f"{message}: another program is using it", BUSY_HINT)
        if reason.errno in _GONE:
            return DeckGoneError(f"{message}: {text}")
        return DeckError(f"{message}: {text}")

    def _reason(self) -> OSError | None:
        """Open the node itself and return the error of the system; None: no error, or no node to open."""
        open_error: Callable[[bytes], OSError | None] | None = getattr(self._module, "open_error", None)
        if open_error is not None:
            return open_error(self._path)
        if sys.platform != "linux" or not self._path.startswith(b"/dev/"):
            return None
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            return error
        return None

    def _module_error(self) -> str:
        """Return hidapi's last error that belongs to no handle."""
        try:
            text = self._module.device().error()
        except (OSError, ValueError):
            return ""
        return "" if text == "Success" or "not implemented" in text else text


def _handle_error(handle: HidHandle, what: str) -> str:
    """Return the system's reason if hidapi has it, else `what`."""
    try:
        text = handle.error()
    except (OSError, ValueError):
        return what
    return text.lower() if text and text != "Success" and "not implemented" not in text else what
