"""A virtual Stream Deck at the level of HID reports: reports of the host, input of the user, pictures on the display.

Thread-safe. Not here: handles and connection faults (`device_link`), decoding of reports (`report_decoder`), display state
(`glass`), encoding of input (`report_encoder`), the interface of hidapi (`fake_hidapi`).

Faults, beside those of `device_link`: `kill_handle` and `lose_pictures` do what a suspend does to a device. `faults` lists the
newest invalid reports of the host; `fault_count`, `reports_received` and `pictures_received` are counters.
"""

import errno
import io
import logging
from collections.abc import Callable

from PIL import Image

from openbalance_hid.simulator.device.device_link import DeviceLink
from openbalance_hid.simulator.device.glass import ELSEWHERE, Glass
from openbalance_hid.simulator.device.models import UNIT_INFORMATION_ID, VENDOR_ID, DeckModel, TextReport
from openbalance_hid.simulator.device.report_decoder import Fault, FaultKind, Picture, PictureStream
from openbalance_hid.simulator.device.report_encoder import ReportEncoder

log = logging.getLogger(__name__)

MOST_FAULTS = 1000  # kept: a client can send invalid reports for days
MOST_WARNINGS = 50  # in the log: a client that sends noise must not fill it
INVALID_REPORT = -2  # in place of a key number: the host sent a report that the device does not support
FIRMWARE = "1.00.004"
CHECKSUM = b"\x8f\x02\x1b\x07"  # precedes the firmware version; any four bytes, some of them not ASCII


class VirtualDeck(DeviceLink):
    """One device, plugged in, with a black display that shows the logo."""

    vendor_id = VENDOR_ID

    def __init__(self, model: DeckModel, serial: str) -> None:
        super().__init__(f"virtual:{serial}")
        self.model = model
        self.serial = serial
        self.faults: list[Fault] = []  # at most MOST_FAULTS, oldest first
        self.fault_count = 0
        self.reports_received = 0  # output and feature reports
        self.pictures_received = 0  # complete ones, shown on a key, the strip or the screen
        self._warned_of: set[Fault] = set()
        self._subscribers: list[Callable[[int], None]] = []
        self._power_up()

    def _power_up(self) -> None:
        self._stream = PictureStream(self.model)
        self._encoder = ReportEncoder(self.model)
        self._glass = Glass(self.model)

    # --- host --------------------------------------------------------------------------------------------------------

    def write(self, report: bytes, epoch: int | None = None) -> int:
        """Receive an output report; return its length, also for an invalid one, as USB does. `epoch` None: over USB, no handle.

        Raises OSError: ENODEV when gone, ETIMEDOUT when hung.
        """
        with self._changed:
            self._wait_until_ready(epoch)
            self.reports_received += 1
            changed = [self._receive(found) for found in self._stream.feed(bytes(report))]
        self._notify(changed)
        return len(report)

    def send_feature(self, report: bytes, epoch: int | None = None) -> int:
        """Receive a feature report; return its length. Raises OSError as `write` does."""
        with self._changed:
            self._wait_until_ready(epoch)
            self.reports_received += 1
            changed = self._glass.apply(bytes(report))
            if isinstance(changed, Fault):
                self._fault(changed)
                changed = INVALID_REPORT
        self._notify([changed])
        return len(report)

    def get_feature(self, report_id: int, length: int, epoch: int | None = None) -> bytes:
        """Return the feature report, `length` bytes with its id. Raises OSError as `write` does; EPIPE: unknown id."""
        with self._changed:
            self._wait_until_ready(epoch)
            known = self.fault_count
            report = self._feature_report(report_id, length)
            invalid = self.fault_count > known
        if invalid:
            self._notify([INVALID_REPORT])
        if report is None:
            raise OSError(errno.EPIPE, "no such feature report", self.path)
        return report

    def _feature_report(self, report_id: int, length: int) -> bytes | None:
        model = self.model
        if report_id == model.serial.report_id:
            return self._text_report(model.serial, self.serial, b"", length)
        if report_id == model.firmware.report_id:
            return self._text_report(model.firmware, FIRMWARE, CHECKSUM, length)
        if report_id == UNIT_INFORMATION_ID and (report := model.unit_information(length)) is not None:
            return report
        self._fault(Fault(FaultKind.UNKNOWN_REPORT, f"feature report {report_id:#04x} requested"))
        return None

    def _receive(self, found: Picture | Fault) -> int:
        """Show a picture or record a fault; return what changed, for subscribers."""
        if isinstance(found, Fault):
            self._fault(found)
            return INVALID_REPORT
        self.pictures_received += 1
        return self._glass.show(found)

    def _text_report(self, layout: TextReport, text: str, before: bytes, length: int) -> bytes:
        if length < min(layout.lengths):
            detail = f"{length} of {min(layout.lengths)} bytes of feature report {layout.report_id:#04x} requested"
            self._fault(Fault(FaultKind.WRONG_LENGTH, detail))
        return layout.report(text, before, length)

    def _fault(self, fault: Fault) -> None:
        """Record an invalid report, and log it: as a warning once, and only so many of them."""
        is_new = fault not in self._warned_of and len(self._warned_of) < MOST_WARNINGS
        level = logging.WARNING if is_new else logging.DEBUG
        if is_new:
            self._warned_of.add(fault)
        self.fault_count += 1
        self.faults.append(fault)
        del self.faults[:-MOST_FAULTS]
        log.log(level, "%s %s: %s: %s", self.model.title, self.serial, fault.what, fault.detail)

    # --- input of the user ----------------------------------------------------------------------------------------------

    def press(self, key: int) -> None:
        """Press a key or touch key, numbered as the user sees them."""
        with self._changed:
            self.send_raw(self._encoder.key(key, down=True))

    def release(self, key: int) -> None:
        """Release a key or touch key."""
        with self._changed:
            self.send_raw(self._encoder.key(key, down=False))

    @property
    def keys_down(self) -> frozenset[int]:
        """Return the keys and touch keys that are pressed."""
        return self._encoder.keys_down

    def turn(self, dial: int, steps: int) -> None:
        """Turn a dial: positive steps clockwise, -128 to 127."""
        with self._changed:
            self.send_raw(self._encoder.turn(dial, steps))

    def push(self, dial: int, down: bool) -> None:
        """Press or release a dial."""
        with self._changed:
            self.send_raw(self._encoder.push(dial, down=down))

    def touch(self, x: int, y: int, long: bool = False) -> None:
        """Tap the strip, or touch it for long."""
        with self._changed:
            self.send_raw(self._encoder.touch(x, y, long=long))

    def drag(self, x: int, y: int, x_out: int, y_out: int) -> None:
        """Drag over the strip, from (x, y) to (x_out, y_out)."""
        with self._changed:
            self.send_raw(self._encoder.drag(x, y, x_out, y_out))

    # --- display ------------------------------------------------------------------------------------------------------

    def glass(self, key: int) -> Image.Image:
        """Return the RGB image on a key or touch key, upright, as the user sees it; black before the first picture."""
        with self._changed:
            return self._glass.key(key)

    def glass_png(self, key: int) -> bytes:
        """Return the image on a key as a PNG file."""
        with io.BytesIO() as file:
            self.glass(key).save(file, "PNG")
            return file.getvalue()

    def strip(self) -> Image.Image | None:
        """Return the RGB image on the touch strip, upright; None: the model has none."""
        with self._changed:
            return self._glass.strip()

    def screen(self) -> Image.Image | None:
        """Return the RGB image on the small screen, upright; None: the model has none."""
        with self._changed:
            return self._glass.screen()

    @property
    def brightness(self) -> int:
        """Return the brightness in percent."""
        return self._glass.brightness

    @property
    def is_upside_down(self) -> bool:
        """Return False: `TurnedDeck` of the page shows a deck that is turned."""
        return False

    @property
    def showing_logo(self) -> bool:
        """Return True from power-up or reset until the first picture; images are black meanwhile."""
        return self._glass.showing_logo

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback` with the number of each key that changes, -1 for other parts, -2 for an invalid report.

        Return a function that unsubscribes. `callback` runs on the thread that wrote the report, without a lock, and must not
        raise.
        """
        with self._changed:
            self._subscribers.append(callback)

        def end() -> None:
            with self._changed:
                if callback in self._subscribers:
                    self._subscribers.remove(callback)

        return end

    def _notify(self, keys: list[int]) -> None:
        with self._changed:
            self._changed.notify_all()
            subscribers = tuple(self._subscribers)
        for key in keys:
            for callback in subscribers:
                callback(key)

    # --- power ----------------------------------------------------------------------------------------------------------

    def plug(self) -> None:
        """Plug the device in again: power-up, at the same path."""
        with self._changed:
            super().plug()
            self._power_up()
        self._notify([ELSEWHERE])

    def kill_handle(self) -> None:
        """Do what a suspend does: handles become invalid, the path can be opened again, the display shows the logo."""
        with self._changed:
            self._end_handles()
        self.lose_pictures()

    def lose_pictures(self) -> None:
        """Do what a suspend does where the bus resumes the device: handles stay valid, the display shows the logo."""
        with self._changed:
            self._power_up()
        self._notify([ELSEWHERE])
