"""python-elgato-streamdeck as shipped, on the simulator: for comparison only.

Its own transport needs a libhidapi of the system, which the simulator cannot replace. This transport does the same
(LibUSBHIDAPI.py of streamdeck 0.10): non-blocking reads that return None when there is no report, so that the library's reader
polls 20 times a second, and a mutex around each call. Everything above it is the library's own.
"""

import threading
from typing import Any

from StreamDeck.DeviceManager import DeviceManager
from StreamDeck.Transport.Transport import Transport, TransportError

from openbalance_hid.simulator.device.fake_hidapi import VirtualBus


class LibraryDevice(Transport.Device):  # type: ignore[misc]  # the library has no types
    """One device of the simulated bus."""

    def __init__(self, bus: VirtualBus, path: bytes, vendor_id: int, product_id: int) -> None:
        self._path, self._vendor_id, self._product_id = path, vendor_id, product_id
        self._handle = bus.device()
        self._mutex = threading.Lock()
        self._open = False

    def open(self) -> None:
        with self._mutex:
            self._handle.open_path(self._path)
            self._handle.set_nonblocking(1)
            self._open = True

    def close(self) -> None:
        with self._mutex:
            self._handle.close()
            self._open = False

    def is_open(self) -> bool:
        return self._open

    def connected(self) -> bool:
        return True

    def path(self) -> str:
        return self._path.decode()

    def vendor_id(self) -> int:
        return self._vendor_id

    def product_id(self) -> int:
        return self._product_id

    def write_feature(self, payload: bytes) -> int:
        with self._mutex:
            return self._sent(self._handle.send_feature_report(bytes(payload)))

    def read_feature(self, report_id: int, length: int) -> bytes:
        with self._mutex:
            return bytes(self._handle.get_feature_report(report_id, length)).ljust(length, b"\0")

    def write(self, payload: bytes) -> int:
        with self._mutex:
            return self._sent(self._handle.write(bytes(payload)))

    def read(self, length: int) -> bytes | None:
        with self._mutex:
            try:
                report = self._handle.read(length)
            except (OSError, ValueError) as error:
                raise TransportError(str(error)) from error
        return bytes(report).ljust(length, b"\0") if report else None

    def _sent(self, count: int) -> int:
        if count < 0:
            raise TransportError("failed to write")
        return count


class LibraryTransport(Transport):  # type: ignore[misc]  # the library has no types
    """The simulated bus behind the interface of the library."""

    def __init__(self, bus: VirtualBus) -> None:
        self._bus = bus

    @staticmethod
    def probe() -> None:
        pass

    def enumerate(self, vid: int, pid: int) -> list[LibraryDevice]:
        return [
            LibraryDevice(self._bus, info["path"], info["vendor_id"], info["product_id"])
            for info in self._bus.enumerate(vid or 0, pid or 0)
        ]


def library_deck(bus: VirtualBus) -> Any:
    """Return the library's object for the first deck on the bus, closed."""
    manager = DeviceManager.__new__(DeviceManager)  # its __init__ searches for a libhidapi of the system
    manager.transport = LibraryTransport(bus)
    return manager.enumerate()[0]
