"""Every command with a directory that it may not enter: an expected error, never a bug."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command_line import machine


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """Return a directory that no user may enter."""
    folder = tmp_path / "no"  # short: the path of a socket below it has a limit
    folder.mkdir(mode=0o000)
    yield folder
    folder.chmod(0o700)


def as_a_user(home: Path, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `openbalance-hid args` with every path below `home`, bound by permissions: root without its capabilities."""
    without_capabilities = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if without_capabilities and shutil.which("setpriv") is None:
        pytest.skip("as root this needs setpriv: apt install util-linux")
    words = [*without_capabilities, sys.executable, "-m", "openbalance_hid", *args]
    return subprocess.run(words, env=machine(home, **more), capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["status"], 77),
        (["stop"], 77),
        (["press", "0"], 77),
        (["guard", "--min-balance", "5"], 77),
        (["bar"], 77),
        (["accounts"], 0),
        (["accounts", "forget", "work"], 77),
        (["config", "check"], 78),
        (["run", "--config", "config.toml"], 78),
        (["preview", "--config", "config.toml"], 78),
        (["export", "--what", "days", "--format", "csv"], 78),
        (["setup", "--store", "file", "--stdin", "--no-check"], 77),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_closed_directory_is_a_two_line_error(closed: Path, args: list[str], code: int) -> None:
    done = as_a_user(closed, *[str(closed / word) if word == "config.toml" else word for word in args])
    assert done.returncode == code, done.stderr
    assert "unexpected" not in done.stderr
    if code:
        assert "ermi" in done.stderr  # permitted, permission
        assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    ("variable", "args", "code"),
    [
        ("OPENBALANCE_STATE_DIR", ["export", "--what", "now", "--format", "csv"], 69),
        ("OPENBALANCE_STATE_DIR", ["status"], 69),
        ("OPENBALANCE_RUNTIME_DIR", ["export", "--what", "now", "--format", "csv"], 77),
        ("CREDENTIALS_DIRECTORY", ["accounts"], 0),
        ("XDG_CONFIG_HOME", ["service", "print"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_one_closed_directory_among_open_ones_is_no_bug(
    closed: Path, tmp_path: Path, variable: str, args: list[str], code: int
) -> None:
    done = as_a_user(tmp_path, *args, **{variable: str(closed / "in")})
    assert (done.returncode, "unexpected" in done.stderr) == (code, False), done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_status_of_another_users_daemon_prints_the_sudo_command(closed: Path) -> None:
    done = as_a_user(closed, "status")
    assert done.stderr == (
        f"error: not permitted to connect to the daemon at {closed}/run/control.sock\n"
        f"try: sudo OPENBALANCE_RUNTIME_DIR={closed}/run openbalance-hid status\n"
    )


def test_doctor_runs_every_check_with_a_closed_directory(closed: Path) -> None:
    done = as_a_user(closed, "doctor")
    assert "cannot be checked" not in done.stdout
    assert "ermission" in done.stdout
