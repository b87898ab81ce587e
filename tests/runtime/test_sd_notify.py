"""What a service manager hears: over a real datagram socket, at times that the test decides."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid.runtime.sd_notify import SystemdManager, when_all


class Listener:
    """A manager's end. `heard` is everything said since it was asked last."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.setblocking(False)
        self.env = {"NOTIFY_SOCKET": address}

    def heard(self) -> list[str]:
        words = []
        while True:
            try:
                words.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return words


@pytest.fixture(params=["file", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    if request.param == "abstract" and not Path("/proc/net/unix").exists():
        pytest.skip("abstract sockets are Linux")
    made = Listener(str(tmp_path / "notify") if request.param == "file" else f"@openbalance-test-{tmp_path}")
    yield made
    made.socket.close()


def test_ready_is_said_once(listener: Listener) -> None:
    manager = SystemdManager(listener.env, 7)
    manager.ready()
    manager.ready()
    assert listener.heard() == ["READY=1"]


def test_the_watchdog_is_fed_three_times_in_its_limit_however_often_the_loop_turns(listener: Listener) -> None:
    manager = SystemdManager({**listener.env, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 7)
    for tenth in range(30):  # 0.0 s to 2.9 s
        manager.alive(100.0 + tenth / 10)
    assert listener.heard() == ["WATCHDOG=1"] * 3
    assert manager.next_message_s() == pytest.approx(103.0)


@pytest.mark.parametrize("usec", ["", "0", "-1", "soon"])
def test_without_a_limit_nothing_is_fed_and_nothing_is_waited_for(listener: Listener, usec: str) -> None:
    manager = SystemdManager({**listener.env, "WATCHDOG_USEC": usec}, 7)
    manager.alive(100.0)
    assert (listener.heard(), manager.next_message_s()) == ([], float("inf"))


def test_another_processs_watchdog_is_not_fed(listener: Listener) -> None:
    manager = SystemdManager({**listener.env, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, 7)
    manager.alive(100.0)
    assert listener.heard() == []


def test_stopping_is_said(listener: Listener) -> None:
    SystemdManager(listener.env, 7).stopping()
    assert listener.heard() == ["STOPPING=1"]


@pytest.mark.parametrize("env", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify", "WATCHDOG_USEC": "1"}])
def test_without_a_listener_all_words_are_left_out(env: dict[str, str]) -> None:
    manager = SystemdManager(env, 7)
    manager.ready()
    manager.alive(100.0)
    manager.stopping()


@pytest.mark.parametrize(("parts", "calls", "done"), [(0, 0, 1), (1, 1, 1), (2, 1, 0), (2, 2, 1)])
def test_when_all_waits_for_the_last_part(parts: int, calls: int, done: int) -> None:
    times: list[int] = []
    one_more = when_all(parts, lambda: times.append(1))
    for _ in range(calls):
        one_more()
    assert len(times) == done
