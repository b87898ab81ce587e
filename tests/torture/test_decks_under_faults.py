"""Replugs, hangs, sleep, other programs and presses in any order, with real devices, transport, library and threads.

After each event: every deck that has been healthy for two seconds shows its tiles, pixel by pixel; every gesture was made on a
key of that deck; no call was made that real hidapi would not survive. After all faults are removed, no thread and no handle of
them is left, and each loss and each return was logged once.
"""

import logging
import random
from collections.abc import Callable, Iterator

import pytest

from openbalance_hid.app.effects import Effect
from openbalance_hid.app.events import ConfigRejected, ConfigReloaded, Event, PageRequested
from openbalance_hid.deck.device_events import KeyEvent
from openbalance_hid.deck.transport import STUCK_S
from openbalance_hid.simulator.device.models import Codec
from tests.torture.amounts import amounts
from tests.torture.app_harness import SOON_S, AppHarness
from tests.torture.controller_harness import CONFIGS, account_snapshots
from tests.torture.expected_gestures import ExpectedGestures
from tests.torture.faulty_deck import FaultyDeck, fails, made
from tests.torture.figures import Figures
from tests.waiting import threads_named, until, until_no_thread

MODELS = ("mk2", "mini", "plus", "neo", "pedal")
PLACES = 4  # at the bus
GIVE_UP_S = 0.02  # real seconds, of a device that hangs; a second in the field
NEVER_S = 3600.0
PAUSES_S = (0.05, 0.3, 1.0, 2.0, 2.2, 7.0, 70.0)
HEAL_EVERY = 12


class Counting(logging.Handler):
    """Counts the log lines about lost decks, and about decks that are here or back."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lost = self.here = 0
        self.other: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        self.lost += words.startswith("lost deck at")
        self.here += words.endswith((" is here", " is back"))
        if record.levelno >= logging.ERROR:
            self.other.append(words)


class GestureCheckedApp(AppHarness):
    """The harness, with its gestures checked."""

    fingers: ExpectedGestures | None = None

    def tell(self, event: Event) -> list[Effect]:
        if self.fingers is None:
            self.fingers = ExpectedGestures(self.controller)
        self.fingers.before(event)
        effects = super().tell(event)
        self.fingers.after(event, effects, self.now)
        return effects


class FaultyDecks:
    """Some decks with random faults. Each act takes a deck."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.decks = [
            made("A1", "mk2", "usb-0"),
            made("B2", "mini", "usb-1"),
            made("C3", "plus", "usb-2"),
            made("A1", "mk2", "usb-3"),
        ]
        self.whole = GestureCheckedApp(*self.decks)
        self.faulty_since: dict[str, float] = dict.fromkeys(
            (deck.path for deck in self.decks), self.whole.now.mono_s
        )  # until when
        self.events = 0
        self._seen = 0
        self._sent_garbage = (
            False  # a deck has sent invalid reports since the last `heal`; they may be received late, after it is opened
        )

    # --- acts -----------------------------------------------------------------------------------------------------------

    def press(self, deck: FaultyDeck) -> None:
        deck.press(self.dice.randrange(deck.model.keys))

    def release(self, deck: FaultyDeck) -> None:
        deck.release(self.dice.choice(sorted(deck.keys_down) or [0]))

    def unplug(self, deck: FaultyDeck) -> None:
        self._mark_faulty(deck)
        deck.unplug()

    def plug(self, deck: FaultyDeck) -> None:
        self._mark_faulty(deck)
        deck.plug()

    def replug(self, deck: FaultyDeck) -> None:
        """Faster than a scan."""
        self._mark_faulty(deck)
        deck.unplug()
        deck.plug()

    def suspend(self, deck: FaultyDeck) -> None:
        self.whole.sleep(self.dice.choice((1.0, 60.0, 8 * 3600.0)))
        for each in self.decks:
            self._mark_faulty(each)
            each.kill_handle()

    def swap(self, deck: FaultyDeck) -> None:
        """Another deck at the same port."""
        self._mark_faulty(deck)
        deck.unplug()
        other = made(self.dice.choice(("A1", "B2", "C3", "D4", "")), self.dice.choice(MODELS), deck.path)
        self.decks[self.decks.index(deck)] = other
        self.whole.bus.decks[:] = self.decks

    def refuse(self, deck: FaultyDeck) -> None:
        deck.refuse(not deck.refused)
        self._mark_faulty(deck)

    def own(self, deck: FaultyDeck) -> None:
        deck.own(not deck.owned)
        self._mark_faulty(deck)

    def stall(self, deck: FaultyDeck) -> None:
        self._mark_faulty(deck)
        if deck.stalled:
            deck.unstall()
        else:
            deck.stall(GIVE_UP_S)

    def hang(self, deck: FaultyDeck) -> None:
        """A report that is never accepted."""
        self._mark_faulty(deck)
        if not deck.stalled:
            deck.stall(NEVER_S)
            self.poll(deck)
            self.whole.wait(STUCK_S)
            self.whole.end_reads()

    def slow(self, deck: FaultyDeck) -> None:
        deck.slow(self.dice.choice((0.0, 0.0, 0.001)))

    def fail(self, deck: FaultyDeck) -> None:
        self._mark_faulty(deck)
        deck.planned_faults = [*[None] * self.dice.randrange(12), *[fails] * self.dice.choice((1, 1, 5))]

    def send_garbage(self, deck: FaultyDeck) -> None:
        """Reports that no deck sends, then correct ones."""
        self._sent_garbage = True
        for _ in range(self.dice.randrange(1, 5)):
            deck.send_raw(self.dice.randbytes(self.dice.choice((1, 3, 8, 24, 512))))
        for _ in range(2):
            deck.press(0)
            deck.release(0)

    def poll(self, deck: FaultyDeck) -> None:
        self.whole.tell(self.dice.choice(account_snapshots(self.whole.now)))

    def configure(self, deck: FaultyDeck) -> None:
        self.whole.tell(ConfigRejected() if self.dice.random() < 0.2 else ConfigReloaded(self.dice.choice(CONFIGS)))

    def turn(self, deck: FaultyDeck) -> None:
        self.whole.tell(PageRequested(self.dice.choice(("main", "more"))))

    def wait(self, deck: FaultyDeck) -> None:
        self.whole.wait(self.dice.choice(PAUSES_S))

    def heal(self, deck: FaultyDeck) -> None:
        for each in self.decks:
            each.unstall()
            each.slow(0)
            each.refuse(False)
            each.own(False)
            each.planned_faults = []
            if not each.plugged:
                each.plug()
        self.whole.settle()
        for each in self.decks:
            self._mark_faulty(each)
        self.whole.wait(SOON_S)
        assert {each.path for each in self.decks} == set(self.well()), "a deck is still missing"
        self.whole.until_open(len(self.decks))
        until(lambda: len(threads_named("deck-")) <= 2 * len(self.decks), lambda: threads_named("deck-"))

    @property
    def acts(self) -> dict[Callable[[FaultyDeck], None], int]:
        """Return the acts with their frequencies."""
        harmless = {
            self.press: 12,
            self.release: 12,
            self.wait: 10,
            self.poll: 4,
            self.configure: 2,
            self.turn: 2,
            self.slow: 1,
        }
        cables = {self.unplug: 3, self.plug: 3, self.replug: 2, self.swap: 1}
        troubles = {
            self.suspend: 1,
            self.refuse: 2,
            self.own: 2,
            self.stall: 3,
            self.hang: 1,
            self.fail: 3,
            self.send_garbage: 3,
        }
        return {**harmless, **cables, **troubles}

    # --- invariants ---------------------------------------------------------------------------------------------------

    def do(self, act: Callable[[FaultyDeck], None], deck: FaultyDeck) -> None:
        failing = [each for each in self.decks if each.planned_faults]
        before = {each.serial: each.keys_down for each in self.decks}  # an event of the last act may come during this one
        act(deck)
        self.whole.settle()
        for each in failing:  # a planned fault may have happened during this act
            self._mark_faulty(each)
        self.events += 1
        for event in self.whole.heard[self._seen :]:
            if isinstance(event, KeyEvent) and event.down and not self._sent_garbage:
                serial = event.serial.rpartition(":")[2]
                assert any(event.key in each.keys_down | before[serial] for each in self.decks if each.serial == serial)
        self._seen = len(self.whole.heard)
        self._sent_garbage &= act != self.heal
        self.well()
        assert self.whole.bus.misuse == []
        assert len(self.whole.controller.decks) <= len(self.decks)

    def well(self) -> list[str]:
        """Check all decks that must be right, and return their paths."""
        now_s, well = self.whole.now.mono_s, []
        names = {device.path: name for name, device in self.whole.decks.devices().items()}
        for deck in self.decks:
            healthy = deck.plugged and not (deck.stalled or deck.refused or deck.owned or deck.planned_faults)
            if healthy and now_s - self.faulty_since[deck.path] >= SOON_S:
                assert deck.path in names, f"{deck.path} was not opened"
                assert self.whole.is_right(deck, names[deck.path]), f"{deck.path}, {names[deck.path]} is not right"
                assert deck.faults == []
                well.append(deck.path)
            elif not healthy:
                self.faulty_since[deck.path] = now_s
        return well

    def _mark_faulty(self, deck: FaultyDeck) -> None:
        self.faulty_since[deck.path] = self.whole.now.mono_s


@pytest.fixture
def counting() -> Iterator[Counting]:
    counting, log = Counting(), logging.getLogger("openbalance_hid")
    before = log.level
    log.addHandler(counting)
    log.setLevel(logging.INFO)
    yield counting
    log.removeHandler(counting)
    log.setLevel(before)


@amounts("events", 250, 20_000)
def test_decks_survive_replugs_hangs_sleep_and_other_programs_in_any_order(
    events: int, seed: int, figures: Figures, counting: Counting
) -> None:
    dice = random.Random(seed)
    faulty = FaultyDecks(dice)
    acts, weights = zip(*faulty.acts.items(), strict=True)
    acts_done: list[str] = []
    try:
        while faulty.events < events:
            act = faulty.heal if faulty.events % HEAL_EVERY == HEAL_EVERY - 1 else dice.choices(acts, weights)[0]
            number = dice.randrange(PLACES)
            acts_done = [*acts_done[-30:], f"{act.__name__} {number}"]
            faulty.do(act, faulty.decks[number])
            figures.tell(tried=1, survived=1)
        faulty.do(faulty.heal, faulty.decks[0])
        assert counting.here - counting.lost == len(faulty.decks), "logged once each time"
        assert counting.other == []
    except BaseException as error:
        error.add_note(f"after {faulty.events} events, the last: {', '.join(acts_done)}")
        raise
    finally:
        faulty.whole.end()
    assert all(deck.model.codec is Codec.NONE or deck.glass(0).getbbox() is None for deck in faulty.decks), "left black"
    until_no_thread("deck-")
    assert faulty.whole.fingers is not None
    figures.tell(lost_and_back=counting.lost, gestures=faulty.whole.fingers.gestures)
