"""The log on standard error: priorities for the journal, none for any other reader."""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from openbalance_hid.cli.log_setup import LOG_LIMIT_BYTES
from openbalance_hid.service.units import HOMEBREW_LABEL
from tests.cli.command_line import machine

AS_DARWIN = Path(__file__).parents[1] / "as_darwin"
TIME = re.compile(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
CODE = (
    "import logging, sys; from openbalance_hid.cli.log_setup import set_up_log\n"
    "set_up_log(sys.argv[1]); log = logging.getLogger('x')\n"
    "log.debug('how'); log.info('life'); log.warning('worse'); log.error('two\\nlines')\n"
)


def stderr_of(args: list[str], home: Path, named: bool) -> str:
    """Return the standard error of a process; `named`: JOURNAL_STREAM names it as the journal."""
    read, write = os.pipe()
    with os.fdopen(read) as reader, os.fdopen(write, "w") as journal:
        stream = os.fstat(journal.fileno())
        env = machine(home, JOURNAL_STREAM=f"{stream.st_dev}:{stream.st_ino if named else 1}")
        subprocess.run([sys.executable, *args], env=env, stderr=journal, timeout=240)
        journal.close()
        return reader.read()


def test_each_line_to_the_journal_has_its_priority(tmp_path: Path):
    lines = stderr_of(["-c", CODE, "info"], tmp_path, named=True)
    assert lines == "<6>life\n<4>worse\n<3>two\n<3>lines\n"


def test_a_line_to_another_reader_has_a_time_and_a_level(tmp_path: Path):
    lines = stderr_of(["-c", CODE, "info"], tmp_path, named=False)
    assert TIME.sub("", lines) == "info: life\nwarning: worse\nerror: two\nlines\n"
    assert len(TIME.findall(lines)) == 3


@pytest.mark.parametrize("named", [True, False], ids=["journal", "terminal"])
def test_a_key_is_in_no_line_of_the_log(tmp_path: Path, named: bool):
    code = f"{CODE}log.warning('no file %s', '/x/sk-or-v1-{'ab' * 32}')\n"
    assert stderr_of(["-c", code, "error"], tmp_path, named).count("sk-or-…") == 0
    assert stderr_of(["-c", code, "info"], tmp_path, named).endswith("no file /x/sk-or-…\n")


def test_only_a_log_at_debug_level_has_names_of_modules(tmp_path: Path):
    assert "<7>x: how\n<6>x: life\n" in stderr_of(["-c", CODE, "debug"], tmp_path, named=True)
    assert "debug: x: how\n" in stderr_of(["-c", CODE, "debug"], tmp_path, named=False)


@pytest.mark.parametrize("named", [True, False])
def test_a_failed_start_of_the_daemon_has_priority_error_in_the_journal(tmp_path: Path, named: bool):
    (tmp_path / "config.toml").write_text("x = 1\ny = 1\n")
    lines = stderr_of(["-m", "openbalance_hid", "run"], tmp_path, named).splitlines()
    assert [line.startswith("<3>") for line in lines] == [named] * 3
    assert lines[2].removeprefix("<3>") == "try: openbalance-hid config check"


# --- under launchd, which opens StandardOutPath and StandardErrorPath to append, and never shortens them (launchd.plist(5)) ---

MANY = (
    "import logging, os, sys; from pathlib import Path; from openbalance_hid.cli import log_setup\n"
    "handler = log_setup.CappedHandler(Path(sys.argv[1]), 2000)\n"
    "handler.setFormatter(log_setup.TimedFormatter(False)); log = logging.getLogger(); log.addHandler(handler)\n"
    "for number in range(200): log.warning('line %d', number)\n"
    "print('to stdout', flush=True); os.write(2, b'to stderr\\n')\n"
)


def test_a_log_file_is_capped_with_one_old_file_and_loses_no_output(tmp_path: Path):
    file = tmp_path / "agent.log"
    with file.open("ab") as opened:
        subprocess.run([sys.executable, "-c", MANY, str(file)], stdout=opened, stderr=opened, timeout=240, check=True)
    old = tmp_path / "agent.log.old"
    assert sorted(tmp_path.iterdir()) == [file, old]
    assert all(0 < each.stat().st_size <= 2100 for each in (file, old))
    lines = (old.read_text() + file.read_text()).splitlines()
    assert lines[-2:] == ["to stdout", "to stderr"]
    numbers = [int(line.split()[-1]) for line in lines[:-2]]
    assert numbers == list(range(numbers[0], 200))
    assert all(TIME.match(line) for line in lines[:-2])


def test_a_log_that_is_no_file_of_launchd_is_left_alone(tmp_path: Path):
    (tmp_path / "other.log").write_text("x" * 5000)
    with (tmp_path / "here").open("ab") as opened:
        subprocess.run([sys.executable, "-c", MANY, str(tmp_path / "other.log")], stderr=opened, stdout=opened, timeout=240)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["here", "other.log"]


def test_under_launchd_an_error_that_ends_the_daemon_has_a_time_and_no_restart(tmp_path: Path):
    (tmp_path / "config.toml").write_text("x = 1\n")
    command = [sys.executable, "-m", "openbalance_hid", "run", "--launchd"]
    done = subprocess.run(command, env=machine(tmp_path, HOME=str(tmp_path)), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert TIME.match(line)
    assert line.endswith("– try: openbalance-hid config check")


def test_the_log_of_the_service_of_homebrew_is_capped_as_well(tmp_path: Path):
    file, agents = tmp_path / "brew/var/log/openbalance-hid.log", tmp_path / "Library/LaunchAgents"
    for directory in (file.parent, agents):
        directory.mkdir(parents=True)
    (agents / f"{HOMEBREW_LABEL}.plist").write_bytes(plistlib.dumps({"StandardOutPath": str(file)}))
    (tmp_path / "config.toml").write_text("x = 1\n")
    file.write_text("x" * LOG_LIMIT_BYTES)
    command = [sys.executable, "-m", "openbalance_hid", "run", "--launchd"]
    env = machine(tmp_path, HOME=str(tmp_path), PYTHONPATH=str(AS_DARWIN))
    with file.open("ab") as opened:
        subprocess.run(command, env=env, stdout=opened, stderr=opened, timeout=240, check=True)
    assert [each.name for each in sorted(file.parent.iterdir())] == [file.name, f"{file.name}.old"]
    assert file.stat().st_size == 0
