"""Virtual decks behind the interface of hidapi's Python module, with its failures.

A `VirtualBus` replaces the module `hid` or `hidraw`; the transport and the library's classes run on it unchanged. Compared with
hidapi 0.15.0: a failed open raises OSError("open failed") without a reason; a write or feature report to a device that is gone
returns -1 and raises nothing; a read or feature read raises OSError("read error"); a handle that is not open raises
ValueError("not open"). Two additions: `open_error`, because there is no device node to open, and `interrupt`, because no signal
ends a wait of Python's.

`misuse` records calls that crash the real hidapi, such as `close` during a `read`; tests check that it stays empty.
"""

import threading
from collections.abc import Callable, Iterable
from typing import TypedDict, TypeVar

from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

_Result = TypeVar("_Result")


class DeviceInfo(TypedDict):
    """One device as `enumerate` returns it; the keys of hidapi."""

    path: bytes
    vendor_id: int
    product_id: int
    serial_number: str
    release_number: int
    manufacturer_string: str
    product_string: str
    usage_page: int
    usage: int
    interface_number: int


class VirtualBus:
    """Decks that can be found. `misuse`: calls that crash the real hidapi."""

    def __init__(self, decks: Iterable[VirtualDeck] = ()) -> None:
        self.decks: list[VirtualDeck] = list(decks)
        self.misuse: list[str] = []

    def plug(self, deck: VirtualDeck) -> None:
        """Add the deck, or plug it in again."""
        if deck not in self.decks:
            self.decks.append(deck)
        if not deck.plugged:
            deck.plug()

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> list[DeviceInfo]:
        """Return the devices that are plugged in; 0 matches any id."""
        return [
            DeviceInfo(
                path=deck.path.encode(),
                vendor_id=deck.vendor_id,
                product_id=deck.model.product_id,
                serial_number=deck.serial,
                release_number=0x0100,
                manufacturer_string="Elgato",
                product_string=deck.model.title,
                usage_page=0x0C,
                usage=0x01,
                interface_number=0,
            )
            for deck in self.decks
            if deck.plugged and vendor_id in (0, deck.vendor_id) and product_id in (0, deck.model.product_id)
        ]

    def device(self) -> "VirtualHandle":
        """Return a handle that is not open yet."""
        return VirtualHandle(self)

    def at(self, path: bytes) -> VirtualDeck | None:
        """Return the deck at that path, plugged in or not."""
        return next((deck for deck in self.decks if deck.path.encode() == path), None)

    def open_error(self, path: bytes) -> OSError | None:
        """Return why opening `path` fails; None: it does not."""
        deck = self.at(path)
        return FileNotFoundError(2, "no such device", path.decode()) if deck is None else deck.open_error()


class VirtualHandle:
    """hidapi's `device`."""

    def __init__(self, bus: VirtualBus) -> None:
        self._bus = bus
        self._lock = threading.Lock()
        self._running = 0  # calls in progress
        self._deck: VirtualDeck | None = None
        self._epoch = 0
        self._blocking = True
        self._interrupted = False
        self._last_error = ""

    @property
    def deck(self) -> VirtualDeck | None:
        """Return the deck of an open handle; None: the handle is closed."""
        return self._deck

    @property
    def is_dead(self) -> bool:
        """Return whether the handle is open and its deck was unplugged or suspended since."""
        deck = self._deck
        return deck is not None and deck.is_gone(self._epoch)

    def open_path(self, path: bytes) -> None:
        """Open the device. Raises OSError, without a reason."""
        deck = self._bus.at(path)
        if deck is None:
            raise OSError("open failed")
        try:
            self._epoch = deck.attach()
        except OSError:
            raise OSError("open failed") from None
        self._deck = deck

    def read(self, max_length: int, timeout_ms: int = 0) -> list[int]:
        """Return the next input report, cut at `max_length`; [] after `timeout_ms`. 0: no limit, or no wait if nonblocking."""
        timeout_s = timeout_ms / 1000 if timeout_ms > 0 else (None if self._blocking else 0.0)
        self._interrupted = False
        found = list(self._get(lambda deck: deck.read(max_length, timeout_s, self._epoch, lambda: self._interrupted)))
        if self._interrupted and not found:
            self._last_error = "interrupted system call"
            raise OSError("read error")
        return found

    def interrupt(self) -> None:
        """End a `read` that waits on another thread: it fails, as after a signal."""
        self._interrupted = True
        deck = self._deck
        if deck is not None:
            deck.wake_waiters()

    def write(self, buff: Iterable[int]) -> int:
        """Return the number of bytes sent, or -1."""
        report = bytes(buff)
        return self._send(lambda deck: deck.write(report, self._epoch))

    def send_feature_report(self, buff: Iterable[int]) -> int:
        """Return the number of bytes sent, or -1."""
        report = bytes(buff)
        return self._send(lambda deck: deck.send_feature(report, self._epoch))

    def get_feature_report(self, report_num: int, max_length: int) -> list[int]:
        """Return the report. Raises OSError."""
        return list(self._get(lambda deck: deck.get_feature(report_num, max_length, self._epoch)))

    def set_nonblocking(self, v: int) -> int:
        """Set whether `read` waits; return 0."""
        self._opened()
        self._blocking = not v
        return 0

    def error(self) -> str:
        """Return the text of the last error, or "Success"."""
        return self._last_error or "Success"

    def close(self) -> None:
        """Close the handle. Idempotent. During another call the C library frees memory in use: recorded as misuse."""
        with self._lock:
            if self._deck is not None and self._running:
                self._bus.misuse.append(f"{self._deck.path} closed during {self._running} calls")
            self._deck = None

    def _opened(self) -> VirtualDeck:
        if self._deck is None:
            raise ValueError("not open")
        return self._deck

    def _get(self, request: Callable[[VirtualDeck], bytes]) -> bytes:
        try:
            return self._run(request)
        except OSError as error:
            self._last_error = error.strerror or str(error)
            raise OSError("read error") from None

    def _send(self, request: Callable[[VirtualDeck], int]) -> int:
        try:
            return self._run(request)
        except OSError as error:
            self._last_error = error.strerror or str(error)
            return -1

    def _run(self, call: Callable[[VirtualDeck], _Result]) -> _Result:
        with self._lock:
            deck = self._opened()
            self._running += 1
        try:
            return call(deck)
        finally:
            with self._lock:
                self._running -= 1
