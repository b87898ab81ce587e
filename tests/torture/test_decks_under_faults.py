"""Cables, hangs, sleep, strangers and fingers in any order, with the real surfaces, transport, library and threads.

After each event: every deck that has been well for two seconds shows its board, pixel by pixel; no finger fires that was not on
a key of that deck; no call that real hidapi would not survive. After all is healed: nothing is left of the troubles, neither a
thread nor a handle, and each loss was said once, each return once.
"""

import logging
import random
from collections.abc import Callable, Iterator

import pytest

from openbalance_hid.app.effects import Effect
from openbalance_hid.app.events import ConfigRejected, ConfigReloaded, Event, PageRequested
from openbalance_hid.deck.events import KeyEvent
from openbalance_hid.deck.transport import STUCK_S
from openbalance_hid.simulator.device.models import Codec
from tests.torture.amounts import amounts
from tests.torture.figures import Figures
from tests.torture.fingers import Fingers
from tests.torture.tricky import Tricky, fails, made
from tests.torture.whole import SOON_S, Whole
from tests.torture.world import CONFIGS, _bodies
from tests.waiting import threads_named, until, until_no_thread

MODELS = ("mk2", "mini", "plus", "neo", "pedal")
PLACES = 4  # at the bus
GIVE_UP_S = 0.02  # real seconds, of a device that hangs; a second in the field
FOR_EVER_S = 3600.0
PAUSES_S = (0.05, 0.3, 1.0, 2.0, 2.2, 7.0, 70.0)
HEAL_EVERY = 12


class Counting(logging.Handler):
    """How often a deck was said to be lost, and to be here or back."""

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


class Watched(Whole):
    """The house with somebody who counts its fingers."""

    fingers: Fingers | None = None

    def tell(self, event: Event) -> list[Effect]:
        if self.fingers is None:
            self.fingers = Fingers(self.house)
        self.fingers.before(event)
        effects = super().tell(event)
        self.fingers.after(event, effects, self.now)
        return effects


class Desk:
    """Some decks in the hands of a seeded vandal. Acts take the deck, and dice."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.decks = [
            made("A1", "mk2", "usb-0"),
            made("B2", "mini", "usb-1"),
            made("C3", "plus", "usb-2"),
            made("A1", "mk2", "usb-3"),
        ]
        self.whole = Watched(*self.decks)
        self.sick: dict[str, float] = dict.fromkeys((deck.path for deck in self.decks), self.whole.now.mono_s)  # until when
        self.events = 0
        self._seen = 0
        self._odd = False  # a deck has babbled since all was healed: what it said may be heard late, when it is opened

    # --- acts -----------------------------------------------------------------------------------------------------------

    def press(self, deck: Tricky) -> None:
        deck.press(self.dice.randrange(deck.model.keys))

    def release(self, deck: Tricky) -> None:
        deck.release(self.dice.choice(sorted(deck.keys_down) or [0]))

    def unplug(self, deck: Tricky) -> None:
        self._sicken(deck)
        deck.unplug()

    def plug(self, deck: Tricky) -> None:
        self._sicken(deck)
        deck.plug()

    def replug(self, deck: Tricky) -> None:
        """Faster than anybody can look."""
        self._sicken(deck)
        deck.unplug()
        deck.plug()

    def suspend(self, deck: Tricky) -> None:
        self.whole.sleep(self.dice.choice((1.0, 60.0, 8 * 3600.0)))
        for each in self.decks:
            self._sicken(each)
            each.kill_handle()

    def swap(self, deck: Tricky) -> None:
        """Another deck in the same socket."""
        self._sicken(deck)
        deck.unplug()
        other = made(self.dice.choice(("A1", "B2", "C3", "D4", "")), self.dice.choice(MODELS), deck.path)
        self.decks[self.decks.index(deck)] = other
        self.whole.bus.decks[:] = self.decks

    def refuse(self, deck: Tricky) -> None:
        deck.refuse(not deck.refused)
        self._sicken(deck)

    def own(self, deck: Tricky) -> None:
        deck.own(not deck.owned)
        self._sicken(deck)

    def stall(self, deck: Tricky) -> None:
        self._sicken(deck)
        if deck.stalled:
            deck.unstall()
        else:
            deck.stall(GIVE_UP_S)

    def hang(self, deck: Tricky) -> None:
        """A report that is never taken; longer than anybody should wait."""
        self._sicken(deck)
        if not deck.stalled:
            deck.stall(FOR_EVER_S)
            self.poll(deck)
            self.whole.wait(STUCK_S)
            self.whole.rouse()

    def slow(self, deck: Tricky) -> None:
        deck.slow(self.dice.choice((0.0, 0.0, 0.001)))

    def fail(self, deck: Tricky) -> None:
        self._sicken(deck)
        deck.tricks = [*[None] * self.dice.randrange(12), *[fails] * self.dice.choice((1, 1, 5))]

    def babble(self, deck: Tricky) -> None:
        """Reports that no deck sends, then the truth."""
        self._odd = True
        for _ in range(self.dice.randrange(1, 5)):
            deck.send_raw(self.dice.randbytes(self.dice.choice((1, 3, 8, 24, 512))))
        for _ in range(2):
            deck.press(0)
            deck.release(0)

    def poll(self, deck: Tricky) -> None:
        self.whole.tell(self.dice.choice(_bodies(self.whole.now)))

    def configure(self, deck: Tricky) -> None:
        self.whole.tell(ConfigRejected() if self.dice.random() < 0.2 else ConfigReloaded(self.dice.choice(CONFIGS)))

    def turn(self, deck: Tricky) -> None:
        self.whole.tell(PageRequested(self.dice.choice(("main", "more"))))

    def wait(self, deck: Tricky) -> None:
        self.whole.wait(self.dice.choice(PAUSES_S))

    def heal(self, deck: Tricky) -> None:
        for each in self.decks:
            each.unstall()
            each.slow(0)
            each.refuse(False)
            each.own(False)
            each.tricks = []
            if not each.plugged:
                each.plug()
        self.whole.settle()
        for each in self.decks:
            self._sicken(each)
        self.whole.wait(SOON_S)
        assert {each.path for each in self.decks} == set(self.well()), "somebody is still missing"
        self.whole.until_open(len(self.decks))
        until(lambda: len(threads_named("deck-")) <= 2 * len(self.decks), lambda: threads_named("deck-"))

    @property
    def acts(self) -> dict[Callable[[Tricky], None], int]:
        """Each, with how often it comes among the others."""
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
        troubles = {self.suspend: 1, self.refuse: 2, self.own: 2, self.stall: 3, self.hang: 1, self.fail: 3, self.babble: 3}
        return {**harmless, **cables, **troubles}

    # --- what must hold -------------------------------------------------------------------------------------------------

    def do(self, act: Callable[[Tricky], None], deck: Tricky) -> None:
        failing = [each for each in self.decks if each.tricks]
        act(deck)
        self.whole.settle()
        for each in failing:  # as long as this act, as far as anybody knows
            self._sicken(each)
        self.events += 1
        for event in self.whole.heard[self._seen :]:
            if isinstance(event, KeyEvent) and event.down and not self._odd:
                assert any(event.key in each.keys_down for each in self.decks if each.serial == event.serial.rpartition(":")[2])
        self._seen = len(self.whole.heard)
        self._odd &= act != self.heal
        self.well()
        assert self.whole.bus.misuse == []
        assert len(self.whole.house.decks) <= len(self.decks)

    def well(self) -> list[str]:
        """Where decks are that must be right, which they are."""
        now_s, well = self.whole.now.mono_s, []
        names = {surface.path: name for name, surface in self.whole.decks._here.items()}
        for deck in self.decks:
            healthy = deck.plugged and not (deck.stalled or deck.refused or deck.owned or deck.tricks)
            if healthy and now_s - self.sick[deck.path] >= SOON_S:
                assert deck.path in names, f"{deck.path} was not taken"
                assert self.whole.is_right(deck, names[deck.path]), f"{deck.path}, {names[deck.path]} is not right"
                assert deck.faults == []
                well.append(deck.path)
            elif not healthy:
                self.sick[deck.path] = now_s
        return well

    def _sicken(self, deck: Tricky) -> None:
        self.sick[deck.path] = self.whole.now.mono_s


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
def test_decks_survive_cables_hangs_sleep_and_strangers_in_any_order(
    events: int, seed: int, figures: Figures, counting: Counting
) -> None:
    dice = random.Random(seed)
    desk = Desk(dice)
    acts, weights = zip(*desk.acts.items(), strict=True)
    told: list[str] = []
    try:
        while desk.events < events:
            act = desk.heal if desk.events % HEAL_EVERY == HEAL_EVERY - 1 else dice.choices(acts, weights)[0]
            number = dice.randrange(PLACES)
            told = [*told[-30:], f"{act.__name__} {number}"]
            desk.do(act, desk.decks[number])
            figures.tell(tried=1, survived=1)
        desk.do(desk.heal, desk.decks[0])
        assert counting.here - counting.lost == len(desk.decks), "said once each time"
        assert counting.other == []
    except BaseException as error:
        error.add_note(f"after {desk.events} events, the last: {', '.join(told)}")
        raise
    finally:
        desk.whole.end()
    assert all(deck.model.codec is Codec.NONE or deck.glass(0).getbbox() is None for deck in desk.decks), "left dark"
    until_no_thread("deck-")
    assert desk.whole.fingers is not None
    figures.tell(lost_and_back=counting.lost, gestures=desk.whole.fingers.gestures)
