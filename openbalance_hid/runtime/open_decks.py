"""The open decks by name, and what is shown on them. Opening and closing is in `deck_manager`."""

import threading

from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.device_events import CELL_PX
from openbalance_hid.render.theme import Rgb
from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.tiles.view import Flash, KeyFace


class OpenDecks:
    """Shows effects on a deck that is open; without effect when it is not connected, or has no such part.

    Another model can be open under the name already, when the effects of a step before its arrival are carried out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of everything below; a device's own lock is never acquired while this is held
        self._open_decks: dict[str, DeckDevice] = {}  # by name
        self._brightness: dict[str, int] = {}

    def devices(self) -> dict[str, DeckDevice]:
        """Return the open decks by name."""
        with self._lock:
            return dict(self._open_decks)

    def show(self, serial: str, key: int, face: KeyFace, pictures: PictureCache) -> None:
        """Show a face on a key."""
        device = self._by_serial(serial)
        if device is not None and device.is_visual and key < device.key_count:
            answers_input = face.pressed or face.flash is not Flash.NONE
            device.show(key, pictures.picture(face, device.picture_format), answers_input)

    def show_cell(self, serial: str, cell: int, face: KeyFace, pictures: PictureCache) -> None:
        """Show a face on a cell of a deck's touch strip."""
        device = self._by_serial(serial)
        if device is not None and cell * CELL_PX < device.strip_format["size"][0]:
            cell_format = {**device.strip_format, "size": (CELL_PX, device.strip_format["size"][1])}
            device.show_strip(pictures.picture(face, cell_format), cell * CELL_PX, CELL_PX)

    def show_screen(self, serial: str, face: KeyFace, pictures: PictureCache) -> None:
        """Show a face on a deck's small screen."""
        device = self._by_serial(serial)
        if device is not None and device.screen_format["size"][0]:
            device.show_screen(pictures.picture(face, device.screen_format))

    def light_touch_key(self, serial: str, touch_key: int, colour: Rgb) -> None:
        """Light a touch key in a colour."""
        device = self._by_serial(serial)
        if device is not None and touch_key < device.touch_key_count:
            device.light(touch_key, colour)

    def set_brightness(self, serial: str, percent: int) -> None:
        """Set a deck's brightness, in percent."""
        device = self._by_serial(serial)
        if device is not None:
            self._brightness[serial] = device.set_brightness(percent)

    def set_rotation(self, serial: str, degrees: int) -> None:
        """Number keys and turn pictures for a deck that is turned clockwise by `degrees`."""
        device = self._by_serial(serial)
        if device is not None:
            device.set_rotation(degrees)

    def repaint(self, serial: str) -> None:
        """Send a deck its brightness and everything that it shows once more."""
        device = self._by_serial(serial)
        if device is not None:
            device.repaint()

    def repaint_next(self, serial: str) -> None:
        """Send a deck its brightness and the next part of what it shows once more."""
        device = self._by_serial(serial)
        if device is not None:
            device.repaint_next()

    def repaint_all(self) -> None:
        """Send every deck again what it shows. A deck with a dead handle is lost by that."""
        with self._lock:
            open_decks = list(self._open_decks.values())
        for device in open_decks:
            device.repaint()

    def _by_serial(self, serial: str) -> DeckDevice | None:
        with self._lock:
            return self._open_decks.get(serial)
