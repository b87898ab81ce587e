"""A program in the foreground ends with its terminal, in order; one without a terminal, or under nohup, does not."""

from __future__ import annotations

import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.main_job.daemon_process import COMMAND, ask, command_of, environment, started
from tests.main_job.terminal import on_a_terminal
from tests.waiting import PATIENCE_S, until

VIRTUAL = ("--no-browser", "--port", "0")


@pytest.mark.parametrize(
    ("words", "last_line"),
    [
        (("run", "--deck", "virtual:mini", *VIRTUAL), "Ctrl-C stops the deck."),
        (("demo", *VIRTUAL), "Ctrl-C stops the deck."),
        (("simulate", "--usbip", "0", *VIRTUAL), " 1-1"),
    ],
)
def test_a_program_whose_terminal_is_closed_ends_and_leaves_nothing(
    tmp_path: Path, words: tuple[str, ...], last_line: str
) -> None:
    (tmp_path / "tmp").mkdir(mode=0o700)
    with on_a_terminal(environment(tmp_path, TMPDIR=str(tmp_path / "tmp")), *words) as running:
        running.read_until(last_line)
        running.close()
        assert running.process.wait(PATIENCE_S) == 0
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "run" / "control.sock").exists()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_without_a_terminal_each_ending_signal_ends_a_demo_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    (tmp_path / "tmp").mkdir(mode=0o700)
    with started(environment(tmp_path, TMPDIR=str(tmp_path / "tmp")), "demo", *VIRTUAL) as running:
        running.until_deck()
        assert running.end(number) == 0
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_demo_that_is_ended_while_it_starts_leaves_nothing(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir(mode=0o700)
    process = subprocess.Popen([*COMMAND, "demo", *VIRTUAL], env=environment(tmp_path, TMPDIR=str(folder)))
    try:
        until(lambda: list(folder.iterdir()))
        process.send_signal(number)
        assert process.wait(PATIENCE_S) in (0, 128 + number)
        assert list(folder.iterdir()) == []
    finally:
        process.kill()


def test_a_program_under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with on_a_terminal(env, "run", "--deck", "virtual:mini", *VIRTUAL, before=("nohup",), folder=tmp_path) as running:
        until(lambda: ask(env, "status").returncode == 0)
        running.close()
        assert ask(env, "reload").returncode == 0
        assert running.process.poll() is None
        assert ask(env, "stop").returncode == 0
        assert running.process.wait(PATIENCE_S) == 0


def test_a_daemon_and_its_commands_run_with_every_standard_stream_closed(tmp_path: Path) -> None:
    env = environment(tmp_path)
    quoted = shlex.join([*command_of(env), "run", "--deck", "virtual:mini", *VIRTUAL])
    with subprocess.Popen(["sh", "-c", f"exec {quoted} <&- >&- 2>&-"], env=env) as running:
        try:
            until(lambda: ask(env, "status").returncode == 0)
            closed = ["sh", "-c", f"{shlex.join([*command_of(env), 'bar'])} >&-"]
            done = subprocess.run(closed, env=env, capture_output=True, timeout=PATIENCE_S)
            assert (done.returncode, done.stderr) == (0, b"")
            assert ask(env, "stop").returncode == 0
            assert running.wait(PATIENCE_S) == 0
        finally:
            running.kill()
