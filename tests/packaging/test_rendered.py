"""The checked-in files of `make rendered` are current, and the manual page is complete."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import platformdirs.unix
import pytest

import openbalance_hid
from openbalance_hid import errors
from openbalance_hid.cli import exit as errors_out
from openbalance_hid.cli import guard
from openbalance_hid.service.units import CREDENTIAL, ETC

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "packaging/man/openbalance-hid.1"
CHECKERS = {
    "mandoc": ["mandoc", "-T", "lint", "-W", "all", str(PAGE)],
    "man": ["man", "--warnings", "--encoding=UTF-8", "--local-file", str(PAGE)],
}


def test_the_checked_in_files_are_current() -> None:
    ended = subprocess.run(
        [sys.executable, "tools/render.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("program", CHECKERS)
def test_man_and_mandoc_find_no_fault(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: apt install mandoc man-db")
    ended = subprocess.run(CHECKERS[program], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=240)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert program == "man" or ended.stdout == ""


def page_text() -> str:
    """Return the page without the escapes of roff."""
    return re.sub(r"\\f[BIR]|\\&|\\:", "", PAGE.read_text()).replace("\\-", "-").replace("\\(ti", "~")


def all_errors(kind: type[errors.OpenBalanceError] = errors.OpenBalanceError) -> Iterator[type[errors.OpenBalanceError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from all_errors(each)


def test_the_page_has_every_exit_code() -> None:
    codes = {kind.exit_code for kind in all_errors()} | {guard.WITHIN, guard.CROSSED, guard.UNKNOWN}
    codes |= {errors_out.UNEXPECTED, errors_out.USAGE, errors_out.INTERRUPTED}
    (section,) = re.findall(r"\.SH EXIT STATUS\n(.*?)\n\.SH", page_text(), re.DOTALL)
    assert {int(code) for code in re.findall(r"^\.B (\d+)$", section, re.MULTILINE)} == codes


def test_the_page_has_every_variable_that_the_program_reads() -> None:
    sources = Path(openbalance_hid.__file__).parent.rglob("*.py")
    reads = {
        name for file in sources for name in re.findall(r'"(OPENBALANCE_[A-Z_]+|NO_COLOR|[A-Z_]+_EPOCH)"', file.read_text())
    }
    assert len(reads) >= 6
    assert [name for name in reads if f"\n.B {name}\n" not in page_text()] == []


def test_the_page_names_the_paths_of_this_program() -> None:
    ours = platformdirs.unix.Unix("openbalance-hid", appauthor=False)
    home = str(Path.home())
    page = page_text()
    for place in (f"~{ours.user_config_dir.removeprefix(home)}/config.toml", f"{ETC}/config.toml", f"{ETC}/{CREDENTIAL}"):
        assert f"\n.B {place}\n" in page
