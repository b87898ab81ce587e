"""The log on standard error: priorities for the journal, none for any other reader."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command_line import machine

CODE = (
    "import logging; from openbalance_hid.cli.log_setup import set_up_log\n"
    "set_up_log('debug'); log = logging.getLogger('x')\n"
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
    assert stderr_of(["-c", CODE], tmp_path, named=True) == "<7>D x: how\n<6>I x: life\n<4>W x: worse\n<3>E x: two\n<3>lines\n"


def test_a_line_to_another_reader_has_no_priority(tmp_path: Path):
    assert stderr_of(["-c", CODE], tmp_path, named=False) == "D x: how\nI x: life\nW x: worse\nE x: two\nlines\n"


@pytest.mark.parametrize("named", [True, False])
def test_a_failed_start_of_the_daemon_has_priority_error_in_the_journal(tmp_path: Path, named: bool):
    (tmp_path / "config.toml").write_text("x = 1\ny = 1\n")
    lines = stderr_of(["-m", "openbalance_hid", "run"], tmp_path, named).splitlines()
    assert [line.startswith("<3>") for line in lines] == [named] * 3
    assert lines[2].removeprefix("<3>") == "try: openbalance-hid config check"
