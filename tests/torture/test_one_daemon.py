"""Exactly one daemon runs and is reachable, whatever is removed under it and whatever else is started, in any order."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from openbalance_hid.errors import OpenBalanceError
from openbalance_hid.ipc.control_client import request
from tests.main_job.daemon_process import COMMAND, environment
from tests.torture.amounts import amounts
from tests.torture.figures import Figures

LIMIT_S = 240.0
GAP_S = 0.3  # between two signals that make the main loop turn


class Machine:
    """Daemons of one user, with the same directories."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self._env = environment(folder)
        self._state, self._run = folder / "state", folder / "run"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ready: set[int] = set()  # processes that have their signal handlers
        self.actions: dict[str, Callable[[], None]] = {
            "remove the lock": lambda: self._remove(self._run / "control.lock"),
            "remove the other lock": lambda: self._remove(self._state / "daemon.lock"),
            "remove the socket": lambda: self._remove(self._run / "control.sock"),
            "remove the directory": lambda: self._remove(self._run),
            "SIGHUP": self.turn,
            "second daemon": self.start,
        }

    def start(self) -> None:
        """Start a daemon, and wait until it runs or is refused."""
        with self.log.open("ab") as log:
            words = [*COMMAND, "run", "--deck", "virtual:mini", "--no-browser", "--port", "0"]
            process = subprocess.Popen(
                words, env=self._env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True
            )
        self._processes.append(process)
        end_s = time.monotonic() + LIMIT_S
        while process.poll() is None and not self._holds_a_lock(process.pid):
            assert time.monotonic() < end_s, self.log.read_text()
            time.sleep(0.02)

    def alive(self) -> list[subprocess.Popen[bytes]]:
        """Return the running daemons. Every other one has refused to run, or has ended because another one runs."""
        for process in self._processes:
            assert process.poll() in (None, 75), (process.returncode, self.log.read_text())
        self._processes = [process for process in self._processes if process.returncode is None]
        return self._processes

    def turn(self) -> None:
        """Make the main loop of each daemon turn, which it also does by itself within a minute."""
        for process in self.alive():
            if process.pid in self._ready:
                process.send_signal(signal.SIGHUP)

    def is_one(self) -> bool:
        """Return whether exactly one daemon runs, and commands reach it."""
        running = self.alive()
        with suppress(OpenBalanceError):
            return [process.pid for process in running] == [request(self._run / "control.sock", "status")["pid"]]
        return False

    def end(self) -> list[int]:
        """End the daemons in order; return their exit codes."""
        running = self.alive()
        for process in running:
            process.terminate()
        return [process.wait(LIMIT_S) for process in running]

    def kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _holds_a_lock(self, pid: int) -> bool:
        for file in (self._state / "daemon.lock", self._run / "control.lock"):
            with suppress(OSError):
                if file.read_text().strip() == str(pid):
                    self._ready.add(pid)
                    return True
        return False

    def _remove(self, path: Path) -> None:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    made = Machine(folder)
    try:
        yield made
    finally:
        made.kill()


@amounts("orders", short=5, long=200)
def test_after_removals_and_second_daemons_in_any_order_exactly_one_runs(
    tmp_path: Path, orders: int, seed: int, figures: Figures
) -> None:
    dice = random.Random(seed)
    with machine(tmp_path) as here:
        here.start()
        for _ in range(orders):
            order = dice.sample(sorted(here.actions), len(here.actions))
            for name in order:
                here.actions[name]()
            end_s = time.monotonic() + LIMIT_S
            while not here.is_one():
                assert time.monotonic() < end_s, (order, here.log.read_text())
                here.turn()
                time.sleep(GAP_S)
            figures.tell(tried=1, survived=1, lost=0)
        assert here.end() == [0]
        assert "Traceback" not in here.log.read_text()
