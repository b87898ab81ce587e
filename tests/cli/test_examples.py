"""The examples at the end of each `--help` work as they are."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from openbalance_hid.cli import COMMANDS, main
from openbalance_hid.cli.examples import EXAMPLES, PROGRAM
from tests.cli.command_line import here, machine
from tests.main_job.daemon_process import DaemonProcess, environment, page_of, started

ROOT = Path(__file__).parents[2]
# They go on until a signal, act on this machine's service manager or udev, or start an editor.
NOT_RUN = ("run", "demo", "simulate", "service install", "service uninstall", "service status", "service logs", "config edit")
# Without a terminal, a key or an account of that name, or a second time, these are expected errors, with their hint.
EXPECTED_ERRORS = {
    "setup": (2, 77),
    "accounts forget": (77,),
    "config init": (78,),
    "doctor": (69, 77),
    "guard": (20, 21),
    "export": (78,),  # no history
    "report": (78,),
    "alerts test": (69,),
    "release": (2,),
    "take": (2,),
}
GROUPS = ("", "accounts", "alerts", "config", "service", "udev")  # with the examples of their commands
LINES = [(name, line) for name, lines in EXAMPLES.items() for line in lines]


def words_of(line: str) -> list[str]:
    words = [word for word in shlex.split(line) if not word.startswith("EDITOR=")]
    assert words[0] == PROGRAM
    return words[1:]


def commands(command: click.Command, path: str) -> Iterator[str]:
    yield path
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_ends_with_examples(tmp_path: Path, name: str):
    command = main.get_command(click.Context(main), name)
    assert command is not None
    for path in commands(command, name):
        shown = here(tmp_path, *path.split(), "--help").output.rstrip().splitlines()
        assert shown[-1].strip() in EXAMPLES[path]
        assert "  Examples:" in shown


@pytest.mark.parametrize(("name", "line"), LINES, ids=[line for _, line in LINES])
def test_every_example_is_a_command_line_that_is_accepted(name: str, line: str):
    words = words_of(line)
    context: click.Context = main.make_context(PROGRAM, list(words))
    command: click.Command = main
    while isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, found.make_context(rest[0] if rest else "", list(rest), parent=context)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    env = environment(tmp_path_factory.mktemp("examples"))
    with started(env, "demo", "--no-browser", "--port", "0") as running, page_of(running) as page:
        page.until_key(0, "$74.25")
        page.until_key(7, "laptop")  # the list of API keys comes after the balance
        yield running


@pytest.mark.parametrize(
    ("name", "line"),
    [(name, line) for name, line in LINES if name not in (*NOT_RUN, *GROUPS, "stop", "identify")],
    ids=lambda value: value,
)
def test_every_example_that_ends_by_itself_works(tmp_path: Path, daemon: DaemonProcess, name: str, line: str):
    env = machine(tmp_path, OPENBALANCE_RUNTIME_DIR=str(daemon.env["OPENBALANCE_RUNTIME_DIR"]))
    done = subprocess.run(
        [sys.executable, "-m", "openbalance_hid", *words_of(line)],
        env={**env, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=240,
    )
    assert done.returncode in (0, *EXPECTED_ERRORS.get(name, ())), done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or done.stdout or done.stderr


def test_the_example_of_stop_ends_the_daemon(tmp_path: Path):
    with started(environment(tmp_path), "demo", "--no-browser", "--port", "0") as running:
        assert running.ask(*words_of(EXAMPLES["stop"][0])).stdout == "stopped\n"
        assert running.process.wait(30) == 0


@pytest.mark.parametrize("line", [*EXAMPLES["run"], *EXAMPLES["demo"], *EXAMPLES["simulate"]])
def test_the_examples_that_go_on_start_and_end_with_ctrl_c(tmp_path: Path, line: str):
    env = machine(tmp_path, OPENROUTER_MANAGEMENT_KEY="sk-or-v1-0123456789abcdef1a2b", OPENBALANCE_API_URL="http://127.0.0.1:9")
    words = [*words_of(line), *(["--no-browser"] if line != EXAMPLES["run"][0] and "simulate" not in line else [])]
    process = subprocess.Popen(
        [sys.executable, "-m", "openbalance_hid", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        stream = process.stderr if line == EXAMPLES["run"][0] else process.stdout
        assert stream.readline()
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=240)
        assert process.returncode in (0, 130)
    finally:
        process.kill()
        process.communicate()
