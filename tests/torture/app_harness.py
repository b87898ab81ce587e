"""Controller, deck manager, devices, transport and library over a simulated bus, with virtual time on the main thread.

The threads of the decks are real, so after each act the test waits until they are idle (`settle`). The hot-plug has no thread
here: its scans are deadlines like the others, so that "within 2 s" is counted in virtual time.
"""

import io
import queue
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from weakref import WeakSet

from PIL import Image

from openbalance_hid.account.snapshot import Snapshot
from openbalance_hid.app.clock import Moment
from openbalance_hid.app.controller import Controller
from openbalance_hid.app.effects import Effect
from openbalance_hid.app.events import Cell, Event, SmallScreen, TimePassed
from openbalance_hid.config.schema import Config
from openbalance_hid.deck.device_events import CELL_PX
from openbalance_hid.deck.display_writer import OnExit
from openbalance_hid.deck.hotplug import SCAN_INTERVAL_S
from openbalance_hid.deck.transport import HidTransport
from openbalance_hid.runtime.deck_manager import DeckManager
from openbalance_hid.runtime.effect_runner import run_display_effect
from openbalance_hid.runtime.picture_cache import PictureCache
from openbalance_hid.simulator.device.fake_hidapi import VirtualBus, VirtualHandle
from openbalance_hid.simulator.device.models import Rotation
from openbalance_hid.simulator.device.virtual_deck import VirtualDeck
from openbalance_hid.tiles.view import KeyFace
from tests.build import NOON, snapshot
from tests.torture.faulty_deck import FaultyDeck
from tests.waiting import PATIENCE_S, until

SOON_S = 2.0  # after this time a connected deck shows its tiles
_TURNS = {
    Rotation.HALF: Image.Transpose.ROTATE_180,
    Rotation.CLOCKWISE: Image.Transpose.ROTATE_270,
    Rotation.DIAGONAL: Image.Transpose.TRANSPOSE,
}


class Bus(VirtualBus):
    """Remembers every handle while it is open."""

    def __init__(self, decks: Iterable[VirtualDeck]) -> None:
        super().__init__(decks)
        self._given: WeakSet[VirtualHandle] = WeakSet()

    def device(self) -> VirtualHandle:
        self._given.add(handle := super().device())
        return handle

    @property
    def open_handles(self) -> list[VirtualHandle]:
        return [handle for handle in list(self._given) if handle.deck is not None]

    @property
    def dead_handles(self) -> list[VirtualHandle]:
        """Return open handles of devices that have been disconnected; their users are about to notice."""
        return [handle for handle in self.open_handles if handle.is_dead]


class AppHarness:
    """One controller with its decks. `done`: its effects without pictures; only `wait` advances `now`."""

    def __init__(
        self,
        *decks: VirtualDeck,
        config: Config | None = None,
        seen: Snapshot | None = None,
        zone: tzinfo | None = None,
        scan_s: float = SCAN_INTERVAL_S,
        begun: datetime = NOON,
    ) -> None:
        self.now = Moment(begun, 1000.0)
        self.bus = Bus(decks)
        self.inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.decks = DeckManager(HidTransport(self.bus, self.mono), self.inbox.put, scan_s, clock=self.mono)
        self.controller = Controller(config or Config(), {"default": seen or snapshot()}, self.now, zone)
        self.painter = PictureCache()
        self.heard: list[Event] = []
        self.done: list[Effect] = []
        self._looked_s = self.now.mono_s
        self._expected: dict[tuple[KeyFace, str, str], Image.Image] = {}
        self.decks.look()
        self.settle()

    def mono(self) -> float:
        return self.now.mono_s

    # --- the main thread ------------------------------------------------------------------------------------------------

    def tell(self, event: Event) -> list[Effect]:
        """Make one step, carry out its effects, and return them."""
        effects = self.controller.step(event, self.now)
        for effect in effects:
            if not run_display_effect(effect, self.decks, self.painter):
                self.done.append(effect)
        return effects

    def hear(self) -> bool:
        """Pass the events of the decks to the controller, and return whether there were any."""
        said = False
        while not self.inbox.empty():
            self.heard.append(event := self.inbox.get_nowait())
            self.tell(event)
            said = True
        return said

    def until_received(self, count: int) -> None:
        """Wait until the decks have emitted `count` events since the start."""
        until(lambda: len(self.heard) >= count or (self.hear() and len(self.heard) >= count), f"less than {count} events")

    def settle(self) -> None:
        """Wait until no thread has anything left to do at this virtual time."""
        until(lambda: not self.hear() and self._rests() and self.inbox.empty(), "never at rest")

    def wait(self, seconds: float) -> None:
        """Advance virtual time from deadline to deadline, as the event loop would, with the scans of the hot-plug."""
        end_s = self.now.mono_s + seconds
        while True:
            look_s = max(self.now.mono_s, self._looked_s + self.decks.next_look_s())
            due_s = self.controller.next_deadline()
            if min(due_s, look_s) > end_s:
                break
            self.move(min(due_s, look_s))
            if look_s <= due_s:
                self.look()
            else:
                self.tell(TimePassed())
                assert self.controller.next_deadline() > due_s, "a deadline in the past spins the loop"
        self.move(end_s)
        self.settle()

    def look(self) -> None:
        self._looked_s = self.now.mono_s
        self.decks.look()
        self.settle()

    def move(self, to_s: float) -> None:
        """Advance both clocks, without a step."""
        self.now = Moment(self.now.utc + timedelta(seconds=to_s - self.now.mono_s), to_s)

    def sleep(self, seconds: float) -> None:
        """Advance only the wall clock, as a suspend or a new setting does."""
        self.now = Moment(self.now.utc + timedelta(seconds=seconds), self.now.mono_s)

    def until_queued(self, count: int) -> None:
        """Wait until `count` events are queued for the main thread, which does not read them."""
        until(lambda: self.inbox.qsize() >= count, "nothing was said")

    def stop(self, leave: OnExit = "black") -> None:
        """Close the decks; running reads end at once instead of with their slice."""
        stopping = threading.Thread(target=self.decks.stop, args=(leave,))
        stopping.start()
        while stopping.is_alive():
            self.end_reads()
            stopping.join(0.005)

    def end_reads(self) -> None:
        """End every running read without a report."""
        for deck in self.bus.decks:
            deck.send_raw(b"")

    def until_open(self, count: int) -> None:
        """Wait until `count` handles are open; running reads are ended."""

        def reached() -> bool:
            self.end_reads()
            return len(self.bus.open_handles) == count

        until(reached, "handles stay open")

    def end(self, leave: OnExit = "black") -> None:
        for deck in self.bus.decks:
            deck.unstall()
            deck.slow(0)
        self.stop(leave)
        self.until_open(0)
        assert self.bus.misuse == []

    def _rests(self) -> bool:
        # in the order in which a deck passes these states, so that none is missed
        opening = [path for path in self.decks.opening_paths() if not self._hangs(path)]
        devices = list(self.decks.devices().values())
        writing = [each for each in self.decks.closing_devices() if each.is_writing and not self._hangs(each.path)]
        hanging = [device for device in devices if self._hangs(device.path)]
        return (
            not opening
            and not writing
            and not [deck for handle in self.bus.dead_handles if (deck := handle.deck) and not self._hangs(deck.path)]
            and all(device in hanging or device.flush(0) for device in devices)
            and all(self._is_input_processed(device.path) for device in devices)
            and all(not deck.hosts_waiting or self._hangs(deck.path) for deck in self.bus.decks)
        )

    def _is_input_processed(self, path: str) -> bool:
        deck = self.bus.at(path.encode())
        return not isinstance(deck, FaultyDeck) or deck.is_input_processed

    def _hangs(self, path: str) -> bool:
        """Return whether the deck hangs for longer than a test waits."""
        deck = self.bus.at(path.encode())
        return deck is not None and deck.plugged and (deck.stall_timeout_s or 0.0) > PATIENCE_S

    # --- what is to be seen ---------------------------------------------------------------------------------------------

    def is_right(self, deck: VirtualDeck, name: str | None = None) -> bool:
        """Return whether every pixel and the brightness of the deck are right. `name`: the deck's name in the controller."""
        name = deck.serial if name is None else name
        panel = self.controller.decks.get(name)
        if panel is None or panel.shape.model != deck.model.name:
            return False
        if panel.light is None:
            return True
        return deck.brightness == panel.light.percent and self.wrong_places(deck, name) == []

    def wrong_places(self, deck: VirtualDeck, name: str) -> list[object]:
        """Return the places on which the deck does not show the controller's faces."""
        device = self.decks.devices()[name]
        wrong: list[object] = []
        for (serial, spot), face in self.controller.faces.items():
            if serial != name:
                continue
            match spot:
                case Cell(number):
                    strip, height = deck.strip(), device.strip_format["size"][1]
                    assert strip is not None
                    seen = strip.crop((number * CELL_PX, 0, (number + 1) * CELL_PX, height))
                    picture = self._picture(face, {**device.strip_format, "size": (CELL_PX, height)}, deck, "strip")
                case SmallScreen():
                    seen, picture = deck.screen(), self._picture(face, device.screen_format, deck, "screen")
                case _:
                    seen, picture = deck.glass(spot), self._picture(face, device.picture_format, deck, "key")
            if seen is None or seen.tobytes() != picture.tobytes():
                wrong.append(spot)
        return wrong

    def _picture(self, face: KeyFace, key_format: dict[str, object], deck: VirtualDeck, part: str) -> Image.Image:
        """Return the face as it is seen: decoded and rotated as that model does."""
        known = self._expected.get((face, deck.model.name, part))
        if known is not None:
            return known
        panel = deck.model.strip if part == "strip" else deck.model.screen if part == "screen" else None
        rotation = deck.model.rotation if panel is None else panel.rotation
        image = Image.open(io.BytesIO(self.painter.picture(face, key_format))).convert("RGB")
        upright = image.transpose(_TURNS[rotation]) if rotation in _TURNS else image
        if len(self._expected) > 300:
            self._expected.clear()
        return self._expected.setdefault((face, deck.model.name, part), upright)
