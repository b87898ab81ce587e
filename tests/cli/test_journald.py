"""What the journal is told of how much a line matters, and that nobody else is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.door import machine

CODE = (
    "import logging; from openbalance_hid.cli.log_setup import set_up_log\n"
    "set_up_log('debug'); log = logging.getLogger('x')\n"
    "log.debug('how'); log.info('life'); log.warning('worse'); log.error('two\\nlines')\n"
)


def said(args: list[str], home: Path, named: bool) -> str:
    """What the process says on a stderr that is the journal's by JOURNAL_STREAM, or another one than that."""
    read, write = os.pipe()
    with os.fdopen(read) as heard, os.fdopen(write, "w") as journal:
        stream = os.fstat(journal.fileno())
        env = machine(home, JOURNAL_STREAM=f"{stream.st_dev}:{stream.st_ino if named else 1}")
        subprocess.run([sys.executable, *args], env=env, stderr=journal, timeout=60)
        journal.close()
        return heard.read()


def test_the_journal_is_told_how_much_each_line_matters(tmp_path: Path):
    assert said(["-c", CODE], tmp_path, named=True) == "<7>D x: how\n<6>I x: life\n<4>W x: worse\n<3>E x: two\n<3>lines\n"


def test_whoever_else_reads_stderr_sees_no_priorities(tmp_path: Path):
    assert said(["-c", CODE], tmp_path, named=False) == "D x: how\nI x: life\nW x: worse\nE x: two\nlines\n"


@pytest.mark.parametrize("named", [True, False])
def test_why_the_daemon_could_not_begin_is_an_error_in_the_journal(tmp_path: Path, named: bool):
    (tmp_path / "config.toml").write_text("x = 1\ny = 1\n")
    lines = said(["-m", "openbalance_hid", "run"], tmp_path, named).splitlines()
    assert [line.startswith("<3>") for line in lines] == [named] * 3
    assert lines[2].removeprefix("<3>") == "try: openbalance-hid config check"
