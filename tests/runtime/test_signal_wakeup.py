"""A signal that does not interrupt the main thread's wait, as it may not, is heard all the same."""

import os
import queue
import signal

import pytest

from openbalance_hid.runtime.signal_wakeup import SignalWakeup


def heard(nudged: bool) -> list[str]:
    """What a main thread takes from its queue after a signal that was delivered to another thread."""
    inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
    before = signal.signal(signal.SIGUSR1, lambda *_: inbox.put("handler"))
    nudge = SignalWakeup(lambda: inbox.put("woken") if nudged else None)
    nudge.start()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # of this thread alone
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        taken = []
        while len(taken) < 2:
            taken.append(inbox.get(timeout=30 if nudged else 0.5))
        return sorted(taken)
    finally:
        nudge.stop()
        nudge.stop()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_wakes_a_main_thread_whose_wait_it_did_not_interrupt():
    assert heard(nudged=True) == ["handler", "woken"]


def test_without_it_the_handler_waits_with_the_main_thread():
    with pytest.raises(queue.Empty):
        heard(nudged=False)
