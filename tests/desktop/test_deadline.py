"""A time limit that counts waiting for others, and not the work of this process."""

import threading
import time
from queue import Empty, SimpleQueue

import pytest

from openbalance_hid.desktop.deadline import Deadline


class Clocks:
    def __init__(self) -> None:
        self.now_s = self.worked_s = 0.0

    def deadline(self, limit_s: float) -> Deadline:
        return Deadline(limit_s, lambda: self.now_s, lambda: self.worked_s)

    def spend(self, waiting_s: float = 0.0, at_work_s: float = 0.0) -> None:
        self.now_s += waiting_s + at_work_s
        self.worked_s += at_work_s


def test_only_waiting_counts():
    clocks = Clocks()
    clocks.spend(100.0, 3.0)
    deadline = clocks.deadline(5.0)
    clocks.spend(at_work_s=8.0)
    assert deadline.left_s() == 5.0
    clocks.spend(waiting_s=4.0, at_work_s=1.0)
    assert deadline.left_s() == 1.0
    clocks.spend(waiting_s=7.0)
    assert deadline.left_s() == 0.0


def test_a_busy_process_does_not_wait_for_ever():
    clocks = Clocks()
    deadline = clocks.deadline(5.0)
    clocks.spend(at_work_s=29.0)
    assert deadline.left_s() == 1.0
    clocks.spend(at_work_s=2.0)
    assert deadline.left_s() == 0.0


def test_a_result_of_work_longer_than_the_limit_is_returned():
    answers: SimpleQueue[str] = SimpleQueue()

    def work() -> None:
        end_s = time.thread_time() + 0.3
        while time.thread_time() < end_s:
            pass
        answers.put("done")

    threading.Thread(target=work).start()
    busy_clock = time.process_time
    assert Deadline(0.1, busy_clock).get(answers) == "done"


def test_a_missing_item_raises_empty_and_a_present_one_is_returned_after_the_limit():
    answers: SimpleQueue[str] = SimpleQueue()
    with pytest.raises(Empty):
        Deadline(0.01).get(answers)
    answers.put("late")
    assert Deadline(0.0).get(answers) == "late"


def test_a_thread_is_waited_for_until_its_end_or_the_limit():
    released = threading.Event()
    thread = threading.Thread(target=released.wait)
    assert Deadline(1.0).wait_for(thread)  # not started
    thread.start()
    assert not Deadline(0.01).wait_for(thread)
    released.set()
    assert Deadline(60.0).wait_for(thread)
