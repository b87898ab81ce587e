"""A time limit that goes for what others do, and not for what this process has to do itself."""

import threading
import time
from queue import Empty, SimpleQueue

import pytest

from openbalance_hid.desktop.deadline import Deadline


class Clocks:
    def __init__(self) -> None:
        self.now_s = self.worked_s = 0.0

    def patience(self, limit_s: float) -> Deadline:
        return Deadline(limit_s, lambda: self.now_s, lambda: self.worked_s)

    def spend(self, waiting_s: float = 0.0, at_work_s: float = 0.0) -> None:
        self.now_s += waiting_s + at_work_s
        self.worked_s += at_work_s


def test_only_waiting_uses_it_up():
    clocks = Clocks()
    clocks.spend(100.0, 3.0)
    patience = clocks.patience(5.0)
    clocks.spend(at_work_s=8.0)
    assert patience.left_s() == 5.0
    clocks.spend(waiting_s=4.0, at_work_s=1.0)
    assert patience.left_s() == 1.0
    clocks.spend(waiting_s=7.0)
    assert patience.left_s() == 0.0


def test_a_process_that_never_rests_does_not_wait_for_ever():
    clocks = Clocks()
    patience = clocks.patience(5.0)
    clocks.spend(at_work_s=29.0)
    assert patience.left_s() == 1.0
    clocks.spend(at_work_s=2.0)
    assert patience.left_s() == 0.0


def test_work_that_outlasts_the_limit_is_heard():
    answers: SimpleQueue[str] = SimpleQueue()

    def work() -> None:
        end_s = time.thread_time() + 0.3
        while time.thread_time() < end_s:
            pass
        answers.put("done")

    threading.Thread(target=work).start()
    on_a_processor_of_its_own = time.process_time
    assert Deadline(0.1, on_a_processor_of_its_own).get(answers) == "done"


def test_an_answer_that_never_comes_is_given_up_and_one_that_is_there_is_taken_when_the_time_is_over():
    answers: SimpleQueue[str] = SimpleQueue()
    with pytest.raises(Empty):
        Deadline(0.01).get(answers)
    answers.put("late")
    assert Deadline(0.0).get(answers) == "late"


def test_a_thread_is_waited_for_until_it_has_ended_or_the_time_is_over():
    released = threading.Event()
    thread = threading.Thread(target=released.wait)
    assert Deadline(1.0).wait_for(thread)  # not begun
    thread.start()
    assert not Deadline(0.01).wait_for(thread)
    released.set()
    assert Deadline(60.0).wait_for(thread)
