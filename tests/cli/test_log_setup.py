"""The log on standard error: priorities for the journal, none for any other reader."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command_line import machine

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
        subprocess.run([sys.executable, *args], env=env, stderr=journal, timeout=60)
        journal.close()
        return reader.read()


def test_each_line_to_the_journal_has_its_priority(tmp_path: Path):
    lines = stderr_of(["-c", CODE, "info"], tmp_path, named=True)
    assert lines == "<6>life\n<4>worse\n<3>two\n<3>lines\n"


def test_a_line_to_another_reader_has_a_time_and_a_level(tmp_path: Path):
    lines = stderr_of(["-c", CODE, "info"], tmp_path, named=False)
    assert TIME.sub("", lines) == "info: life\nwarning: worse\nerror: two\nlines\n"
    assert len(TIME.findall(lines)) == 3


def test_only_a_log_at_debug_level_has_names_of_modules(tmp_path: Path):
    assert "<7>x: how\n<6>x: life\n" in stderr_of(["-c", CODE, "debug"], tmp_path, named=True)
    assert "debug: x: how\n" in stderr_of(["-c", CODE, "debug"], tmp_path, named=False)


@pytest.mark.parametrize("named", [True, False])
def test_a_failed_start_of_the_daemon_has_priority_error_in_the_journal(tmp_path: Path, named: bool):
    (tmp_path / "config.toml").write_text("x = 1\ny = 1\n")
    lines = stderr_of(["-m", "openbalance_hid", "run"], tmp_path, named).splitlines()
    assert [line.startswith("<3>") for line in lines] == [named] * 3
    assert lines[2].removeprefix("<3>") == "try: openbalance-hid config check"
