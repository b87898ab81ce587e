"""The decks of the house: opened when they are found, mourned once when they are lost, opened again when they are back.

Opening happens on the scan's thread, pictures go to each deck's own writer: no deck waits for another, and the main thread
waits for none. A deck that cannot be opened is said once, and tried again quietly every few seconds.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable

from openbalance_hid.daemon import touches
from openbalance_hid.daemon.events import Brighten, DeckLeft, DeckReady, Event, Glow, Paint, PaintCell, PaintScreen
from openbalance_hid.daemon.painter import Painter
from openbalance_hid.daemon.status import DeckCounts
from openbalance_hid.daemon.touches import CELL_PX
from openbalance_hid.deck.events import DeckArrived, DeckFound, DeckLost, HotplugEvent, SurfaceEvent
from openbalance_hid.deck.hotplug import SCAN_INTERVAL_S, ChangeSource, Hotplug
from openbalance_hid.deck.products import FoundDeck
from openbalance_hid.deck.surface import CLOSE_LIMIT_S, Leave, Surface
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.errors import DeckError
from openbalance_hid.render.encode import PictureFormat, black
from openbalance_hid.render.theme import DARK, Rgb
from openbalance_hid.tiles.view import KeyFace

log = logging.getLogger(__name__)

BLACK: Rgb = (0, 0, 0)


class Decks:
    """All decks of one transport. `emit` puts an event into the main queue; `changes` announces changes on its bus.

    `after_first_look` is called once, on the scan's thread, when every deck that was there at the start has been emitted.
    """

    def __init__(
        self,
        transport: HidTransport,
        emit: Callable[[Event], None],
        scan_interval_s: float = SCAN_INTERVAL_S,
        changes: ChangeSource | None = None,
        after_first_look: Callable[[], None] = lambda: None,
    ) -> None:
        self._emit = emit
        self._after_first_look = after_first_look
        self._hotplug = Hotplug(transport, self._on_hotplug, scan_interval_s, self._first_look_ended, changes)
        self._lock = threading.Lock()  # of everything below
        self._surfaces: dict[str, Surface] = {}  # by path
        self._troubles: dict[str, tuple[FoundDeck, str]] = {}  # by path: found, but not to be opened
        self._arrivals: Counter[str] = Counter()  # by serial
        self._brightness: dict[str, int] = {}

    def start(self) -> None:
        """Look for decks from now on."""
        self._hotplug.start()

    def stop(self, leave: Leave) -> None:
        """Leave every glass as the owner wants it, all at the same time; may be called twice."""
        self._hotplug.stop()
        with self._lock:
            surfaces = list(self._surfaces.values())
            self._surfaces.clear()
        closing = [threading.Thread(target=_close, args=(surface, leave), name="deck-close") for surface in surfaces]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(CLOSE_LIMIT_S + 1.0)
        for surface in surfaces:
            surface.wait_released(1.5)  # hidapi must not end under a handle that is open

    def carry_out(self, effect: Paint | PaintCell | PaintScreen | Glow | Brighten, painter: Painter) -> None:
        """Do it, if the deck is one of these and has not gone meanwhile."""
        match effect:
            case Paint(serial, key, face):
                self.show(serial, key, face, painter)
            case PaintCell(serial, cell, face):
                self.show_cell(serial, cell, face, painter)
            case PaintScreen(serial, face):
                self.show_screen(serial, face, painter)
            case Glow(serial, touch_key, tone):
                self.glow(serial, touch_key, DARK.colour(tone) if tone is not None else BLACK)
            case Brighten(serial, percent):
                self.brighten(serial, percent)

    def show(self, serial: str, key: int, face: KeyFace, painter: Painter) -> None:
        """Put a face on a key; nothing happens when the deck has gone meanwhile."""
        surface = self._by_serial(serial)
        if surface is not None and surface.is_visual:
            surface.show(key, painter.picture(face, surface.picture_format))

    def show_cell(self, serial: str, cell: int, face: KeyFace, painter: Painter) -> None:
        """Put a face on a cell of a deck's touch strip."""
        surface = self._by_serial(serial)
        if surface is not None:
            cell_format = {**surface.strip_format, "size": (CELL_PX, surface.strip_format["size"][1])}
            surface.show_strip(painter.picture(face, cell_format), cell * CELL_PX, CELL_PX)

    def show_screen(self, serial: str, face: KeyFace, painter: Painter) -> None:
        """Put a face on a deck's small screen."""
        surface = self._by_serial(serial)
        if surface is not None:
            surface.show_screen(painter.picture(face, surface.screen_format))

    def glow(self, serial: str, touch_key: int, colour: Rgb) -> None:
        """Give a touch key a colour."""
        surface = self._by_serial(serial)
        if surface is not None:
            surface.light(touch_key, colour)

    def brighten(self, serial: str, percent: int) -> None:
        """Set a deck's brightness."""
        surface = self._by_serial(serial)
        if surface is not None:
            self._brightness[serial] = surface.set_brightness(percent)

    def counts(self) -> tuple[DeckCounts, ...]:
        """Every deck that is there, with its counts or with what is in the way."""
        with self._lock:
            surfaces, troubles = list(self._surfaces.values()), list(self._troubles.values())
        return (
            *(
                DeckCounts(
                    serial=surface.serial,
                    model=surface.model,
                    path=surface.path,
                    connected=not surface.is_lost,
                    brightness=self._brightness.get(surface.serial),
                    images_sent=surface.images_sent,
                    images_skipped=surface.images_skipped,
                    reports_sent=surface.reports_sent,
                    reconnects=max(0, self._arrivals[surface.serial] - 1),
                )
                for surface in surfaces
            ),
            *(DeckCounts(found.serial, found.model, found.path, connected=False, trouble=why) for found, why in troubles),
        )

    # --- on the scan's thread ---

    def _first_look_ended(self) -> None:
        if not self.counts():
            log.info("no Stream Deck is plugged in; waiting for one")
        self._after_first_look()

    def _on_hotplug(self, event: HotplugEvent) -> None:
        if isinstance(event, DeckFound):
            self._open(event.found)
            return
        with self._lock:
            surface = self._surfaces.pop(event.path, None)
            self._troubles.pop(event.path, None)
        if surface is not None:
            surface.close("keep")

    def _open(self, found: FoundDeck) -> None:
        with self._lock:
            before = self._surfaces.pop(found.path, None)
        if before is not None:
            before.close("keep")
        surface = Surface(found, lambda event: self._on_surface(surface, event))
        try:
            surface.open()
        except DeckError as error:
            with self._lock:
                known = self._troubles.get(found.path)
                self._troubles[found.path] = (found, error.message)
            if known is None or known[1] != error.message:
                log.warning("%s%s", error.message, f" – try: {error.hint}" if error.hint else "")
            self._hotplug.forget(found.path)  # so that the next scan offers it again

    # --- on any thread of a surface ---

    def _on_surface(self, surface: Surface, event: SurfaceEvent) -> None:
        match event:
            case DeckArrived():
                self._arrived(surface, event)
            case DeckLost():
                self._lost(surface, event)
            case _:
                finger = touches.told(event)
                if finger is not None:
                    self._emit(finger)

    def _arrived(self, surface: Surface, event: DeckArrived) -> None:
        with self._lock:
            self._surfaces[event.path] = surface
            self._troubles.pop(event.path, None)
            self._arrivals[event.serial] += 1
            again = self._arrivals[event.serial] > 1
        log.info("%s %s is %s", event.title, event.serial, "back" if again else "here")
        self._emit(
            DeckReady(
                event.serial,
                event.model,
                surface.key_count,
                surface.is_visual,
                surface.dial_count,
                surface.strip_format["size"][0] // CELL_PX,
                surface.touch_key_count,
                screen=surface.screen_format["size"][0] > 0,
            )
        )

    def _lost(self, surface: Surface, event: DeckLost) -> None:
        log.warning("%s", event.reason)
        self._emit(DeckLeft(event.serial))
        with self._lock:
            if self._surfaces.get(surface.path) is surface:
                del self._surfaces[surface.path]
        # on a thread of its own: this one may be the surface's writer, which closing waits for
        threading.Thread(target=surface.close, args=("keep",), name="deck-close", daemon=True).start()
        self._hotplug.forget(surface.path)

    def _by_serial(self, serial: str) -> Surface | None:
        with self._lock:
            return next((surface for surface in self._surfaces.values() if surface.serial == serial), None)


def _close(surface: Surface, leave: Leave) -> None:
    """Also the parts beside the keys go dark."""
    if leave != "black" or not surface.is_visual:
        surface.close(leave)
        return
    parts = (surface.picture_format, surface.strip_format, surface.screen_format)
    surface.close(leave, *(black(PictureFormat.of(part)) if part["size"][0] else b"" for part in parts))
