"""Taps and holds by script, under virtual time: `d0:0 t:1999 u0` is down, 1999 ms later, up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbalance_hid.app.gestures import Gesture, Gestures


def played(script: str, hold_s: float = 2.0) -> str:
    """What a script of `dK` (key K down), `uK` (up), `t:MS` (time passes), `cK` (cancel) and `x` (unplugged) comes to.

    Time stands still where a deadline falls on the way, as the loop does, so that gestures fire at their own moment.
    """
    state: Gestures[int] = Gestures(hold_s)
    now_ms, heard = 0, []

    def due(at_s):
        nonlocal state
        while True:
            state, done = state.next_due(at_s)
            if done is None:
                return
            heard.append(f"{done[1].value}{done[0]}@{now_ms}")

    for word in script.split():
        if word.startswith("t:"):
            end_ms = now_ms + int(word[2:])
            while (deadline := state.next_deadline()) is not None and deadline * 1000 <= end_ms:
                now_ms = max(now_ms, round(deadline * 1000))
                due(deadline)
            now_ms = end_ms
            continue
        due(now_ms / 1000)
        match word[0]:
            case "x":
                state = state.clear(set(state.presses))
            case "c":
                state = state.cancel({int(word[1:])})
            case "d":
                state = state.press(int(word[1:]), now_ms / 1000)
            case _:
                state = state.release(int(word[1:]), now_ms / 1000)
    return " ".join(heard)


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("d0 t:80 u0 t:99", "tap0@130"),
        ("d0 t:80 u0 t:49", ""),
        ("d0 t:1999 u0 t:99", "tap0@2049"),
        ("d0 t:2000 u0 t:99", "hold0@2000"),
        ("d0 t:5000 u0 t:99", "hold0@2000"),
        ("d0 t:9000", "hold0@2000"),
        ("d0 t:2500 u0 t:100 d0 t:50 u0 t:99", "hold0@2000 tap0@2700"),
        ("d0 t:500 d1 t:1500 u0 t:600 u1", "hold0@2000 hold1@2500"),
        ("d0 d1 t:100 u1 t:1 u0 t:99", "tap1@150 tap0@151"),
        ("d0 t:1000 x t:3000 u0 t:99", ""),
        ("d0 t:1999 x d0 t:1999 u0 t:99", "tap0@4048"),
        ("u0 t:99", ""),
        ("d0 t:10 d0 t:10 u0 t:99", "tap0@70"),
        ("d0 t:80 u0 x t:99", ""),
    ],
)
def test_a_script_comes_to(script, heard):
    assert played(script) == heard


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("d0 t:5 u0 t:5 d0 t:80 u0 t:99", "tap0@140"),  # at the press
        ("d0 t:80 u0 t:5 d0 t:5 u0 t:99", "tap0@140"),  # at the release
        ("d0 t:5 u0 t:5 d0 t:5 u0 t:5 d0 t:5 u0 t:99", "tap0@75"),  # several times
        ("d0 t:1000 u0 t:49 d0 t:2000 u0 t:99", "hold0@2000"),  # in the middle of a hold
        ("d0 t:1990 u0 t:20 d0 t:500 u0 t:99", "hold0@2010"),  # across its end
        ("d0 t:2500 u0 t:20 d0 t:50 u0 t:99", "hold0@2000"),  # after it
        ("d0 t:80 u0 t:50 d0 t:80 u0 t:99", "tap0@130 tap0@260"),  # no longer a bounce
        ("d0 t:80 u0 t:20 d1 t:80 u1 t:99", "tap0@130 tap1@230"),  # of another key
        ("d0 t:80 c0 u0 t:20 d0 t:50 u0 t:99", ""),  # of a press that was cancelled
        ("d0 t:80 c0 u0 t:60 d0 t:50 u0 t:99", "tap0@240"),
    ],
)
def test_a_press_within_50_ms_of_its_release_continues_the_old_press(script, heard):
    assert played(script) == heard


def test_a_late_loop_still_makes_a_hold_of_a_long_press():
    state, done = Gestures[int](2.0).press(0, 0.0).next_due(3.0)
    assert done == (0, Gesture.HOLD)
    assert state.release(0, 3.0).next_due(9.0)[1] is None


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


@given(st.lists(st.integers(1, 49), min_size=1, max_size=9).filter(lambda gaps: len(gaps) % 2 == 1))
def test_any_train_of_bounces_is_one_tap(gaps_ms):
    words, down = ["d0"], True
    for gap_ms in gaps_ms:
        words += [f"t:{gap_ms}", "u0" if down else "d0"]
        down = not down
    assert played(" ".join([*words, "t:99"])).split() == [f"tap0@{sum(gaps_ms) + 50}"]


@given(moves)
def test_bounces_change_nothing_but_the_time_of_a_tap(script):
    """Put a bounce into every press and release of a script: each key has the same gestures, a tap a moment later."""
    clean, bounced = [], []
    for word in script:
        clean += [word, "t:61"]
        if word[0] in "du":
            back = ("u" if word[0] == "d" else "d") + word[1:]
            is_change = (word[0] == "d") != (word[1] in _down(clean[:-2]))
            bounced += [word, "t:5", back, "t:5", word, "t:51"] if is_change else [word, "t:61"]
        else:
            bounced += [word, "t:61"]
    assert _gestures_by_key(bounced) == _gestures_by_key(clean)


def _gestures_by_key(script):
    """Return the gestures of each key without their times, which decide the order of two keys."""
    heard = [word.partition("@")[0] for word in played(" ".join(script)).split()]
    return {key: [gesture for gesture in heard if gesture[-1] == key] for key in "012"}


def test_a_bounce_may_change_the_order_of_two_keys_alone():
    test_bounces_change_nothing_but_the_time_of_a_tap.hypothesis.inner_test(["d1", "d0", "d0", "d0", "d0", "t:1574", "u0"])


def _down(script):
    """The keys that are down after a script."""
    down = set()
    for word in script:
        if word == "x":
            down.clear()
        elif word[0] == "d":
            down.add(word[1])
        elif word[0] == "u":
            down.discard(word[1])
    return down


@given(moves)
def test_after_everything_is_released_no_deadline_is_left(script):
    state: Gestures[int] = Gestures(2.0)
    for index, word in enumerate(script):
        if word.startswith("d"):
            state = state.press(int(word[1]), float(index))
    for key in (0, 1, 2):
        state = state.release(key, 100.0)
    for _ in range(4):
        state, _ = state.next_due(101.0)
    assert state.next_deadline() is None


@given(st.floats(0, 1e7), st.floats(0.3, 5))
def test_a_hold_is_due_at_its_own_deadline_whatever_the_rounding(since_s, hold_s):
    state = Gestures[int](hold_s).press(0, since_s)
    deadline = state.next_deadline()
    assert deadline is not None
    assert state.next_due(deadline)[1] == (0, Gesture.HOLD)
