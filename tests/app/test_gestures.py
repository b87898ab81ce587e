"""Taps and holds by script, under virtual time: `d0:0 t:1999 u0` is down, 1999 ms later, up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.app.gestures import Gesture, Gestures


def played(script: str, hold_s: float = 2.0) -> str:
    """What a script of `dK` (key K down), `uK` (up), `t:MS` (time passes) and `x` (unplugged) comes to.

    Time stands still where a deadline falls on the way, as the loop does, so that holds fire at their own moment.
    """
    state: Gestures[int] = Gestures(hold_s)
    now_ms, heard = 0, []

    def hear(done):
        heard.extend(f"{gesture.value}{key}@{now_ms}" for key, gesture in done)

    for word in script.split():
        if word.startswith("t:"):
            end_ms = now_ms + int(word[2:])
            while (deadline := state.next_deadline()) is not None and deadline * 1000 <= end_ms:
                now_ms = max(now_ms, round(deadline * 1000))
                state, done = state.due(deadline)
                hear(done)
            now_ms = end_ms
        elif word == "x":
            state = state.clear(set(state.down))
        elif word[0] == "d":
            state = state.press(int(word[1:]), now_ms / 1000)
        else:
            state, done = state.release(int(word[1:]), now_ms / 1000)
            hear(done)
    return " ".join(heard)


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("d0 t:80 u0", "tap0@80"),
        ("d0 t:1999 u0", "tap0@1999"),
        ("d0 t:2000 u0", "hold0@2000"),
        ("d0 t:5000 u0", "hold0@2000"),
        ("d0 t:9000", "hold0@2000"),
        ("d0 t:2500 u0 t:100 d0 t:50 u0", "hold0@2000 tap0@2650"),
        ("d0 t:1500 u0 d0 t:1500 u0", "tap0@1500 tap0@3000"),
        ("d0 t:500 d1 t:1500 u0 t:600 u1", "hold0@2000 hold1@2500"),
        ("d0 d1 t:100 u1 u0", "tap1@100 tap0@100"),
        ("d0 t:1000 x t:3000 u0", ""),
        ("d0 t:1999 x d0 t:1999 u0", "tap0@3998"),
        ("u0", ""),
        ("d0 t:10 d0 t:10 u0", "tap0@20"),
    ],
)
def test_a_script_comes_to(script, heard):
    assert played(script) == heard


def test_a_late_loop_still_makes_a_hold_of_a_long_press():
    state, done = Gestures[int](2.0).press(0, 0.0).release(0, 3.0)
    assert (done, state.down) == (((0, Gesture.HOLD),), {})


def test_the_ring_fills_with_the_hold():
    state = Gestures[int](2.0).press(0, 10.0)
    assert [state.progress(0, at) for at in (10.0, 11.0, 12.5)] == [0.0, 0.5, 1.0]
    assert state.progress(1, 11.0) == 0.0


moves = st.lists(
    st.one_of(
        st.sampled_from(["d0", "d1", "d2", "u0", "u1", "u2", "x"]),
        st.integers(0, 4000).map(lambda ms: f"t:{ms}"),
    ),
    max_size=40,
)


@given(moves)
def test_each_press_means_at_most_one_thing(script):
    heard = played(" ".join(script)).split()
    presses = [word for word in script if word.startswith("d")]
    assert len(heard) <= len(presses)
    for key in "012":
        assert sum(word.partition("@")[0][-1] == key for word in heard) <= script.count(f"d{key}")


@given(moves)
def test_after_everything_is_released_no_deadline_is_left(script):
    state: Gestures[int] = Gestures(2.0)
    for index, word in enumerate(script):
        if word.startswith("d"):
            state = state.press(int(word[1]), float(index))
    for key in (0, 1, 2):
        state, _ = state.release(key, 100.0)
    assert state.next_deadline() is None


@given(st.floats(0, 1e7), st.floats(0.3, 5))
def test_a_hold_is_due_at_its_own_deadline_whatever_the_rounding(since_s, hold_s):
    state = Gestures[int](hold_s).press(0, since_s)
    deadline = state.next_deadline()
    assert deadline is not None
    assert state.due(deadline)[1] == ((0, Gesture.HOLD),)
