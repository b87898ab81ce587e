"""The library's `Transport` over PyPI's hidapi: the only place that imports `hid` or `hidraw`.

The library's own transport needs a libhidapi of the system and looks for a press 20 times a second for ever. Here a read blocks
until a report is there, in slices so that closing is noticed: an idle deck costs less than one wake-up a second, and a press
is seen at once. The transport reports the loss of its device itself, because the library tells nobody.

Lock discipline: `_lock` guards the session of a device (its handle and how many calls are inside it) and is never held during a
call that can block. hidapi frees its memory in `close`, so a handle is closed by whoever is the last one out of it.

A report that the device never takes blocks its writer for ever. The reader, which wakes up anyway, watches for that.
"""

import errno
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, cast

from StreamDeck.Transport.Transport import Transport, TransportError

from openbalance_hid.errors import DeckBusyError, DeckError, DeckGoneError, DeckRefusedError

log = logging.getLogger(__name__)

RAW = 5  # log level of single reports, below debug
READ_SLICE_MS = 1400  # each costs a wake-up; a closed handle lives at most this long, and a stopped daemon 2 s
STUCK_S = 3.0  # a healthy deck takes a report in 2 ms; Linux gives up after about 1 s by itself, and other systems never
UDEV_HINT = "openbalance-hid udev install"
OWNER_HINT = "openbalance-hid doctor"  # which names the program

_GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})


class HidHandle(Protocol):
    """hidapi's `device`, as far as it is used. Failures: OSError when reading, -1 when writing, ValueError when not open."""

    def open_path(self, path: bytes) -> None: ...
    def close(self) -> None: ...
    def error(self) -> str: ...
    def read(self, max_length: int, timeout_ms: int = 0) -> list[int]: ...
    def write(self, buff: bytes) -> int: ...
    def send_feature_report(self, buff: bytes) -> int: ...
    def get_feature_report(self, report_num: int, max_length: int) -> list[int]: ...


class HidModule(Protocol):
    """hidapi's module `hid` or `hidraw`.

    A stand-in may add `why_not(path: bytes) -> OSError | None`: why opening that path fails now, or None when it does not.
    hidapi gives no reason, and a stand-in has no node that could be tried instead.
    """

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> Sequence[Mapping[str, Any]]: ...
    def device(self) -> HidHandle: ...


def load_hidapi() -> HidModule:
    """hidapi for this system: the kernel's hidraw on Linux (the driver stays attached), IOKit on macOS. Raises DeckError."""
    name = "hidraw" if sys.platform == "linux" else "hid"
    try:
        return cast(HidModule, import_module(name))
    except ImportError as error:
        raise DeckError(f"cannot load hidapi ({name}): {error}", "pip install --force-reinstall hidapi") from error


class HidTransport(Transport):  # type: ignore[misc]  # the library has no types
    """The decks that hidapi can reach. `hid_module`: hidapi or a stand-in; None: loaded when first needed.

    `clock`: monotonic seconds.
    """

    def __init__(self, hid_module: HidModule | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._module = hid_module
        self._clock = clock

    @staticmethod
    def probe() -> None:
        """Raises DeckError when hidapi cannot be loaded."""
        load_hidapi()

    def enumerate(self, vid: int | None, pid: int | None) -> list["HidDevice"]:
        """Devices with these ids (None: any), one a path, none opened. Raises DeckError."""
        if self._module is None:
            self._module = load_hidapi()
        module = self._module
        try:
            listing = module.enumerate(vid or 0, pid or 0)
        except OSError as error:
            raise DeckError(f"cannot list HID devices: {error}") from error
        by_path: dict[bytes, Mapping[str, Any]] = {}
        for info in listing:  # macOS lists one device once for each of its usages
            by_path.setdefault(bytes(info["path"]), info)
        return [HidDevice(module, info, self._clock) for info in by_path.values()]


@dataclass(slots=True)
class _Session:
    """One opening of a device."""

    handle: HidHandle
    users: int = 0  # calls inside the handle
    busy_since_s: float | None = None  # a report is on its way, or asked for; only one thread does that
    ending: bool = False  # closed or lost: nobody enters, the last one out closes
    released: threading.Event = field(default_factory=threading.Event)


class HidDevice(Transport.Device):  # type: ignore[misc]  # the library has no types
    """One device. `on_lost(reason)` is called once for each opening, on the thread that noticed; never for `close`."""

    def __init__(self, module: HidModule, info: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._module = module
        self._clock = clock
        self._path = bytes(info["path"])
        self._vendor_id = int(info["vendor_id"])
        self._product_id = int(info["product_id"])
        self.usb_serial = str(info.get("serial_number") or "")  # as the USB descriptor says; may be empty
        self.on_lost: Callable[[str], None] | None = None
        self.reports_sent = 0  # output and feature reports that the device took
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._last_session: _Session | None = None

    def path(self) -> str:
        """Where the system has the device: "/dev/hidraw3"."""
        return self._path.decode("utf-8", "replace")

    def vendor_id(self) -> int:
        """USB vendor id."""
        return self._vendor_id

    def product_id(self) -> int:
        """USB product id."""
        return self._product_id

    def is_open(self) -> bool:
        """Whether reports can go through: opened, neither closed nor lost."""
        return self._session is not None

    def connected(self) -> bool:
        """Whether the system still lists it."""
        return any(bytes(info["path"]) == self._path for info in self._module.enumerate(self._vendor_id, self._product_id))

    def open(self) -> None:
        """Opens it; again: nothing. Raises DeckRefusedError, DeckBusyError, DeckGoneError or DeckError."""
        handle = self._module.device()
        with self._lock:
            if self._session is not None:
                return
            try:
                handle.open_path(self._path)
            except OSError as error:
                raise self._why_not_open(str(error)) from error
            self._session = self._last_session = _Session(handle)
        log.debug("opened deck at %s", self.path())

    def close(self) -> None:
        """Closes it without waiting: a read that is under way closes the handle when its slice ends. May be called twice."""
        with self._lock:
            session, self._session = self._session, None
            if session is not None:
                session.ending = True
                _release_if_unused(session)

    def wait_released(self, timeout_s: float) -> bool:
        """True when no handle is open any more; to be asked before the process ends, because hidapi ends with it."""
        session = self._last_session
        return session is None or session.released.wait(timeout_s)

    def read(self, length: int) -> bytes | None:
        """The next input report, `length` bytes, padded with zeros; None when closed meanwhile. Raises TransportError."""
        with self._using() as session:
            while not session.ending:
                since_s = session.busy_since_s
                if since_s is not None and self._clock() - since_s >= STUCK_S:
                    raise self._lose(session, f"it has not answered for {STUCK_S:g} s")
                try:
                    report = session.handle.read(length, READ_SLICE_MS)
                except (OSError, ValueError) as error:
                    raise self._lose(session, str(error)) from error
                if report and not session.ending:
                    # a report that is cut short would be an IndexError in the library's reader and end it
                    return bytes(report).ljust(length, b"\0")
        return None

    def read_feature(self, report_id: int, length: int) -> bytes:
        """The feature report, `length` bytes with its id, padded with zeros. Raises TransportError."""
        with self._using() as session:
            session.busy_since_s = self._clock()
            try:
                return bytes(session.handle.get_feature_report(report_id, length)).ljust(length, b"\0")
            except (OSError, ValueError) as error:
                raise self._lose(session, str(error)) from error
            finally:
                session.busy_since_s = None

    def write(self, payload: bytes | bytearray) -> int:
        """Sends an output report; the number of bytes sent. Raises TransportError."""
        return self._send(payload, lambda handle, report: handle.write(report))

    def write_feature(self, payload: bytes | bytearray) -> int:
        """Sends a feature report; the number of bytes sent. Raises TransportError."""
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
    def _using(self) -> Iterator[_Session]:
        with self._lock:
            session = self._session
            if session is None:
                raise TransportError(f"deck at {self.path()} is not open")
            session.users += 1
        try:
            yield session
        finally:
            with self._lock:
                session.users -= 1
                _release_if_unused(session)

    def _lose(self, session: _Session, what: str) -> TransportError:
        """Ends the session; reports the loss unless the session was ending anyway. The error to raise."""
        reason = f"lost deck at {self.path()}: {_words(session.handle, what)}"
        with self._lock:
            news, session.ending = not session.ending, True
            if self._session is session:
                self._session = None
        if news and self.on_lost is not None:
            self.on_lost(reason)
        return TransportError(reason)

    def _why_not_open(self, what: str) -> DeckError:
        """The error in words, because hidapi says "open failed" for everything."""
        message = f"cannot open deck at {self.path()}"
        reason = self._reason()
        if reason is None:
            text = self._module_error() or what
            if "exclusive access" in text:  # macOS: kIOReturnExclusiveAccess
                return DeckBusyError(f"{message}: another program has it", OWNER_HINT)
            if "not permitted" in text:  # macOS: kIOReturnNotPermitted
                return DeckRefusedError(f"{message}: not permitted", "openbalance-hid doctor")
            return DeckError(f"{message}: {text}") if self.connected() else DeckGoneError(f"{message}: no such device")
        words = (reason.strerror or str(reason)).lower()
        if reason.errno == errno.EPERM:  # which no mode of a node leads to, but a list of devices: of a container, of a unit
            return DeckRefusedError(f"{message}: the container or service that this runs in does not permit the device")
        if reason.errno == errno.EACCES:
            return DeckRefusedError(f"{message}: {words}", UDEV_HINT)
        if reason.errno == errno.EBUSY:
            return DeckBusyError(f"{message}: another program has it", OWNER_HINT)
        if reason.errno in _GONE:
            return DeckGoneError(f"{message}: {words}")
        return DeckError(f"{message}: {words}")

    def _reason(self) -> OSError | None:
        """What the system says on opening the node itself; None: nothing, or it cannot be asked."""
        ask: Callable[[bytes], OSError | None] | None = getattr(self._module, "why_not", None)
        if ask is not None:
            return ask(self._path)
        if sys.platform != "linux" or not self._path.startswith(b"/dev/"):
            return None
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            return error
        return None

    def _module_error(self) -> str:
        """hidapi's last error that belongs to no handle."""
        try:
            text = self._module.device().error()
        except (OSError, ValueError):
            return ""
        return "" if text == "Success" or "not implemented" in text else text


def _words(handle: HidHandle, what: str) -> str:
    """The system's reason where hidapi knows it, else `what`."""
    try:
        text = handle.error()
    except (OSError, ValueError):
        return what
    return text.lower() if text and text != "Success" and "not implemented" not in text else what


def _release_if_unused(session: _Session) -> None:
    """To be called with the lock held."""
    if session.ending and session.users == 0 and not session.released.is_set():
        session.handle.close()
        session.released.set()
