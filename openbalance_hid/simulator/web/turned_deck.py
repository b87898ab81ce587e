"""A virtual deck as its user sees it when it is turned: pictures, numbers and touches. For the page."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from openbalance_hid.orientation import Orientation
from openbalance_hid.simulator.device.models import DeckModel
from openbalance_hid.simulator.device.report_decoder import Fault
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck

if TYPE_CHECKING:
    from PIL import Image


class TurnedDeck:
    """A deck, turned clockwise by `degrees`: 0, 90, 180 or 270; one with parts below its keys by 0 or 180 only."""

    def __init__(self, deck: VirtualDeck, degrees: int) -> None:
        built = deck.model
        self.orientation = Orientation(degrees, built.cols, built.rows)
        cols, rows = self.orientation.seen_grid
        width, height = self.orientation.seen_size(built.key_width, built.key_height)
        self.model: DeckModel = replace(built, cols=cols, rows=rows, key_width=width, key_height=height)
        self._deck = deck

    @property
    def serial(self) -> str:
        """Return the serial number."""
        return self._deck.serial

    @property
    def brightness(self) -> int:
        """Return the brightness in percent."""
        return self._deck.brightness

    @property
    def is_upside_down(self) -> bool:
        """Return whether the parts below the keys are seen above them."""
        return self.orientation.is_half_turn

    @property
    def faults(self) -> Sequence[Fault]:
        """Return the newest invalid reports of the host."""
        return self._deck.faults

    @property
    def fault_count(self) -> int:
        """Return the number of all invalid reports of the host."""
        return self._deck.fault_count

    def press(self, key: int) -> None:
        """Press a key or touch key."""
        self._deck.press(self._built(key))

    def release(self, key: int) -> None:
        """Release a key or touch key."""
        self._deck.release(self._built(key))

    def turn(self, dial: int, steps: int) -> None:
        """Turn a dial."""
        self._deck.turn(self.orientation.along(dial, self.model.dials), steps)

    def push(self, dial: int, down: bool) -> None:
        """Press or release a dial."""
        self._deck.push(self.orientation.along(dial, self.model.dials), down)

    def touch(self, x: int, y: int, long: bool = False) -> None:
        """Tap the strip, or touch it for long."""
        self._deck.touch(*self._point(x, y), long)

    def drag(self, x: int, y: int, x_out: int, y_out: int) -> None:
        """Drag over the strip."""
        self._deck.drag(*self._point(x, y), *self._point(x_out, y_out))

    def glass(self, key: int) -> Image.Image:
        """Return the image on a key, upright for the user."""
        return self._seen(self._deck.glass(self._built(key)))

    def glass_png(self, key: int) -> bytes:
        """Return the image on a key as a PNG file, upright for the user."""
        with io.BytesIO() as file:
            self.glass(key).save(file, "PNG")
            return file.getvalue()

    def strip(self) -> Image.Image | None:
        """Return the image on the touch strip, upright for the user; None: the model has none."""
        image = self._deck.strip()
        return self._seen(image) if image is not None else None

    def screen(self) -> Image.Image | None:
        """Return the image on the small screen, upright for the user; None: the model has none."""
        image = self._deck.screen()
        return self._seen(image) if image is not None else None

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback` with what changes, as `VirtualDeck.subscribe` does, with the numbers that the user sees."""
        return self._deck.subscribe(lambda key: callback(self._seen_key(key) if key >= 0 else key))

    def _built(self, key: int) -> int:
        beside = key - self.model.keys
        if beside < 0:
            return self.orientation.built_key(key)
        return self.model.keys + self.orientation.along(beside, self.model.touch_keys)

    def _seen_key(self, key: int) -> int:
        return self.orientation.seen_key(key) if key < self.model.keys else self._built(key)

    def _point(self, x: int, y: int) -> tuple[int, int]:
        strip = self.model.strip
        return (self.orientation.along(x, strip.width), self.orientation.along(y, strip.height)) if strip else (x, y)

    def _seen(self, image: Image.Image) -> Image.Image:
        return image.rotate(-self.orientation.degrees, expand=True) if self.orientation.degrees else image
