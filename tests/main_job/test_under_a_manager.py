"""The daemon under a service manager: a real socket receives when it is ready, alive and stopping."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.service.units import GIVE_UP_CODES
from tests.main_job.daemon_process import ask, environment, started
from tests.waiting import PATIENCE_S


class Listener:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(file))
        self.words: list[str] = []

    def until(self, words: str, times: int = 1) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while self.words.count(words) < times:
            self.socket.settimeout(max(0.01, end_s - time.monotonic()))
            self.words.append(self.socket.recv(4096).decode())


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    made = Listener(tmp_path / "notify")
    yield made
    made.socket.close()


def managed(folder: Path, listener: Listener, **more: str) -> dict[str, str]:
    return environment(folder, NOTIFY_SOCKET=str(listener.file), **more)


def test_it_is_ready_when_every_key_of_the_deck_has_been_drawn(tmp_path: Path, listener: Listener) -> None:
    with started(managed(tmp_path, listener), "demo", "--no-browser", "--port", "0") as running:
        listener.until("READY=1")
        (deck,) = running.status()["decks"]
        assert all(key["text"] for key in deck["keys"] if key["tile"] != "blank")


def test_it_is_ready_when_there_is_no_deck_to_draw_on_and_says_when_it_stops(tmp_path: Path, listener: Listener) -> None:
    env = managed(tmp_path, listener)
    with started(env, "run", "--deck", "usb", page=False) as running:
        listener.until("READY=1")
        assert running.end() == 0
        listener.until("STOPPING=1")
    assert listener.words == ["READY=1", "STOPPING=1"]


def test_an_idle_loop_feeds_the_watchdog_and_a_stopped_one_does_not(tmp_path: Path, listener: Listener) -> None:
    with started(managed(tmp_path, listener, WATCHDOG_USEC="300000"), "run", page=False) as running:
        listener.until("READY=1")
        listener.until("WATCHDOG=1", times=5)
        os.kill(running.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, running.process.pid, os.WSTOPPED | os.WNOWAIT)
        listener.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:  # messages from before the SIGSTOP
                listener.socket.recv(4096)
        listener.socket.settimeout(1.0)
        with pytest.raises(TimeoutError):
            listener.socket.recv(4096)
        os.kill(running.process.pid, signal.SIGCONT)


@pytest.mark.parametrize(("options", "code"), [((), 78), (("--launchd",), 0)])
def test_an_invalid_configuration_is_final_and_launchd_gets_exit_code_0(
    tmp_path: Path, options: tuple[str, ...], code: int
) -> None:
    env = environment(tmp_path)
    Path(env["OPENBALANCE_CONFIG"]).write_text("theme = 1\n")
    ended = ask(env, "run", *options)
    assert ended.returncode == code
    assert "theme" in ended.stderr
    assert 78 in GIVE_UP_CODES


def test_a_second_daemon_gives_up_and_the_first_goes_on(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with started(env, "run", page=False) as running:
        running.until_logged("running; configuration")
        assert [ask(env, "run").returncode, ask(env, "run", "--launchd").returncode] == [75, 0]
        assert running.status()["pid"] == running.process.pid


def test_the_stack_of_the_event_loop_is_logged_when_the_watchdog_ends_it(tmp_path: Path, listener: Listener) -> None:
    if sys.platform != "linux":
        pytest.skip("systemd's watchdog is Linux")
    key = "sk-or-v1-" + "0f" * 32
    env = managed(tmp_path, listener, OPENROUTER_MANAGEMENT_KEY=key, OPENBALANCE_API_URL="http://127.0.0.1:9/api/v1")
    with started(env, "run", page=False) as running:
        listener.until("READY=1")  # sent by the event loop, which then starts threads: meanwhile it takes no signal
        assert running.status()
        assert running.end(signal.SIGABRT) == -signal.SIGABRT
        assert "in run_loop" in running.log
        assert "0f0f" not in running.log
