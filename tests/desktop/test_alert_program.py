"""The user's program for alerts: what it gets, what it cannot do, and which programs are not run."""

import json
import os
import time
from pathlib import Path

import pytest

from openbalance_hid.desktop.alert_program import run_alert_program, unsafe_reason
from tests.waiting import until

ENV = {"PATH": os.environ["PATH"], "OPENROUTER_MANAGEMENT_KEY": "sk-or-v1-secret", "CREDENTIALS_DIRECTORY": "/x", "A": "b"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory that only this user may change. Skipped where the temporary directory itself may be written by others."""
    tmp_path.chmod(0o700)
    if (reason := unsafe_reason(Path("/bin/sh"))) or any(
        parent.stat().st_mode & 0o022 and not parent.stat().st_mode & 0o1000 for parent in tmp_path.parents
    ):
        pytest.skip(f"the temporary directory may be changed by others: {reason}")
    return tmp_path


def script(place: Path, text: str, mode: int = 0o700) -> str:
    file = place / "alert"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(mode)
    return str(file)


def test_a_program_gets_its_words_the_alert_and_no_key(place):
    program = script(place, f'cd {place}; cat > input; printf "%s|" "$@" > words; env > env; echo out; echo err >&2')
    assert run_alert_program([program, "--a b", "$(id)", ";x"], json.dumps({"kind": "spike"}).encode(), ENV) is None
    assert json.loads((place / "input").read_text()) == {"kind": "spike"}
    assert (place / "words").read_text() == "--a b|$(id)|;x|"
    env = (place / "env").read_text()
    assert "A=b" in env
    assert "sk-or" not in env
    assert "CREDENTIALS" not in env


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("exit 3", "ended with exit code 3"),
        ("kill -TERM $$", "was ended by signal 15"),
        ("exec sleep 60", "did not end within"),
    ],
)
def test_a_program_that_fails_or_hangs_is_a_failure_with_its_reason(place, text, reason):
    assert reason in (run_alert_program([script(place, text)], b"{}", ENV, limit_s=0.5) or "")


def test_a_program_that_hangs_is_ended_with_everything_that_it_started(place):
    program = script(place, f"sleep 61 & echo $! > {place}/child; wait")
    assert "did not end" in (run_alert_program([program], b"{}", ENV, limit_s=0.5) or "")
    child = int((place / "child").read_text())
    until(lambda: not _runs(child))


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_megabytes_of_output_and_unread_input_are_no_trouble(place):
    program = script(place, "head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2")
    begun_s = time.monotonic()
    assert run_alert_program([program], b"x" * 1_000_000, ENV) is None
    assert time.monotonic() - begun_s < 60


def test_a_program_that_is_missing_or_no_program_is_named(place):
    assert run_alert_program(["/nowhere/alert"], b"{}", ENV) == "/nowhere/alert does not exist"
    assert run_alert_program([script(place, "", 0o600)], b"{}", ENV) == f"{place}/alert is not an executable file"
    assert run_alert_program([str(place)], b"{}", ENV) == f"{place} is not an executable file"
    program = script(place, "")
    Path(program).write_text("no program")
    assert "cannot be started: exec format error" in (run_alert_program([program], b"{}", ENV) or "")


@pytest.mark.parametrize("mode", [0o722, 0o702, 0o720, 0o777])
def test_a_program_that_others_may_write_is_not_run(place, mode):
    program = script(place, f"touch {place}/ran", mode)
    assert "may be written by other users; to change that: chmod go-w" in (run_alert_program([program], b"{}", ENV) or "")
    assert not (place / "ran").exists()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_program_in_a_directory_that_others_may_write_is_not_run(place, mode):
    inner = place / "bin"
    inner.mkdir()
    program = script(inner, f"touch {place}/ran")
    inner.chmod(mode)
    assert f"{inner} may be written by other users" in (run_alert_program([program], b"{}", ENV) or "")
    assert not (place / "ran").exists()


def test_a_link_is_checked_at_both_ends(place):
    real, open_ = place / "real", place / "open"
    real.mkdir(mode=0o700)
    open_.mkdir()
    target = script(real, "exit 0")
    link = place / "link"
    link.symlink_to(target)
    assert run_alert_program([str(link)], b"{}", ENV) is None
    (open_ / "link").symlink_to(target)
    open_.chmod(0o777)
    assert "may be written by other users" in (run_alert_program([str(open_ / "link")], b"{}", ENV) or "")
    link.unlink()
    (open_ / "alert").write_text("#!/bin/sh\n")
    (open_ / "alert").chmod(0o755)
    link.symlink_to(open_ / "alert")
    assert "may be written by other users" in (run_alert_program([str(link)], b"{}", ENV) or "")
