"""A daemon that runs and does not answer: suspended with Ctrl-Z, or hung. The hints of the commands lead to its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openbalance_hid import __version__
from openbalance_hid.errors import UnreachableDaemonError
from openbalance_hid.ipc.control_client import request, subscribe
from openbalance_hid.service.doctor.daemon_checks import assess_daemon
from tests.waiting import until

SOON_S = 0.1  # no answer comes, however long a client waits
LISTEN = "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); time.sleep(600)"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="SO_PEERCRED and /proc")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
def silent(place: Path) -> Iterator[int]:
    """A process that listens at the socket and answers nothing; its number."""
    with subprocess.Popen([sys.executable, "-c", LISTEN, os.fspath(place)]) as process:
        until(lambda: can_connect(place))
        yield process.pid
        process.kill()


def can_connect(place: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return place.exists() and client.connect_ex(os.fspath(place)) == 0


def state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def refused(place: Path, command: str) -> UnreachableDaemonError:
    with pytest.raises(UnreachableDaemonError) as caught:
        request(place, command, timeout_s=SOON_S)
    return caught.value


@pytest.mark.parametrize("command", ["status", "refresh", "stop", "accounts"])
def test_a_suspended_daemon_is_named_with_the_command_that_continues_it(silent: int, place: Path, command: str):
    os.kill(silent, signal.SIGSTOP)
    until(lambda: state_of(silent) == "T")
    error = refused(place, command)
    assert (error.message, error.hint) == (f"the daemon is suspended, as process {silent}", f"kill -CONT {silent}")
    assert error.exit_code == 75
    with pytest.raises(UnreachableDaemonError, match="suspended"):
        next(subscribe(place, "watch", timeout_s=SOON_S))
    (check,) = assess_daemon(None, error, __version__)
    assert (check.found, check.hint) == (error.message, error.hint)


@pytest.mark.parametrize(
    ("command", "hint"),
    [("stop", "kill -9 {pid}"), ("refresh", "openbalance-hid status"), ("status", "openbalance-hid service logs")],
)
def test_a_daemon_that_hangs_is_not_one_that_does_not_run(silent: int, place: Path, command: str, hint: str):
    error = refused(place, command)
    assert (error.message, error.hint) == (f"the daemon, process {silent}, does not answer", hint.format(pid=silent))


def test_a_daemon_with_a_full_backlog_is_not_one_that_does_not_run(silent: int, place: Path):
    with socket.socket(socket.AF_UNIX) as first:
        waiting = [first]
        while waiting[-1].connect_ex(os.fspath(place)) == 0:
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
        error = refused(place, "status")
        for each in waiting:
            each.close()
    assert error.message == "the daemon does not answer"
