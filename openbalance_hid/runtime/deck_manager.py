"""The decks of the house: opened when they are found, mourned once when they are lost, opened again when they are back.

A handle is opened on the scan's thread, what is then said to a deck is said on a thread of its own, and pictures go to its own
writer: no deck waits for another, and the main thread waits for none. A deck that cannot be opened is said once, and tried
again quietly every few seconds.

The house knows a deck by its serial number; of several that say the same one, all but the first by "2:" and the number, and so
on, which the entry for that number still fits. What the house hears is put into its queue under one lock, so that nothing of a
deck that has left comes after its leaving.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count

from msgspec.structs import replace

from openbalance_hid.app.events import Event
from openbalance_hid.deck.device import CLOSE_LIMIT_S, DeckDevice
from openbalance_hid.deck.device_events import CELL_PX, DeckArrived, DeckFound, DeckLost, HotplugEvent, SurfaceEvent
from openbalance_hid.deck.display_writer import OnExit
from openbalance_hid.deck.hotplug import SCAN_INTERVAL_S, ChangeSource, Hotplug
from openbalance_hid.deck.products import FoundDeck
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.errors import DeckError
from openbalance_hid.ipc.status import DeckCounts
from openbalance_hid.render.encode import PictureFormat, black
from openbalance_hid.render.theme import Rgb
from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.tiles.view import KeyFace

log = logging.getLogger(__name__)

GREET_LIMIT_S = 2.0  # a healthy deck says who it is within hundredths of a second; one that hangs holds up no start
STOP_LIMIT_S = 2.0  # for all of it: a read that is under way ends within 1.4 s, a report that hangs perhaps never


class DeckManager:
    """All decks of one transport. `emit` puts an event into the main queue; `changes` announces changes on its bus.

    `after_first_look` is called once, on the scan's thread, when every deck that was there at the start has been emitted.
    `clock` tells when a finger moved.
    """

    def __init__(
        self,
        transport: HidTransport,
        emit: Callable[[Event], None],
        scan_interval_s: float = SCAN_INTERVAL_S,
        changes: ChangeSource | None = None,
        after_first_look: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._emit = emit
        self._after_first_look = after_first_look
        self._hotplug = Hotplug(transport, self._on_hotplug, scan_interval_s, self._first_look_ended, changes)
        self._clock = clock
        self._lock = threading.Lock()  # of everything below; a surface's own lock is never asked for under it
        self._here: dict[str, DeckDevice] = {}  # by the house's name: those that are open
        self._opening: dict[str, tuple[FoundDeck, threading.Thread]] = {}  # by path
        self._leaving: list[DeckDevice] = []  # closed, but their handle may be in use
        self._troubles: dict[str, tuple[FoundDeck, str, str]] = {}  # by path: found, not to be opened, why, and what to type
        self._arrivals: Counter[str] = Counter()  # by name
        self._brightness: dict[str, int] = {}
        self._stopping = False

    def start(self) -> None:
        """Look for decks from now on."""
        self._hotplug.start()

    def look(self) -> None:
        """Look for decks once, on the caller's thread, where nobody has called `start`."""
        self._hotplug.scan_and_emit()

    def next_look_s(self) -> float:
        """Seconds from the last look to the next."""
        return self._hotplug.pause_s()

    def stop(self, leave: OnExit) -> None:
        """OnExit every glass as the owner wants it, all at the same time; may be called twice."""
        end_s = time.monotonic() + STOP_LIMIT_S
        with self._lock:
            self._stopping = True
        self._hotplug.stop()
        with self._lock:
            surfaces, opening = list(self._here.values()), [thread for _, thread in self._opening.values()]
            self._here.clear()
        closing = [threading.Thread(target=_close, args=(surface, leave), name="deck-close") for surface in surfaces]
        for thread in closing:
            thread.start()
        _join([*closing, *opening], CLOSE_LIMIT_S)
        with self._lock:
            surfaces += self._leaving
        for surface in surfaces:
            surface.wait_released(max(0.0, end_s - time.monotonic()))  # hidapi must not end under a handle that is open

    def show(self, serial: str, key: int, face: KeyFace, pictures: PictureCache) -> None:
        """Put a face on a key; nothing happens when the deck has gone meanwhile."""
        surface = self._by_serial(serial)
        if surface is not None and surface.is_visual:
            surface.show(key, pictures.picture(face, surface.picture_format))

    def show_cell(self, serial: str, cell: int, face: KeyFace, pictures: PictureCache) -> None:
        """Put a face on a cell of a deck's touch strip."""
        surface = self._by_serial(serial)
        if surface is not None:
            cell_format = {**surface.strip_format, "size": (CELL_PX, surface.strip_format["size"][1])}
            surface.show_strip(pictures.picture(face, cell_format), cell * CELL_PX, CELL_PX)

    def show_screen(self, serial: str, face: KeyFace, pictures: PictureCache) -> None:
        """Put a face on a deck's small screen."""
        surface = self._by_serial(serial)
        if surface is not None:
            surface.show_screen(pictures.picture(face, surface.screen_format))

    def light_touch_key(self, serial: str, touch_key: int, colour: Rgb) -> None:
        """Give a touch key a colour."""
        surface = self._by_serial(serial)
        if surface is not None:
            surface.light(touch_key, colour)

    def set_brightness(self, serial: str, percent: int) -> None:
        """Set a deck's brightness."""
        surface = self._by_serial(serial)
        if surface is not None:
            self._brightness[serial] = surface.set_brightness(percent)

    def paint_again(self) -> None:
        """Send every deck once more what is on it; one whose handle is dead is noticed by that."""
        with self._lock:
            here = list(self._here.values())
        for surface in here:
            surface.repaint()

    def counts(self) -> tuple[DeckCounts, ...]:
        """Every deck that is there, with its counts or with what is in the way."""
        with self._lock:
            here, troubles = dict(self._here), dict(self._troubles)
            silent = {path: (found, "it has not answered yet", "") for path, (found, _) in self._opening.items()}
        for surface in here.values():
            silent.pop(surface.path, None)
        return (
            *(
                DeckCounts(
                    serial=name,
                    model=surface.model,
                    path=surface.path,
                    connected=not surface.is_lost,
                    brightness=self._brightness.get(name),
                    images_sent=surface.images_sent,
                    images_skipped=surface.images_skipped,
                    reports_sent=surface.reports_sent,
                    reconnects=max(0, self._arrivals[name] - 1),
                )
                for name, surface in here.items()
            ),
            *(
                DeckCounts(found.serial, found.model, found.path, connected=False, trouble=why, hint=hint)
                for found, why, hint in {**silent, **troubles}.values()
            ),
        )

    def devices(self) -> dict[str, DeckDevice]:
        """Return the open decks by name."""
        with self._lock:
            return dict(self._here)

    def opening_paths(self) -> tuple[str, ...]:
        """Return the paths of the decks that are being opened."""
        with self._lock:
            return tuple(self._opening)

    def closing_devices(self) -> tuple[DeckDevice, ...]:
        """Return the lost decks whose handle may still be in use."""
        with self._lock:
            return tuple(self._leaving)

    # --- on the scan's thread -------------------------------------------------------------------------------------------

    def _first_look_ended(self) -> None:
        with self._lock:
            opening = [thread for _, thread in self._opening.values()]
        _join(opening, GREET_LIMIT_S)
        if not self.counts():
            log.info("no Stream Deck is plugged in; waiting for one")
        self._after_first_look()

    def _on_hotplug(self, event: HotplugEvent) -> None:
        if isinstance(event, DeckFound):
            self._open(event.found)
            return
        with self._lock:
            self._troubles.pop(event.path, None)
        self._end(event.path, "unplugged")

    def _end(self, path: str, why: str) -> None:
        """Whatever is open at `path` is lost, also if nobody has noticed yet."""
        with self._lock:
            surfaces = [surface for surface in self._here.values() if surface.path == path]
        for surface in surfaces:
            surface.lose(f"lost deck at {path}: {why}")

    def _open(self, found: FoundDeck) -> None:
        self._end(found.path, "another one is there")
        with self._lock:
            self._leaving = [surface for surface in self._leaving if not surface.wait_released(0)]
            hung = found.path in self._opening or any(each.path == found.path and each.is_writing for each in self._leaving)
        if hung:  # one thread waits for it already; a second one would not come further
            self._hotplug.forget(found.path)
            return
        try:
            found.deck.device.open()
        except DeckError as error:
            self._cannot(found, error.message, error.hint)
            return
        thread = threading.Thread(target=self._greet, args=(found,), name=f"deck-open-{found.path}", daemon=True)
        with self._lock:
            self._opening[found.path] = (found, thread)
        try:
            thread.start()
        except RuntimeError as error:  # no room for one more
            found.deck.device.close()
            self._greeted(found)
            self._cannot(found, f"cannot open deck at {found.path}: {error}", "")

    def _cannot(self, found: FoundDeck, what: str, hint: str) -> None:
        with self._lock:
            known = self._troubles.get(found.path)
            self._troubles[found.path] = (found, what, hint)
        if known is None or known[1] != what:
            log.warning("%s%s", what, f" – try: {hint}" if hint else "")
        self._hotplug.forget(found.path)  # so that the next scan offers it again

    # --- on the thread that opens one deck ------------------------------------------------------------------------------

    def _greet(self, found: FoundDeck) -> None:
        surface = DeckDevice(found, lambda event: self._on_surface(surface, event), self._clock)
        try:
            surface.open()
        except DeckError as error:
            self._cannot(found, error.message, error.hint)
        except Exception as error:  # one turn of a thread
            self._cannot(found, f"cannot open deck at {found.path}: {type(error).__name__}: {error}", "")
            log.debug("opening failed", exc_info=True)
        else:
            with self._lock:
                unwanted = self._stopping and surface not in self._here.values()
            if unwanted:
                _close(surface, "logo")
        finally:
            self._greeted(found)

    def _greeted(self, found: FoundDeck) -> None:
        with self._lock:
            self._opening.pop(found.path, None)

    # --- on any thread of a surface -------------------------------------------------------------------------------------

    def _on_surface(self, surface: DeckDevice, event: SurfaceEvent) -> None:
        match event:
            case DeckArrived():
                self._arrived(surface, event)
            case DeckLost():
                self._lost(surface, event)
            case _:
                with self._lock:
                    name = self._name(surface)
                    if name is not None:
                        self._emit(replace(event, serial=name))

    def _arrived(self, surface: DeckDevice, event: DeckArrived) -> None:
        with self._lock:
            self._troubles.pop(event.path, None)
            if self._stopping:
                return
            name = next(name for name in _names(event.serial) if name not in self._here)
            self._here[name] = surface
            self._arrivals[name] += 1
            again = self._arrivals[name] > 1
            self._emit(replace(event, serial=name))
        log.info("%s %s is %s", event.title, name, "back" if again else "here")

    def _lost(self, surface: DeckDevice, event: DeckLost) -> None:
        log.warning("%s", event.reason)
        with self._lock:
            name = self._name(surface)
            if name is not None:
                del self._here[name]
                self._emit(replace(event, serial=name))
            self._leaving.append(surface)
        surface.close("keep")
        self._hotplug.forget(surface.path)

    def _name(self, surface: DeckDevice) -> str | None:
        """What the house calls it, None: it does not know it. To be called with the lock held."""
        return next((name for name, each in self._here.items() if each is surface), None)

    def _by_serial(self, serial: str) -> DeckDevice | None:
        with self._lock:
            return self._here.get(serial)


def _names(serial: str) -> Iterable[str]:
    """By which the house may know a deck, the best one first."""
    yield serial
    yield from (f"{number}:{serial}" for number in count(2))


def _join(threads: Iterable[threading.Thread], limit_s: float) -> None:
    """All of them, within one time."""
    end_s = time.monotonic() + limit_s
    for thread in threads:
        thread.join(max(0.0, end_s - time.monotonic()))


def _close(surface: DeckDevice, leave: OnExit) -> None:
    """Also the parts beside the keys go dark."""
    if leave != "black" or not surface.is_visual:
        surface.close(leave)
        return
    parts = (surface.picture_format, surface.strip_format, surface.screen_format)
    surface.close(leave, *(black(PictureFormat.of(part)) if part["size"][0] else b"" for part in parts))
