"""Anything, in any order, to the house alone: a million steps in the long run, and hypothesis' own search in the short one."""

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.torture.amounts import amounts
from tests.torture.figures import Figures
from tests.torture.world import World

ACTS = tuple(act.__name__ for act in World().acts)
NUMBERS = st.integers(0, 999)


class HouseMachine(RuleBasedStateMachine):
    """Any act after any other; what must hold is asserted by each step of the world."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @rule(act=st.sampled_from(ACTS), a=NUMBERS, b=NUMBERS)
    def something_happens(self, act: str, a: int, b: int) -> None:
        getattr(self.world, act)(a, b)


TestAnyOrder = HouseMachine.TestCase
TestAnyOrder.settings = settings(max_examples=20, stateful_step_count=30, deadline=None, derandomize=True)


@amounts("steps", 1_500, 1_000_000)
def test_whatever_happens_the_glass_equals_the_board_and_no_finger_fires_that_was_not_there(
    steps: int, seed: int, figures: Figures
) -> None:
    dice = random.Random(seed)
    world = World(check_every=1 if steps < 100_000 else 20)
    acts, weights = zip(*world.acts.items(), strict=True)
    done = 0
    while world.house.steps < steps:
        act = dice.choices(acts, weights)[0]
        a, b = dice.randrange(1000), dice.randrange(1000)
        world.told = [*world.told[-40:], f"{act.__name__}({a}, {b})"]
        before = world.house.steps
        try:
            act(a, b)
        except Exception as error:
            error.add_note(f"after {before} steps, the last acts: {', '.join(world.told)}")
            raise
        done += 1
        figures.tell(tried=world.house.steps - before, survived=world.house.steps - before, acts=done)
    figures.tell(gestures=world.fingers.gestures, polls=world.polls)
    assert world.fingers.gestures > steps // 100
