"""Any events in any order for the controller alone: a million steps in the long version, and a search by hypothesis."""

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.torture.amounts import amounts_in_parts
from tests.torture.controller_harness import ControllerHarness
from tests.torture.figures import Figures

ACTS = tuple(act.__name__ for act in ControllerHarness().acts)
NUMBERS = st.integers(0, 999)


class ControllerMachine(RuleBasedStateMachine):
    """Any act after any other; the harness checks its invariants after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.harness = ControllerHarness()

    @rule(act=st.sampled_from(ACTS), a=NUMBERS, b=NUMBERS)
    def something_happens(self, act: str, a: int, b: int) -> None:
        getattr(self.harness, act)(a, b)


TestAnyOrder = ControllerMachine.TestCase
TestAnyOrder.settings = settings(max_examples=20, stateful_step_count=30, deadline=None, derandomize=True)


@amounts_in_parts("steps", short=1_500, long=1_000_000, parts=20)
def test_any_events_leave_the_right_faces_and_fire_only_real_gestures(
    steps: int, part: int, seed: int, figures: Figures
) -> None:
    dice = random.Random(f"{seed}, part {part}")
    harness = ControllerHarness(check_every=20 if part else 1)
    acts, weights = zip(*harness.acts.items(), strict=True)
    done = 0
    while harness.controller.steps < steps:
        act = dice.choices(acts, weights)[0]
        a, b = dice.randrange(1000), dice.randrange(1000)
        harness.recent_acts = [*harness.recent_acts[-40:], f"{act.__name__}({a}, {b})"]
        before = harness.controller.steps
        try:
            act(a, b)
        except Exception as error:
            error.add_note(f"after {before} steps, the last acts: {', '.join(harness.recent_acts)}")
            raise
        done += 1
        figures.tell(tried=harness.controller.steps - before, survived=harness.controller.steps - before, acts=done)
    figures.tell(gestures=harness.fingers.gestures, polls=harness.polls)
    assert harness.fingers.gestures > steps // 100
