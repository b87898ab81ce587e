"""Opens the decks that the scan finds, reports their events, and opens a lost deck again when it is back.

A handle is opened on the scan's thread, the first reports are exchanged on a thread of the deck, and pictures are sent by the
deck's writer: no deck waits for another, and the main thread waits for none. A deck that cannot be opened is logged once, and
tried again every few seconds.

The name of a deck is its serial number. Of several with the same number, the second is "2:" and the number, and so on; the
configuration of that number applies to them all. Events are put into the main queue under one lock, so that none of a lost deck
comes after its DeckLost.
"""

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from msgspec.structs import replace

from openbalance_hid.app.events import Event
from openbalance_hid.config.serial_numbers import is_same_serial
from openbalance_hid.deck.device import DeckDevice
from openbalance_hid.deck.device_events import DeckArrived, DeckFound, DeckLost, HotplugEvent, SurfaceEvent
from openbalance_hid.deck.display_writer import OnExit
from openbalance_hid.deck.hotplug import SCAN_INTERVAL_S, ChangeSource, Hotplug, WakeDetector
from openbalance_hid.deck.input_precedence import InputPrecedence
from openbalance_hid.deck.products import FoundDeck
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.deck.usb_sysfs import UsbDevice
from openbalance_hid.errors import DeckError
from openbalance_hid.ipc.status import DeckCounts, claimed_counts, closed_counts, open_counts
from openbalance_hid.render.encode import PictureFormat, black
from openbalance_hid.runtime.deck_use import DeckUse
from openbalance_hid.runtime.open_decks import OpenDecks

log = logging.getLogger(__name__)

HANDSHAKE_LIMIT_S = 2.0  # a healthy deck answers within hundredths of a second; a hanging one must not delay the start
STOP_LIMIT_S = 2.0 if sys.platform == "darwin" else 0.6  # for all decks; a hanging report ends perhaps never


class DeckManager(OpenDecks):
    """All decks of one transport. `emit` puts an event into the main queue; `changes` announces changes on its bus.

    `after_first_scan` is called once, on the scan's thread, when every deck that was connected at the start was emitted.
    `clock` gives input events their time. `uses` returns whether the configuration lets a deck be opened. `claimed` lists the
    decks that another program has claimed through libusb. `on_wake` is called on the scan's thread after a sleep.
    """

    def __init__(
        self,
        transport: HidTransport,
        emit: Callable[[Event], None],
        scan_interval_s: float = SCAN_INTERVAL_S,
        changes: ChangeSource | None = None,
        after_first_scan: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        claimed: Callable[[], Sequence[UsbDevice]] = tuple,
        uses: Callable[[str], bool] = lambda _: True,
        on_wake: Callable[[], None] = lambda: None,
        wake: WakeDetector | None = None,
    ) -> None:
        super().__init__()
        self._emit = emit
        self._claimed = claimed
        self._use = DeckUse(uses)
        self._after_first_scan = after_first_scan
        self._hotplug = Hotplug(transport, self._on_hotplug, scan_interval_s, self._on_first_scan, changes, on_wake, wake)
        self._clock = clock
        self._precedence = InputPrecedence()
        self._opening: dict[str, tuple[FoundDeck, threading.Thread]] = {}  # by path
        self._closing: list[DeckDevice] = []  # closed, but the handle may still be in use
        self._troubles: dict[str, tuple[FoundDeck, str, str]] = {}  # by path: why not open, and the hint
        self._unused: dict[str, DeckCounts] = {}  # by path: decks that are left to other software
        self._arrivals: Counter[str] = Counter()  # by name
        self._stopping = False

    def start(self) -> None:
        """Scan for decks from now on."""
        self._hotplug.start()

    def revive(self) -> None:
        """Start the scanning thread again if it has ended."""
        self._hotplug.revive()

    def look(self) -> None:
        """Scan for decks once, on the caller's thread; only without `start`."""
        self._hotplug.scan_and_emit()

    def next_look_s(self) -> float:
        """Return the seconds from the last scan to the next."""
        return self._hotplug.pause_s()

    def stop(self, on_exit: OnExit) -> None:
        """Close all decks at the same time, with their displays as `on_exit` says, within one time limit. Idempotent."""
        end_s = time.monotonic() + STOP_LIMIT_S
        with self._lock:
            self._stopping = True
            decks, opening = list(self._open_decks.values()), [thread for _, thread in self._opening.values()]
            self._open_decks.clear()
        closing = []
        for device in decks:
            thread = threading.Thread(target=_close, args=(device, on_exit), name=f"deck-close-{device.serial}", daemon=True)
            try:
                thread.start()
                closing.append(thread)
            except RuntimeError:  # the system's limit of threads
                _close(device, on_exit)
        self._hotplug.stop(STOP_LIMIT_S / 3)  # a scan that hangs must not keep the decks lit
        _join([*closing, *opening], max(0.0, end_s - time.monotonic()))
        with self._lock:
            decks += self._closing
        for device in decks:  # hidapi must not be unloaded while a handle is open
            if not device.wait_released(max(0.0, end_s - time.monotonic())):
                log.warning("%s %s does not answer, and is left as it is", device.title, device.serial)

    def adopt_use(self, uses: Callable[[str], bool], on_exit: OnExit) -> None:
        """Use another configuration: close the decks that it leaves to other software, and open those that it takes back."""
        self._use.adopt(uses)
        self._apply_use(on_exit)

    def release(self, serial: str | None, on_exit: OnExit) -> list[str]:
        """Hand an open deck over to other software, or all of them, and return their names."""
        with self._lock:
            chosen = {
                name: device
                for name, device in self._open_decks.items()
                if serial is None or is_same_serial(device.serial, serial)
            }
        for device in chosen.values():
            self._use.release(device.serial)
        self._apply_use(on_exit)
        return list(chosen)

    def take(self, serial: str | None, on_exit: OnExit) -> list[str]:
        """Take released decks back, and return their serial numbers."""
        taken = self._use.take(serial)
        self._apply_use(on_exit)
        return taken

    def released(self) -> list[str]:
        """Return the serial numbers of the decks that are handed over."""
        return self._use.released

    def _apply_use(self, on_exit: OnExit) -> None:
        with self._lock:
            leaving = {name: device for name, device in self._open_decks.items() if self._use.refusal(device.serial)}
            for name, device in leaving.items():
                del self._open_decks[name]
                self._leave(device)
                self._closing.append(device)
                self._emit(DeckLost(name, f"deck at {device.path} is left to other software"))
            wanted = [path for path, deck in self._unused.items() if not self._use.refusal(deck.serial)]
            for path in wanted:
                del self._unused[path]
        for name, device in leaving.items():
            log.info("%s %s is left to other software", device.title, name)
            try:
                threading.Thread(target=_close, args=(device, on_exit), name="deck-close", daemon=True).start()
            except RuntimeError:  # no resources for another thread
                _close(device, on_exit)
        for path in wanted:
            self._hotplug.forget(path)

    def _leave(self, deck: FoundDeck | DeckDevice) -> bool:
        """Return whether a deck is left to other software, and note it for the status. Call it with the lock held."""
        refusal = self._use.refusal(deck.serial)
        if refusal is not None:
            self._unused[deck.path] = closed_counts(deck, *refusal)
        return refusal is not None

    def counts(self) -> tuple[DeckCounts, ...]:
        """Return the counts of every connected deck, or why it cannot be used."""
        with self._lock:
            open_decks, troubles = dict(self._open_decks), dict(self._troubles)
            silent = {path: (found, "it has not answered yet", "") for path, (found, _) in self._opening.items()}
            unused = tuple(self._unused.values())
        for device in open_decks.values():
            silent.pop(device.path, None)
        return (
            *(
                open_counts(name, device, self._brightness.get(name), self._arrivals[name])
                for name, device in open_decks.items()
            ),
            *(closed_counts(found, why, hint) for found, why, hint in {**silent, **troubles}.values()),
            *unused,
            *map(claimed_counts, self._claimed()),
        )

    def opening_paths(self) -> tuple[str, ...]:
        """Return the paths of the decks that are being opened."""
        with self._lock:
            return tuple(self._opening)

    def closing_devices(self) -> tuple[DeckDevice, ...]:
        """Return the lost decks whose handle may still be in use."""
        with self._lock:
            return tuple(self._closing)

    # --- on the scan's thread -------------------------------------------------------------------------------------------

    def _on_first_scan(self) -> None:
        with self._lock:
            opening = [thread for _, thread in self._opening.values()]
        _join(opening, HANDSHAKE_LIMIT_S)
        if not self.counts():
            log.info("no Stream Deck is plugged in; waiting for one")
        self._after_first_scan()

    def _on_hotplug(self, event: HotplugEvent) -> None:
        if isinstance(event, DeckFound):
            self._open(event.found)
            return
        with self._lock:
            self._troubles.pop(event.path, None)
            self._unused.pop(event.path, None)
        self._end(event.path, "unplugged")

    def _end(self, path: str, why: str) -> None:
        """Mark the deck that is open at `path` as lost."""
        with self._lock:
            decks = [device for device in self._open_decks.values() if device.path == path]
        for device in decks:
            device.lose(f"lost deck at {path}: {why}")

    def _open(self, found: FoundDeck) -> None:
        self._end(found.path, "another one is there")
        with self._lock:
            if self._leave(found):
                return
            self._closing = [device for device in self._closing if not device.wait_released(0)]
            hung = found.path in self._opening or any(each.path == found.path and each.is_writing for each in self._closing)
        if hung:  # a thread already waits for it
            self._hotplug.forget(found.path)
            return
        try:
            found.deck.device.open()
        except DeckError as error:
            self._report_failure(found, error.message, error.hint)
            return
        thread = threading.Thread(target=self._handshake, args=(found,), name=f"deck-open-{found.path}", daemon=True)
        with self._lock:
            self._opening[found.path] = (found, thread)
        try:
            thread.start()
        except RuntimeError as error:  # no resources for another thread
            found.deck.device.close()
            self._end_opening(found)
            self._report_failure(found, f"cannot open deck at {found.path}: {error}", "")

    def _report_failure(self, found: FoundDeck, what: str, hint: str) -> None:
        with self._lock:
            known = self._troubles.get(found.path)
            self._troubles[found.path] = (found, what, hint)
        if known is None or known[1] != what:
            log.warning("%s%s", what, f" – try: {hint}" if hint else "")
        self._hotplug.forget(found.path)  # so that the next scan offers it again

    # --- on the thread that opens one deck ------------------------------------------------------------------------------

    def _handshake(self, found: FoundDeck) -> None:
        device = DeckDevice(found, lambda event: self._on_device_event(device, event), self._clock, self._precedence)
        try:
            device.open()
        except DeckError as error:
            self._report_failure(found, error.message, error.hint)
        except BaseException as error:
            self._report_failure(found, f"cannot open deck at {found.path}: {type(error).__name__}: {error}", "")
            log.debug("opening failed", exc_info=True)
        else:
            with self._lock:
                unwanted = self._stopping and device not in self._open_decks.values()
            if unwanted:
                _close(device, "logo")
        finally:
            self._end_opening(found)

    def _end_opening(self, found: FoundDeck) -> None:
        with self._lock:
            self._opening.pop(found.path, None)

    # --- on any thread of a device -------------------------------------------------------------------------------------

    def _on_device_event(self, device: DeckDevice, event: SurfaceEvent) -> None:
        match event:
            case DeckArrived():
                self._arrived(device, event)
            case DeckLost():
                self._lost(device, event)
            case _:
                with self._lock:
                    name = self._name(device)
                    if name is not None:
                        self._emit(replace(event, serial=name))

    def _arrived(self, device: DeckDevice, event: DeckArrived) -> None:
        with self._lock:
            self._troubles.pop(event.path, None)
            if self._stopping:
                return
            name = next(name for name in _names(event.serial) if name not in self._open_decks)
            self._open_decks[name] = device
            self._arrivals[name] += 1
            again = self._arrivals[name] > 1
            self._emit(replace(event, serial=name))
        log.info("%s %s is %s", event.title, name, "back" if again else "here")

    def _lost(self, device: DeckDevice, event: DeckLost) -> None:
        log.warning("%s", event.reason)
        with self._lock:
            name = self._name(device)
            if name is not None:
                del self._open_decks[name]
                self._emit(replace(event, serial=name))
            self._closing.append(device)
        device.close("keep")
        self._hotplug.forget(device.path)

    def _name(self, device: DeckDevice) -> str | None:
        """Return the name of an open deck, or None. Call it with the lock held."""
        return next((name for name, each in self._open_decks.items() if each is device), None)


def _names(serial: str) -> Iterable[str]:
    """Yield the names that a deck can have, in order."""
    yield serial
    yield from (f"{number}:{serial}" for number in count(2))


def _join(threads: Iterable[threading.Thread], limit_s: float) -> None:
    """Join all threads, within one time limit."""
    end_s = time.monotonic() + limit_s
    for thread in threads:
        thread.join(max(0.0, end_s - time.monotonic()))


def _close(device: DeckDevice, on_exit: OnExit) -> None:
    """Close a deck; for "black", with black pictures for keys, strip and screen."""
    if on_exit != "black" or not device.is_visual:
        device.close(on_exit)
        return
    parts = (device.picture_format, device.strip_format, device.screen_format)
    device.close(on_exit, *(black(PictureFormat.of(part)) if part["size"][0] else b"" for part in parts))
