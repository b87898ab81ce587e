"""A thread whose function fails is started again, and so is one that could not be started or was lost."""

from __future__ import annotations

import threading

import pytest

from openbalance_hid import restarting_thread
from openbalance_hid.restarting_thread import RestartingThread
from tests.waiting import PATIENCE_S, until


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarting_thread, "FIRST_PAUSE_S", 0.001)


@pytest.mark.parametrize("error", [ZeroDivisionError, MemoryError, SystemExit, KeyboardInterrupt])
def test_a_function_that_fails_is_called_again_until_it_returns(error: type[BaseException], caplog: pytest.LogCaptureFixture):
    calls, done = [], threading.Event()

    def run() -> None:
        calls.append(threading.current_thread().name)
        if len(calls) < 4:
            raise error("sk-or-v1-0123456789abcdef")
        done.set()

    thread = RestartingThread("worker", run)
    thread.start()
    thread.start()
    assert done.wait(PATIENCE_S)
    thread.join(PATIENCE_S)
    thread.revive()
    assert calls == ["worker"] * 4, "a function that has returned is not called again"
    assert caplog.text.count("the thread worker failed; it starts again") == 3


def test_the_end_of_a_pause_comes_with_stop():
    def run() -> None:
        failed.set()
        raise ZeroDivisionError

    failed = threading.Event()
    thread = RestartingThread("worker", run)
    thread.start()
    assert failed.wait(PATIENCE_S)
    thread.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive
    thread.revive()
    assert not thread.is_alive


def test_a_thread_that_the_system_cannot_start_is_started_later(monkeypatch: pytest.MonkeyPatch, caplog):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    done = threading.Event()
    thread = RestartingThread("worker", done.set)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        thread.start()
        thread.revive()
    assert caplog.text.count("cannot start the thread worker") == 1
    thread.join(PATIENCE_S)
    thread.revive()
    assert done.wait(PATIENCE_S)


def test_a_thread_that_failed_while_it_reported_its_failure_is_started_again(monkeypatch: pytest.MonkeyPatch):
    """As a lack of memory does; only the main loop is left to notice it."""
    calls = threading.Semaphore(0)

    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    def run() -> None:
        calls.release()
        raise MemoryError

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    thread = RestartingThread("worker", run)
    with monkeypatch.context() as patch:
        patch.setattr(restarting_thread.log, "error", no_memory)
        thread.start()
        assert calls.acquire(timeout=PATIENCE_S)
        until(lambda: not thread.is_alive)
    thread.revive()
    assert calls.acquire(timeout=PATIENCE_S)
    thread.stop()
    thread.join(PATIENCE_S)
