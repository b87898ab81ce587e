"""Concurrency: daemons with the same runtime directory, and a control socket full of clients that behave badly."""

import contextlib
import random
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openbalance_hid.ipc.control_client import request
from openbalance_hid.ipc.control_server import CLIENT_LIMIT, LINE_LIMIT, ControlServer
from tests.main_job.daemon_process import COMMAND, environment, started
from tests.torture.amounts import amounts
from tests.torture.figures import Figures
from tests.torture.resource_usage import ResourceUsage, has_proc, needs_proc
from tests.waiting import PATIENCE_S, until

CROWD = 50
LONG_LINE = 10 * 1024 * 1024
ROOM_FOR_MIB = 24.0  # 32 clients with a line of 64 KiB each and its answer, and what Python keeps of it


class Crowd:
    """Clients of one socket that behave badly in different ways; none of them waits."""

    def __init__(self, place: Path, seed: int) -> None:
        self._place = place
        self._random = random.Random(seed)
        self._peers: list[socket.socket] = []
        self.ways: tuple[Callable[[socket.socket], None], ...] = (
            self.send_garbage,
            self.send_half,
            self.never_end,
            self.never_read,
            self.stay_silent,
        )

    def join(self, count: int) -> None:
        for number in range(count):
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(5.0)
            self._peers.append(peer)
            with contextlib.suppress(OSError):  # refused, which is allowed
                peer.connect(str(self._place))
                peer.setblocking(False)
                self.ways[number % len(self.ways)](peer)

    def leave(self) -> None:
        for peer in self._peers:
            peer.close()
        self._peers.clear()

    def send_garbage(self, peer: socket.socket) -> None:
        peer.send(self._random.randbytes(self._random.randrange(1, 4000)) + b"\n")

    def send_half(self, peer: socket.socket) -> None:
        line = b'{"command": "status"}'
        peer.send(line[: self._random.randrange(1, len(line))])

    def never_end(self, peer: socket.socket) -> None:
        left = LONG_LINE
        while left > 0:
            left -= peer.send(b"x" * min(left, LINE_LIMIT))  # BlockingIOError, an OSError, as soon as it is not read

    def never_read(self, peer: socket.socket) -> None:
        for _ in range(2000):
            peer.send(b'{"command": "status"}\n')

    def stay_silent(self, peer: socket.socket) -> None:
        return


@contextlib.contextmanager
def crowd_at(place: Path, seed: int) -> Iterator[Crowd]:
    crowd = Crowd(place, seed)
    try:
        yield crowd
    finally:
        crowd.leave()


def test_a_full_server_closes_the_client_that_has_been_silent_longest(tmp_path):
    place = tmp_path / "run" / "control.sock"
    server = ControlServer(place, lambda each: each["command"])
    server.start()
    silent = [socket.socket(socket.AF_UNIX) for _ in range(CLIENT_LIMIT)]
    try:
        for peer in silent:
            peer.settimeout(PATIENCE_S)
            peer.connect(str(place))
            peer.sendall(b'{"command": "here"}\n')
            assert peer.recv(100) == b'{"ok": "here"}\n'  # so that the order of connecting is known
        assert request(place, "newcomer") == "newcomer"
        assert silent[0].recv(1) == b"", "the first client was closed"
        silent[1].sendall(b'{"command": "still"}\n')
        assert silent[1].recv(100) == b'{"ok": "still"}\n'
    finally:
        for peer in silent:
            peer.close()
        server.stop()


@pytest.mark.skipif(not has_proc, reason=needs_proc)
@amounts("rounds", short=2, long=40)
def test_many_bad_clients_cost_little_and_keep_no_client_out(tmp_path, rounds: int, seed: int, figures: Figures):
    with started(environment(tmp_path), "demo", "--no-browser", "--port", "0") as running:
        place, pid = tmp_path / "run" / "control.sock", running.process.pid
        until(lambda: request(place, "status")["accounts"]["default"]["health"] == "ok")
        before = most = ResourceUsage.of(pid)
        for number in range(rounds):
            with crowd_at(place, seed + number) as crowd:
                crowd.join(CROWD)
                for _ in range(10):
                    assert request(place, "status", timeout_s=PATIENCE_S)["pid"] == pid
                    now = ResourceUsage.of(pid)
                    most = ResourceUsage(*(max(pair) for pair in zip(_all(most), _all(now), strict=True)))
                figures.tell(tried=CROWD + 10, survived=CROWD + 10, lost=0)
        until(lambda: ResourceUsage.of(pid).threads <= before.threads and ResourceUsage.of(pid).handles <= before.handles)
        figures.tell(before=before, most=most, after=ResourceUsage.of(pid))
        assert most.threads <= before.threads + CLIENT_LIMIT + CROWD // 10
        assert most.handles <= before.handles + CLIENT_LIMIT + CROWD // 10
        assert most.private_mib <= before.private_mib + ROOM_FOR_MIB
        assert running.end() == 0
        assert "Traceback" not in running.log


@amounts("starters", short=3, long=20)
def test_of_daemons_that_start_at_once_one_runs_and_the_others_exit_with_75(tmp_path, starters: int, figures: Figures):
    env = environment(tmp_path)
    words = [*COMMAND, "demo", "--no-browser", "--port", "0"]
    starting = [subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(starters)]
    place = tmp_path / "run" / "control.sock"
    try:
        until(lambda: sum(process.poll() is None for process in starting) == 1)
        assert sorted(process.poll() or 0 for process in starting) == [0, *[75] * (starters - 1)]
        (winner,) = (process for process in starting if process.poll() is None)
        until(place.exists)  # the lock is taken before there is a socket
        assert request(place, "status", timeout_s=PATIENCE_S)["pid"] == winner.pid
        request(place, "stop")
        assert winner.wait(PATIENCE_S) == 0
        figures.tell(tried=starters, survived=starters)
    finally:
        for process in starting:
            process.kill()
            process.wait()


def _all(costs: ResourceUsage) -> tuple[int, int, float]:
    return costs.threads, costs.handles, costs.private_mib
