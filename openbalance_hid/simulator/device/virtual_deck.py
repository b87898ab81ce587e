"""A Stream Deck without the Stream Deck: the device at the level of HID reports, with fingers and glass.

The host's side is what a driver reaches through the operating system; the finger's side is what a person does; the picture's
side is what a person sees. All of it may be called from any thread. The way there, and every trouble with it, is in `line`. How
reports become pictures is in `report_decoder`, what is to be seen in `glass`, how fingers become reports in `report_encoder`,
how all of this looks as hidapi's module in `bus`.
"""

import errno
import io
from collections.abc import Callable
from typing import TypeGuard

from PIL import Image

from openbalance_hid.simulator.device.device_link import DeviceLink
from openbalance_hid.simulator.device.glass import ELSEWHERE, Glass
from openbalance_hid.simulator.device.models import VENDOR_ID, DeckModel, Text
from openbalance_hid.simulator.device.report_decoder import Fault, Picture, PictureStream, ReportKind
from openbalance_hid.simulator.device.report_encoder import ReportEncoder

FIRMWARE = "1.00.004"
CHECKSUM = b"\x8f\x02\x1b\x07"  # stands before the firmware version; any four bytes, some of them not text


class VirtualDeck(DeviceLink):
    """One device at the end of its line, with black glass that shows its logo."""

    vendor_id = VENDOR_ID

    def __init__(self, model: DeckModel, serial: str) -> None:
        super().__init__(f"virtual:{serial}")
        self.model = model
        self.serial = serial
        self.faults: list[Fault] = []  # in the order of happening
        self.reports_received = 0  # output and feature reports
        self.pictures_received = 0  # that landed on a key, the strip or the screen
        self._subscribers: list[Callable[[int], None]] = []
        self._power_up()

    def _power_up(self) -> None:
        self._stream = PictureStream(self.model)
        self._fingers = ReportEncoder(self.model)
        self._glass = Glass(self.model)

    # --- the host's side ------------------------------------------------------------------------------------------------

    def write(self, report: bytes, epoch: int | None = None) -> int:
        """Takes an output report; returns its length also for nonsense, as USB does. `epoch` None: over the wire, no handle.

        Raises OSError: ENODEV when gone, ETIMEDOUT when hung.
        """
        with self._changed:
            self._admit(epoch)
            self.reports_received += 1
            landed = [self._glass.land(found) for found in self._stream.feed(bytes(report)) if self._is_good(found)]
        self._tell(landed)
        return len(report)

    def send_feature(self, report: bytes, epoch: int | None = None) -> int:
        """Takes a feature report; returns its length. Raises OSError as `write`."""
        with self._changed:
            self._admit(epoch)
            self.reports_received += 1
            changed = self._glass.obey(bytes(report))
            if isinstance(changed, Fault):
                self.faults.append(changed)
        self._tell([] if isinstance(changed, Fault) else [changed])
        return len(report)

    def get_feature(self, report_id: int, length: int, epoch: int | None = None) -> bytes:
        """The feature report, `length` bytes with its id. Raises OSError as `write`, and EPIPE for one that there is not."""
        model = self.model
        with self._changed:
            self._admit(epoch)
            if report_id == model.serial.report_id:
                return self._text_report(model.serial, self.serial, b"", length)
            if report_id == model.firmware.report_id:
                return self._text_report(model.firmware, FIRMWARE, CHECKSUM, length)
            self._fault(ReportKind.UNKNOWN_REPORT, f"feature report {report_id:#04x} asked for")
        raise OSError(errno.EPIPE, "no such feature report", self.path)

    def _is_good(self, found: Picture | Fault) -> TypeGuard[Picture]:
        if isinstance(found, Fault):
            self.faults.append(found)
            return False
        self.pictures_received += 1
        return True

    def _text_report(self, layout: Text, text: str, before: bytes, length: int) -> bytes:
        if length not in layout.lengths:
            self._fault(ReportKind.WRONG_LENGTH, f"feature report of {length} bytes asked for, there are {layout.lengths}")
        return layout.report(text, before, length)

    def _fault(self, what: ReportKind, detail: str) -> None:
        self.faults.append(Fault(what, detail))

    # --- the finger's side ----------------------------------------------------------------------------------------------

    def press(self, key: int) -> None:
        """A finger goes down on a key or touch key, by the user's number."""
        with self._changed:
            self.send_raw(self._fingers.key(key, down=True))

    def release(self, key: int) -> None:
        """The finger leaves it."""
        with self._changed:
            self.send_raw(self._fingers.key(key, down=False))

    def turn(self, dial: int, steps: int) -> None:
        """A dial is turned: positive steps clockwise, -128 to 127."""
        with self._changed:
            self.send_raw(self._fingers.turn(dial, steps))

    def push(self, dial: int, down: bool) -> None:
        """A dial is pushed down or let go."""
        with self._changed:
            self.send_raw(self._fingers.push(dial, down=down))

    def touch(self, x: int, y: int, long: bool = False) -> None:
        """A finger taps the strip, or rests on it."""
        with self._changed:
            self.send_raw(self._fingers.touch(x, y, long=long))

    def drag(self, x: int, y: int, x_out: int, y_out: int) -> None:
        """A finger moves over the strip, from (x, y) to where it leaves."""
        with self._changed:
            self.send_raw(self._fingers.drag(x, y, x_out, y_out))

    # --- the picture's side ---------------------------------------------------------------------------------------------

    def glass(self, key: int) -> Image.Image:
        """RGB image on a key or touch key, upright, in the size that the user sees; black where nothing was drawn."""
        with self._changed:
            return self._glass.key(key)

    def glass_png(self, key: int) -> bytes:
        """The same as a PNG file."""
        with io.BytesIO() as file:
            self.glass(key).save(file, "PNG")
            return file.getvalue()

    def strip(self) -> Image.Image | None:
        """RGB image on the touch strip, upright; None: the model has none."""
        with self._changed:
            return self._glass.strip()

    def screen(self) -> Image.Image | None:
        """RGB image on the small screen, upright; None: the model has none."""
        with self._changed:
            return self._glass.screen()

    @property
    def brightness(self) -> int:
        """Percent."""
        return self._glass.brightness

    @property
    def showing_logo(self) -> bool:
        """True from power-up or reset until the first picture; the glass is reported black meanwhile."""
        return self._glass.showing_logo

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Calls back with the number of a key whose picture changed, -1 for anything else; returns what ends it.

        It is called on the thread that wrote the report, with no lock held, and must not raise.
        """
        with self._changed:
            self._subscribers.append(callback)

        def end() -> None:
            with self._changed:
                if callback in self._subscribers:
                    self._subscribers.remove(callback)

        return end

    def _tell(self, keys: list[int]) -> None:
        with self._changed:
            self._changed.notify_all()
            subscribers = tuple(self._subscribers)
        for key in keys:
            for callback in subscribers:
                callback(key)

    # --- power ----------------------------------------------------------------------------------------------------------

    def plug(self) -> None:
        """The cable goes in: power-up, at the same path as before."""
        with self._changed:
            super().plug()
            self._power_up()
        self._tell([ELSEWHERE])

    def kill_handle(self) -> None:
        """What a suspend does: handles are dead, the path stays and can be opened again, the glass shows the logo."""
        with self._changed:
            self._end_handles()
        self.lose_glass()

    def lose_glass(self) -> None:
        """What a suspend does where the bus resumes the device: handles live, the glass shows the logo."""
        with self._changed:
            self._power_up()
        self._tell([ELSEWHERE])
