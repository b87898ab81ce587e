"""One open deck: it takes pictures and emits events.

What must be shown goes to `display_writer`. The library's reading thread only emits events, which the caller must queue. A
deck that hangs or disappears delays no other and is reported lost once. Pictures arrive in the device's own bytes: encoding
belongs to `render`, and `picture_format` describes the bytes.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from StreamDeck.Devices.StreamDeck import DialEventType, TouchscreenEventType
from StreamDeck.Transport.Transport import TransportError

from openbalance_hid.deck.device_events import (
    CELL_PX,
    DeckArrived,
    DeckLost,
    DialPushed,
    DialTurned,
    KeyEvent,
    StripTouched,
    SurfaceEvent,
    TouchKeyEvent,
    TouchKind,
)
from openbalance_hid.deck.display_writer import DisplayPart, DisplayWriter, OnExit
from openbalance_hid.deck.input_precedence import InputPrecedence
from openbalance_hid.deck.products import FoundDeck, printable
from openbalance_hid.deck.transport import HidDevice
from openbalance_hid.errors import DeckGoneError
from openbalance_hid.orientation import Orientation

log = logging.getLogger(__name__)

CLOSE_LIMIT_S = 1.5  # making the display black must not delay a shutdown; a write to a hung device fails after about 1 s
POLL_HZ = 1000  # the library sleeps 1/POLL_HZ after a read without a report; our read blocks, so that is once, at closing

_TOUCHES = {
    TouchscreenEventType.SHORT: TouchKind.TAP,
    TouchscreenEventType.LONG: TouchKind.HOLD,
    TouchscreenEventType.DRAG: TouchKind.DRAG,
}


class DeckDevice:
    """A deck from `open` to `close`. When it is lost, close it and make a new one from what the next scan finds.

    `emit` is called on any thread. It must only queue the event: never block, never raise.
    """

    def __init__(
        self,
        found: FoundDeck,
        emit: Callable[[SurfaceEvent], None],
        clock: Callable[[], float] = time.monotonic,
        precedence: InputPrecedence | None = None,
    ) -> None:
        """`precedence`: shared by all decks; without it, no other deck has to wait for an input."""
        deck = found.deck
        self.path = found.path
        self.model = found.model
        self.title = found.title
        self.serial = printable(found.serial)
        self.firmware = ""
        self.key_count: int = deck.key_count()
        self.rows, self.cols = deck.key_layout()
        self.touch_key_count: int = deck.touch_key_count()
        self.dial_count: int = deck.dial_count()
        self.is_visual: bool = deck.is_visual()
        self._deck: Any = deck
        self._strip_size: tuple[int, int] = deck.touchscreen_image_format()["size"]
        self._screen_size: tuple[int, int] = deck.screen_image_format()["size"]
        self._orientation = Orientation(0, self.cols, self.rows)
        self._device: HidDevice = deck.device
        self._emit = emit
        self._clock = clock
        self._precedence = precedence or InputPrecedence()
        self._writer = DisplayWriter(deck, self.lose, self._precedence)
        self._lock = threading.Lock()  # guards everything below; the writer's lock may be taken inside, never the reverse
        self._emitting = False  # between DeckArrived and the loss or the closing
        self._lost: str | None = None
        self._closed = False

    @property
    def images_sent(self) -> int:
        """Pictures that were written since the deck was found."""
        return self._writer.images_sent

    @property
    def images_skipped(self) -> int:
        """Pictures that were already shown, or replaced by a newer one before they were sent."""
        return self._writer.images_skipped

    @property
    def reports_sent(self) -> int:
        """HID reports that the device has accepted since it was found."""
        return self._device.reports_sent

    @property
    def is_lost(self) -> bool:
        """Whether the deck was lost while it was open."""
        return self._lost is not None

    @property
    def is_writing(self) -> bool:
        """Whether the writing thread is running: after `close`, that a report hangs in the device."""
        return self._writer.is_alive

    # --- shape ----------------------------------------------------------------------------------------------------------

    @property
    def picture_format(self) -> dict[str, Any]:
        """The format of a key's picture as the user sees it: size (width, height) in px, format, flip, rotation."""
        return self._turned(self._deck.key_image_format())

    @property
    def key_size(self) -> tuple[int, int]:
        """Width and height of a key's picture as the user sees it, in px."""
        size: tuple[int, int] = self.picture_format["size"]
        return size

    @property
    def strip_format(self) -> dict[str, Any]:
        """The format of the touch strip; size (0, 0): the deck has none."""
        return self._turned(self._deck.touchscreen_image_format())

    @property
    def screen_format(self) -> dict[str, Any]:
        """The format of the small screen; size (0, 0): the deck has none."""
        return self._turned(self._deck.screen_image_format())

    def set_rotation(self, degrees: int) -> None:
        """Number keys and turn pictures for a deck that is turned clockwise by `degrees`. Shown pictures stay as they are."""
        self._orientation = Orientation(degrees, self.cols, self.rows)

    def _turned(self, picture_format: dict[str, Any]) -> dict[str, Any]:
        size = self._orientation.seen_size(*picture_format["size"])
        return {**picture_format, "size": size, "rotation": (picture_format["rotation"] + self._orientation.degrees) % 360}

    # --- open and close -------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the deck, read serial number and firmware, start its threads, emit DeckArrived. Raises DeckError."""
        deck = self._deck
        self._device.on_lost = self.lose
        self._watch_reader()
        deck.set_poll_frequency(POLL_HZ)
        try:
            deck.open()
            # for some models the library cuts off the first three characters of the serial; the USB descriptor has them
            serial = printable(deck.get_serial_number())
            self.serial = self.serial if self.serial.endswith(serial) and self.serial else serial
            self.firmware = printable(deck.get_firmware_version())
            self._writer.start(self.serial)  # before the arrival: `close` waits only for a thread that runs
        except (TransportError, RuntimeError, MemoryError) as error:  # RuntimeError: the system's limit of threads
            self._release()
            raise DeckGoneError(f"cannot open deck at {self.path}: {error}") from error
        except BaseException:  # also errors that the library does not expect: no caller has the handle to close it
            self._release()
            raise
        with self._lock:
            if self._lost is not None:
                self._release()
                raise DeckGoneError(f"cannot open deck at {self.path}: {self._lost}")
            self._emitting = True
            self._emit(self._arrival())  # under the lock: before any loss
        self._subscribe()

    def close(self, on_exit: OnExit = "black", black: bytes = b"", black_strip: bytes = b"", black_screen: bytes = b"") -> None:
        """Leave the display as `on_exit` says and close the deck, within CLOSE_LIMIT_S. Idempotent; allowed on a lost deck.

        The black pictures are in the device's own bytes. Strip and screen need one only if something was shown on them. If
        one is missing, "black" becomes "logo", so that no figure stays that looks current. No event is emitted afterwards.
        The reading thread ends soon afterwards: see `wait_released`.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            lost = self._lost is not None
            blacks = {DisplayPart.KEY: black, DisplayPart.STRIP: black_strip, DisplayPart.SCREEN: black_screen}
            self._writer.finish(on_exit if self._emitting and self.is_visual else "keep", blacks)
            self._emitting = False
        if not lost:  # the writer of a lost deck ends by itself, and may be the caller of `close`
            self._writer.join(CLOSE_LIMIT_S)
        self._release()

    def wait_released(self, timeout_s: float) -> bool:
        """Return True when the system's handle is closed. Call it before the process ends."""
        return self._device.wait_released(timeout_s)

    def _release(self) -> None:
        self._deck.run_read_thread = False  # the library's close() does not end its reading thread
        self._device.close()

    # --- pictures -------------------------------------------------------------------------------------------------------

    def show(self, key: int, picture: bytes, first: bool = False) -> None:
        """Show a picture on a key; `first`: before all others. Raises IndexError when the deck has no such key."""
        if not 0 <= key < self.key_count:  # the library accepts the number after the last key
            raise IndexError(f"key {key} of {self.key_count}")
        if self.is_visual:
            self._writer.put((DisplayPart.KEY, self._orientation.built_key(key)), picture, first)

    def show_strip(self, picture: bytes, x_px: int = 0, width_px: int | None = None) -> None:
        """Show a picture on the touch strip, if the deck has one: `width_px` wide from `x_px` on, or to the end."""
        strip_px = self._strip_size[0]
        if strip_px:
            width_px = strip_px - x_px if width_px is None else width_px
            built_x_px = strip_px - x_px - width_px if self._orientation.is_half_turn else x_px
            self._writer.put((DisplayPart.STRIP, built_x_px), (picture, width_px))

    def show_screen(self, picture: bytes) -> None:
        """Show a picture on the small screen, if the deck has one."""
        if self._screen_size[0]:
            self._writer.put((DisplayPart.SCREEN, 0), picture)

    def light(self, touch_key: int, colour: tuple[int, int, int]) -> None:
        """Set the colour of a touch key: red, green, blue, 0 to 255. Raises IndexError when the deck has no such key."""
        if not 0 <= touch_key < self.touch_key_count:
            raise IndexError(f"touch key {touch_key} of {self.touch_key_count}")
        self._writer.put((DisplayPart.LIGHT, self._orientation.along(touch_key, self.touch_key_count)), colour)

    def set_brightness(self, percent: float) -> int:
        """Set the brightness and return the value used: a whole percent, 0 to 100."""
        whole = round(min(max(percent, 0), 100))
        if self.is_visual:
            self._writer.put((DisplayPart.BRIGHTNESS, 0), whole)
        return whole

    def repaint(self) -> None:
        """Send everything that is shown once more: a sleep may have cleared the display without closing the handle."""
        self._writer.repaint()

    def repaint_next(self) -> None:
        """Send the brightness and one part of the display once more, each part in turn."""
        self._writer.repaint_next()

    def flush(self, timeout_s: float) -> bool:
        """Return True when everything queued has been sent; False after `timeout_s`, or when the deck is lost."""
        return self._writer.flush(timeout_s)

    # --- events ---------------------------------------------------------------------------------------------------------

    def lose(self, reason: str) -> None:
        """Mark the deck as lost, for `reason`. Emits DeckLost once; no event follows it. Idempotent."""
        with self._lock:
            if self._lost is not None or self._closed:
                return
            self._lost = reason
            self._writer.abort()
            was_emitting, self._emitting = self._emitting, False
        if was_emitting:
            self._emit(DeckLost(self.serial, reason))

    def _watch_reader(self) -> None:
        """Name the library's reading thread and notice its end, which the library does not report."""
        read: Callable[[object], None] = type(self._deck)._read

        def watched() -> None:
            threading.current_thread().name = f"deck-reader-{self.serial or self.path}"
            try:
                read(self._deck)
            except Exception:
                log.exception("reading deck %s failed", self.serial)
            finally:
                self.lose(f"lost deck at {self.path}: the reader ended")

        self._deck._read = watched

    def _subscribe(self) -> None:
        self._deck.set_key_callback(self._on_key)
        self._deck.set_dial_callback(self._on_dial)
        self._deck.set_touchscreen_callback(self._on_touch)

    def _arrival(self) -> DeckArrived:
        return DeckArrived(
            self.serial,
            self.model,
            self.key_count,
            self.is_visual,
            self.dial_count,
            self._strip_size[0] // CELL_PX,
            self.touch_key_count,
            screen=self._screen_size[0] > 0,
            title=self.title,
            path=self.path,
        )

    def _put(self, event: SurfaceEvent) -> None:
        if self._emitting:
            self._emit(event)

    def _on_key(self, _deck: object, key: int, down: bool) -> None:
        now = self._clock()
        self._precedence.begin(self._writer)
        if key < self.key_count:
            self._put(KeyEvent(self.serial, self._orientation.seen_key(key), bool(down), now))
        else:
            touch_key = self._orientation.along(key - self.key_count, self.touch_key_count)
            self._put(TouchKeyEvent(self.serial, touch_key, bool(down), now))

    def _on_dial(self, _deck: object, dial: int, kind: DialEventType, value: int) -> None:
        now, dial = self._clock(), self._orientation.along(dial, self.dial_count)
        if kind is DialEventType.TURN:
            self._put(DialTurned(self.serial, dial, int(value), now))
        else:
            self._put(DialPushed(self.serial, dial, bool(value), now))

    def _on_touch(self, _deck: object, kind: TouchscreenEventType, where: dict[str, int]) -> None:
        now, (width, height), turn = self._clock(), self._strip_size, self._orientation
        x, y = turn.along(where["x"], width), turn.along(where["y"], height)
        x_out, y_out = turn.along(where.get("x_out", where["x"]), width), turn.along(where.get("y_out", where["y"]), height)
        self._put(StripTouched(self.serial, _TOUCHES[kind], x, y, x_out, y_out, now))
