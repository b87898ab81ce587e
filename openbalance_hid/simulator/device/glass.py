"""What is to be seen on a virtual deck: pictures on keys, strip and screen, colours of touch keys, brightness, logo.

Plain state, changed by whole pictures and by feature reports that order something. No thread: the deck holds the lock.
"""

from PIL import Image

from openbalance_hid.simulator.device.models import DeckModel
from openbalance_hid.simulator.device.report_decoder import Fault, Picture, ReportKind, Target

ELSEWHERE = -1  # stands for a change that is not on a key: brightness, reset, strip, screen
POWER_ON_BRIGHTNESS = 100  # percent


class Glass:
    """Black, bright and showing the logo, as after power-up."""

    def __init__(self, model: DeckModel) -> None:
        self._model = model
        self.brightness = POWER_ON_BRIGHTNESS
        self._clear()

    def _clear(self) -> None:
        self.showing_logo = True  # until the first picture
        self._keys: dict[int, Image.Image] = {}
        panels = (self._model.strip, self._model.screen)
        self._strip, self._screen = (Image.new("RGB", (panel.width, panel.height)) if panel else None for panel in panels)

    def key(self, key: int) -> Image.Image:
        """RGB image on a key or touch key, upright; black where nothing was drawn. Raises IndexError."""
        model = self._model
        if not 0 <= key < model.keys + model.touch_keys:
            raise IndexError(f"key {key} of {model.keys + model.touch_keys}")
        image = self._keys.get(key)
        size = (model.key_width, model.key_height) if key < model.keys else model.touch_key_size
        return image.copy() if image is not None else Image.new("RGB", size)

    def strip(self) -> Image.Image | None:
        """RGB image on the touch strip, upright; None: there is none."""
        return self._strip.copy() if self._strip else None

    def screen(self) -> Image.Image | None:
        """RGB image on the small screen, upright; None: there is none."""
        return self._screen.copy() if self._screen else None

    def land(self, picture: Picture) -> int:
        """Shows it; the key that changed, or ELSEWHERE."""
        self.showing_logo = False
        place = picture.place
        if place.target is Target.KEY:
            self._keys[place.key] = picture.image
            return place.key
        panel = self._strip if place.target is Target.STRIP else self._screen
        if panel is not None:
            panel.paste(picture.image, place.box[:2])
        return ELSEWHERE

    def obey(self, report: bytes) -> int | Fault:
        """Carries out a feature report; the key that changed, ELSEWHERE, or the fault that it is."""
        model = self._model
        for order, act in (
            (model.brightness, self._set_brightness),
            (model.reset, self._reset),
            (model.touch_key_colour, self._set_colour),
        ):
            if order is not None and report.startswith(order.prefix):
                if len(report) not in order.lengths:
                    return Fault(ReportKind.WRONG_LENGTH, f"feature report of {len(report)} bytes, takes {order.lengths}")
                return act(report[len(order.prefix) :])
        return Fault(ReportKind.UNKNOWN_REPORT, f"feature report {report[:3].hex()}")

    def _set_brightness(self, rest: bytes) -> int | Fault:
        if rest[0] > 100:
            return Fault(ReportKind.OUT_OF_RANGE, f"brightness {rest[0]} percent")
        self.brightness = rest[0]
        return ELSEWHERE

    def _reset(self, _rest: bytes) -> int:
        self._clear()
        return ELSEWHERE

    def _set_colour(self, rest: bytes) -> int | Fault:
        key, colour = rest[0], (rest[1], rest[2], rest[3])
        if not self._model.keys <= key < self._model.keys + self._model.touch_keys:
            return Fault(ReportKind.OUT_OF_RANGE, f"touch key {key}")
        self._keys[key] = Image.new("RGB", self._model.touch_key_size, colour)
        return key
