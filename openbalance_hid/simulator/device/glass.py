"""The display state of a virtual deck: pictures on keys, strip and screen, colours of touch keys, brightness, logo.

Plain state, changed by complete pictures and by feature reports. Not thread-safe: the deck holds the lock.
"""

from PIL import Image

from openbalance_hid.simulator.device.models import DeckModel
from openbalance_hid.simulator.device.report_decoder import Fault, FaultKind, Picture, PictureTarget

ELSEWHERE = -1  # in place of a key number: a change of brightness, strip or screen, or a reset
POWER_ON_BRIGHTNESS = 100  # percent


class Glass:
    """After power-up: black keys, full brightness, and the logo."""

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
        """Return the RGB image on a key or touch key, upright; black before the first picture. Raises IndexError."""
        model = self._model
        if not 0 <= key < model.keys + model.touch_keys:
            raise IndexError(f"key {key} of {model.keys + model.touch_keys}")
        image = self._keys.get(key)
        return image.copy() if image is not None else Image.new("RGB", self._key_size(key))

    def _key_size(self, key: int) -> tuple[int, int]:
        model = self._model
        return (model.key_width, model.key_height) if key < model.keys else model.touch_key_size

    def strip(self) -> Image.Image | None:
        """Return the RGB image on the touch strip, upright; None: the model has none."""
        return self._strip.copy() if self._strip else None

    def screen(self) -> Image.Image | None:
        """Return the RGB image on the small screen, upright; None: the model has none."""
        return self._screen.copy() if self._screen else None

    def show(self, picture: Picture) -> int:
        """Show a picture; return the key that changed, or ELSEWHERE."""
        self.showing_logo = False
        place = picture.place
        if place.target is PictureTarget.KEY:
            self._keys[place.key] = picture.image
            return place.key
        if place.target is PictureTarget.LCD:
            self._show_everywhere(picture.image)
            return ELSEWHERE
        panel = self._strip if place.target is PictureTarget.STRIP else self._screen
        if panel is not None:
            panel.paste(picture.image, place.box[:2])
        return ELSEWHERE

    def apply(self, report: bytes) -> int | Fault:
        """Apply a feature report; return the key that changed, ELSEWHERE, or the fault."""
        model = self._model
        for command, act in (
            (model.brightness, self._set_brightness),
            (model.reset, self._reset),
            (model.key_fill, self._fill_key),
            (model.panel_fill, self._fill_panel),
        ):
            if command is not None and report.startswith(command.prefix):
                if len(report) not in command.lengths:
                    return Fault(FaultKind.WRONG_LENGTH, f"{len(report)} bytes of feature report {report[:2].hex(' ')}")
                return act(report[len(command.prefix) :])
        return Fault(FaultKind.UNKNOWN_REPORT, f"feature report {report[:3].hex(' ')}" if report else "an empty feature report")

    def _set_brightness(self, rest: bytes) -> int | Fault:
        if rest[0] > 100:
            return Fault(FaultKind.OUT_OF_RANGE, f"brightness {rest[0]} percent")
        self.brightness = rest[0]
        return ELSEWHERE

    def _reset(self, _rest: bytes) -> int:
        self._clear()
        return ELSEWHERE

    def _fill_key(self, rest: bytes) -> int | Fault:
        model, key = self._model, rest[0]
        if key >= model.keys + model.touch_keys:
            last = model.keys + model.touch_keys - 1
            return Fault(FaultKind.OUT_OF_RANGE, f"key {key}, {model.name} has keys 0 to {last}")
        self.showing_logo &= key >= model.keys  # touch keys are lights beside the display
        self._keys[key] = Image.new("RGB", self._key_size(key), (rest[1], rest[2], rest[3]))
        return key

    def _fill_panel(self, rest: bytes) -> int | Fault:
        model, colour = self._model, (rest[1], rest[2], rest[3])
        if rest[0] != 0:
            return Fault(FaultKind.OUT_OF_RANGE, f"panel {rest[0]}, {model.name} has panel 0")
        self.showing_logo = False
        self._keys |= {key: Image.new("RGB", self._key_size(key), colour) for key in range(model.keys)}
        for display in (self._strip, self._screen):
            if display is not None:
                display.paste(colour, (0, 0, *display.size))
        return ELSEWHERE

    def _show_everywhere(self, picture: Image.Image) -> None:
        """Show a picture of the whole display: cut out every key, and the strip or screen at its lower edge."""
        for key in range(self._model.keys):
            self._keys[key] = picture.crop(self._model.key_box(key))
        for display in (self._strip, self._screen):
            if display is not None:
                left, top = (picture.width - display.width) // 2, picture.height - display.height
                display.paste(picture.crop((left, top, left + display.width, top + display.height)))
