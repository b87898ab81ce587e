"""Each thread of the daemon is ended once by force: the daemon goes on, and everything works afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openbalance_hid.simulator.openrouter.sample_account import SampleAccount
from tests.main_job.daemon_process import ask, environment
from tests.torture.amounts import amounts
from tests.torture.figures import Figures
from tests.waiting import PATIENCE_S, until

RUN = ("run", "--deck", "virtual:mini", "--no-browser", "--port", "0")
# Each ends when it is not needed any more, and so may be missing.
SHORT_LIVED = (
    "deck-open",
    "deck-close",
    "reload",
    "control client",
    "page-receive",
    "page-send",
    "open page",
    "notification",
    "HTTP process",
    "process of the keyring",
    "Thread-",
)


class KillableDaemon:
    def __init__(self, process: subprocess.Popen[str], env: dict[str, str]) -> None:
        self.process = process
        self.env = env
        self._lines: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def status(self) -> dict[str, object]:
        return json.loads(ask(self.env, "status", "--json").stdout)

    def end_thread(self, name: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()

    def threads(self) -> set[str]:
        """Return the names of the lasting threads."""
        before = self.log.count("threads:")
        self.end_thread("none")
        until(lambda: self.log.count("threads:") > before)
        names = [line for line in self.log.splitlines() if line.startswith("threads:")][-1].removeprefix("threads: ").split("|")
        return {name for name in names if not name.startswith(SHORT_LIVED)} - {"MainThread", "end threads"}

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line)


@contextmanager
def running(env: dict[str, str]) -> Iterator[KillableDaemon]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.torture.killable_daemon", *RUN],
        env=env,
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield KillableDaemon(process, env)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stderr):
            assert stream is not None
            stream.close()


def use_everything(daemon: KillableDaemon, config: Path, round_: int) -> None:
    """Wake every thread: a request, a press, a poll, a changed file, a signal."""
    env = daemon.env
    until(lambda: ask(env, "status").returncode == 0, lambda: daemon.log)
    ask(env, "refresh")
    ask(env, "press", "0")
    config.write_text(f'theme = "{("light", "dark")[round_ % 2]}"\n')
    ask(env, "reload")


def polls_again(daemon: KillableDaemon, before: int) -> bool:
    """Refresh, which is refused for 10 s after the last one, and return whether a poll has ended since."""
    ask(daemon.env, "refresh")
    return daemon.status()["counters"]["polls"] > before


def works(daemon: KillableDaemon) -> bool:
    """Return whether the deck is connected and shows the balance."""
    status = json.loads(ask(daemon.env, "status", "--json").stdout or "{}")
    if not status or not status["decks"] or not status["decks"][0]["connected"]:
        return False
    texts = [key["text"] for key in status["decks"][0]["keys"]]
    return status["accounts"]["default"]["health"] == "ok" and any("$74.2" in text for text in texts)


@pytest.mark.skipif(sys.platform != "linux", reason="the names of the threads are Linux's")
@amounts("rounds", short=1, long=3)
def test_a_thread_that_is_ended_by_force_starts_again(tmp_path: Path, rounds: int, figures: Figures) -> None:
    config = tmp_path / "config.toml"
    config.write_text("")
    with SampleAccount() as account:
        env = environment(tmp_path, OPENBALANCE_API_URL=account.url, OPENROUTER_MANAGEMENT_KEY=account.key)
        with running(env) as daemon:
            until(lambda: works(daemon), lambda: daemon.log)
            lasting = daemon.threads()
            assert {"history", "control", "signals", "deck-hotplug", "poll default", "page-server"} <= lasting
            for round_ in range(rounds):
                for name in sorted(lasting):
                    polls = daemon.status()["counters"]["polls"]
                    daemon.end_thread(name)
                    use_everything(daemon, config, round_)
                    until(lambda: works(daemon), lambda name=name: f"after {name}: {daemon.log}")
                    if name.startswith("poll"):
                        until(lambda before=polls: polls_again(daemon, before), lambda: daemon.log)
                    figures.tell(tried=1, survived=1, lost=0)
            until(lambda: lasting <= daemon.threads(), lambda: f"{lasting - daemon.threads()} are missing: {daemon.log}")
            assert ask(env, "stop").returncode == 0
            assert daemon.process.wait(PATIENCE_S) == 0, daemon.log
