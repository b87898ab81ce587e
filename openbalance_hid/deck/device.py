"""One open deck: pictures in, events out.

Exactly one thread writes to a deck (the library sends a picture in pages that two writers would mix up), and the library's
reader only ever puts events into a queue. The newest picture of a place wins, bytes that are on the glass already are not sent,
and a deck that hangs or goes stops nobody: it is reported lost once. Encoding is not done here: pictures arrive as the
device's own bytes, see `picture_format`.
"""

import logging
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal

from StreamDeck.Devices.StreamDeck import DialEventType, TouchscreenEventType
from StreamDeck.Transport.Transport import TransportError

from openbalance_hid.deck.events import (
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
from openbalance_hid.deck.products import FoundDeck, printable
from openbalance_hid.deck.transport import HidDevice
from openbalance_hid.errors import DeckGoneError

log = logging.getLogger(__name__)

CLOSE_LIMIT_S = 1.5  # leaving the glass black must not hold up a shutdown; a write to a hung device fails after about 1 s
POLL_HZ = 1000  # the library sleeps 1/this after a read without result; ours blocks, so that is once, when closing

Leave = Literal["black", "logo", "keep"]
_TOUCHES = {
    TouchscreenEventType.SHORT: TouchKind.TAP,
    TouchscreenEventType.LONG: TouchKind.HOLD,
    TouchscreenEventType.DRAG: TouchKind.DRAG,
}


class DisplayPart(Enum):
    """What can be written to; drawn in the order of asking."""

    BRIGHTNESS = "brightness"
    KEY = "key"
    STRIP = "strip"
    SCREEN = "screen"
    LIGHT = "light"  # the colour of a touch key
    LOGO = "logo"


_PICTURES = frozenset({DisplayPart.KEY, DisplayPart.STRIP, DisplayPart.SCREEN})
DisplayPlace = tuple[DisplayPart, int]
Colour = tuple[int, int, int]


class DeckDevice:
    """A deck from `open` to `close`; when it is lost, close it and make a new one of what the next scan finds.

    `emit` is called on any thread and must only queue: never block, never raise.
    """

    def __init__(
        self, found: FoundDeck, emit: Callable[[SurfaceEvent], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
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
        self.picture_format: dict[str, Any] = deck.key_image_format()  # size (width, height) in px, format, flip, rotation
        self.key_size: tuple[int, int] = self.picture_format["size"]
        self.strip_format: dict[str, Any] = deck.touchscreen_image_format()  # size (0, 0): no strip
        self.screen_format: dict[str, Any] = deck.screen_image_format()  # size (0, 0): no screen
        self.images_sent = 0
        self.images_skipped = 0  # were on the glass already, or a newer one came before they were sent
        self._deck: Any = deck
        self._device: HidDevice = deck.device
        self._emit = emit
        self._clock = clock
        self._changed = threading.Condition()
        self._wanted: dict[DisplayPlace, object] = {}
        self._shown: dict[DisplayPlace, object] = {}  # as far as is known, what the device has
        self._writing = False
        self._live = False  # open: events and the loss are of interest
        self._lost: str | None = None
        self._closed = False
        self._writer: threading.Thread | None = None

    @property
    def reports_sent(self) -> int:
        """HID reports that the device took since it was found."""
        return self._device.reports_sent

    @property
    def is_lost(self) -> bool:
        """Whether the deck went while it was open."""
        return self._lost is not None

    @property
    def is_writing(self) -> bool:
        """Whether its writer has not ended: after `close`, that a report still hangs in the device."""
        return self._writer is not None and self._writer.is_alive()

    # --- open and close -------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Opens the deck, reads who it is, starts its threads, emits DeckArrived. Raises DeckError and its kinds."""
        deck = self._deck
        self._device.on_lost = self.lose
        self._watch_reader()
        deck.set_poll_frequency(POLL_HZ)
        try:
            deck.open()
            # some models' serials lack the first three characters in the library; the USB descriptor has them
            serial = printable(deck.get_serial_number())
            self.serial = self.serial if self.serial.endswith(serial) and self.serial else serial
            self.firmware = printable(deck.get_firmware_version())
        except TransportError as error:
            self._let_go()
            raise DeckGoneError(f"cannot open deck at {self.path}: {error}") from error
        except BaseException:  # also what the library does not foresee: nobody else knows of the handle
            self._let_go()
            raise
        with self._changed:
            if self._lost is not None:
                self._let_go()
                raise DeckGoneError(f"cannot open deck at {self.path}: {self._lost}")
            self._live = True
            self._emit(DeckArrived(self.serial, self.model, self.title, self.path))  # before any loss can be
        self._listen()
        writer = threading.Thread(target=self._write_on, name=f"deck-writer-{self.serial}", daemon=True)
        writer.start()
        self._writer = writer  # not before it runs: it may be closed meanwhile, by another thread that joins it

    def close(self, leave: Leave = "black", black: bytes = b"", black_strip: bytes = b"", black_screen: bytes = b"") -> None:
        """Leaves the glass as asked and lets the deck go, within CLOSE_LIMIT_S. May be called twice, and on a lost deck.

        The black pictures are in the device's own bytes; strip and screen need one only if they were shown something. When one
        is missing "black" becomes "logo", so that no number stays that looks live. No event is emitted afterwards. The reading
        thread ends by itself within a second; see `wait_released`.
        """
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._wanted.clear()
            if self._live and self._lost is None and self.is_visual and leave != "keep":
                self._want_nothing_live(
                    leave, {DisplayPart.KEY: black, DisplayPart.STRIP: black_strip, DisplayPart.SCREEN: black_screen}
                )
            self._live = False
            self._changed.notify_all()
            lost = self._lost is not None
        if self._writer is not None and not lost:  # of a lost deck it ends by itself, and may be who is closing it
            self._writer.join(CLOSE_LIMIT_S)
        self._let_go()

    def wait_released(self, timeout_s: float) -> bool:
        """True when the system's handle is closed; ask before the process ends."""
        return self._device.wait_released(timeout_s)

    def _want_nothing_live(self, leave: Leave, blacks: dict[DisplayPart, object]) -> None:
        """Not with the library's own black: its Mini has the wrong header, its strips lie on their side."""
        blacks[DisplayPart.LIGHT] = (0, 0, 0)
        keys = [(DisplayPart.KEY, key) for key in range(self.key_count)]
        places = [
            *keys,
            *(place for place in self._shown if place[0] in (DisplayPart.STRIP, DisplayPart.SCREEN, DisplayPart.LIGHT)),
        ]
        if leave == "logo" or not all(blacks[part] for part, _ in places):
            self._wanted[DisplayPart.LOGO, 0] = None
            return
        if blacks[DisplayPart.STRIP]:
            places = [
                place for place in places if place[0] is not DisplayPart.STRIP or place[1] == 0
            ]  # one picture for all of it
            blacks[DisplayPart.STRIP] = (blacks[DisplayPart.STRIP], self.strip_format["size"][0])
        self._wanted.update({place: blacks[place[0]] for place in places if self._shown.get(place) != blacks[place[0]]})

    def _let_go(self) -> None:
        self._deck.run_read_thread = False  # the library's close() does not end its reader
        self._device.close()

    # --- pictures in ----------------------------------------------------------------------------------------------------

    def show(self, key: int, picture: bytes) -> None:
        """Puts a picture, in the device's own bytes, on a key; the writer sends it. Raises IndexError for no such key."""
        if not 0 <= key < self.key_count:  # the library lets the key after the last one through
            raise IndexError(f"key {key} of {self.key_count}")
        if self.is_visual:
            self._want((DisplayPart.KEY, key), picture)

    def show_strip(self, picture: bytes, x_px: int = 0, width_px: int | None = None) -> None:
        """Puts a picture on the touch strip, where there is one: on all of it, or from `x_px` on, `width_px` wide."""
        whole_px = self.strip_format["size"][0]
        if whole_px:
            self._want((DisplayPart.STRIP, x_px), (picture, whole_px - x_px if width_px is None else width_px))

    def show_screen(self, picture: bytes) -> None:
        """Puts a picture on the small screen, where there is one."""
        if self.screen_format["size"][0]:
            self._want((DisplayPart.SCREEN, 0), picture)

    def light(self, touch_key: int, colour: Colour) -> None:
        """Gives a touch key a colour (red, green, blue, 0 to 255). Raises IndexError for no such touch key."""
        if not 0 <= touch_key < self.touch_key_count:
            raise IndexError(f"touch key {touch_key} of {self.touch_key_count}")
        self._want((DisplayPart.LIGHT, touch_key), colour)

    def set_brightness(self, percent: float) -> int:
        """Asks for that brightness; what it will be: whole percent, 0 to 100."""
        whole = round(min(max(percent, 0), 100))
        if self.is_visual:
            self._want((DisplayPart.BRIGHTNESS, 0), whole)
        return whole

    def paint_again(self) -> None:
        """Sends once more what is on the glass: a sleep may have cleared it, and the handle lives on."""
        with self._changed:
            if not self._closed and self._lost is None:
                self._wanted, self._shown = self._shown | self._wanted, {}
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """True when all that was asked for has been sent; False when it was not in time, or the deck is lost."""
        with self._changed:
            self._changed.wait_for(lambda: self._lost is not None or not (self._wanted or self._writing), timeout_s)
            return self._lost is None and not (self._wanted or self._writing)

    def _want(self, place: DisplayPlace, value: object) -> None:
        with self._changed:
            if self._closed or self._lost is not None:
                return
            unsent = self._wanted.pop(place, None)
            on_glass = self._shown.get(place) == value
            if place[0] in _PICTURES:
                self.images_skipped += on_glass + (unsent is not None)
            if not on_glass:
                self._wanted[place] = value
                self._changed.notify_all()

    # --- the writer -----------------------------------------------------------------------------------------------------

    def _write_on(self) -> None:
        while (job := self._next_job()) is not None:
            place, value = job
            try:
                self._send(place, value)
            except TransportError as error:
                self.lose(str(error))
            except Exception:
                log.exception("writing %s to deck %s failed", place, self.serial)
                self.lose(f"lost deck at {self.path}: writing failed")

    def _next_job(self) -> tuple[DisplayPlace, object] | None:
        """Waits for the next thing to write; None at the end."""
        with self._changed:
            self._writing = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._wanted or self._closed or self._lost is not None)
            if self._lost is not None or not self._wanted:
                return None
            place = (DisplayPart.BRIGHTNESS, 0) if (DisplayPart.BRIGHTNESS, 0) in self._wanted else next(iter(self._wanted))
            value = self._wanted.pop(place)
            self._shown[place] = value
            self._writing = True
            return place, value

    def _send(self, place: DisplayPlace, value: Any) -> None:
        part, number = place
        deck = self._deck
        match part:
            case DisplayPart.BRIGHTNESS:
                deck.set_brightness(value)
            case DisplayPart.KEY:
                deck.set_key_image(number, value)
            case DisplayPart.STRIP:
                picture, width_px = value
                deck.set_touchscreen_image(picture, number, 0, width_px, self.strip_format["size"][1])
            case DisplayPart.SCREEN:
                deck.set_screen_image(value)
            case DisplayPart.LIGHT:
                deck.set_key_color(self.key_count + number, *value)
            case DisplayPart.LOGO:
                deck.reset()
        self.images_sent += part in _PICTURES

    # --- events out -----------------------------------------------------------------------------------------------------

    def lose(self, reason: str) -> None:
        """The deck has gone, whether its threads have noticed or not: said once, and nothing is heard of it any more."""
        with self._changed:
            if self._lost is not None or self._closed:
                return
            self._lost = reason
            self._wanted.clear()
            news, self._live = self._live, False
            self._changed.notify_all()
        if news:
            self._emit(DeckLost(self.serial, reason))

    def _watch_reader(self) -> None:
        """Names the library's reading thread and reports its end, whatever ended it: the library tells nobody."""
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

    def _listen(self) -> None:
        self._deck.set_key_callback(self._on_key)
        self._deck.set_dial_callback(self._on_dial)
        self._deck.set_touchscreen_callback(self._on_touch)

    def _put(self, event: SurfaceEvent) -> None:
        if self._live:
            self._emit(event)

    def _on_key(self, _deck: object, key: int, down: bool) -> None:
        now = self._clock()
        if key < self.key_count:
            self._put(KeyEvent(self.serial, key, bool(down), now))
        else:
            self._put(TouchKeyEvent(self.serial, key - self.key_count, bool(down), now))

    def _on_dial(self, _deck: object, dial: int, kind: DialEventType, value: int) -> None:
        now = self._clock()
        if kind is DialEventType.TURN:
            self._put(DialTurned(self.serial, dial, int(value), now))
        else:
            self._put(DialPushed(self.serial, dial, bool(value), now))

    def _on_touch(self, _deck: object, kind: TouchscreenEventType, where: dict[str, int]) -> None:
        now, x, y = self._clock(), where["x"], where["y"]
        out = where.get("x_out", x), where.get("y_out", y)
        self._put(StripTouched(self.serial, _TOUCHES[kind], x, y, *out, now))
