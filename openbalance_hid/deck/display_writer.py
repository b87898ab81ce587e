"""The queue of what one deck must show, and the thread that sends it.

Exactly one thread writes to a deck, because the library sends a picture in several reports, and two writers would mix them up.
For each part of the display only the newest value is kept, and a value that is already shown is not sent. Values arrive in the
device's own bytes. Opening, closing and input events belong to `device`.
"""

import logging
import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal

from StreamDeck.Transport.Transport import TransportError

from openbalance_hid.deck.input_precedence import InputPrecedence

log = logging.getLogger(__name__)

OnExit = Literal["black", "logo", "keep"]


class DisplayPart(Enum):
    """A kind of thing that can be written. Values are sent in the order in which they were queued, brightness first."""

    BRIGHTNESS = "brightness"
    KEY = "key"
    STRIP = "strip"
    SCREEN = "screen"
    LIGHT = "light"  # the colour of a touch key
    LOGO = "logo"


DisplayTarget = tuple[DisplayPart, int]  # the number: key, touch key or pixels from the left of the strip; else 0
_PICTURES = frozenset({DisplayPart.KEY, DisplayPart.STRIP, DisplayPart.SCREEN})
_BRIGHTNESS: DisplayTarget = (DisplayPart.BRIGHTNESS, 0)


class DisplayWriter:
    """Queue and thread for one library deck object. `on_failure(reason)` is called on the thread when a write fails."""

    def __init__(self, deck: Any, on_failure: Callable[[str], None], precedence: InputPrecedence) -> None:
        """`precedence`: shared by all decks."""
        self.images_sent = 0
        self.images_skipped = 0  # already shown, or replaced by a newer picture before they were sent
        self._deck = deck
        self._precedence = precedence
        self._on_failure = on_failure
        self._key_count: int = deck.key_count()
        self._strip_size: tuple[int, int] = deck.touchscreen_image_format()["size"]
        self._changed = threading.Condition()  # guards everything below
        self._queued: dict[DisplayTarget, object] = {}
        self._shown: dict[DisplayTarget, object] = {}  # what the device shows, as far as is known
        self._urgent: DisplayTarget | None = None  # what was put first, until it is sent
        self._writing = False
        self._finishing = False  # write what is queued, then end
        self._aborted = False  # end without writing
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the thread is running: after `finish`, that a report hangs in the device."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, serial: str) -> None:
        """Start the thread; `serial` is in its name."""
        thread = threading.Thread(target=self._run, args=(serial,), name=f"deck-writer-{serial}", daemon=True)
        thread.start()
        self._thread = thread  # only when it runs: another thread may be joining it in `join`

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the thread, if it was started."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def put(self, target: DisplayTarget, value: object, first: bool = False) -> None:
        """Queue a value, in place of an older one for the same target; `first`: before all others.

        Ignored after `finish` and `abort`.
        """
        with self._changed:
            if self._finishing or self._aborted:
                return
            replaced = self._queued.pop(target, None)
            was_urgent = target == self._urgent
            first = first or was_urgent
            is_shown = self._shown.get(target) == value
            if target[0] in _PICTURES:
                self.images_skipped += is_shown + (replaced is not None)
            if is_shown:
                self._urgent = None if was_urgent else self._urgent
                return
            if first:
                self._queued, self._urgent = {target: value, **self._queued}, target
            else:
                self._queued[target] = value
            if not self._writing:  # else it looks for more by itself
                self._changed.notify_all()
        if first:
            self._precedence.queued()

    def repaint(self) -> None:
        """Send everything that is shown once more.

        A sleep may have cleared the display without closing the handle, and another program may have drawn on it: a hidraw
        node can be opened by several, and none of them notices the others.
        """
        with self._changed:
            if not (self._finishing or self._aborted):
                self._queued, self._shown = self._shown | self._queued, {}
                self._changed.notify_all()

    def repaint_next(self) -> None:
        """Send the brightness once more, and the part of the display that was sent the longest time ago."""
        with self._changed:
            part = next((target for target in self._shown if target != _BRIGHTNESS and target not in self._queued), None)
            if self._finishing or self._aborted or self._queued or part is None:
                return  # with something queued, the deck is being painted already
            self._queued = {target: self._shown.pop(target) for target in (_BRIGHTNESS, part) if target in self._shown}
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Return True when everything queued has been sent; False after `timeout_s` or `abort`."""
        with self._changed:
            self._changed.wait_for(lambda: self._aborted or not (self._queued or self._writing), timeout_s)
            return not (self._aborted or self._queued or self._writing)

    def finish(self, on_exit: OnExit, black: dict[DisplayPart, bytes]) -> None:
        """Drop what is queued, write what the display shows from now on, then end. See `DeckDevice.close`."""
        with self._changed:
            self._queued, self._urgent = {}, None
            if on_exit != "keep":
                self._queue_exit_display(on_exit, dict(black))
            self._finishing = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Drop what is queued and end: the device is lost."""
        with self._changed:
            self._aborted = True
            self._queued, self._urgent = {}, None
            self._changed.notify_all()

    def _queue_exit_display(self, on_exit: OnExit, black: dict[DisplayPart, object]) -> None:
        """Not with the library's own black pictures: the Mini's has a wrong header, those of the strips are rotated."""
        black[DisplayPart.LIGHT] = (0, 0, 0)
        beside_keys = (DisplayPart.STRIP, DisplayPart.SCREEN, DisplayPart.LIGHT)
        targets = [
            *((DisplayPart.KEY, key) for key in range(self._key_count)),
            *(target for target in self._shown if target[0] in beside_keys),
        ]
        if on_exit == "logo" or not all(black[part] for part, _ in targets):
            self._queued[DisplayPart.LOGO, 0] = None
            return
        if black[DisplayPart.STRIP]:  # one picture covers the whole strip
            targets = [target for target in targets if target[0] is not DisplayPart.STRIP or target[1] == 0]
            black[DisplayPart.STRIP] = (black[DisplayPart.STRIP], self._strip_size[0])
        self._queued.update({target: black[target[0]] for target in targets if self._shown.get(target) != black[target[0]]})

    # --- on the thread ---------------------------------------------------------------------------------------------------

    def _run(self, serial: str) -> None:
        try:
            self._write_jobs(serial)
        finally:
            with self._changed:
                wanted = not (self._finishing or self._aborted)
            if wanted:  # a failure of the thread itself, as a lack of memory
                self._on_failure(f"lost deck at {self._deck.device.path()}: the writer ended")

    def _write_jobs(self, serial: str) -> None:
        while self._wait_for_job():
            with self._precedence.turn(self, lambda: self._urgent is not None):
                if (job := self._next_job()) is None:
                    continue  # dropped while it waited
                target, value, is_urgent = job
                try:
                    self._send(target, value)
                except TransportError as error:
                    self._on_failure(str(error))
                except Exception:
                    log.exception("writing %s to deck %s failed", target, serial)
                    self._on_failure(f"lost deck at {self._deck.device.path()}: writing failed")
            if is_urgent:
                self._precedence.end()

    def _wait_for_job(self) -> bool:
        """Wait until there is a value to write. False: end."""
        with self._changed:
            self._writing = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._queued or self._finishing or self._aborted)
            return bool(self._queued)

    def _next_job(self) -> tuple[DisplayTarget, object, bool] | None:
        """Return the next value to write, and whether it is urgent; None: there is none any more."""
        with self._changed:
            if not self._queued:
                return None
            target = _BRIGHTNESS if _BRIGHTNESS in self._queued else self._urgent or next(iter(self._queued))
            value = self._queued.pop(target)
            is_urgent = target == self._urgent
            self._urgent = None if is_urgent else self._urgent
            self._shown[target] = value
            self._writing = True
            return target, value, is_urgent

    def _send(self, target: DisplayTarget, value: Any) -> None:
        part, number = target
        match part:
            case DisplayPart.BRIGHTNESS:
                self._deck.set_brightness(value)
            case DisplayPart.KEY:
                self._deck.set_key_image(number, value)
            case DisplayPart.STRIP:
                picture, width_px = value
                self._deck.set_touchscreen_image(picture, number, 0, width_px, self._strip_size[1])
            case DisplayPart.SCREEN:
                self._deck.set_screen_image(value)
            case DisplayPart.LIGHT:
                self._deck.set_key_color(self._key_count + number, *value)
            case DisplayPart.LOGO:
                self._deck.reset()
        self.images_sent += part in _PICTURES
